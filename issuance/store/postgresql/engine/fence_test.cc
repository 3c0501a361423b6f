#include "issuance/store/postgresql/engine/fence.h"

#include <set>
#include <thread>

#include "tests/support/postgresql_cluster.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance::postgresql {
namespace {

constexpr absl::string_view kAddTenant =
    "INSERT INTO tenants (tenant_id, display_name, created_at, epoch, primary_root, root_name_key) "
    "VALUES ($1, $1, 0, $2, $3, $1)";
constexpr absl::string_view kWaitsForAdvisoryLock =
    "SELECT EXISTS (SELECT FROM pg_locks WHERE pid = $1 AND locktype = 'advisory' AND NOT granted)";

class FenceTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(database_, cluster_.CreatePreparedDatabase());
    ASSERT_OK_AND_ASSIGN(one_, Connection::Open(cluster_.ServiceOf(database_)));
    ASSERT_OK_AND_ASSIGN(other_, Connection::Open(cluster_.ServiceOf(database_)));
    ASSERT_OK_AND_ASSIGN(watcher_, Connection::Open(cluster_.SuperuserOf(database_)));
    ASSERT_OK(one_->Change(kAddTenant, {Text{"contoso"}, std::int64_t{3}, Text{"r2"}}));
    ASSERT_OK(one_->Change(kAddTenant, {Text{"fabrikam"}, std::int64_t{0}, Value()}));
  }
  static std::int64_t PidOf(Connection& connection) {
    const auto pid = connection.QueryInteger("SELECT pg_backend_pid()");
    EXPECT_OK(pid);
    return pid.value_or(0);
  }
  absl::Status UntilItWaits(std::int64_t pid) {
    return WaitUntilTrue(*watcher_, kWaitsForAdvisoryLock, {pid});
  }
  bool Waits(std::int64_t pid) {
    const auto waits = watcher_->QueryInteger(kWaitsForAdvisoryLock, {pid});
    EXPECT_OK(waits);
    return waits.value_or(0) != 0;
  }

  PostgresqlCluster& cluster_ = PostgresqlCluster::Shared();
  std::string database_;
  std::unique_ptr<Connection> one_, other_, watcher_;
};

TEST(FenceKeyTest, DiffersFromTenantToTenant) {
  std::set<std::int64_t> keys;
  for (const char* tenant : {"", "a", "b", "contoso", "contoso ", "CONTOSO"}) {
    keys.insert(FenceKey(tenant));
  }
  EXPECT_EQ(keys.size(), 6u);
  // printf 'hourglass fence\0contoso' | sha256sum: programs of all versions must agree.
  EXPECT_EQ(FenceKey("contoso"), -4418480474920144097);
}

TEST_F(FenceTest, TellsWhatATenantIs) {
  ASSERT_OK_AND_ASSIGN(const Transaction transaction, Transaction::Begin(*one_));
  ASSERT_OK_AND_ASSIGN(std::optional<FencedTenant> tenant, HoldTenant(*one_, "contoso"));
  ASSERT_TRUE(tenant.has_value());
  EXPECT_EQ(tenant->epoch, 3u);
  EXPECT_EQ(tenant->primary_root, "r2");
  ASSERT_OK_AND_ASSIGN(tenant, HoldTenant(*one_, "fabrikam"));
  ASSERT_TRUE(tenant.has_value());
  EXPECT_EQ(tenant->epoch, 0u);
  EXPECT_EQ(tenant->primary_root, "");
  ASSERT_OK_AND_ASSIGN(tenant, HoldTenant(*one_, "nobody"));
  EXPECT_FALSE(tenant.has_value());
}

TEST_F(FenceTest, ManyHoldAnEpochAtOnce) {
  ASSERT_OK_AND_ASSIGN(const Transaction first, Transaction::Begin(*one_));
  ASSERT_OK_AND_ASSIGN(const Transaction second, Transaction::Begin(*other_));
  EXPECT_OK(HoldTenant(*one_, "contoso"));
  // Would be refused after half a minute, were it to wait.
  EXPECT_OK(HoldTenant(*other_, "contoso"));
}

