#include "issuance/store/postgresql/engine/connection.h"

#include <poll.h>
#include <stdlib.h>

#include <limits>

#include "tests/support/postgresql_cluster.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance::postgresql {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class ConnectionTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(database_, cluster_.CreateDatabase());
    ASSERT_OK_AND_ASSIGN(connection_, Connection::Open(cluster_.OwnerOf(database_)));
    ASSERT_OK(connection_->Execute(
        "CREATE SCHEMA hourglass; CREATE TABLE things (id bigint PRIMARY KEY, flag boolean, name "
        "text, octets bytea)"));
  }
  std::int64_t CountThings() {
    const auto count = connection_->QueryInteger("SELECT count(*) FROM things");
    EXPECT_OK(count);
    return count.value_or(-1);
  }

  PostgresqlCluster& cluster_ = PostgresqlCluster::Shared();
  std::string database_;
  std::unique_ptr<Connection> connection_;
};

TEST_F(ConnectionTest, KeepsValuesAsTheyAre) {
  std::string octets;
  for (int octet = 0; octet < 256; ++octet) octets.push_back(static_cast<char>(octet));
  const std::int64_t numbers[] = {0,
                                  1,
                                  -1,
                                  255,
                                  -256,
                                  std::numeric_limits<std::int64_t>::max(),
                                  std::numeric_limits<std::int64_t>::min()};
  for (const std::int64_t number : numbers) {
    ASSERT_OK(connection_->Change("INSERT INTO things VALUES ($1, $2, $3, $4)",
                                  {number, number > 0, Text{"z\xc3\xbcge"}, Blob{octets}}));
    ASSERT_OK_AND_ASSIGN(
        Rows rows, connection_->Query("SELECT id, flag, name, octets, id, 7::int4, -8::int4 FROM "
                                      "things WHERE id = $1",
                                      {number}));
    ASSERT_TRUE(rows.Next());
    EXPECT_EQ(rows.TakeInteger(), number);
    EXPECT_EQ(rows.TakeBoolean(), number > 0);
    EXPECT_EQ(rows.TakeOctets(), "z\xc3\xbcge");
    EXPECT_EQ(rows.TakeOctets(), octets);
    EXPECT_EQ(rows.TakeOptionalInteger(), number);
    EXPECT_EQ(rows.TakeInteger(), 7);
    EXPECT_EQ(rows.TakeInteger(), -8);
    EXPECT_FALSE(rows.Next());
  }
}

TEST_F(ConnectionTest, TellsNullFromNothing) {
  const Value null;
  for (int round = 0; round < 2; ++round) {
    // The same statement, once with values and once without: prepared for each.
    ASSERT_OK(connection_->Change("INSERT INTO things VALUES ($1, $2, $3, $4)",
                                  {std::int64_t{2 * round}, null, null, null}));
    ASSERT_OK(connection_->Change("INSERT INTO things VALUES ($1, $2, $3, $4)",
                                  {std::int64_t{2 * round + 1}, false, Text{}, Blob{}}));
  }
  ASSERT_OK_AND_ASSIGN(
      Rows rows, connection_->Query("SELECT flag IS NULL, name IS NULL, octets IS NULL, name, "
                                    "octets, null::bigint FROM things ORDER BY id"));
  EXPECT_EQ(rows.count(), 4);
  for (int id = 0; id < 4; ++id) {
    ASSERT_TRUE(rows.Next());
    for (int column = 0; column < 3; ++column) EXPECT_EQ(rows.TakeBoolean(), id % 2 == 0);
    EXPECT_EQ(rows.TakeOctets(), "");
    EXPECT_EQ(rows.TakeOctets(), "");
    EXPECT_EQ(rows.TakeOptionalInteger(), std::nullopt);
  }
}

TEST_F(ConnectionTest, CountsChanges) {
  ASSERT_OK_AND_ASSIGN(
      const std::int64_t inserted,
      connection_->Change("INSERT INTO things SELECT generate_series(1, $1)", {std::int64_t{5}}));
  EXPECT_EQ(inserted, 5);
  ASSERT_OK_AND_ASSIGN(const std::int64_t updated,
                       connection_->Change("UPDATE things SET flag = true WHERE id > 3"));
  EXPECT_EQ(updated, 2);
  ASSERT_OK_AND_ASSIGN(const std::int64_t deleted, connection_->Change("DELETE FROM things"));
  EXPECT_EQ(deleted, 5);
  EXPECT_THAT(connection_->QueryInteger("SELECT id FROM things"),
              FailsWith(ErrorReason::kInternalError));
}

