#include "issuance/store/postgresql/replicas.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/store/postgresql/engine/connection.h"
#include "tests/support/postgresql_cluster.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using postgresql::Connection;
using postgresql::ConnectionPool;
using std::chrono::microseconds;
using std::chrono::seconds;
using testing::ElementsAre;

class ReplicasTest : public testing::Test {
 protected:
  static ReplicaRecord Replica(const std::string& name, const std::string& run_id = "run-1") {
    return {.name = name,
            .run_id = run_id,
            .program_version = "1.2.3",
            .address = "[::1]:8443",
            .started_at = Timestamp(std::chrono::hours(24 * 365 * 50)),
            .clock_ahead = -microseconds(1'000'001),
            .clock_uncertainty = microseconds(7)};
  }

  std::vector<std::string> Names() {
    std::vector<std::string> names;
    const std::vector<ReplicaRecord> list = replicas_.List().value();
    for (const ReplicaRecord& replica : list) names.push_back(replica.name);
    return names;
  }
  // As if the replica had announced itself so much earlier.
  void Age(const std::string& name, seconds by) {
    auto owner = Connection::Open(cluster_.OwnerOf(database_));
    ASSERT_OK(owner);
    ASSERT_OK(
        (*owner)->Execute(absl::StrCat("UPDATE hourglass.replicas SET seen_at = seen_at - ",
                                       microseconds(by).count(), " WHERE name = '", name, "'")));
  }

  PostgresqlCluster& cluster_ = PostgresqlCluster::Shared();
  const std::string database_ = cluster_.CreatePreparedDatabase().value();
  const std::unique_ptr<ConnectionPool> pool_ =
      ConnectionPool::Open(cluster_.ServiceOf(database_), {.synchronous_standby = false}, {1, 1})
          .value();
  Replicas replicas_{pool_.get()};
};

// The server is on this machine and has the same clock.
TEST_F(ReplicasTest, AnnouncesAndLists) {
  const Timestamp before = SystemClock().Now();
  ASSERT_OK_AND_ASSIGN(const ReplicaRecord first, replicas_.Announce(Replica("b")));
  const Timestamp after = SystemClock().Now();
  ReplicaRecord expected = Replica("b");
  expected.seen_at = first.seen_at;
  EXPECT_EQ(first, expected);
  EXPECT_GE(first.seen_at, before);
  EXPECT_LE(first.seen_at, after);
  ASSERT_OK_AND_ASSIGN(const ReplicaRecord second, replicas_.Announce(Replica("a")));
  ASSERT_OK_AND_ASSIGN(const std::vector<ReplicaRecord> list, replicas_.List());
  EXPECT_THAT(list, ElementsAre(second, first));
}

TEST_F(ReplicasTest, ALaterAnnouncementOfTheSameRunTakesThePlaceOfTheOneBefore) {
  ASSERT_OK_AND_ASSIGN(const ReplicaRecord before, replicas_.Announce(Replica("a")));
  ReplicaRecord replica = Replica("a");
  replica.clock_ahead = seconds(3);
  ASSERT_OK_AND_ASSIGN(const ReplicaRecord after, replicas_.Announce(replica));
  EXPECT_THAT(replicas_.List().value(), ElementsAre(after));
  EXPECT_EQ(after.clock_ahead, seconds(3));
  EXPECT_GT(after.seen_at, before.seen_at);
}

TEST_F(ReplicasTest, ANameIsKeptForARunThatWasSeenLately) {
  ASSERT_OK_AND_ASSIGN(const ReplicaRecord first, replicas_.Announce(Replica("a")));
  ASSERT_OK_AND_ASSIGN(const ReplicaRecord refused, replicas_.Announce(Replica("a", "run-2")));
  EXPECT_EQ(refused, first);
  EXPECT_THAT(replicas_.List().value(), ElementsAre(first));
  Age("a", ReplicaDirectory::kNameIsKept + seconds(1));
  ASSERT_OK_AND_ASSIGN(const ReplicaRecord second, replicas_.Announce(Replica("a", "run-2")));
  EXPECT_EQ(second.run_id, "run-2");
  // Which the first finds when it comes back.
  ASSERT_OK_AND_ASSIGN(const ReplicaRecord back, replicas_.Announce(Replica("a")));
  EXPECT_EQ(back.run_id, "run-2");
}

TEST_F(ReplicasTest, WhoWithdrawsFreesItsOwnNameAndNoOther) {
  ASSERT_OK(replicas_.Announce(Replica("a")));
  ASSERT_OK(replicas_.Announce(Replica("b")));
  ASSERT_OK(replicas_.Withdraw("a", "run-2"));
  EXPECT_THAT(Names(), ElementsAre("a", "b"));
  ASSERT_OK(replicas_.Withdraw("a", "run-1"));
  EXPECT_THAT(Names(), ElementsAre("b"));
  ASSERT_OK_AND_ASSIGN(const ReplicaRecord taken, replicas_.Announce(Replica("a", "run-2")));
  EXPECT_EQ(taken.run_id, "run-2");
}

TEST_F(ReplicasTest, ListsThoseOfADay) {
  ASSERT_OK(replicas_.Announce(Replica("a")));
  ASSERT_OK(replicas_.Announce(Replica("b")));
  Age("a", std::chrono::hours(24));
  EXPECT_THAT(Names(), ElementsAre("b"));
}

TEST_F(ReplicasTest, DescribesTheServer) {
  ASSERT_OK_AND_ASSIGN(const DatabaseRecord database, replicas_.Describe());
  EXPECT_EQ(database.address, "socket");
  EXPECT_THAT(database.version, testing::StartsWith("1"));
  EXPECT_GE(database.timeline, 1u);
  EXPECT_THAT(database.system_identifier, testing::MatchesRegex("[1-9][0-9]+"));
  EXPECT_EQ(database.synchronous_standby_names, "");
  ASSERT_TRUE(database.standbys.has_value());
  EXPECT_TRUE(database.standbys->empty());
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<ConnectionPool> remote,
                       ConnectionPool::Open(cluster_.TlsServiceOf(database_),
                                            {.synchronous_standby = false}, {1, 1}));
  ASSERT_OK_AND_ASSIGN(const DatabaseRecord same, Replicas(remote.get()).Describe());
  EXPECT_THAT(same.address, testing::MatchesRegex("127.0.0.1:[0-9]+"));
  EXPECT_EQ(same.system_identifier, database.system_identifier);
}

}  // namespace
}  // namespace hourglass::issuance
