#include "issuance/server/changes_elsewhere.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "hsm/base/error.h"
#include "issuance/store/sqlite/sqlite_store.h"
#include "issuance/store/testing/forwarding_store.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class FailingStore final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;

  absl::StatusOr<std::vector<TenantRecord>> ListTenants() override {
    if (!error.ok()) return error;
    return ForwardingStore::ListTenants();
  }

  absl::Status error;
};

class ChangesElsewhereTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(own_, OpenSqliteStore(directory_.File("store.sqlite")));
    // Of another process, as far as either can tell.
    ASSERT_OK_AND_ASSIGN(other_, OpenSqliteStore(directory_.File("store.sqlite")));
    ASSERT_OK(other_->CreateTenant(SampleTenant("contoso")));
    ASSERT_OK(other_->CreateTenant(SampleTenant("fabrikam")));
  }

  std::vector<std::string> ToldBy(ChangesElsewhere& changes) {
    std::vector<std::string> told;
    const TenantChanges::Subscription subscription =
        own_->changes().Subscribe([&](absl::string_view tenant_id) {
          told.emplace_back(tenant_id);
          // Nothing is held that a listener could wait for.
          EXPECT_OK(own_->ListTenants());
        });
    changes.Look();
    return told;
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Store> own_;
  std::unique_ptr<Store> other_;
};

TEST_F(ChangesElsewhereTest, WhatAnotherChangedIsToldOnce) {
  ASSERT_OK(other_->AddRoot(SampleRoot(1, "contoso")));
  ChangesElsewhere changes(own_.get());
  EXPECT_THAT(ToldBy(changes), IsEmpty()) << "nobody remembers anything from before";
  EXPECT_THAT(ToldBy(changes), IsEmpty());
  ASSERT_OK(other_->AddRoot(SampleRoot(2, "contoso")));
  EXPECT_THAT(ToldBy(changes), ElementsAre("contoso"));
  EXPECT_THAT(ToldBy(changes), IsEmpty());
  ASSERT_OK(other_->AddRoot(SampleRoot(1, "fabrikam")));
  ASSERT_OK(other_->AddRoot(SampleRoot(3, "contoso")));
  EXPECT_THAT(ToldBy(changes), UnorderedElementsAre("contoso", "fabrikam"));
}

TEST_F(ChangesElsewhereTest, PoliciesThatAnotherChangedAreToldOf) {
  ChangesElsewhere changes(own_.get());
  EXPECT_THAT(ToldBy(changes), IsEmpty());
  ASSERT_OK(other_->ChangePolicies("contoso", std::nullopt, {SamplePolicy("p-1")}, {}, {}));
  EXPECT_THAT(ToldBy(changes), ElementsAre("contoso"));
  ASSERT_OK(other_->Block(SampleBlock(BlockRecord::Kind::kDevice, "d-1", "fabrikam"), {}));
  EXPECT_THAT(ToldBy(changes), IsEmpty()) << "each verdict reads what is blocked";
}

TEST_F(ChangesElsewhereTest, ATenantThatIsNewIsToldOfWithItsFirstRoot) {
  ChangesElsewhere changes(own_.get());
  EXPECT_THAT(ToldBy(changes), IsEmpty());
  ASSERT_OK(other_->CreateTenant(SampleTenant("tailspin")));
  EXPECT_THAT(ToldBy(changes), IsEmpty());
  ASSERT_OK(other_->AddRoot(SampleRoot(1, "tailspin")));
  EXPECT_THAT(ToldBy(changes), ElementsAre("tailspin"));
}

TEST_F(ChangesElsewhereTest, ALookThatFailsMissesNothing) {
  FailingStore store(own_.get());
  store.error = Error(ErrorReason::kJournalUnavailable, "", "the disk is gone");
  ChangesElsewhere changes(&store);
  EXPECT_THAT(ToldBy(changes), IsEmpty());
  store.error = absl::OkStatus();
  EXPECT_THAT(ToldBy(changes), IsEmpty()) << "the first that succeeds";
  ASSERT_OK(other_->AddRoot(SampleRoot(1, "contoso")));
  store.error = Error(ErrorReason::kJournalUnavailable, "", "the disk is gone");
  EXPECT_THAT(ToldBy(changes), IsEmpty());
  store.error = absl::OkStatus();
  EXPECT_THAT(ToldBy(changes), ElementsAre("contoso"));
}

}  // namespace
}  // namespace hourglass::issuance
