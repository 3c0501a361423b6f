#include "issuance/store/postgresql/engine/connection_pool.h"

#include <filesystem>
#include <string>
#include <thread>

#include "tests/support/postgresql_cluster.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance::postgresql {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr absl::string_view kPid = "SELECT pg_backend_pid()";
const ServerDemands kNoStandby = {false, std::nullopt};

absl::StatusOr<std::int64_t> PidOf(ConnectionPool& pool) {
  return pool.Run([](Connection& connection) { return connection.QueryInteger(kPid); });
}

class ConnectionPoolTest : public testing::Test {
 protected:
  static void MakeTable(PostgresqlCluster& cluster, std::string& database) {
    ASSERT_OK_AND_ASSIGN(database, cluster.CreateDatabase());
    ASSERT_OK_AND_ASSIGN(const auto owner, Connection::Open(cluster.OwnerOf(database)));
    ASSERT_OK(owner->Execute(
        "CREATE SCHEMA hourglass; CREATE TABLE things (id bigint PRIMARY KEY); GRANT USAGE ON "
        "SCHEMA hourglass TO service; GRANT SELECT, INSERT ON things TO service"));
  }
  static absl::Status Add(ConnectionPool& pool, std::int64_t id) {
    return pool.Write([&](Connection& connection) {
      return connection.Change("INSERT INTO things VALUES ($1)", {id}).status();
    });
  }
  static absl::StatusOr<std::int64_t> Count(ConnectionPool& pool) {
    return pool.Run([](Connection& connection) {
      return connection.QueryInteger("SELECT count(*) FROM things");
    });
  }
  void SetUp() override { MakeTable(cluster_, database_); }

  PostgresqlCluster& cluster_ = PostgresqlCluster::Shared();
  std::string database_;
};

TEST_F(ConnectionPoolTest, CommitsWhatSucceedsAndNothingElse) {
  ASSERT_OK_AND_ASSIGN(const auto pool,
                       ConnectionPool::Open(cluster_.ServiceOf(database_), kNoStandby));
  EXPECT_OK(Add(*pool, 1));
  const absl::Status own = Error(ErrorReason::kTenantUnknown, "", "");
  EXPECT_THAT(pool->Write([&](Connection& connection) -> absl::StatusOr<int> {
    EXPECT_OK(connection.Change("INSERT INTO things VALUES (2)"));
    return own;
  }),
              FailsWith(ErrorReason::kTenantUnknown));
  EXPECT_THAT(Add(*pool, 1), FailsWith(ErrorReason::kInternalError));
  ASSERT_OK_AND_ASSIGN(const int result, pool->Administer([](Connection& connection) {
    EXPECT_OK(connection.Change("INSERT INTO things VALUES (3)"));
    return absl::StatusOr<int>(7);
  }));
  EXPECT_EQ(result, 7);
  ASSERT_OK_AND_ASSIGN(const std::int64_t count, Count(*pool));
  EXPECT_EQ(count, 2);
}

TEST_F(ConnectionPoolTest, UsesAConnectionAgain) {
  ASSERT_OK_AND_ASSIGN(const auto pool,
                       ConnectionPool::Open(cluster_.ServiceOf(database_), kNoStandby));
  ASSERT_OK_AND_ASSIGN(const std::int64_t first, PidOf(*pool));
  EXPECT_OK(Add(*pool, 1));
  EXPECT_THAT(Add(*pool, 1), FailsWith(ErrorReason::kInternalError));
  ASSERT_OK_AND_ASSIGN(const std::int64_t again, PidOf(*pool));
  EXPECT_EQ(again, first);
}

TEST_F(ConnectionPoolTest, KeepsNoConnectionInATransaction) {
  ASSERT_OK_AND_ASSIGN(const auto pool,
                       ConnectionPool::Open(cluster_.ServiceOf(database_), kNoStandby));
  ASSERT_OK_AND_ASSIGN(const std::int64_t first, PidOf(*pool));
  EXPECT_OK(pool->Run([](Connection& connection) {
    return connection.Execute("BEGIN; INSERT INTO things VALUES (1)");
  }));
  ASSERT_OK_AND_ASSIGN(const std::int64_t second, PidOf(*pool));
  EXPECT_NE(second, first);
  EXPECT_OK(Add(*pool, 1));
}

