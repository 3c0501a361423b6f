#include "tools/agent/trial.h"

#include <gtest/gtest.h>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace hourglass::agent {
namespace {

TEST(TrialTest, IsDueLaterAndLaterAndTellsOfEachTroubleOnce) {
  const Random random = [] { return 0.0; };
  Trial trial(random);
  const Instant now = absl::Hours(1);
  EXPECT_TRUE(trial.Due(now));
  EXPECT_TRUE(trial.Failed(absl::UnavailableError("away"), now));
  EXPECT_EQ(trial.at(), now + absl::Milliseconds(500));
  EXPECT_FALSE(trial.Due(now));
  EXPECT_EQ(trial.InWords(now),
            "trying again in 1 s, then less often, silently while nothing changes");
  EXPECT_FALSE(trial.Failed(absl::UnavailableError("away"), now));
  EXPECT_EQ(trial.at(), now + absl::Seconds(1));
  EXPECT_TRUE(trial.Failed(absl::UnavailableError("elsewhere"), now));
  trial.Succeeded();
  trial.Begin(now);
  EXPECT_TRUE(trial.Due(now));
  EXPECT_TRUE(trial.Failed(absl::UnavailableError("elsewhere"), now));
  EXPECT_EQ(trial.at(), now + absl::Milliseconds(500));
}

}  // namespace
}  // namespace hourglass::agent