TEST_F(FenceTest, APromotionWaitsForWhoHoldsTheEpochAndWhoComesLaterSeesWhatItDid) {
  const std::int64_t promoter = PidOf(*other_);
  ASSERT_OK_AND_ASSIGN(Transaction append, Transaction::Begin(*one_));
  ASSERT_OK(HoldTenant(*one_, "contoso"));

  absl::Status promoted;
  std::thread promotion([&] {
    promoted = [&]() -> absl::Status {
      auto transaction = Transaction::Begin(*other_);
      if (!transaction.ok()) return transaction.status();
      absl::Status locked = LockForPromotion(*other_, "contoso");
      if (!locked.ok()) return locked;
      const auto changed = other_->Change(
          "UPDATE tenants SET epoch = epoch + 1, primary_root = 'r3' WHERE tenant_id = $1",
          {Text{"contoso"}});
      if (!changed.ok()) return changed.status();
      return transaction->Commit();
    }();
  });
  const absl::Status waits = UntilItWaits(promoter);
  // The epoch is as it was, and writes of this one still count.
  const auto epoch = one_->QueryInteger("SELECT epoch FROM tenants WHERE tenant_id = 'contoso'");
  const bool waits_still = Waits(promoter);
  const absl::Status committed = append.Commit();
  promotion.join();
  ASSERT_OK(waits);
  ASSERT_OK(epoch);
  EXPECT_EQ(*epoch, 3);
  EXPECT_TRUE(waits_still);
  ASSERT_OK(committed);
  ASSERT_OK(promoted);

  ASSERT_OK_AND_ASSIGN(const Transaction later, Transaction::Begin(*one_));
  ASSERT_OK_AND_ASSIGN(const std::optional<FencedTenant> tenant, HoldTenant(*one_, "contoso"));
  ASSERT_TRUE(tenant.has_value());
  EXPECT_EQ(tenant->epoch, 4u);
  EXPECT_EQ(tenant->primary_root, "r3");
}

TEST_F(FenceTest, WhoWaitsForAPromotionReadsTheNewEpoch) {
  const std::int64_t appender = PidOf(*other_);
  ASSERT_OK_AND_ASSIGN(Transaction promotion, Transaction::Begin(*one_));
  ASSERT_OK(LockForPromotion(*one_, "contoso"));
  ASSERT_OK(one_->Change("UPDATE tenants SET epoch = 4 WHERE tenant_id = 'contoso'"));

  absl::StatusOr<std::optional<FencedTenant>> read;
  std::thread append([&] {
    auto transaction = Transaction::Begin(*other_);
    read = transaction.ok() ? HoldTenant(*other_, "contoso") : transaction.status();
  });
  const absl::Status waits = UntilItWaits(appender);
  const absl::Status committed = promotion.Commit();
  append.join();
  ASSERT_OK(waits);
  ASSERT_OK(committed);
  ASSERT_OK(read);
  ASSERT_TRUE(read->has_value());
  EXPECT_EQ((*read)->epoch, 4u);
}

TEST_F(FenceTest, APromotionHoldsUpNoOtherTenant) {
  ASSERT_OK_AND_ASSIGN(const Transaction promotion, Transaction::Begin(*one_));
  ASSERT_OK(LockForPromotion(*one_, "contoso"));
  ASSERT_OK_AND_ASSIGN(const Transaction append, Transaction::Begin(*other_));
  EXPECT_OK(HoldTenant(*other_, "fabrikam"));
  // Control: it does hold up its own.
  ASSERT_OK(other_->Execute("SET LOCAL lock_timeout = 10"));
  EXPECT_THAT(HoldTenant(*other_, "contoso"), FailsWith(ErrorReason::kJournalUnavailable));
}

TEST_F(FenceTest, AdministratorsComeOneAfterAnotherAndHoldUpNobodyElse) {
  const std::int64_t second = PidOf(*other_);
  ASSERT_OK_AND_ASSIGN(Transaction first, Transaction::Begin(*one_));
  ASSERT_OK(LockForAdministration(*one_));
  absl::Status administered;
  std::thread administrator([&] {
    auto transaction = Transaction::Begin(*other_);
    administered = transaction.ok() ? LockForAdministration(*other_) : transaction.status();
  });
  const absl::Status waits = UntilItWaits(second);
  // An append, in a third connection.
  const auto appends = Connection::Open(cluster_.ServiceOf(database_));
  const absl::Status held = appends.ok() ? [&]() -> absl::Status {
    const auto transaction = Transaction::Begin(**appends);
    return HoldTenant(**appends, "contoso").status();
  }()
      : appends.status();
  const absl::Status committed = first.Commit();
  administrator.join();
  ASSERT_OK(waits);
  EXPECT_OK(held);
  ASSERT_OK(committed);
  EXPECT_OK(administered);
}

TEST_F(FenceTest, LocksEndWithTheTransaction) {
  {
    ASSERT_OK_AND_ASSIGN(const Transaction promotion, Transaction::Begin(*one_));
    ASSERT_OK(LockForPromotion(*one_, "contoso"));
    ASSERT_OK(LockForAdministration(*one_));
  }
  ASSERT_OK_AND_ASSIGN(const std::int64_t left,
                       watcher_->QueryInteger("SELECT count(*) FROM pg_locks WHERE locktype = "
                                              "'advisory' AND database = (SELECT oid FROM "
                                              "pg_database WHERE datname = current_database())"));
  EXPECT_EQ(left, 0);
}

}  // namespace
}  // namespace hourglass::issuance::postgresql
