#include "tools/scaling/cell.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tools/scaling/constants.h"

namespace hourglass::scaling {
namespace {

using testing::Eq;

constexpr std::uint64_t kSeed = 1;
constexpr Span kBrief{.warm_up = std::chrono::seconds(1), .measured = std::chrono::seconds(2)};

// Four replicas of two cores: small, so that little is asked of it.
CellModel SmallCell() {
  CellModel cell = HundredTimes();
  cell.replica.replicas = 4;
  cell.replica.cores = 2;
  cell.database.cores = 4;
  return cell;
}

double Rate(const CellModel& cell) { return Saturate(cell, kSeed, kBrief).issued_per_second; }

TEST(CellTest, OneRequestAtATimeTakesTheSumOfItsSteps) {
  const CellModel cell = SmallCell();
  const CertificateCost& cost = cell.replica.cost;
  const DatabaseModel& database = cell.database;
  const double commit = database.round_trip_us * database.round_trips +
                        database.microseconds_per_transaction +
                        database.microseconds_per_certificate / 2 + 2 * database.flush_us +
                        database.standby_round_trip_us;
  const double expected = cost.call + cost.batch + cost.lane + cost.signature + 2 * commit;
  const Outcome outcome = Simulate(cell, {.under_way = 1}, kSeed);
  EXPECT_NEAR(outcome.median_us, expected, 0.1);
  EXPECT_NEAR(outcome.p99_us, expected, 0.1);
  EXPECT_NEAR(outcome.issued_per_second, 1e6 / expected, 1);
  EXPECT_DOUBLE_EQ(outcome.commits_per_certificate, 2);
  EXPECT_DOUBLE_EQ(outcome.batch, 1);
}

TEST(CellTest, WithoutAStandbyACommitTakesNeitherItsWayNorItsFlush) {
  CellModel cell = SmallCell();
  const double with = Simulate(cell, {.under_way = 1}, kSeed).median_us;
  cell.database.standby = false;
  EXPECT_NEAR(with - Simulate(cell, {.under_way = 1}, kSeed).median_us,
              2 * (cell.database.standby_round_trip_us + cell.database.flush_us), 0.1);
}

// Little's law: what is under way is the rate times the time that each takes.
TEST(CellTest, WhatIsUnderWayIsTheRateTimesTheTime) {
  for (const std::int64_t under_way : {1, 20, 300, 2000}) {
    const Outcome outcome = Simulate(SmallCell(), {.under_way = under_way}, kSeed);
    EXPECT_NEAR(outcome.issued_per_second * outcome.mean_us / 1e6 / under_way, 1, 0.02)
        << under_way;
  }
}

// The utilisation law: a part is in use for its work of each certificate.
TEST(CellTest, PartsAreInUseForTheirWorkOfEachCertificate) {
  const CellModel cell = SmallCell();
  const Outcome outcome = Simulate(cell, {.per_second = 6000}, kSeed);
  EXPECT_NEAR(outcome.issued_per_second, 6000, 150);
  const double rate = outcome.issued_per_second;
  EXPECT_NEAR(
      outcome.use.log_disk,
      rate * cell.database.wal_octets_per_certificate / cell.database.disk_octets_per_second,
      0.001);
  const double database_us =
      cell.database.microseconds_per_certificate +
      cell.database.microseconds_per_transaction * outcome.commits_per_certificate;
  EXPECT_NEAR(outcome.use.database_cores, rate * database_us / 1e6 / cell.database.cores, 0.005);
  const CertificateCost& cost = cell.replica.cost;
  const double core_us = cost.call + cost.lane + cost.signature + cost.batch / outcome.batch;
  EXPECT_NEAR(outcome.core_us_per_certificate, core_us, core_us * 0.01);
  EXPECT_NEAR(outcome.use.replica_cores, rate * core_us / 1e6 / 8, 0.01);
}

TEST(CellTest, TheSameSeedGivesTheSameAndAnotherNearlyTheSame) {
  const Load load{.per_second = 8000};
  const Outcome first = Simulate(SmallCell(), load, 1, kBrief);
  const Outcome again = Simulate(SmallCell(), load, 1, kBrief);
  const Outcome other = Simulate(SmallCell(), load, 2, kBrief);
  EXPECT_EQ(first.mean_us, again.mean_us);
  EXPECT_EQ(first.p99_us, again.p99_us);
  EXPECT_EQ(first.issued_per_second, again.issued_per_second);
  EXPECT_NE(first.mean_us, other.mean_us);
  EXPECT_NEAR(first.mean_us / other.mean_us, 1, 0.05);
}

TEST(CellTest, WhatIsTooMuchIsRefusedAndTheRestIsServed) {
  const CellModel cell = SmallCell();
  const double most = Rate(cell);
  const Outcome half = Simulate(cell, {.per_second = most / 2}, kSeed, kBrief);
  EXPECT_EQ(half.refused_share, 0);
  EXPECT_NEAR(half.issued_per_second / (most / 2), 1, 0.05);
  const Outcome twice = Simulate(cell, {.per_second = most * 2}, kSeed, kBrief);
  EXPECT_GT(twice.refused_share, 0.4);
  // By how steps fall into one another, a little more than with as many as there is room for.
  EXPECT_LT(twice.issued_per_second, most * 1.1);
  EXPECT_GT(twice.issued_per_second, most * 0.7);
}

struct Change {
  const char* name;
  void (*apply)(CellModel& cell);
  double tolerance = 0.03;
};

// With more commits under way than lanes have use for, or shorter ones, each is for fewer and costs
// as much.
constexpr double kSmallerGroups = 0.1;

class MoreTest : public testing::TestWithParam<Change> {};

// Of whatever there is more, the rate at saturation is no lower: but for some percents, by which
// steps fall differently into one another.
TEST_P(MoreTest, NeverLowersTheRate) {
  CellModel cell = SmallCell();
  if (std::string(GetParam().name) == "HSM") cell.hsm.signatures_per_second = 500;
  double before = Rate(cell);
  for (int step = 0; step < 3; ++step) {
    GetParam().apply(cell);
    const double after = Rate(cell);
    EXPECT_GE(after, before * (1 - GetParam().tolerance)) << GetParam().name << ", step " << step;
    before = after;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Parts, MoreTest,
    testing::Values(
        Change{"cores", [](CellModel& cell) { cell.replica.cores *= 2; }},
        Change{"replicas", [](CellModel& cell) { cell.replica.replicas *= 2; }},
        Change{"commits", [](CellModel& cell) { cell.replica.commits_at_once *= 2; },
               kSmallerGroups},
        Change{"database_cores", [](CellModel& cell) { cell.database.cores *= 2; }},
        Change{"disk", [](CellModel& cell) { cell.database.disk_octets_per_second *= 2; }},
        Change{"flush", [](CellModel& cell) { cell.database.flush_us /= 2; }, kSmallerGroups},
        Change{"way", [](CellModel& cell) { cell.database.standby_round_trip_us /= 2; },
               kSmallerGroups},
        Change{"HSM", [](CellModel& cell) { cell.hsm.signatures_per_second *= 2; }}),
    [](const testing::TestParamInfo<Change>& change) { return std::string(change.param.name); });

// Each part in turn is made the smallest: then it is the first limit, and the rate is what it
// gives.
TEST(FirstLimitTest, IsTheHsmWhereItSignsLittle) {
  CellModel cell = SmallCell();
  cell.hsm.signatures_per_second = 800;
  const Outcome most = Saturate(cell, kSeed);
  EXPECT_THAT(FirstLimit(most.use), Eq("HSM"));
  EXPECT_NEAR(most.issued_per_second, 800, 25);
}

TEST(FirstLimitTest, IsTheReplicasCoresWhereThereAreFew) {
  CellModel cell = SmallCell();
  cell.replica.cores = 1;
  cell.replica.lanes = 8;
  const Outcome most = Saturate(cell, kSeed);
  EXPECT_THAT(FirstLimit(most.use), Eq("replicas' cores"));
  EXPECT_NEAR(most.issued_per_second, 4 * 1e6 / 123, 1600);
}

TEST(FirstLimitTest, IsTheDatabasesCoresWhereTheyAreSlow) {
  CellModel cell = SmallCell();
  cell.database.cores = 1;
  cell.database.microseconds_per_certificate = 200;
  const Outcome most = Saturate(cell, kSeed);
  EXPECT_THAT(FirstLimit(most.use), Eq("database's cores"));
  EXPECT_NEAR(most.issued_per_second, 1e6 / 200, 200);
}

TEST(FirstLimitTest, IsTheDiskWhereItIsSlow) {
  CellModel cell = SmallCell();
  cell.database.disk_octets_per_second = 20e6;
  const Outcome most = Saturate(cell, kSeed);
  EXPECT_THAT(FirstLimit(most.use), Eq("disk of the log"));
  EXPECT_NEAR(most.issued_per_second, 20e6 / cell.database.wal_octets_per_certificate, 150);
}

TEST(FirstLimitTest, IsTheWayToTheStandbyWhereItIsLong) {
  CellModel cell = SmallCell();
  cell.replica.lanes = 16;
  cell.replica.commits_at_once = 1;
  cell.database.standby_round_trip_us = 50'000;
  const Outcome most = Saturate(cell, kSeed);
  EXPECT_THAT(FirstLimit(most.use), Eq("commits under way"));
  // Half of a replica's lanes are in a commit, and half wait for the next.
  EXPECT_LT(most.issued_per_second, 4 * 16 * 64 / 0.100);
}

TEST(FirstLimitTest, IsLanesWhereNothingElseIsFull) {
  EXPECT_THAT(FirstLimit({.replica_cores = 0.8, .lanes = 1, .commits = 0.9}),
              Eq("lanes, which wait for commits"));
}

}  // namespace
}  // namespace hourglass::scaling
