// Chaos runs that must fail: of a service without what keeps a promise.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <map>
#include <set>

#include "tests/chaos/scenario.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::chaos {
namespace {

using history::Rule;
using testing::Contains;

std::set<Rule> BrokenBy(SeededFault fault) {
  const TemporaryDirectory folder;
  ScenarioOptions options;
  options.duration = std::chrono::seconds(15);
  options.promotions = 15;
  options.fault = fault;
  // Some replicas serve no more once they notice.
  options.patience = std::chrono::seconds(5);
  options.folder = folder.path();
  const absl::StatusOr<ScenarioResult> result = RunScenario(options);
  EXPECT_OK(result.status());
  std::set<Rule> broken;
  if (!result.ok()) return broken;
  for (const history::Violation& violation : result->violations) {
    // One of each is enough to read.
    if (broken.insert(violation.rule).second) {
      std::fputs(history::InWords(violation).c_str(), stdout);
    }
  }
  std::fputs(history::InWords(result->summary).c_str(), stdout);
  return broken;
}

TEST(SeededFaultsTest, AFenceThatIsNotThereIsMissed) {
  EXPECT_THAT(BrokenBy(SeededFault::kNoFence), Contains(Rule::kOutsidePrimacy));
}

TEST(SeededFaultsTest, ALockThatIsNotHeldIsMissed) {
  EXPECT_THAT(BrokenBy(SeededFault::kNoLock), Contains(Rule::kOutsidePrimacy));
}

TEST(SeededFaultsTest, ARequestIdThatIsNotUniqueIsMissed) {
  EXPECT_THAT(BrokenBy(SeededFault::kNoIdempotency), Contains(Rule::kRequestRecordedTwice));
}

}  // namespace
}  // namespace hourglass::chaos
