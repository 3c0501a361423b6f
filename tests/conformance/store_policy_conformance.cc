#include <gmock/gmock.h>

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/conformance/store_conformance.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

absl::StatusOr<std::uint64_t> Put(Store& store, const std::vector<PolicyRecord>& policies,
                                  const ChangeCause& cause = SampleCause()) {
  return store.ChangePolicies(kSampleTenant, std::nullopt, policies, {}, cause);
}

absl::StatusOr<std::uint64_t> Delete(Store& store, const std::vector<std::string>& policies,
                                     const ChangeCause& cause = SampleCause()) {
  return store.ChangePolicies(kSampleTenant, std::nullopt, {}, policies, cause);
}

PolicyRecord At(std::uint64_t revision, PolicyRecord policy) {
  policy.revision = revision;
  return policy;
}

std::vector<PolicyRecord> PoliciesOf(Store& store, absl::string_view tenant_id = kSampleTenant) {
  return store.ListPolicies(tenant_id).value().policies;
}

std::vector<PolicyVersion> VersionsOf(Store& store, absl::string_view policy_id) {
  const auto page = store.ListPolicyVersions(kSampleTenant, policy_id, kMaxPageSize, "");
  EXPECT_OK(page);
  return page.ok() ? page->records : std::vector<PolicyVersion>();
}

PolicyRecord Unusual() {
  PolicyRecord policy = SamplePolicy(kUnusualText);
  policy.kind = PolicyKind::kNamedLocation;
  policy.display_name = absl::StrCat("the ", kUnusualText);
  policy.state = "";
  policy.document = absl::StrCat("{\"displayName\": \"", kUnusualText, "\"}\n\t");
  return policy;
}

TEST_P(PolicyStoreConformance, KeepsPoliciesInEveryField) {
  EXPECT_THAT(Put(*store_, {SamplePolicy("p")}), FailsWith(ErrorReason::kTenantUnknown));
  EXPECT_THAT(PoliciesOf(*store_), IsEmpty()) << "of a tenant that there is not";
  EXPECT_EQ(store_->ListPolicies(kSampleTenant)->revision, 0u);
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  ASSERT_OK(store_->CreateTenant(SampleTenant("fabrikam")));
  EXPECT_THAT(PoliciesOf(*store_), IsEmpty());
  PolicyRecord boasting = Unusual();
  boasting.tenant_id = "fabrikam";
  boasting.revision = 77;
  boasting.changed_at = SampleTime(99);
  boasting.changed_by = "itself";
  PolicyRecord compliance = SamplePolicy("B");
  compliance.kind = PolicyKind::kDeviceCompliance;
  compliance.state = "";
  EXPECT_EQ(Put(*store_, {boasting, SamplePolicy("a"), compliance}).value(), 1u);
  EXPECT_THAT(PoliciesOf(*store_),
              ElementsAre(At(1, compliance), At(1, SamplePolicy("a")), At(1, Unusual())))
      << "by id, upper case first";
  EXPECT_EQ(store_->ListPolicies(kSampleTenant)->revision, 1u);
  EXPECT_THAT(PoliciesOf(*store_, "fabrikam"), IsEmpty());
  ASSERT_OK_AND_ASSIGN(const TenantRecord tenant, store_->GetTenant(kSampleTenant));
  EXPECT_EQ(tenant.policy_revision, 1u);
  EXPECT_EQ(tenant.revision, 0u) << "the trust bundle is what it was";
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> other, place_->Open());
  EXPECT_EQ(PoliciesOf(*other), PoliciesOf(*store_));
}

TEST_P(PolicyStoreConformance, AChangeIsOneRevisionOfAllThatItChanges) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  ASSERT_OK(Put(*store_, {SamplePolicy("a"), SamplePolicy("b"), SamplePolicy("c")}));
  PolicyRecord changed = SamplePolicy("b");
  changed.state = "disabled";
  const ChangeCause cause = {SampleTime(5), "another", "too strict"};
  ASSERT_OK_AND_ASSIGN(
      const std::uint64_t revision,
      store_->ChangePolicies(kSampleTenant, 1, {changed, SamplePolicy("c"), SamplePolicy("d")},
                             {"a"}, cause));
  EXPECT_EQ(revision, 2u);
  const auto made = [&](PolicyRecord policy) {
    policy.changed_at = cause.now;
    policy.changed_by = cause.caller;
    return At(2, policy);
  };
  EXPECT_THAT(PoliciesOf(*store_),
              ElementsAre(made(changed), At(1, SamplePolicy("c")), made(SamplePolicy("d"))))
      << "what is put as it is stays as it is";
  EXPECT_EQ(store_->ListPolicies(kSampleTenant)->revision, 2u);
}

