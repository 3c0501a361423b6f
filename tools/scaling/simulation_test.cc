#include "tools/scaling/simulation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace hourglass::scaling {
namespace {

using testing::ElementsAre;

TEST(SimulationTest, EventsComeInTheOrderOfTheirTimesAndThoseOfOneInstantAsHandedIn) {
  Simulation simulation;
  std::vector<int> called;
  simulation.After(Time(20), [&] { called.push_back(2); });
  simulation.After(Time(10), [&] { called.push_back(1); });
  simulation.After(Time(20), [&] { called.push_back(3); });
  simulation.RunUntil(Time(20));
  EXPECT_THAT(called, ElementsAre(1, 2, 3));
}

TEST(SimulationTest, AnEventSeesItsTimeAndMayCauseOthers) {
  Simulation simulation;
  std::vector<Time> seen;
  simulation.After(Time(10), [&] {
    seen.push_back(simulation.now());
    simulation.After(Time(0), [&] { seen.push_back(simulation.now()); });
    simulation.After(Time(5), [&] { seen.push_back(simulation.now()); });
  });
  simulation.RunUntil(Time(100));
  EXPECT_THAT(seen, ElementsAre(Time(10), Time(10), Time(15)));
}

TEST(SimulationTest, RunsUpToATimeAndGoesOnFromThere) {
  Simulation simulation;
  int called = 0;
  simulation.After(Time(10), [&] { ++called; });
  simulation.After(Time(11), [&] { ++called; });
  simulation.RunUntil(Time(10));
  EXPECT_EQ(called, 1);
  EXPECT_EQ(simulation.now(), Time(10));
  simulation.RunUntil(Time(50));
  EXPECT_EQ(called, 2);
  EXPECT_EQ(simulation.now(), Time(50));
}

TEST(SimulationTest, TimesAreRoundedToNanoseconds) {
  EXPECT_EQ(Microseconds(0.0016), Time(2));
  EXPECT_EQ(Microseconds(0.0014), Time(1));
  EXPECT_EQ(Seconds(Microseconds(2.5e6)), 2.5);
}

}  // namespace
}  // namespace hourglass::scaling
