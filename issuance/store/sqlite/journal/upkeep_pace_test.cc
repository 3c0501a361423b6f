#include "issuance/store/sqlite/journal/upkeep_pace.h"

#include <gtest/gtest.h>

namespace hourglass::issuance::sqlite {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

TEST(UpkeepPaceTest, RestsOnlyAfterAStint) {
  UpkeepPace pace;
  pace.SetBacklog(1);
  EXPECT_EQ(pace.RestAfter(microseconds(400)), nanoseconds(0));
  EXPECT_EQ(pace.RestAfter(microseconds(999)), nanoseconds(0));
  EXPECT_EQ(pace.RestAfter(microseconds(1000)), milliseconds(7));
  EXPECT_EQ(pace.RestAfter(microseconds(1900)), nanoseconds(0));
  EXPECT_EQ(pace.RestAfter(microseconds(3000)), milliseconds(14));
}

TEST(UpkeepPaceTest, TakesUpTheRestOfABacklogFaster) {
  UpkeepPace pace;
  pace.SetBacklog(2);
  EXPECT_EQ(pace.RestAfter(milliseconds(2)), milliseconds(2));
  pace.SetBacklog(3);
  EXPECT_EQ(pace.RestAfter(milliseconds(4)), nanoseconds(0));
  pace.SetBacklog(1);
  EXPECT_EQ(pace.RestAfter(milliseconds(6)), milliseconds(14));
}

}  // namespace
}  // namespace hourglass::issuance::sqlite
