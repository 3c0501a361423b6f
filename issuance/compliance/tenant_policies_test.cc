#include "issuance/compliance/tenant_policies.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/store/sqlite/sqlite_store.h"
#include "issuance/store/testing/forwarding_store.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

PolicyRecord Policy(const std::string& id, const std::string& state) {
  PolicyRecord record = SamplePolicy(id);
  record.state = state;
  record.document = absl::StrCat(R"({"id": ")", id, R"(", "displayName": "P", "state": ")", state,
                                 R"(", "conditions": {"users": {"includeUsers": ["All"]},
  "applications": {"includeApplications": ["All"]}}, "grantControls": {"operator": "OR",
  "builtInControls": ["mfa"]}})");
  return record;
}

// Counts who reads policies, and how many do at once.
class CountingStore final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  absl::StatusOr<PolicySet> ListPolicies(absl::string_view tenant_id) override {
    ++reads;
    if (fails) return Error(ErrorReason::kJournalUnavailable, "", "away");
    absl::StatusOr<PolicySet> set = ForwardingStore::ListPolicies(tenant_id);
    if (set.ok() && lags) --set->revision;
    return set;
  }

  std::atomic<int> reads = 0;
  std::atomic<bool> fails = false;
  std::atomic<bool> lags = false;
};

class TenantPolicyCacheTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(store_, OpenSqliteStore(directory_.File("store.db")));
    ASSERT_OK(store_->CreateTenant(SampleTenant()));
    counting_.emplace(store_.get());
    cache_.emplace(&*counting_, std::map<std::string, AccessConfig>());
  }

  std::uint64_t Put(const PolicyRecord& policy) {
    const auto revision =
        store_->ChangePolicies(kSampleTenant, std::nullopt, {&policy, 1}, {}, SampleCause());
    EXPECT_OK(revision);
    return revision.value_or(0);
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Store> store_;
  std::optional<CountingStore> counting_;
  std::optional<TenantPolicyCache> cache_;
};

TEST_F(TenantPolicyCacheTest, ReadsARevisionOnce) {
  std::uint64_t revision = Put(Policy("a", "disabled"));
  for (int i = 0; i < 3; ++i) {
    const auto result = cache_->Get(kSampleTenant, revision);
    ASSERT_OK(result.status);
    EXPECT_EQ(result.policies->revision, revision);
    EXPECT_FALSE(result.policies->decide());
  }
  EXPECT_EQ(counting_->reads, 1);
  revision = Put(Policy("a", "enabled"));
  const auto result = cache_->Get(kSampleTenant, revision);
  ASSERT_OK(result.status);
  EXPECT_TRUE(result.policies->enforces_access);
  EXPECT_EQ(counting_->reads, 2);
}

TEST_F(TenantPolicyCacheTest, ReportOnlyPoliciesDecideNothing) {
  const auto result =
      cache_->Get(kSampleTenant, Put(Policy("a", "enabledForReportingButNotEnforced")));
  ASSERT_OK(result.status);
  EXPECT_FALSE(result.policies->decide());
  EXPECT_NE(result.policies->access, nullptr);
}

TEST_F(TenantPolicyCacheTest, AsksNobodyWhereThereNeverWasAPolicy) {
  const auto result = cache_->Get(kSampleTenant, 0);
  ASSERT_OK(result.status);
  EXPECT_FALSE(result.policies->decide());
  EXPECT_EQ(counting_->reads, 0);
  TenantPolicyCache without(nullptr, {});
  EXPECT_OK(without.Get(kSampleTenant, 0).status);
  EXPECT_THAT(without.Get(kSampleTenant, 1).status, FailsWith(ErrorReason::kComplianceUnavailable));
}

TEST_F(TenantPolicyCacheTest, WhatCannotBeReadIsTriedAgain) {
  const std::uint64_t revision = Put(Policy("a", "enabled"));
  counting_->fails = true;
  EXPECT_THAT(cache_->Get(kSampleTenant, revision).status,
              FailsWith(ErrorReason::kComplianceUnavailable));
  counting_->fails = false;
  EXPECT_OK(cache_->Get(kSampleTenant, revision).status);
}

TEST_F(TenantPolicyCacheTest, WhatIsBehindIsNoAnswer) {
  const std::uint64_t revision = Put(Policy("a", "enabled"));
  counting_->lags = true;
  EXPECT_THAT(cache_->Get(kSampleTenant, revision).status,
              FailsWith(ErrorReason::kComplianceUnavailable));
}

TEST_F(TenantPolicyCacheTest, WhatCannotBePreparedIsToldOnceAndNotTriedAgain) {
  PolicyRecord broken = Policy("a", "enabled");
  broken.document = "{";
  const std::uint64_t revision = Put(broken);
  const auto first = cache_->Get(kSampleTenant, revision);
  EXPECT_THAT(first.status, FailsWith(ErrorReason::kFieldInvalid, "a"));
  EXPECT_EQ(first.policies, nullptr);
  EXPECT_TRUE(first.read_anew);
  const auto second = cache_->Get(kSampleTenant, revision);
  EXPECT_THAT(second.status, FailsWith(ErrorReason::kFieldInvalid, "a"));
  EXPECT_FALSE(second.read_anew);
  EXPECT_EQ(counting_->reads, 1);
}

TEST_F(TenantPolicyCacheTest, AnOlderQuestionTakesWhatIsNewer) {
  const std::uint64_t older = Put(Policy("a", "enabled"));
  const std::uint64_t newer = Put(Policy("b", "enabled"));
  ASSERT_OK(cache_->Get(kSampleTenant, newer).status);
  const auto result = cache_->Get(kSampleTenant, older);
  ASSERT_OK(result.status);
  EXPECT_EQ(result.policies->revision, newer);
}

TEST_F(TenantPolicyCacheTest, OneOfManyThreadsPreparesARevision) {
  const std::uint64_t revision = Put(Policy("a", "enabled"));
  std::vector<std::thread> threads;
  std::atomic<int> sound = 0;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back(
        [&] { sound += cache_->Get(kSampleTenant, revision).status.ok() ? 1 : 0; });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(sound, 8);
  EXPECT_EQ(counting_->reads, 1);
}

}  // namespace
}  // namespace hourglass::issuance