TEST_F(ConnectionTest, CarriesBigBlobs) {
  for (const auto& parameters : {cluster_.OwnerOf(database_), [&] {
                                   ConnectionParameters over_tls = cluster_.TlsServiceOf(database_);
                                   over_tls.user = "owner";
                                   over_tls.password = cluster_.OwnerOf(database_).password;
                                   return over_tls;
                                 }()}) {
    ASSERT_OK_AND_ASSIGN(const auto connection, Connection::Open(parameters));
    std::string octets(10'000'000, '\0');
    for (std::size_t i = 0; i < octets.size(); ++i) octets[i] = static_cast<char>(i * 31 >> 3);
    // More than sockets hold, both ways at once.
    const Statement echo = {"SELECT $1::bytea", {Blob{octets}}};
    ASSERT_OK_AND_ASSIGN(std::vector<Rows> results, connection->RunTogether({echo, echo, echo}));
    ASSERT_EQ(results.size(), 3u);
    for (Rows& rows : results) {
      ASSERT_TRUE(rows.Next());
      EXPECT_TRUE(rows.TakeOctets() == octets);
    }
  }
}

TEST_F(ConnectionTest, RunsStatementsTogetherInOrder) {
  const absl::string_view insert = "INSERT INTO things (id) VALUES ($1)";
  ASSERT_OK_AND_ASSIGN(std::vector<Rows> results,
                       connection_->RunTogether({{insert, {std::int64_t{1}}},
                                                 {"SELECT count(*) FROM things"},
                                                 {insert, {std::int64_t{2}}},
                                                 {"SELECT count(*) FROM things"}}));
  ASSERT_EQ(results.size(), 4u);
  EXPECT_EQ(results[0].count(), 1);
  for (int i : {1, 3}) {
    ASSERT_TRUE(results[static_cast<std::size_t>(i)].Next());
    EXPECT_EQ(results[static_cast<std::size_t>(i)].TakeInteger(), (i + 1) / 2);
  }
  EXPECT_FALSE(connection_->InTransaction());
  ASSERT_OK_AND_ASSIGN(results, connection_->RunTogether({}));
  EXPECT_TRUE(results.empty());
}

TEST_F(ConnectionTest, RunsNothingAfterAnErrorInTheMiddle) {
  const absl::string_view insert = "INSERT INTO things (id) VALUES ($1)";
  const std::vector<Statement> statements = {
      {insert, {std::int64_t{1}}}, {insert, {std::int64_t{1}}}, {"SELECT nothing FROM things"}};
  const auto results = connection_->RunTogether(statements);
  EXPECT_THAT(results, FailsWith(ErrorReason::kInternalError));
  EXPECT_THAT(std::string(results.status().message()),
              AllOf(HasSubstr("things_pkey"), HasSubstr("23505")));
  EXPECT_TRUE(connection_->IsUsable());
  EXPECT_FALSE(connection_->InTransaction());
  EXPECT_EQ(CountThings(), 0);
  // What was prepared and what was not are known for what they are.
  EXPECT_OK(connection_->RunTogether({{insert, {std::int64_t{1}}}}));
  EXPECT_THAT(connection_->Query("SELECT nothing FROM things"),
              FailsWith(ErrorReason::kInternalError));
  EXPECT_THAT(connection_->Query("SELECT nothing FROM things"),
              FailsWith(ErrorReason::kInternalError));
  EXPECT_EQ(CountThings(), 1);
}

TEST_F(ConnectionTest, TellsOfADeferredConstraintWhereTheTransactionEnds) {
  ASSERT_OK(connection_->Execute(
      "CREATE TABLE parts (thing bigint REFERENCES things DEFERRABLE INITIALLY DEFERRED)"));
  const Statement dangling = {"INSERT INTO parts VALUES (7)"};
  EXPECT_THAT(connection_->RunTogether({dangling}), FailsWith(ErrorReason::kInternalError));
  EXPECT_TRUE(connection_->IsUsable());
  {
    ASSERT_OK_AND_ASSIGN(Transaction transaction, Transaction::Begin(*connection_));
    ASSERT_OK(connection_->RunTogether({dangling}));
    EXPECT_THAT(transaction.Commit(), FailsWith(ErrorReason::kInternalError));
  }
  EXPECT_FALSE(connection_->InTransaction());
  ASSERT_OK_AND_ASSIGN(const std::int64_t count,
                       connection_->QueryInteger("SELECT count(*) FROM parts"));
  EXPECT_EQ(count, 0);
}

