// What becomes of a connection whose server is gone, gives no answer, or gives up on its standby.
#include <functional>
#include <thread>

#include "absl/strings/match.h"
#include "issuance/store/postgresql/engine/connection.h"
#include "tests/support/postgresql_cluster.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance::postgresql {
namespace {

using testing::HasSubstr;

// A busy machine answers in that time.
constexpr std::chrono::milliseconds kAnswers(5'000);
// For what gets no answer anyway.
constexpr std::chrono::milliseconds kShort(500);

class LostServerTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(cluster_, PostgresqlCluster::Start());
    ASSERT_OK_AND_ASSIGN(database_, cluster_->CreateDatabase());
    ASSERT_OK_AND_ASSIGN(const auto owner, Connection::Open(cluster_->OwnerOf(database_)));
    ASSERT_OK(owner->Execute(
        "CREATE SCHEMA hourglass; CREATE TABLE things (id bigint PRIMARY KEY); GRANT USAGE ON "
        "SCHEMA hourglass TO service; GRANT SELECT, INSERT ON things TO service"));
  }
  // In a new connection: what is there of the thing, and whether it can be added now.
  void ExpectNotThereButAddable(std::int64_t id) {
    ASSERT_OK_AND_ASSIGN(const auto connection, Connection::Open(cluster_->ServiceOf(database_)));
    ASSERT_OK_AND_ASSIGN(
        const std::int64_t there,
        connection->QueryInteger("SELECT count(*) FROM things WHERE id = $1", {id}));
    EXPECT_EQ(there, 0);
    // Waits for the transaction that has it, if there is still one.
    EXPECT_OK(connection->Change("INSERT INTO things VALUES ($1)", {id}));
  }

  std::unique_ptr<PostgresqlCluster> cluster_;
  std::string database_;
};

TEST_F(LostServerTest, FailsWhereTheServerCrashes) {
  ASSERT_OK_AND_ASSIGN(const auto connection, Connection::Open(cluster_->ServiceOf(database_)));
  {
    ASSERT_OK_AND_ASSIGN(Transaction transaction, Transaction::Begin(*connection));
    ASSERT_OK(connection->Change("INSERT INTO things VALUES (1)"));
    ASSERT_OK(cluster_->Crash());
    EXPECT_THAT(transaction.Commit(), FailsWith(ErrorReason::kJournalUnavailable));
    EXPECT_FALSE(connection->IsUsable());
    EXPECT_FALSE(connection->InTransaction());
  }
  EXPECT_THAT(Connection::Open(cluster_->ServiceOf(database_)),
              FailsWith(ErrorReason::kJournalUnavailable));
  ASSERT_OK(cluster_->Run());
  EXPECT_THAT(connection->Query("SELECT 1"), FailsWith(ErrorReason::kJournalUnavailable));
  ExpectNotThereButAddable(1);
}

TEST_F(LostServerTest, FailsWhereTheServerGivesNoAnswer) {
  for (ConnectionParameters parameters :
       {cluster_->ServiceOf(database_), cluster_->TlsServiceOf(database_)}) {
    const std::int64_t id = parameters.transport == Transport::kTls ? 2 : 1;
    parameters.operation_timeout = kAnswers;
    ASSERT_OK_AND_ASSIGN(const auto connection, Connection::Open(parameters));
    ASSERT_OK_AND_ASSIGN(Transaction transaction, Transaction::Begin(*connection));
    ASSERT_OK(connection->Change("INSERT INTO things VALUES ($1)", {id}));
    cluster_->Pause();
    const auto answer = connection->Query("SELECT 1");
    cluster_->Resume();
    EXPECT_THAT(answer, FailsWith(ErrorReason::kJournalUnavailable));
    EXPECT_THAT(std::string(answer.status().message()), HasSubstr("in time"));
    EXPECT_FALSE(connection->IsUsable());
    ExpectNotThereButAddable(id);
  }
}

TEST_F(LostServerTest, FailsWhereTheServerTakesNothing) {
  for (ConnectionParameters parameters :
       {cluster_->ServiceOf(database_), cluster_->TlsServiceOf(database_)}) {
    parameters.operation_timeout = kShort;
    ASSERT_OK_AND_ASSIGN(const auto connection, Connection::Open(parameters));
    // More than sockets hold.
    const std::string octets(50'000'000, 'x');
    cluster_->Pause();
    const auto answer = connection->Query("SELECT length($1)", {Blob{octets}});
    cluster_->Resume();
    EXPECT_THAT(answer, FailsWith(ErrorReason::kJournalUnavailable));
    EXPECT_THAT(std::string(answer.status().message()), HasSubstr("did not take"));
    EXPECT_FALSE(connection->IsUsable());
  }
}