TEST_P(PolicyStoreConformance, EachFieldThatIsAnotherIsAChangeAndNothingElse) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  ASSERT_OK(Put(*store_, {SamplePolicy("a")}));
  PolicyRecord policy = SamplePolicy("a");
  EXPECT_EQ(Put(*store_, {policy}, {SampleTime(7), "another", "again"}).value(), 1u);
  EXPECT_EQ(Put(*store_, {}).value(), 1u);
  EXPECT_EQ(store_->ChangePolicies(kSampleTenant, 1, {policy}, {}, SampleCause()).value(), 1u);
  EXPECT_THAT(PoliciesOf(*store_), ElementsAre(At(1, SamplePolicy("a"))));
  EXPECT_EQ(VersionsOf(*store_, "a").size(), 1u);
  policy.kind = PolicyKind::kNamedLocation;
  EXPECT_EQ(Put(*store_, {policy}).value(), 2u);
  policy.display_name = "another";
  EXPECT_EQ(Put(*store_, {policy}).value(), 3u);
  policy.state = "";
  EXPECT_EQ(Put(*store_, {policy}).value(), 4u);
  policy.document = "";
  EXPECT_EQ(Put(*store_, {policy}).value(), 5u);
  EXPECT_EQ(Put(*store_, {policy}).value(), 5u);
  EXPECT_THAT(PoliciesOf(*store_), ElementsAre(At(5, policy)));
}

TEST_P(PolicyStoreConformance, WhatIsRefusedChangesNothing) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  ASSERT_OK(Put(*store_, {SamplePolicy("a")}));
  ASSERT_OK(Put(*store_, {SamplePolicy("b")}));
  const std::vector<std::string> actions = ActionsOf(*store_);
  const auto change =
      [&](std::optional<std::uint64_t> expected, const std::vector<PolicyRecord>& put,
          const std::vector<std::string>& deleted, absl::string_view tenant_id = kSampleTenant) {
        return store_->ChangePolicies(tenant_id, expected, put, deleted, SampleCause());
      };
  const auto invalid = FailsWith(ErrorReason::kFieldInvalid, "policy_id");
  const auto unknown = FailsWith(ErrorReason::kPolicyUnknown, "policy_id");
  const auto changed = FailsWith(ErrorReason::kPoliciesChanged);
  for (const std::uint64_t expected :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{3}, ~std::uint64_t{0}}) {
    EXPECT_THAT(change(expected, {SamplePolicy("c")}, {}), changed) << expected;
  }
  EXPECT_THAT(change(1, {}, {}), changed) << "also where nothing is to be changed";
  EXPECT_THAT(change(2, {SamplePolicy("c")}, {"a", "nothing"}), unknown);
  EXPECT_THAT(change(2, {SamplePolicy("c")}, {"A"}), unknown);
  EXPECT_THAT(change(2, {SamplePolicy("c"), SamplePolicy("c")}, {}), invalid);
  EXPECT_THAT(change(2, {SamplePolicy("a")}, {"a"}), invalid);
  EXPECT_THAT(change(2, {}, {"a", "a"}), invalid);
  EXPECT_THAT(change(2, {SamplePolicy("")}, {}), invalid);
  EXPECT_THAT(change(2, {}, {""}), invalid);
  // Of several, the first.
  EXPECT_THAT(change(1, {}, {"", "nothing"}, "nobody"), invalid);
  EXPECT_THAT(change(1, {}, {"nothing"}, "nobody"), FailsWith(ErrorReason::kTenantUnknown));
  EXPECT_THAT(change(1, {}, {"nothing"}), changed);
  EXPECT_THAT(PoliciesOf(*store_), ElementsAre(At(1, SamplePolicy("a")), At(2, SamplePolicy("b"))));
  EXPECT_EQ(ActionsOf(*store_), actions);
  EXPECT_THAT(VersionsOf(*store_, "c"), IsEmpty());
  EXPECT_EQ(change(2, {SamplePolicy("c")}, {"a"}).value(), 3u);
}

