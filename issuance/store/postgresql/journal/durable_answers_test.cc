// That a request which is there already is answered only by what the standby has, too.
#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "hsm/base/error.h"
#include "issuance/store/postgresql/journal/testing/journal_test.h"
#include "tests/support/postgresql_cluster.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance::postgresql {
namespace {

class DurableAnswersTest : public testing::Test {
 protected:
  // Every COMMIT waits for `standby` from now on, or for none. No restart: the first number that a
  // sequence gives after one is written, and waited for.
  void WaitFor(const std::string& standby) {
    ASSERT_OK_AND_ASSIGN(const auto superuser, Connection::Open(cluster_->SuperuserOf(database_)));
    ASSERT_OK(superuser->Execute("ALTER SYSTEM SET synchronous_standby_names = '" + standby + "'"));
    ASSERT_OK(superuser->QueryInteger("SELECT pg_reload_conf()"));
    // The process that tells all others does so when it comes to it.
    bool waits = false;
    while (waits == standby.empty()) waits = ACommitWaits(*superuser);
  }

  // Whether one does, of a connection that is ended then.
  bool ACommitWaits(Connection& superuser) {
    ConnectionParameters parameters = cluster_->SuperuserOf(database_);
    const auto probe = *Connection::Open(parameters);
    const std::int64_t pid = *probe->QueryInteger("SELECT pg_backend_pid()");
    std::atomic<bool> ended = false;
    std::thread writer([&] {
      probe->Query("SELECT pg_logical_emit_message(true, 'probe', '')::text")
          .status()
          .IgnoreError();
      ended = true;
    });
    bool waits = false;
    while (!ended && !waits) {
      waits = *superuser.QueryInteger(
                  "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1 "
                  "AND wait_event = 'SyncRep')",
                  {pid}) != 0;
    }
    if (waits) {
      EXPECT_OK(superuser.QueryInteger("SELECT pg_terminate_backend($1::int4)", {pid}));
    }
    writer.join();
    return waits;
  }

  // Long enough for a busy machine; it is waited for once.
  ConnectionParameters Parameters() {
    ConnectionParameters parameters = cluster_->ServiceOf(database_);
    parameters.operation_timeout = std::chrono::seconds(10);
    return parameters;
  }

  const std::unique_ptr<PostgresqlCluster> cluster_ = *PostgresqlCluster::Start();
  const std::string database_ = *cluster_->CreatePreparedDatabase();
};

// Its own COMMIT would wait for nothing, as it writes nothing: PostgreSQL says so at once.
TEST_F(DurableAnswersTest, ARepeatWaitsForTheStandbyThatTheFirstWaitedFor) {
  ASSERT_OK_AND_ASSIGN(const auto owner, Connection::Open(cluster_->OwnerOf(database_)));
  ASSERT_OK(owner->Execute(
      "INSERT INTO tenants (tenant_id, display_name, created_at, epoch, revision, primary_root, "
      "root_name_key) VALUES ('contoso', '', 0, 1, 2, 'root-1', 'contoso')"));
  ASSERT_OK_AND_ASSIGN(const auto pool, ConnectionPool::Open(Parameters(), kNoStandby));
  // One object for all: another one would note the last leaf anew, and so write.
  PostgresqlJournal journal(pool.get(), kSpan);
  const Intent intent = SampleIntent("r-1");
  const std::vector<JournalWrite> writes = {intent, ReleaseOf(intent)};
  ASSERT_OK_AND_ASSIGN(std::vector<absl::Status> statuses, journal.AppendToJournal(writes));
  ASSERT_OK(statuses[0]);
  ASSERT_OK(statuses[1]);

  WaitFor("nobody");
  ASSERT_OK_AND_ASSIGN(statuses, journal.AppendToJournal(writes));
  for (const absl::Status& status : statuses) {
    EXPECT_THAT(status, FailsWith(ErrorReason::kJournalUnavailable));
  }

  WaitFor("");
  ASSERT_OK_AND_ASSIGN(statuses, journal.AppendToJournal(writes));
  for (const absl::Status& status : statuses) {
    EXPECT_THAT(status, FailsWith(ErrorReason::kRequestIdReused));
  }
}

}  // namespace
}  // namespace hourglass::issuance::postgresql
