#include "issuance/timekeeping/clock_comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

namespace hourglass::issuance {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Verdict = ClockComparison::Verdict;

constexpr seconds kLargest(30);

ComparedReplica Replica(std::string name, microseconds ahead,
                        microseconds uncertainty = milliseconds(1)) {
  return {std::move(name), ahead, uncertainty};
}

struct Case {
  const char* what;
  ComparedReplica own;
  std::vector<ComparedReplica> others;
  ClockComparison expected;
};

TEST(ClockComparisonTest, EveryCaseHasItsVerdict) {
  const Case cases[] = {
      {"alone and right", Replica("a", seconds(0)), {}, {Verdict::kAgrees, "", seconds(0), false}},
      {"alone, ahead by less",
       Replica("a", seconds(29)),
       {},
       {Verdict::kAgrees, "", seconds(29), false}},
      {"alone, late by less",
       Replica("a", -seconds(29)),
       {},
       {Verdict::kAgrees, "", -seconds(29), false}},
      {"the bound itself",
       Replica("a", seconds(30), microseconds(0)),
       {},
       {Verdict::kAgrees, "", seconds(30), false}},
      {"beyond it by a microsecond",
       Replica("a", seconds(30) + microseconds(1), microseconds(0)),
       {},
       {Verdict::kDiffers, "", seconds(30) + microseconds(1), false}},
      {"late beyond it",
       Replica("a", -seconds(31)),
       {},
       {Verdict::kDiffers, "", -seconds(31), false}},
      {"beyond it, as far as can be told",
       Replica("a", seconds(31), seconds(2)),
       {},
       {Verdict::kUndecided, "", seconds(31), false}},
      {"within it, as far as can be told",
       Replica("a", seconds(29), seconds(2)),
       {},
       {Verdict::kUndecided, "", seconds(29), false}},
      {"certainly beyond, however uncertain",
       Replica("a", seconds(100), seconds(60)),
       {},
       {Verdict::kDiffers, "", seconds(100), false}},

      {"beside one that is right",
       Replica("a", seconds(5)),
       {Replica("b", -seconds(5))},
       {Verdict::kAgrees, "", seconds(5), false}},
      {"the other is wrong, and stops itself",
       Replica("a", seconds(0)),
       {Replica("b", seconds(40))},
       {Verdict::kAgrees, "", seconds(0), false}},
      {"this one is wrong, the other is right",
       Replica("a", seconds(40)),
       {Replica("b", seconds(0))},
       {Verdict::kDiffers, "", seconds(40), false}},
      {"both within, but not of each other: the further one stops",
       Replica("a", seconds(25)),
       {Replica("b", -seconds(10))},
       {Verdict::kDiffers, "b", seconds(35), false}},
      {"the same, of the nearer one",
       Replica("b", -seconds(10)),
       {Replica("a", seconds(25))},
       {Verdict::kAgrees, "", -seconds(10), false}},
      {"as far from the database: both stop",
       Replica("a", seconds(20)),
       {Replica("b", -seconds(20))},
       {Verdict::kDiffers, "b", seconds(40), false}},
      {"the same, of the other one",
       Replica("b", -seconds(20)),
       {Replica("a", seconds(20))},
       {Verdict::kDiffers, "a", -seconds(40), false}},
      {"which is further cannot be told: both stop",
       Replica("a", seconds(19), seconds(1)),
       {Replica("b", -seconds(20), seconds(1))},
       {Verdict::kDiffers, "b", seconds(39), false}},
      {"between two replicas it cannot be told",
       Replica("a", seconds(16), seconds(1)),
       {Replica("b", -seconds(14), seconds(1))},
       {Verdict::kUndecided, "b", seconds(30), false}},
      {"of several the one that decides",
       Replica("a", seconds(25)),
       {Replica("b", seconds(20)), Replica("c", -seconds(20)), Replica("d", seconds(0))},
       {Verdict::kDiffers, "c", seconds(45), false}},
      {"one that differs counts more than one that cannot be told",
       Replica("a", seconds(25), seconds(0)),
       {Replica("b", -seconds(5), seconds(2)), Replica("c", -seconds(20))},
       {Verdict::kDiffers, "c", seconds(45), false}},

      {"the database is wrong: all are late",
       Replica("a", -seconds(600)),
       {Replica("b", -seconds(601)), Replica("c", -seconds(599))},
       {Verdict::kDiffers, "", -seconds(600), true}},
      {"alone it cannot tell who is wrong",
       Replica("a", -seconds(600)),
       {},
       {Verdict::kDiffers, "", -seconds(600), false}},
      {"to different sides, the database may well be right",
       Replica("a", -seconds(600)),
       {Replica("b", seconds(600))},
       {Verdict::kDiffers, "", -seconds(600), false}},
  };
  for (const Case& one : cases) {
    const ClockComparison found = CompareClocks(one.own, one.others, kLargest);
    EXPECT_EQ(found.verdict, one.expected.verdict) << one.what;
    EXPECT_EQ(found.other, one.expected.other) << one.what;
    EXPECT_EQ(found.ahead, one.expected.ahead) << one.what;
    EXPECT_EQ(found.all_differ, one.expected.all_differ) << one.what;
  }
}

// Whatever two replicas' clocks are, they do not both serve while they are further apart.
TEST(ClockComparisonTest, NoTwoServeThatAreFurtherApart) {
  int apart = 0;
  for (int a = -45; a <= 45; ++a) {
    for (int b = -45; b <= 45; ++b) {
      const ComparedReplica one = Replica("a", seconds(a));
      const ComparedReplica other = Replica("b", seconds(b));
      const bool both = CompareClocks(one, {&other, 1}, kLargest).verdict == Verdict::kAgrees &&
                        CompareClocks(other, {&one, 1}, kLargest).verdict == Verdict::kAgrees;
      if (std::abs(a - b) <= 30) continue;
      ++apart;
      EXPECT_FALSE(both) << a << " and " << b;
    }
  }
  EXPECT_GT(apart, 1000);
}

// The one that is nearest to the database is never stopped by another's clock.
TEST(ClockComparisonTest, WhoIsRightIsStoppedByNobody) {
  for (int b = -100; b <= 100; ++b) {
    const ComparedReplica other = Replica("b", seconds(b));
    EXPECT_EQ(CompareClocks(Replica("a", seconds(0)), {&other, 1}, kLargest).verdict,
              Verdict::kAgrees)
        << b;
  }
}

TEST(ClockComparisonTest, TheDatabaseAnsweredSomewhereBetweenQuestionAndAnswer) {
  const Timestamp sent(seconds(1'000'000));
  const ComparedReplica right =
      CompareWithDatabase("a", sent, sent + milliseconds(3), sent + milliseconds(6));
  EXPECT_EQ(right.name, "a");
  EXPECT_EQ(right.ahead, microseconds(0));
  EXPECT_EQ(right.uncertainty, milliseconds(3));
  const ComparedReplica late =
      CompareWithDatabase("a", sent, sent + seconds(10), sent + milliseconds(1));
  EXPECT_EQ(late.ahead, -(seconds(10) - microseconds(500)));
  EXPECT_EQ(late.uncertainty, microseconds(500));
  // The clock was set back while the question was under way.
  const ComparedReplica set = CompareWithDatabase("a", sent, sent, sent - seconds(4));
  EXPECT_EQ(set.ahead, -seconds(2));
  EXPECT_EQ(set.uncertainty, seconds(2));
  // It holds what is true in either case: before and after the step.
  EXPECT_LE(std::chrono::abs(set.ahead - seconds(0)), set.uncertainty);
  EXPECT_LE(std::chrono::abs(set.ahead - -seconds(4)), set.uncertainty);
}

}  // namespace
}  // namespace hourglass::issuance