TEST_F(LostServerTest, ConnectsToNoServerThatGivesNoAnswer) {
  for (ConnectionParameters parameters :
       {cluster_->ServiceOf(database_), cluster_->TlsServiceOf(database_)}) {
    parameters.connect_timeout = kShort;
    cluster_->Pause();
    const auto connection = Connection::Open(parameters);
    cluster_->Resume();
    EXPECT_THAT(connection, FailsWith(ErrorReason::kJournalUnavailable));
    EXPECT_THAT(std::string(connection.status().message()), HasSubstr("in time"));
  }
  EXPECT_OK(Connection::Open(cluster_->ServiceOf(database_)));
}

// Where no standby has what was committed, and somebody ends the wait for it, PostgreSQL tells the
// client that the commit is done.
TEST_F(LostServerTest, BelievesNoCommitWhoseWaitForAStandbyWasGivenUp) {
  using Way = std::function<absl::Status(Connection&, std::int64_t)>;
  const absl::string_view insert = "INSERT INTO things VALUES ($1)";
  const Way ways[] = {
      [&](Connection& connection, std::int64_t id) -> absl::Status {
        auto transaction = Transaction::Begin(connection);
        if (!transaction.ok()) return transaction.status();
        const auto inserted = connection.Change(insert, {id});
        if (!inserted.ok()) return absl::UnknownError("the wait is not in the commit");
        return transaction->Commit();
      },
      [&](Connection& connection, std::int64_t id) {
        return connection.Change(insert, {id}).status();
      },
      [&](Connection& connection, std::int64_t id) {
        return connection.RunTogether({{insert, {id}}, {"SELECT 1"}}).status();
      },
      [&](Connection& connection, std::int64_t id) {
        return connection.Execute("INSERT INTO things VALUES (" + std::to_string(id) + ")");
      },
  };
  ASSERT_OK_AND_ASSIGN(auto superuser, Connection::Open(cluster_->SuperuserOf(database_)));
  ASSERT_OK(superuser->Execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'"));
  // After a start all processes know it.
  ASSERT_OK(cluster_->Crash());
  ASSERT_OK(cluster_->Run());
  ASSERT_OK_AND_ASSIGN(superuser, Connection::Open(cluster_->SuperuserOf(database_)));
  std::int64_t id = 0;
  for (const char* end :
       {"SELECT pg_cancel_backend($1::int4)", "SELECT pg_terminate_backend($1::int4)"}) {
    for (const Way& way : ways) {
      ++id;
      const bool is_cancelled = absl::StrContains(end, "cancel");
      ASSERT_OK_AND_ASSIGN(const auto connection, Connection::Open(cluster_->ServiceOf(database_)));
      ASSERT_OK_AND_ASSIGN(const std::int64_t pid,
                           connection->QueryInteger("SELECT pg_backend_pid()"));
      absl::Status status;
      std::thread writer([&] { status = way(*connection, id); });
      const absl::Status waits =
          WaitUntilTrue(*superuser,
                        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1 AND "
                        "wait_event = 'SyncRep')",
                        {pid});
      const auto ended = superuser->QueryInteger(end, {pid});
      writer.join();
      ASSERT_OK(waits);
      ASSERT_OK(ended);
      EXPECT_THAT(status, FailsWith(ErrorReason::kJournalUnavailable));
      if (is_cancelled) {
        EXPECT_THAT(std::string(status.message()), HasSubstr("gave up its wait for a standby"));
      }
      EXPECT_FALSE(connection->IsUsable());
      // It was committed all the same.
      EXPECT_OK(WaitUntilTrue(*superuser,
                              "SELECT EXISTS (SELECT FROM hourglass.things WHERE id = $1)", {id}));
    }
  }
}

TEST_F(LostServerTest, WaitsForAStandbyNoLongerThanForAnyAnswer) {
  ASSERT_OK_AND_ASSIGN(const auto superuser, Connection::Open(cluster_->SuperuserOf(database_)));
  ASSERT_OK(superuser->Execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'"));
  ASSERT_OK(cluster_->Crash());
  ASSERT_OK(cluster_->Run());
  ConnectionParameters parameters = cluster_->ServiceOf(database_);
  parameters.operation_timeout = kAnswers;
  ASSERT_OK_AND_ASSIGN(const auto connection, Connection::Open(parameters));
  ASSERT_OK_AND_ASSIGN(Transaction transaction, Transaction::Begin(*connection));
  ASSERT_OK(connection->Change("INSERT INTO things VALUES (1)"));
  EXPECT_THAT(transaction.Commit(), FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_FALSE(connection->IsUsable());
  // What wrote nothing has nothing to wait for.
  ASSERT_OK_AND_ASSIGN(const auto reader, Connection::Open(parameters));
  ASSERT_OK_AND_ASSIGN(Transaction reading, Transaction::Begin(*reader));
  ASSERT_OK(reader->QueryInteger("SELECT count(*) FROM things"));
  EXPECT_OK(reading.Commit());
}

}  // namespace
}  // namespace hourglass::issuance::postgresql
