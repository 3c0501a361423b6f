#include "issuance/store/postgresql/tables/postgresql_tenant_notices.h"

#include <gmock/gmock.h>
#include <poll.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/store/postgresql/tables/postgresql_blocks.h"
#include "issuance/store/postgresql/tables/postgresql_keys.h"
#include "issuance/store/postgresql/tables/postgresql_policies.h"
#include "issuance/store/postgresql/tables/postgresql_roots.h"
#include "issuance/store/postgresql/tables/testing/tables_test.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance::postgresql {
namespace {

using ca::RootState;
using testing::ElementsAre;

class PostgresqlTenantNoticesTest : public TablesTest {
 protected:
  PostgresqlTenantNoticesTest() {
    EXPECT_OK(listener_->Execute(absl::StrCat("LISTEN ", kTenantChannel)));
  }

  absl::Status Add(int generation, absl::string_view tenant = kSampleTenant) {
    return Change([&](Connection& c) { return AddRoot(c, SampleRoot(generation, tenant)); });
  }
  absl::Status Move(std::uint64_t revision, const std::vector<RootStateChange>& changes) {
    return Change([&](Connection& c) {
      return ChangeRootStates(c, kSampleTenant, revision, changes, {SampleTime()});
    });
  }
  // What was heard up to a notice that this sends last of all.
  std::vector<std::string> Heard() {
    EXPECT_OK(Write(*connection_, [](Connection& c) { return NotifyOfTenant(c, "the last"); }));
    std::vector<std::string> heard;
    for (;;) {
      const absl::StatusOr<std::vector<Notification>> notifications =
          listener_->TakeNotifications();
      EXPECT_OK(notifications);
      if (!notifications.ok()) return heard;
      for (const Notification& notification : *notifications) {
        EXPECT_EQ(notification.channel, kTenantChannel);
        if (notification.payload == "the last") return heard;
        heard.push_back(notification.payload);
      }
      pollfd descriptor = {listener_->socket(), POLLIN, 0};
      poll(&descriptor, 1, -1);
    }
  }

  const std::unique_ptr<Connection> listener_ = Connect();
};

TEST_F(PostgresqlTenantNoticesTest, EachChangeOfRootsIsToldWhenItIsCommitted) {
  ASSERT_OK(Add(1));
  ASSERT_OK(Add(1, "fabrikam"));
  EXPECT_THAT(Heard(), ElementsAre("contoso", "fabrikam"));
  ASSERT_OK(Move(1, {{"root-1", RootState::kStaged, RootState::kPrimary}}));
  ASSERT_OK(Move(2, {{"root-1", RootState::kPrimary, RootState::kRetiring}}));
  ASSERT_OK(Move(3, {{"root-1", RootState::kRetiring, RootState::kRetired}}));
  EXPECT_THAT(Heard(), ElementsAre("contoso", "contoso", "contoso"));
}

TEST_F(PostgresqlTenantNoticesTest, EachChangeOfPoliciesIsTold) {
  const auto put = [&](const PolicyRecord& policy) {
    return Change([&](Connection& c) {
      return ChangePolicies(c, kSampleTenant, std::nullopt, {policy}, {}, SampleCause()).status();
    });
  };
  ASSERT_OK(put(SamplePolicy("p-1")));
  EXPECT_THAT(Heard(), ElementsAre("contoso"));
  ASSERT_OK(put(SamplePolicy("p-1")));
  EXPECT_THAT(put(SamplePolicy("")), FailsWith(ErrorReason::kFieldInvalid));
  EXPECT_THAT(Heard(), ElementsAre()) << "nothing was changed";
}

TEST_F(PostgresqlTenantNoticesTest, NothingElseIsTold) {
  ASSERT_OK(Change([](Connection& c) {
    return Block(c, SampleBlock(BlockRecord::Kind::kDevice, "d-1"), SampleCause());
  }));
  ASSERT_OK(Change([](Connection& c) { return CreateTenant(c, SampleTenant("new")); }));
  ASSERT_OK(Change([](Connection& c) { return PlanKey(c, {"contoso", 1, "software:1", ""}); }));
  EXPECT_THAT(Add(1, "nobody"), FailsWith(ErrorReason::kTenantUnknown));
  EXPECT_THAT(Move(0, {{"root-1", RootState::kStaged, RootState::kPrimary}}),
              FailsWith(ErrorReason::kRootUnknown));
  {
    ASSERT_OK_AND_ASSIGN(const Transaction transaction, Transaction::Begin(*connection_));
    ASSERT_OK(AddRoot(*connection_, SampleRoot(1)));
  }
  EXPECT_THAT(Heard(), ElementsAre());
  ASSERT_OK(Add(1));
  EXPECT_THAT(Heard(), ElementsAre("contoso"));
}

}  // namespace
}  // namespace hourglass::issuance::postgresql
