// One bad token among ten.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "tests/faults/fault_world.h"

namespace hourglass {
namespace {

using testing::Each;

// A dead token may take neither threads nor time from the others. The bound is wide because two
// cores serve ten tokens and whatever else the machine does; the figures are in the table.
void ExpectUnmoved(const Recovery& recovery) {
  EXPECT_LT(recovery.others_during.count(), 3 * recovery.others_before.count() + 50);
}

TEST(TenTokensTest, OneHangs) {
  TokenWorld world(9);
  const FaultWorld::Outcome outcome =
      world.Undergo({"one of ten tokens hangs", [&] { world.faulty().Set({"* * hang"}); },
                     std::chrono::seconds(5), [&] { world.faulty().Clear(); }});
  EXPECT_THAT(outcome.reasons, Each(ErrorReason::kKeyUnavailable));
  ExpectUnmoved(outcome.recovery);
}

TEST(TenTokensTest, OneCrashes) {
  TokenWorld world(9);
  const FaultWorld::Outcome outcome = world.Undergo(
      {"one of ten tokens crashes", [&] { world.faulty().Set({"* * crash SIGSEGV"}); },
       std::chrono::seconds(5), [&] { world.faulty().Clear(); }});
  EXPECT_THAT(outcome.reasons, Each(ErrorReason::kKeyUnavailable));
  ExpectUnmoved(outcome.recovery);
}

}  // namespace
}  // namespace hourglass
