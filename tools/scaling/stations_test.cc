// Stations beside what queueing theory says of them.
#include "tools/scaling/stations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <utility>
#include <vector>

#include "tools/scaling/random.h"

namespace hourglass::scaling {
namespace {

using testing::ElementsAre;

constexpr double kClose = 0.03;

// Of work that arrives at random, `per_second`, from its arrival until it is done, in seconds, on
// average; and the share of the servers' time in use.
struct Found {
  double mean;
  double use;
};

class Queue {
 public:
  Queue(int servers, double per_second, std::function<Time(Random&)> work,
        Time quantum = Time::max())
      : per_second_(per_second), work_(std::move(work)), station_(&simulation_, servers, quantum) {}

  Found Run(int seconds) {
    Next();
    simulation_.RunUntil(std::chrono::seconds(seconds));
    return {sum_ / count_, Seconds(station_.InUse()) / seconds / station_.servers()};
  }

 private:
  void Next() {
    simulation_.After(random_.Gap(per_second_), [this] {
      const Time came = simulation_.now();
      station_.Submit(work_(random_), [this, came] {
        sum_ += Seconds(simulation_.now() - came);
        ++count_;
      });
      Next();
    });
  }

  const double per_second_;
  const std::function<Time(Random&)> work_;
  Random random_{7};
  Simulation simulation_;
  Station station_;
  double sum_ = 0;
  double count_ = 0;
};

// A thousand a second, on average.
Time Memoryless(Random& random) { return random.Gap(1000); }
Time Constant(Random&) { return std::chrono::milliseconds(1); }

class LoadTest : public testing::TestWithParam<double> {};

// M/M/1: 1 / (mu - lambda).
TEST_P(LoadTest, OneServerWithWorkOfRandomLength) {
  const double load = GetParam();
  const Found found = Queue(1, 1000 * load, Memoryless).Run(2000);
  EXPECT_NEAR(found.mean * 1000 * (1 - load), 1, kClose);
  EXPECT_NEAR(found.use, load, load * kClose);
}

// M/D/1: (1 + rho / 2 / (1 - rho)) / mu, by Pollaczek and Khinchine.
TEST_P(LoadTest, OneServerWithWorkOfOneLength) {
  const double load = GetParam();
  const Found found = Queue(1, 1000 * load, Constant).Run(2000);
  EXPECT_NEAR(found.mean * 1000 / (1 + load / 2 / (1 - load)), 1, kClose);
}

// M/M/4: Erlang's C.
TEST_P(LoadTest, FourServersWithWorkOfRandomLength) {
  const double load = GetParam();
  const double offered = 4 * load;
  double term = 1;
  double sum = 0;
  for (int k = 0; k < 4; ++k) {
    sum += term;
    term *= offered / (k + 1);
  }
  const double waits = term / (1 - load) / (sum + term / (1 - load));
  const double expected = 1 + waits / (4 * (1 - load));
  const Found found = Queue(4, 4000 * load, Memoryless).Run(500);
  EXPECT_NEAR(found.mean * 1000 / expected, 1, kClose);
}

// Processor sharing: 1 / (mu - lambda), whatever the lengths are, as the quantum goes to nothing.
TEST_P(LoadTest, WorkThatTakesTurnsSharesTheServer) {
  const double load = GetParam();
  const Found found = Queue(1, 1000 * load, Constant, std::chrono::microseconds(10)).Run(300);
  EXPECT_NEAR(found.mean * 1000 * (1 - load), 1, kClose);
}

INSTANTIATE_TEST_SUITE_P(Loads, LoadTest, testing::Values(0.3, 0.6, 0.8));

TEST(StationTest, TheFirstIsServedFirst) {
  Simulation simulation;
  Station station(&simulation, 1);
  std::vector<std::pair<int, Time>> done;
  for (const int number : {1, 2, 3}) {
    station.Submit(Time(10 * number), [&, number] { done.emplace_back(number, simulation.now()); });
  }
  simulation.RunUntil(Time(1000));
  EXPECT_THAT(done,
              ElementsAre(std::pair(1, Time(10)), std::pair(2, Time(30)), std::pair(3, Time(60))));
  EXPECT_EQ(station.InUse(), Time(60));
}

TEST(StationTest, WithAQuantumWhatIsShortOvertakesWhatIsLong) {
  Simulation simulation;
  Station station(&simulation, 1, Time(10));
  std::vector<std::pair<int, Time>> done;
  station.Submit(Time(25), [&] { done.emplace_back(1, simulation.now()); });
  station.Submit(Time(5), [&] { done.emplace_back(2, simulation.now()); });
  simulation.RunUntil(Time(1000));
  EXPECT_THAT(done, ElementsAre(std::pair(2, Time(15)), std::pair(1, Time(30))));
}

// Turns that take ten, and tell when they began and for how much.
class GroupStationTest : public testing::Test {
 protected:
  GroupStation::Turn TenEach() {
    return [this](std::int64_t size, Done done) {
      began_.emplace_back(simulation_.now(), size);
      simulation_.After(Time(10), std::move(done));
    };
  }
  void SubmitAt(GroupStation& station, Time at, std::int64_t size) {
    simulation_.After(at, [this, &station, size] {
      station.Submit(size, [this] { done_.push_back(simulation_.now()); });
    });
  }

  Simulation simulation_;
  std::vector<std::pair<Time, std::int64_t>> began_;
  std::vector<Time> done_;
};

TEST_F(GroupStationTest, WhatComesWhileATurnIsUnderWayGoesTogetherInTheNext) {
  GroupStation station(&simulation_, 1, TenEach());
  SubmitAt(station, Time(0), 5);
  SubmitAt(station, Time(1), 3);
  SubmitAt(station, Time(9), 4);
  simulation_.RunUntil(Time(100));
  EXPECT_THAT(began_, ElementsAre(std::pair(Time(0), 5), std::pair(Time(10), 7)));
  EXPECT_THAT(done_, ElementsAre(Time(10), Time(20), Time(20)));
  EXPECT_EQ(station.turns(), 2);
  EXPECT_EQ(station.InUse(), Time(20));
}

TEST_F(GroupStationTest, AsManyTurnsAreUnderWayAsMayBe) {
  GroupStation station(&simulation_, 2, TenEach());
  SubmitAt(station, Time(0), 5);
  SubmitAt(station, Time(1), 3);
  SubmitAt(station, Time(2), 4);
  simulation_.RunUntil(Time(100));
  EXPECT_THAT(began_,
              ElementsAre(std::pair(Time(0), 5), std::pair(Time(1), 3), std::pair(Time(10), 4)));
}

TEST(RandomTest, SharesAreEvenAndTheSameForTheSameSeed) {
  Random random(3);
  Random same(3);
  Random other(4);
  double sum = 0;
  int alike = 0;
  for (int i = 0; i < 100'000; ++i) {
    const double share = random.Share();
    ASSERT_GE(share, 0);
    ASSERT_LT(share, 1);
    ASSERT_EQ(share, same.Share());
    alike += share == other.Share() ? 1 : 0;
    sum += share;
  }
  EXPECT_NEAR(sum / 100'000, 0.5, 0.01);
  EXPECT_LT(alike, 10);
}

}  // namespace
}  // namespace hourglass::scaling
