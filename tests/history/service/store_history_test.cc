#include "tests/history/service/store_history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "issuance/store/sqlite/sqlite_store.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::history {
namespace {

using issuance::kSampleTenant;

class StoreHistoryTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(store_, issuance::OpenSqliteStore(folder_.File("store.sqlite")));
    ASSERT_OK(issuance::AddSamplePrimary(*store_));
  }

  const TemporaryDirectory folder_;
  std::unique_ptr<issuance::Store> store_;
};

TEST_F(StoreHistoryTest, AllOfATenantIsThereOldestFirst) {
  // More than a page.
  constexpr int kCertificates = issuance::kMaxPageSize + 2;
  for (int i = 0; i < kCertificates; ++i) {
    ASSERT_OK(issuance::Append(*store_, issuance::SampleIntent(absl::StrCat("r-", i))));
  }
  const issuance::Intent last = issuance::SampleIntent(absl::StrCat("r-", kCertificates - 1));
  const issuance::Release release = issuance::ReleaseOf(last);
  ASSERT_OK(issuance::Append(*store_, release));
  const issuance::IntermediateRecord above = issuance::SampleIntermediate(1);
  ASSERT_OK(store_->AddIntermediate(above));
  ASSERT_OK(issuance::SwitchToSecondRoot(*store_));
  ASSERT_OK(
      store_->AddRelyingParty(issuance::SampleRelyingParty("gateway"), issuance::SampleCause()));

  ASSERT_OK_AND_ASSIGN(const TenantHistory tenant, ReadTenantHistory(*store_, kSampleTenant));
  EXPECT_EQ(tenant.tenant_id, kSampleTenant);
  EXPECT_EQ(tenant.epoch, 2U);
  EXPECT_EQ(tenant.revision, 4U);

  ASSERT_EQ(tenant.roots.size(), 2U);
  EXPECT_EQ(tenant.roots[0].root_id, "root-1");
  EXPECT_EQ(tenant.roots[0].state, ca::RootState::kRetiring);
  EXPECT_EQ(tenant.roots[0].certificate, issuance::SampleRoot(1).certificate);
  EXPECT_EQ(tenant.roots[0].not_after, issuance::SampleRoot(1).not_after);

  std::string actions;
  for (const RootAction& action : tenant.actions) {
    absl::StrAppend(&actions, action.root_id, " ", action.action, " ", action.from_state, "-",
                    action.to_state, "; ");
  }
  EXPECT_EQ(actions,
            "root-1 root_created -STAGED; root-1 root_promoted STAGED-PRIMARY; "
            "root-2 root_created -STAGED; root-1 root_demoted PRIMARY-RETIRING; "
            "root-2 root_promoted STAGED-PRIMARY; ");
  EXPECT_EQ(tenant.actions.back().at, issuance::SampleTime(9));
  EXPECT_GT(tenant.actions[1].sequence, tenant.actions[0].sequence);

  ASSERT_EQ(tenant.intermediates.size(), 1U);
  EXPECT_EQ(tenant.intermediates[0],
            (RecordedIntermediate{1, "root-1", above.serial_number, "", std::nullopt}));

  ASSERT_EQ(tenant.certificates.size(), static_cast<std::size_t>(kCertificates));
  EXPECT_EQ(tenant.certificates.front().request_id, "r-0");
  EXPECT_EQ(tenant.certificates.front().released_at, std::nullopt);
  RecordedCertificate expected;
  expected.request_id = last.request_id;
  expected.epoch = last.epoch;
  expected.root_id = last.root_id;
  expected.serial_number = last.serial_number;
  expected.intermediate_serial_number = last.intermediate_serial_number;
  expected.to_be_signed = last.tbs_certificate;
  expected.not_after = last.not_after;
  expected.intended_at = last.intended_at;
  expected.certificate = release.certificate;
  expected.released_at = release.released_at;
  EXPECT_EQ(tenant.certificates.back(), expected);
}

TEST_F(StoreHistoryTest, ATenantThatThereIsNotIsAnError) {
  EXPECT_THAT(ReadTenantHistory(*store_, "fabrikam"), FailsWith(ErrorReason::kTenantUnknown));
}

}  // namespace
}  // namespace hourglass::history
