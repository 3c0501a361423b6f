#include "tests/chaos/fault_lane.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hsm/base/error.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::chaos {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;

class FaultLaneTest : public testing::Test {
 protected:
  // Ends the run with the call of this number.
  Fault FaultOf(const std::string& kind, std::size_t last, const absl::Status& healed = {}) {
    return {kind, [this, kind, last, healed](Chance&, Ending& ending, const auto& begin) {
              begin("berlin-1");
              done_.push_back(kind);
              if (done_.size() == last) ending.Begin();
              return healed;
            }};
  }
  void Run(std::vector<Fault> faults, std::uint64_t seed) {
    Ending ending;
    RunLane({std::move(faults), {}, std::chrono::milliseconds(1)}, Chance(seed, 1), ending, log_);
  }

  const TemporaryDirectory folder_;
  FaultLog log_{folder_.File("faults.log")};
  std::vector<std::string> done_;
};

TEST_F(FaultLaneTest, DoesEachBeforeAnyAgainAndTheSameBySameSeed) {
  constexpr std::size_t kRounds = 20;
  const auto run = [&](std::uint64_t seed) {
    done_.clear();
    Run({FaultOf("a", 3 * kRounds), FaultOf("b", 3 * kRounds), FaultOf("c", 3 * kRounds)}, seed);
    return done_;
  };
  const std::vector<std::string> first = run(1);
  EXPECT_THAT(log_.counts(),
              ElementsAre(Pair("a", kRounds), Pair("b", kRounds), Pair("c", kRounds)));
  for (std::size_t i = 0; i < first.size(); i += 3) {
    EXPECT_THAT(std::vector(first.begin() + i, first.begin() + i + 3),
                testing::UnorderedElementsAre("a", "b", "c"));
  }
  EXPECT_EQ(run(1), first);
  EXPECT_NE(run(2), first);
}

TEST_F(FaultLaneTest, TellsWhatDoesNotHeal) {
  Run({FaultOf("sound", 1)}, 1);
  EXPECT_THAT(log_.failures(), IsEmpty());
  Run({FaultOf("broken", 2, Error(ErrorReason::kInternalError, "", "is gone"))}, 1);
  EXPECT_THAT(log_.failures(), ElementsAre("broken: is gone"));
  const std::string file = ReadFileOrDie(folder_.File("faults.log"));
  EXPECT_THAT(file, HasSubstr("sound: berlin-1\n"));
  EXPECT_THAT(file, HasSubstr("FAILED: broken: is gone\n"));
  EXPECT_THAT(file, Not(HasSubstr("FAILED: sound")));
}

TEST_F(FaultLaneTest, DoesNothingAfterTheEnd) {
  Ending ending;
  ending.Begin();
  RunLane({{FaultOf("a", 0)}}, Chance(1, 1), ending, log_);
  EXPECT_THAT(log_.counts(), IsEmpty());
}

}  // namespace
}  // namespace hourglass::chaos