TEST_F(ConnectionTest, CommitsTransactionsAndRollsBackWhatWasNotCommitted) {
  {
    ASSERT_OK_AND_ASSIGN(Transaction transaction, Transaction::Begin(*connection_));
    ASSERT_OK(connection_->Change("INSERT INTO things (id) VALUES (1)"));
    EXPECT_TRUE(connection_->InTransaction());
    EXPECT_THAT(Transaction::Begin(*connection_), FailsWith(ErrorReason::kInternalError));
    ASSERT_OK(transaction.Commit());
  }
  EXPECT_FALSE(connection_->InTransaction());
  EXPECT_EQ(CountThings(), 1);
  {
    ASSERT_OK_AND_ASSIGN(const Transaction transaction, Transaction::Begin(*connection_));
    ASSERT_OK(connection_->Change("INSERT INTO things (id) VALUES (2)"));
    EXPECT_EQ(CountThings(), 2);
  }
  EXPECT_FALSE(connection_->InTransaction());
  EXPECT_EQ(CountThings(), 1);
}

TEST_F(ConnectionTest, CommitsNoTransactionInWhichAStatementFailed) {
  {
    ASSERT_OK_AND_ASSIGN(Transaction transaction, Transaction::Begin(*connection_));
    ASSERT_OK(connection_->Change("INSERT INTO things (id) VALUES (1)"));
    EXPECT_THAT(connection_->Change("INSERT INTO things (id) VALUES (1)"),
                FailsWith(ErrorReason::kInternalError));
    EXPECT_TRUE(connection_->InTransaction());
    EXPECT_THAT(transaction.Commit(), FailsWith(ErrorReason::kInternalError));
  }
  EXPECT_TRUE(connection_->IsUsable());
  EXPECT_FALSE(connection_->InTransaction());
  EXPECT_EQ(CountThings(), 0);
}

