// A short chaos run. tools/chaos runs it for longer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>

#include "tests/chaos/faults.h"
#include "tests/chaos/scenario.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::chaos {
namespace {

using testing::Each;
using testing::Gt;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

TEST(ChaosTest, KeepsEveryPromise) {
  const TemporaryDirectory folder;
  ScenarioOptions options;
  options.duration = std::chrono::seconds(75);
  options.folder = folder.path();
  ASSERT_OK_AND_ASSIGN(const ScenarioResult result, RunScenario(options));
  std::fputs(InWords(result).c_str(), stdout);
  EXPECT_THAT(result.violations, IsEmpty());
  EXPECT_THAT(result.failures, IsEmpty());
  if (HasFailure()) std::fputs(ReadFileOrDie(folder.File("faults.log")).c_str(), stdout);

  // Else it shows nothing.
  for (const std::string& kind : AllFaultKinds()) EXPECT_EQ(result.faults.count(kind), 1U) << kind;
  EXPECT_TRUE(result.summary.logs_are_whole);
  EXPECT_GT(result.summary.received, 200);
  EXPECT_GT(result.summary.received_again, 0);
  EXPECT_GT(result.received_by_streams, 100);
  EXPECT_GT(result.broken_streams, 0);
  EXPECT_GT(result.streams, result.broken_streams);
  EXPECT_GE(result.summary.promotions, options.promotions);
  EXPECT_THAT(result.summary.received_by_replica, SizeIs(kReplicas));
  EXPECT_THAT(result.summary.received_by_replica, Each(Pair(testing::_, Gt(10))));
  EXPECT_GT(result.summary.administration.count("RollBackRoot done"), 0U);
  EXPECT_GT(result.summary.administration.count("RetireRoot done"), 0U);
}

}  // namespace
}  // namespace hourglass::chaos
