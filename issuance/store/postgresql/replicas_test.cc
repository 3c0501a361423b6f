#include "issuance/store/postgresql/replicas.h"

#include <gmock/gmock.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/postgresql_cluster.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using postgresql::ConnectionPool;
using std::chrono::microseconds;
using testing::ElementsAre;

// Asks a function.
class ScriptedClock final : public Clock {
 public:
  Timestamp Now() const override { return now_(); }

  std::function<Timestamp()> now_ = [] { return SystemClock().Now(); };
};

class ReplicasTest : public testing::Test {
 protected:
  static ReplicaRecord Replica(const std::string& name, const std::string& run_id = "run-1") {
    ReplicaRecord replica;
    replica.name = name;
    replica.run_id = run_id;
    replica.program_version = "1.2.3";
    replica.address = "[::1]:8443";
    replica.started_at = Timestamp(std::chrono::hours(24 * 365 * 50));
    return replica;
  }

  std::vector<std::string> Names() {
    std::vector<std::string> names;
    for (const ReplicaRecord& replica : replicas_.List().value().replicas) {
      names.push_back(replica.name);
    }
    return names;
  }

  PostgresqlCluster& cluster_ = PostgresqlCluster::Shared();
  const std::string database_ = cluster_.CreatePreparedDatabase().value();
  const std::unique_ptr<ConnectionPool> pool_ =
      ConnectionPool::Open(cluster_.ServiceOf(database_), {.synchronous_standby = false}, {1, 1})
          .value();
  ScriptedClock clock_;
  Replicas replicas_{pool_.get(), &clock_};
};

// The server is on this machine and has the same clock.
TEST_F(ReplicasTest, AnnouncesAndLists) {
  const Timestamp before = SystemClock().Now();
  ASSERT_OK_AND_ASSIGN(const ReplicaRecord first, replicas_.Announce(Replica("b")));
  const Timestamp after = SystemClock().Now();
  ReplicaRecord expected = Replica("b");
  expected.seen_at = first.seen_at;
  expected.clock_ahead = first.clock_ahead;
  expected.clock_uncertainty = first.clock_uncertainty;
  EXPECT_EQ(first, expected);
  EXPECT_GE(first.seen_at, before);
  EXPECT_LE(first.seen_at, after);
  ASSERT_OK_AND_ASSIGN(const ReplicaRecord second, replicas_.Announce(Replica("a")));
  ASSERT_OK_AND_ASSIGN(const ReplicaList list, replicas_.List());
  EXPECT_THAT(list.replicas, ElementsAre(second, first));
  EXPECT_GE(list.now, second.seen_at);
}

TEST_F(ReplicasTest, ALaterAnnouncementTakesThePlaceOfTheOneBefore) {
  ASSERT_OK_AND_ASSIGN(const ReplicaRecord before, replicas_.Announce(Replica("a")));
  ReplicaRecord replica = Replica("a", "run-2");
  replica.program_version = "1.2.4";
  replica.address = "other:1";
  replica.started_at += std::chrono::seconds(1);
  ASSERT_OK_AND_ASSIGN(const ReplicaRecord after, replicas_.Announce(replica));
  EXPECT_THAT(replicas_.List().value().replicas, ElementsAre(after));
  EXPECT_EQ(after.run_id, "run-2");
  EXPECT_GT(after.seen_at, before.seen_at);
}

TEST_F(ReplicasTest, MeasuresTheClockWithinItsUncertainty) {
  for (const std::chrono::seconds ahead : {std::chrono::seconds(3600), std::chrono::seconds(0),
                                           std::chrono::seconds(-3600)}) {
    clock_.now_ = [ahead] { return SystemClock().Now() + ahead; };
    ASSERT_OK_AND_ASSIGN(const ReplicaRecord replica, replicas_.Announce(Replica("a")));
    EXPECT_GE(replica.clock_uncertainty, microseconds(0));
    // One more for the microseconds that the server rounds.
    const microseconds bound = replica.clock_uncertainty + microseconds(1);
    EXPECT_LE(replica.clock_ahead, ahead + bound);
    EXPECT_GE(replica.clock_ahead, ahead - bound);
    EXPECT_LT(bound, std::chrono::minutes(10)) << "else this shows nothing";
  }
}

TEST_F(ReplicasTest, HalfOfTheRoundTripIsUncertain) {
  Timestamp now = SystemClock().Now();
  clock_.now_ = [&] { return now += std::chrono::seconds(101); };
  ASSERT_OK_AND_ASSIGN(const ReplicaRecord slow, replicas_.Announce(Replica("a")));
  EXPECT_EQ(slow.clock_uncertainty, microseconds(50'500'000));
  // One that is set back meanwhile may have been right before, or after.
  clock_.now_ = [&] { return now -= std::chrono::seconds(101); };
  ASSERT_OK_AND_ASSIGN(const ReplicaRecord back, replicas_.Announce(Replica("a")));
  EXPECT_EQ(back.clock_uncertainty, microseconds(50'500'000));
}

TEST_F(ReplicasTest, ForgetsOne) {
  ASSERT_OK(replicas_.Announce(Replica("a")).status());
  ASSERT_OK(replicas_.Announce(Replica("b")).status());
  ASSERT_OK(replicas_.Forget("a"));
  EXPECT_THAT(Names(), ElementsAre("b"));
  EXPECT_OK(replicas_.Forget("a"));
  EXPECT_THAT(Names(), ElementsAre("b"));
}

}  // namespace
}  // namespace hourglass::issuance