TEST_F(ConnectionPoolTest, ReplacesAConnectionThatTheServerClosedWhileItWasIdle) {
  ASSERT_OK_AND_ASSIGN(const auto pool,
                       ConnectionPool::Open(cluster_.ServiceOf(database_), kNoStandby));
  ASSERT_OK_AND_ASSIGN(const std::int64_t first, PidOf(*pool));
  ASSERT_OK_AND_ASSIGN(const auto superuser, Connection::Open(cluster_.SuperuserOf(database_)));
  ASSERT_OK(superuser->Query("SELECT pg_terminate_backend($1::int4, 60000)", {first}));
  EXPECT_OK(Add(*pool, 1));
  ASSERT_OK_AND_ASSIGN(const std::int64_t second, PidOf(*pool));
  EXPECT_NE(second, first);
}

TEST_F(ConnectionPoolTest, LooksAtTheNextServerFirstWhenAConnectionIsLost) {
  // Two ways to one server, which can be taken away.
  ConnectionParameters parameters = cluster_.ServiceOf(database_);
  const ServerAddress server = parameters.servers.front();
  const std::string ways[] = {server.host + ".a", server.host + ".b"};
  parameters.servers.clear();
  for (const std::string& way : ways) {
    std::filesystem::create_symlink(server.host, way);
    parameters.servers.push_back({way, server.port});
  }
  ASSERT_OK_AND_ASSIGN(const auto pool, ConnectionPool::Open(parameters, kNoStandby));
  ASSERT_OK_AND_ASSIGN(const auto superuser, Connection::Open(cluster_.SuperuserOf(database_)));
  const auto order = [&](ConnectionPool& connections) {
    for (const std::string& way : ways) std::filesystem::remove(way);
    const std::string why(PidOf(connections).status().message());
    for (const std::string& way : ways) std::filesystem::create_symlink(server.host, way);
    return why.find(ways[0]) < why.find(ways[1]) ? "ab" : "ba";
  };
  const auto lose = [&] {
    EXPECT_THAT(pool->Run([&](Connection& connection) -> absl::Status {
      ASSIGN_OR_RETURN(const std::int64_t pid, connection.QueryInteger(kPid));
      RETURN_IF_ERROR(
          superuser->Query("SELECT pg_terminate_backend($1::int4, 60000)", {pid}).status());
      return connection.QueryInteger(kPid).status();
    }),
                FailsWith(ErrorReason::kJournalUnavailable));
  };
  lose();
  EXPECT_EQ(order(*pool), "ba");
  // Found by the second way, and lost again.
  ASSERT_OK(PidOf(*pool));
  lose();
  EXPECT_EQ(order(*pool), "ab");
  for (const std::string& way : ways) std::filesystem::remove(way);
}

TEST_F(ConnectionPoolTest, HasSoManyConnectionsForEachKindOfReading) {
  ConnectionParameters parameters = cluster_.ServiceOf(database_);
  // As long as a busy machine may take to answer: it is waited for once.
  parameters.operation_timeout = std::chrono::seconds(5);
  ASSERT_OK_AND_ASSIGN(const auto pool, ConnectionPool::Open(parameters, kNoStandby, {1, 1}));
  ASSERT_OK(pool->Run([&](Connection&) -> absl::Status {
    // The one for who issues is out.
    const absl::Status none = PidOf(*pool).status();
    EXPECT_THAT(none, FailsWith(ErrorReason::kJournalUnavailable));
    EXPECT_THAT(std::string(none.message()), HasSubstr("none of 1 connections"));
    SetReadingOfThisThread(Reading::kListing);
    EXPECT_OK(PidOf(*pool));
    SetReadingOfThisThread(Reading::kIssuing);
    return absl::OkStatus();
  }));
  EXPECT_OK(PidOf(*pool));
}

TEST_F(ConnectionPoolTest, WaitsForAConnectionThatBecomesFree) {
  ASSERT_OK_AND_ASSIGN(const auto pool,
                       ConnectionPool::Open(cluster_.ServiceOf(database_), kNoStandby, {1, 1}));
  std::vector<std::thread> writers;
  for (std::int64_t id = 1; id <= 20; ++id) {
    writers.emplace_back([&pool, id] { EXPECT_OK(Add(*pool, id)); });
  }
  for (std::thread& writer : writers) writer.join();
  ASSERT_OK_AND_ASSIGN(const std::int64_t count, Count(*pool));
  EXPECT_EQ(count, 20);
}

