// What a clock that is doubted stops (promise 10).
#include <gmock/gmock.h>

#include <chrono>

#include "issuance/pipeline/testing/pipeline_fixture.h"
#include "issuance/timekeeping/testing/doubted_clock.h"

namespace hourglass::issuance {
namespace {

class PipelineClockTest : public PipelineTest {
 protected:
  IssueOutcome IssueByClock() {
    return Pipeline(&*tenants_, &*compliance_, &*journal_, &entropy_, &doubtful_)
        .Issue(broker_, request_);
  }
  DoubtedClock doubtful_{clock_.Now()};
};

TEST_F(PipelineClockTest, ADoubtedClockIssuesNothingAndAsksNobody) {
  doubtful_.believed = false;
  EXPECT_THAT(IssueByClock().status, FailsWith(ErrorReason::kClockUntrusted));
  EXPECT_TRUE(verdicts_.questions.empty());
  EXPECT_TRUE(Recorded().empty());
  doubtful_.believed = true;
  EXPECT_OK(IssueByClock().status);
  doubtful_.believed = false;
  // Nor is a certificate handed out again: whether it has expired is not known.
  EXPECT_THAT(IssueByClock().status, FailsWith(ErrorReason::kClockUntrusted));
}

TEST_F(PipelineClockTest, WhoMayNotCallIsNotToldOfTheClock) {
  doubtful_.believed = false;
  broker_.tenants = {"fabrikam"};
  EXPECT_THAT(IssueByClock().status, FailsWith(ErrorReason::kTenantNotPermitted));
}

TEST_F(PipelineClockTest, ALeapDuringTheVerdictStopsWhatFollows) {
  verdicts_.on_question = [this](const v1::EvaluateRequest&) { doubtful_.believed = false; };
  EXPECT_THAT(IssueByClock().status, FailsWith(ErrorReason::kClockUntrusted));
  EXPECT_EQ(verdicts_.questions.size(), 1U);
  EXPECT_TRUE(Recorded().empty());
}

TEST_F(PipelineClockTest, ARootIsNeitherMadeNorRetiredByIt) {
  RootAdministration roots(&*store_, keys_.get(), &*tenants_, &entropy_, &doubtful_);
  MakePrimary();
  RootOrder order;
  order.tenant_id = "contoso";
  order.duration = std::chrono::hours(24 * 365);
  order.key_type = hsm::KeyType::kEcP256;
  doubtful_.believed = false;
  EXPECT_THAT(roots.Create(order), FailsWith(ErrorReason::kClockUntrusted));
  EXPECT_EQ(store_->ListRoots("contoso").value().size(), 2U);
  EXPECT_THAT(roots.Retire("contoso", "r1", KeyFate::kKeep),
              FailsWith(ErrorReason::kClockUntrusted));
  // An emergency does not wait, though by this clock the root has expired.
  doubtful_.now += std::chrono::hours(24 * 400);
  EXPECT_OK(roots.RollBack("contoso", "r1", "", ""));
  doubtful_.now -= std::chrono::hours(24 * 400);
  doubtful_.believed = true;
  EXPECT_OK(roots.Retire("contoso", "r2", KeyFate::kKeep));
}

}  // namespace
}  // namespace hourglass::issuance