TEST_F(ConnectionTest, CountsACommitWithAnyWarningForNothing) {
  // Control: a warning that comes with something else.
  ASSERT_OK(connection_->Execute("BEGIN; DO $$ BEGIN RAISE WARNING 'beware'; END $$"));
  ASSERT_OK(connection_->Execute("ROLLBACK"));
  // No transaction to commit.
  EXPECT_THAT(connection_->Execute("COMMIT"), FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_FALSE(connection_->IsUsable());
}

TEST_F(ConnectionTest, TellsWhatFailedWithoutValues) {
  struct Case {
    const char* sql;
    ErrorReason reason;
    const char* says;
  };
  for (const Case& one : {
           Case{"SELECT 'secret'::bigint", ErrorReason::kInternalError, "22P02"},
           Case{"SELEC", ErrorReason::kInternalError, "42601"},
           Case{"INSERT INTO things (id) VALUES (1), (1)", ErrorReason::kInternalError, "23505"},
           Case{"SELECT 1.5", ErrorReason::kInternalError, "cannot be read"},
           Case{"SELECT 1/0", ErrorReason::kInternalError, "22012"},
       }) {
    const auto rows = connection_->Query(one.sql);
    EXPECT_THAT(rows, FailsWith(one.reason)) << one.sql;
    EXPECT_THAT(std::string(rows.status().message()),
                AllOf(HasSubstr(one.says), Not(HasSubstr("secret"))));
    EXPECT_TRUE(connection_->IsUsable());
  }
  EXPECT_OK(connection_->Query("SELECT 1"));
}

TEST_F(ConnectionTest, GivesUpALockInTime) {
  ASSERT_OK_AND_ASSIGN(Transaction transaction, Transaction::Begin(*connection_));
  ASSERT_OK(connection_->Execute("LOCK TABLE things"));
  ASSERT_OK_AND_ASSIGN(const auto other, Connection::Open(cluster_.OwnerOf(database_)));
  ASSERT_OK(other->Execute("SET lock_timeout = 10"));
  EXPECT_THAT(other->Query("SELECT id FROM things"), FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_TRUE(other->IsUsable());
  ASSERT_OK(transaction.Commit());
  EXPECT_OK(other->Query("SELECT id FROM things"));
}

TEST_F(ConnectionTest, SetsTheSession) {
  ConnectionParameters parameters = cluster_.ServiceOf(database_);
  parameters.operation_timeout = std::chrono::milliseconds(7'000);
  parameters.application_name = "hourglass-test";
  ASSERT_OK_AND_ASSIGN(const auto service, Connection::Open(parameters));
  const std::pair<const char*, const char*> settings[] = {
      {"search_path", "hourglass"},
      {"synchronous_commit", "on"},
      {"TimeZone", "UTC"},
      {"client_encoding", "UTF8"},
      {"client_min_messages", "warning"},
      {"lock_timeout", "7s"},
      {"idle_in_transaction_session_timeout", "7s"},
      {"enable_seqscan", "off"},
      {"jit", "off"},
      {"default_transaction_isolation", "read committed"},
      {"application_name", "hourglass-test"},
  };
  for (const auto& [name, value] : settings) {
    ASSERT_OK_AND_ASSIGN(Rows rows, service->Query("SELECT current_setting($1)", {Text{name}}));
    ASSERT_TRUE(rows.Next());
    EXPECT_EQ(rows.TakeOctets(), value) << name;
  }
}

TEST_F(ConnectionTest, SetsTheSessionWhateverTheRoleHas) {
  ASSERT_OK_AND_ASSIGN(const auto superuser, Connection::Open(cluster_.SuperuserOf(database_)));
  ASSERT_OK(superuser->Execute("ALTER DATABASE " + database_ + " SET synchronous_commit = off"));
  ASSERT_OK(superuser->Execute("ALTER DATABASE " + database_ + " SET client_min_messages = error"));
  ASSERT_OK_AND_ASSIGN(const auto service, Connection::Open(cluster_.ServiceOf(database_)));
  ASSERT_OK_AND_ASSIGN(
      const std::int64_t is_set,
      service->QueryInteger("SELECT current_setting('synchronous_commit') = 'on' AND "
                            "current_setting('client_min_messages') = 'warning'"));
  EXPECT_EQ(is_set, 1);
}

TEST_F(ConnectionTest, ObeysNoEnvironment) {
  const std::pair<const char*, const char*> variables[] = {
      {"PGOPTIONS", "-c no_such_setting=1"},
      {"PGUSER", "nobody"},
      {"PGDATABASE", "nowhere"},
      {"PGPORT", "1"},
      {"PGHOST", "/nowhere"},
      {"PGPASSWORD", "wrong"},
      {"PGPASSFILE", "/nowhere"},
      {"PGSSLMODE", "require"},
      {"PGTARGETSESSIONATTRS", "standby"},
      {"PGTZ", "Asia/Tokyo"},
      {"PGSSLROOTCERT", "/nowhere"},
      {"PGSSLMINPROTOCOLVERSION", "TLSv1.3"},
      {"PGCLIENTENCODING", "LATIN1"},
  };
  for (const auto& [name, value] : variables) setenv(name, value, 1);
  const auto over_socket = Connection::Open(cluster_.ServiceOf(database_));
  const auto over_tls = Connection::Open(cluster_.TlsServiceOf(database_));
  for (const auto& [name, value] : variables) unsetenv(name);
  ASSERT_OK(over_socket);
  ASSERT_OK(over_tls);
  ASSERT_OK_AND_ASSIGN(
      Rows rows, (*over_socket)->Query("SELECT current_setting('TimeZone'), current_user::text"));
  ASSERT_TRUE(rows.Next());
  EXPECT_EQ(rows.TakeOctets(), "UTC");
  EXPECT_EQ(rows.TakeOctets(), "service");
}

TEST_F(ConnectionTest, RefusesAnEnvironmentThatItCannotIgnore) {
  ConnectionParameters without_password = cluster_.ServiceOf(database_);
  without_password.password = "";
  const std::pair<const char*, ConnectionParameters> cases[] = {
      {"PGSERVICE", cluster_.TlsServiceOf(database_)},
      {"PGHOSTADDR", cluster_.ServiceOf(database_)},
      {"PGREQUIREPEER", cluster_.ServiceOf(database_)},
      {"PGPASSWORD", without_password},
  };
  for (const auto& [name, parameters] : cases) {
    setenv(name, "127.0.0.1", 1);
    const auto connection = Connection::Open(parameters);
    unsetenv(name);
    EXPECT_THAT(connection, FailsWith(ErrorReason::kJournalUnavailable)) << name;
    EXPECT_THAT(std::string(connection.status().message()), HasSubstr(name));
  }
}

TEST_F(ConnectionTest, TakesTheFirstServerThatAnswers) {
  ConnectionParameters parameters = cluster_.ServiceOf(database_);
  const ServerAddress good = parameters.servers[0];
  parameters.servers = {{"/nowhere", 5432}, {"127.0.0.1", 1}, {"no-such-host.invalid", 5432}, good};
  EXPECT_OK(Connection::Open(parameters));
  parameters.servers.pop_back();
  const auto none = Connection::Open(parameters);
  EXPECT_THAT(none, FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_THAT(std::string(none.status().message()),
              AllOf(HasSubstr("/nowhere:5432: "), HasSubstr("127.0.0.1:1: "),
                    HasSubstr("no-such-host.invalid:5432: "), HasSubstr("Connection refused")));
  parameters.servers.clear();
  EXPECT_THAT(Connection::Open(parameters), FailsWith(ErrorReason::kJournalUnavailable));
}

TEST_F(ConnectionTest, TakesNoServerThatIsReadOnly) {
  ASSERT_OK_AND_ASSIGN(const auto superuser, Connection::Open(cluster_.SuperuserOf(database_)));
  ASSERT_OK(superuser->Execute("ALTER DATABASE " + database_ +
                               " SET default_transaction_read_only = on"));
  const auto connection = Connection::Open(cluster_.ServiceOf(database_));
  EXPECT_THAT(connection, FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_THAT(std::string(connection.status().message()), HasSubstr("read-only"));
}

TEST_F(ConnectionTest, IsOfNoUseOnceItIsReadOnly) {
  ASSERT_OK(connection_->Execute("SET default_transaction_read_only = on"));
  EXPECT_THAT(connection_->Change("INSERT INTO things (id) VALUES (1)"),
              FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_FALSE(connection_->IsUsable());
  EXPECT_THAT(connection_->Query("SELECT 1"), FailsWith(ErrorReason::kJournalUnavailable));
}

TEST_F(ConnectionTest, NeverSaysThePassword) {
  ConnectionParameters parameters = cluster_.ServiceOf(database_);
  parameters.password = "wrong-secret";
  parameters.user = "wrong-secret";
  const auto connection = Connection::Open(parameters);
  EXPECT_THAT(connection, FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_THAT(std::string(connection.status().message()),
              AllOf(HasSubstr("password authentication failed"), Not(HasSubstr("wrong-secret"))));
}

TEST_F(ConnectionTest, NeedsWhatLibpqWouldTakeFromElsewhere) {
  for (std::string ConnectionParameters::*field :
       {&ConnectionParameters::database, &ConnectionParameters::user,
        &ConnectionParameters::application_name, &ConnectionParameters::ca_file}) {
    ConnectionParameters parameters = cluster_.TlsServiceOf(database_);
    parameters.*field = "";
    EXPECT_THAT(Connection::Open(parameters), FailsWith(ErrorReason::kJournalUnavailable));
  }
}

TEST_F(ConnectionTest, TakesNotifications) {
  ASSERT_OK_AND_ASSIGN(const auto listener, Connection::Open(cluster_.ServiceOf(database_)));
  ASSERT_OK(listener->Execute("LISTEN changes"));
  ASSERT_OK_AND_ASSIGN(std::vector<Notification> taken, listener->TakeNotifications());
  EXPECT_TRUE(taken.empty());
  ASSERT_OK(connection_->Execute("BEGIN; NOTIFY changes, 'a'; NOTIFY changes, 'b'; COMMIT"));
  while (taken.size() < 2) {
    pollfd waited = {listener->socket(), POLLIN, 0};
    ASSERT_EQ(poll(&waited, 1, 60'000), 1);
    ASSERT_OK_AND_ASSIGN(const std::vector<Notification> more, listener->TakeNotifications());
    taken.insert(taken.end(), more.begin(), more.end());
  }
  EXPECT_EQ(taken[0].channel, "changes");
  EXPECT_EQ(taken[0].payload, "a");
  EXPECT_EQ(taken[1].payload, "b");
}

TEST_F(ConnectionTest, NoticesThatTheServerHasEndedIt) {
  ASSERT_OK_AND_ASSIGN(const auto listener, Connection::Open(cluster_.ServiceOf(database_)));
  ASSERT_OK_AND_ASSIGN(const std::int64_t pid, listener->QueryInteger("SELECT pg_backend_pid()"));
  EXPECT_OK(listener->TakeNotifications());
  ASSERT_OK_AND_ASSIGN(const auto superuser, Connection::Open(cluster_.SuperuserOf(database_)));
  ASSERT_OK(superuser->Query("SELECT pg_terminate_backend($1::int4, 60000)", {pid}));
  EXPECT_THAT(listener->TakeNotifications(), FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_FALSE(listener->IsUsable());
  EXPECT_LT(listener->socket(), 0);
}

}  // namespace
}  // namespace hourglass::issuance::postgresql