TEST_P(PolicyStoreConformance, KeepsEachVersionAlsoOfWhatWasDeleted) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  ASSERT_OK(store_->CreateTenant(SampleTenant("fabrikam")));
  EXPECT_THAT(VersionsOf(*store_, "a"), IsEmpty());
  const ChangeCause causes[] = {{SampleTime(1), "one", "first"},
                                {SampleTime(-9), "two", kUnusualText},
                                {SampleTime(3), "three", ""},
                                {SampleTime(4), "four", "it came back"}};
  PolicyRecord stricter = SamplePolicy("a");
  stricter.state = "enabledForReportingButNotEnforced";
  stricter.document = "{\"stricter\": true}";
  ASSERT_OK(Put(*store_, {SamplePolicy("a")}, causes[0]));
  ASSERT_OK(Put(*store_, {SamplePolicy("b")}));
  ASSERT_OK(Put(*store_, {stricter}, causes[1]));
  ASSERT_OK(Delete(*store_, {"a"}, causes[2]));
  EXPECT_THAT(Delete(*store_, {"a"}), FailsWith(ErrorReason::kPolicyUnknown, "policy_id"));
  ASSERT_OK(Put(*store_, {SamplePolicy("a")}, causes[3]));
  const auto made = [](std::uint64_t revision, PolicyRecord policy, const ChangeCause& cause,
                       bool is_deleted) {
    policy.changed_at = cause.now;
    policy.changed_by = cause.caller;
    if (is_deleted) policy.document = "";
    return PolicyVersion{At(revision, policy), is_deleted, cause.reason};
  };
  const std::vector<PolicyVersion> all = {
      made(5, SamplePolicy("a"), causes[3], false), made(4, stricter, causes[2], true),
      made(3, stricter, causes[1], false), made(1, SamplePolicy("a"), causes[0], false)};
  EXPECT_EQ(VersionsOf(*store_, "a"), all);
  EXPECT_EQ(VersionsOf(*store_, "b").size(), 1u);
  EXPECT_THAT(VersionsOf(*store_, "A"), IsEmpty());
  EXPECT_THAT(store_->ListPolicyVersions("fabrikam", "a", 10, "")->records, IsEmpty());
  for (const int page_size : {1, 2, 3, 4, 5}) {
    std::vector<PolicyVersion> listed;
    std::string token;
    do {
      ASSERT_OK_AND_ASSIGN(const Page<PolicyVersion> page,
                           store_->ListPolicyVersions(kSampleTenant, "a", page_size, token));
      ASSERT_LE(page.records.size(), static_cast<std::size_t>(page_size));
      listed.insert(listed.end(), page.records.begin(), page.records.end());
      token = page.next_page_token;
    } while (!token.empty());
    EXPECT_EQ(listed, all) << page_size;
  }
}

TEST_P(PolicyStoreConformance, RefusesPagesThatThereAreNot) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  for (const int page_size : {-1, 0, kMaxPageSize + 1}) {
    EXPECT_THAT(store_->ListPolicyVersions(kSampleTenant, "a", page_size, ""),
                FailsWith(ErrorReason::kFieldInvalid, "page_size"));
  }
  for (const std::string& token : {std::string("x"), absl::WebSafeBase64Escape("a1:2")}) {
    EXPECT_THAT(store_->ListPolicyVersions(kSampleTenant, "a", 1, token),
                FailsWith(ErrorReason::kFieldInvalid, "page_token"));
  }
}

