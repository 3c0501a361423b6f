#include "hsm/keyholder/recovery/recovery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "hsm/base/error.h"

namespace hourglass::hsm {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr SteadyTime kStart{std::chrono::hours(1)};

TEST(BackOffTest, GrowsToHalfASecondAndIsForgotten) {
  BackOff back_off;
  std::vector<int> pauses;
  for (int i = 0; i < 9; ++i) {
    pauses.push_back(static_cast<int>(back_off.AfterFailure(kStart + i * seconds(10)).count()));
  }
  EXPECT_THAT(pauses, ::testing::ElementsAre(0, 25, 50, 100, 200, 400, 500, 500, 500));
  const SteadyTime last = kStart + 8 * seconds(10);
  EXPECT_EQ(back_off.AfterFailure(last + seconds(10) + milliseconds(1)), milliseconds(0));
  EXPECT_EQ(back_off.AfterFailure(last + seconds(11)), milliseconds(25));
}

TEST(PlanWorkersTest, FollowsTokenAndMachine) {
  CustodianFacts softhsm;
  softhsm.software = true;
  EXPECT_EQ(PlanWorkers(0, 8, softhsm, 2), (WorkerPlan{2, 1}));
  EXPECT_EQ(PlanWorkers(0, 8, softhsm, 0), (WorkerPlan{1, 1}));
  EXPECT_EQ(PlanWorkers(0, 8, softhsm, 64), (WorkerPlan{8, 1}));
  EXPECT_EQ(PlanWorkers(3, 8, softhsm, 2), (WorkerPlan{3, 1}));

  CustodianFacts device;
  EXPECT_EQ(PlanWorkers(0, 8, device, 64), (WorkerPlan{2, 4}));
  EXPECT_EQ(PlanWorkers(0, 9, device, 64), (WorkerPlan{2, 5}));
  EXPECT_EQ(PlanWorkers(1, 8, device, 64), (WorkerPlan{1, 8}));
  EXPECT_EQ(PlanWorkers(1, 1000, device, 64), (WorkerPlan{1, 64}));

  CustodianFacts tpm;
  tpm.one_process_only = true;
  EXPECT_EQ(PlanWorkers(0, 8, tpm, 2), (WorkerPlan{1, 8}));
  EXPECT_EQ(PlanWorkers(4, 8, tpm, 2), (WorkerPlan{1, 8}));
}

TEST(PlanWorkersTest, LeavesEachWorkerASessionForItsLogin) {
  CustodianFacts device;
  for (std::uint64_t most = 1; most <= 40; ++most) {
    device.most_sessions = most;
    const WorkerPlan plan = PlanWorkers(0, 8, device, 2);
    EXPECT_GE(plan.threads, 1);
    EXPECT_GE(plan.workers, 1);
    // A token of one session is asked for two all the same: it says best itself what it lacks.
    if (most >= 2) {
      EXPECT_LE(plan.workers * (plan.threads + 1), static_cast<int>(most));
    }
  }
}

TEST(BatchSizeTest, SharesEvenlyWithinTime) {
  const auto quick = microseconds(40);
  EXPECT_EQ(BatchSize(1, 2, quick), 1u);
  EXPECT_EQ(BatchSize(16, 2, quick), 8u);
  EXPECT_EQ(BatchSize(17, 2, quick), 9u);
  EXPECT_EQ(BatchSize(1000, 2, quick), 64u);
  EXPECT_EQ(BatchSize(1000, 1, milliseconds(3)), 3u);
  EXPECT_EQ(BatchSize(1000, 1, milliseconds(200)), 1u);
  EXPECT_EQ(BatchSize(1000, 1, microseconds(0)), 1u);
}

TEST(OverdueAfterTest, AllowsForSlowKeys) {
  EXPECT_EQ(OverdueAfter(64, microseconds(40)), milliseconds(100));
  EXPECT_EQ(OverdueAfter(1, milliseconds(200)), seconds(4));
  EXPECT_EQ(OverdueAfter(2, milliseconds(5)), milliseconds(200));
}

TEST(PatienceTest, GrowsFromWhatIsUsualToTheLongest) {
  Patience patience;
  EXPECT_EQ(patience.For(nanoseconds(0), seconds(10)), seconds(10));
  EXPECT_EQ(patience.For(milliseconds(20), seconds(10)), milliseconds(500));
  EXPECT_EQ(patience.For(milliseconds(200), seconds(10)), seconds(2));
  EXPECT_EQ(patience.For(milliseconds(200), seconds(1)), seconds(1));
  patience.GaveUp();
  EXPECT_EQ(patience.For(milliseconds(200), seconds(10)), seconds(3));
  patience.GaveUp();
  EXPECT_EQ(patience.For(milliseconds(200), seconds(10)), milliseconds(4500));
  for (int i = 0; i < 1000; ++i) patience.GaveUp();
  EXPECT_EQ(patience.For(milliseconds(200), seconds(10)), seconds(10));
  patience.Served();
  EXPECT_EQ(patience.For(milliseconds(200), seconds(10)), seconds(2));
}

TEST(IsToBeAskedAnewTest, WaitsAsLongAsItHasBeenSo) {
  const SteadyTime since{seconds(1000)};
  EXPECT_FALSE(IsToBeAskedAnew(since, since, since + milliseconds(500)));
  EXPECT_TRUE(IsToBeAskedAnew(since, since, since + milliseconds(501)));
  EXPECT_FALSE(IsToBeAskedAnew(since, since + seconds(8), since + seconds(16)));
  EXPECT_TRUE(IsToBeAskedAnew(since, since + seconds(8), since + milliseconds(16'001)));
  EXPECT_FALSE(IsToBeAskedAnew(since, since + seconds(5000), since + seconds(5060)));
  EXPECT_TRUE(IsToBeAskedAnew(since, since + seconds(5000), since + milliseconds(5'060'001)));
}

TEST(WorkerRemedyTest, FollowsTheError) {
  const auto remedy = [](ErrorReason reason) { return WorkerRemedyFor(Error(reason, "f", "m")); };
  EXPECT_EQ(WorkerRemedyFor(absl::OkStatus()), WorkerRemedy::kNone);
  EXPECT_EQ(remedy(ErrorReason::kPinRefused), WorkerRemedy::kNewPin);
  EXPECT_EQ(remedy(ErrorReason::kKeyUnavailable), WorkerRemedy::kNewWorker);
  EXPECT_EQ(remedy(ErrorReason::kKeyNotFound), WorkerRemedy::kSecondOpinion);
  EXPECT_EQ(WorkerRemedyFor(NeedingNewCustodian(Error(ErrorReason::kKeyUnfit, "f", "m"))),
            WorkerRemedy::kNewWorker);
  // An empty token is no reason to replace one worker after another.
  EXPECT_EQ(WorkerRemedyFor(NeedingNewCustodian(Error(ErrorReason::kKeyNotFound, "f", "m"))),
            WorkerRemedy::kSecondOpinion);
  // Whatever else it says of the PIN, it must not be tried again.
  EXPECT_EQ(WorkerRemedyFor(NeedingNewCustodian(Error(ErrorReason::kPinRefused, "f", "m"))),
            WorkerRemedy::kNewPin);
}

TEST(SteadyMeanTest, FollowsAPaceAndOutlivesAStall) {
  const nanoseconds usual = milliseconds(1);
  EXPECT_EQ(SteadyMean(nanoseconds(0), usual), usual);
  EXPECT_EQ(SteadyMean(usual, usual), usual);
  EXPECT_EQ(SteadyMean(usual, milliseconds(9)), SteadyMean(usual, std::chrono::seconds(2)));
  nanoseconds mean = usual;
  for (int i = 0; i < 64; ++i) mean = SteadyMean(mean, milliseconds(200));
  EXPECT_GT(mean, milliseconds(190));
  for (int i = 0; i < 64; ++i) mean = SteadyMean(mean, usual);
  EXPECT_LT(mean, milliseconds(2));
}

}  // namespace
}  // namespace hourglass::hsm