TEST_F(ConnectionPoolTest, TakesTheFirstServerThatIsFit) {
  ConnectionParameters parameters = cluster_.ServiceOf(database_);
  // One that answers is not enough: the other cluster is another one.
  ASSERT_OK_AND_ASSIGN(const auto other, PostgresqlCluster::Start());
  std::string database;
  MakeTable(*other, database);
  ASSERT_OK_AND_ASSIGN(const auto connection, Connection::Open(parameters));
  ASSERT_OK_AND_ASSIGN(const ServerFacts facts, ReadServerFacts(*connection));
  const ServerDemands demands = {false, facts.system_identifier};
  const ServerAddress good = parameters.servers[0];
  const ServerAddress bad = other->ServiceOf(database).servers[0];
  parameters.servers = {{"127.0.0.1", 1}, bad, good};
  parameters.database = "postgres";
  EXPECT_OK(ConnectionPool::Open(parameters, demands));
  parameters.servers.pop_back();
  const auto none = ConnectionPool::Open(parameters, demands);
  EXPECT_THAT(none, FailsWith(ErrorReason::kJournalUnavailable));
  const std::string message(none.status().message());
  EXPECT_THAT(message, HasSubstr("127.0.0.1:1: "));
  EXPECT_THAT(message, HasSubstr(bad.host + ":" + std::to_string(bad.port) + ": the server is of"));
}

TEST_F(ConnectionPoolTest, OpensToNoServerWithoutTheStandbyThatIsDemanded) {
  EXPECT_THAT(ConnectionPool::Open(cluster_.ServiceOf(database_), ServerDemands()),
              FailsWith(ErrorReason::kJournalUnavailable));
}

TEST_F(ConnectionPoolTest, ConnectsOutsideOfItself) {
  ASSERT_OK_AND_ASSIGN(const auto pool,
                       ConnectionPool::Open(cluster_.ServiceOf(database_), kNoStandby, {1, 1}));
  ASSERT_OK_AND_ASSIGN(const auto first, pool->Connect());
  ASSERT_OK_AND_ASSIGN(const auto second, pool->Connect());
  EXPECT_OK(first->Query("SELECT 1"));
  EXPECT_OK(PidOf(*pool));
}

class PromotedServerTest : public ConnectionPoolTest {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(own_cluster_, PostgresqlCluster::Start());
    MakeTable(*own_cluster_, database_);
    ASSERT_OK_AND_ASSIGN(
        pool_, ConnectionPool::Open(own_cluster_->ServiceOf(database_), kNoStandby, {},
                                    [this](Connection& connection, const ServerFacts& facts) {
                                      EXPECT_OK(connection.Query("SELECT 1"));
                                      told_.push_back(facts.timeline);
                                      return answer_;
                                    }));
  }

  std::unique_ptr<PostgresqlCluster> own_cluster_;
  std::vector<std::uint32_t> told_;
  absl::Status answer_;
  std::unique_ptr<ConnectionPool> pool_;
};

TEST_F(PromotedServerTest, ComesBackAfterACrash) {
  EXPECT_OK(Add(*pool_, 1));
  ASSERT_OK(own_cluster_->Crash());
  EXPECT_THAT(Add(*pool_, 2), FailsWith(ErrorReason::kJournalUnavailable));
  ASSERT_OK(own_cluster_->Run());
  EXPECT_OK(Add(*pool_, 2));
  EXPECT_OK(Add(*pool_, 3));
  EXPECT_THAT(told_, ElementsAre(1)) << "its folder may be an older copy";
}

TEST_F(PromotedServerTest, TellsOfANewTimelineAndOfEachStartOnce) {
  EXPECT_OK(Add(*pool_, 1));
  EXPECT_THAT(told_, IsEmpty());
  ASSERT_OK(own_cluster_->RunPromoted());
  EXPECT_OK(Add(*pool_, 2));
  EXPECT_OK(Add(*pool_, 3));
  EXPECT_THAT(told_, ElementsAre(2));
  ASSERT_OK(own_cluster_->Crash());
  ASSERT_OK(own_cluster_->Run());
  EXPECT_OK(Add(*pool_, 4));
  EXPECT_THAT(told_, ElementsAre(2, 2));
  ASSERT_OK_AND_ASSIGN(const std::int64_t count, Count(*pool_));
  EXPECT_EQ(count, 4);
}

TEST_F(PromotedServerTest, UsesNoServerThatTheObserverRefuses) {
  EXPECT_OK(Add(*pool_, 1));
  ASSERT_OK(own_cluster_->RunPromoted());
  answer_ = Error(ErrorReason::kJournalUnavailable, "", "it has forgotten");
  for (int round = 0; round < 2; ++round) {
    const absl::Status status = Add(*pool_, 2);
    EXPECT_THAT(status, FailsWith(ErrorReason::kJournalUnavailable));
    EXPECT_THAT(std::string(status.message()), HasSubstr("it has forgotten"));
  }
  answer_ = absl::OkStatus();
  EXPECT_OK(Add(*pool_, 2));
  EXPECT_OK(Add(*pool_, 3));
  EXPECT_THAT(told_, ElementsAre(2, 2, 2));
}

}  // namespace
}  // namespace hourglass::issuance::postgresql