TEST_P(PolicyStoreConformance, RecordsWhatBecameOfEach) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  ASSERT_OK(Put(*store_, {SamplePolicy("a"), SamplePolicy("b"), Unusual()}));
  PolicyRecord disabled = SamplePolicy("a");
  disabled.state = "disabled";
  const ChangeCause cause = {SampleTime(5), kUnusualText, "too strict"};
  ASSERT_OK(store_->ChangePolicies(kSampleTenant, 1, {disabled, Unusual()}, {"b"}, cause));
  ASSERT_OK_AND_ASSIGN(Page<AdministrativeAction> page,
                       store_->ListAdministrativeActions(kSampleTenant, 2, ""));
  for (AdministrativeAction& action : page.records) action.sequence = 0;
  const std::string tenant(kSampleTenant);
  EXPECT_THAT(page.records,
              ElementsAre(AdministrativeAction{tenant, 0, cause.now, cause.caller, "policy_changed",
                                               "a", "enabled", "disabled", cause.reason, false},
                          AdministrativeAction{tenant, 0, cause.now, cause.caller, "policy_deleted",
                                               "b", "enabled", "", cause.reason, false}));
  std::vector<std::string> actions = ActionsOf(*store_);
  EXPECT_THAT(actions, ElementsAre("policy_changed a", "policy_deleted b",
                                   absl::StrCat("policy_imported ", kUnusualText),
                                   "policy_imported b", "policy_imported a"));
}

TEST_P(PolicyStoreConformance, TellsOfTheTenant) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  std::vector<std::uint64_t> seen;
  NewsOfThisThread news(*store_, [&](absl::string_view tenant_id) {
    seen.push_back(store_->ListPolicies(tenant_id)->revision);
  });
  ASSERT_OK(Put(*store_, {SamplePolicy("a")}));
  EXPECT_THAT(news.Take(), ElementsAre(kSampleTenant));
  EXPECT_THAT(seen, ElementsAre(1u)) << "once it is committed, and without the store's locks";
  EXPECT_THAT(Delete(*store_, {"b"}), FailsWith(ErrorReason::kPolicyUnknown));
  EXPECT_THAT(news.Take(), IsEmpty()) << "of what was refused";
  ASSERT_OK(Delete(*store_, {"a"}));
  EXPECT_THAT(news.Take(), ElementsAre(kSampleTenant));
}

TEST_P(PolicyStoreConformance, OfRivalsWhoSawTheSameRevisionOneChangesIt) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> other, place_->Open());
  constexpr int kRivals = 6;
  std::atomic<int> winners = 0, losers = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kRivals; ++i) {
    threads.emplace_back([&, i] {
      Store& store = i % 2 == 0 ? *store_ : *other;
      const auto changed = store.ChangePolicies(
          kSampleTenant, 0, {SamplePolicy(absl::StrCat("p-", i))}, {}, SampleCause());
      if (changed.ok()) ++winners;
      if (ReasonOf(changed.status()) == ErrorReason::kPoliciesChanged) ++losers;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(winners, 1);
  EXPECT_EQ(losers, kRivals - 1);
  EXPECT_EQ(PoliciesOf(*store_).size(), 1u);
  EXPECT_EQ(ActionsOf(*other).size(), 1u);
}

TEST_P(PolicyStoreConformance, AListingIsOfOneRevisionWhateverIsChangedMeanwhile) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> other, place_->Open());
  constexpr std::uint64_t kChanges = 30;
  std::atomic<bool> ended = false;
  std::atomic<int> failures = 0;
  // Each change makes all policies anew.
  std::thread changes([&] {
    for (std::uint64_t i = 1; i <= kChanges; ++i) {
      std::vector<PolicyRecord> policies;
      for (const char* id : {"a", "b", "c"}) {
        policies.push_back(SamplePolicy(id));
        policies.back().document = absl::StrCat(i);
      }
      if (!Put(*other, policies).ok()) ++failures;
    }
    ended = true;
  });
  while (!ended) {
    const auto set = store_->ListPolicies(kSampleTenant);
    if (!set.ok()) {
      ++failures;
      continue;
    }
    for (const PolicyRecord& policy : set->policies) {
      if (policy.revision != set->revision) ++failures;
      if (policy.document != absl::StrCat(set->revision)) ++failures;
    }
  }
  changes.join();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(store_->ListPolicies(kSampleTenant)->revision, kChanges);
}

}  // namespace
}  // namespace hourglass::issuance
