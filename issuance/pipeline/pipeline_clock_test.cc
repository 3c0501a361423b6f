// What a clock that is doubted stops (promise 10).
#include <gmock/gmock.h>

#include <atomic>

#include "issuance/pipeline/testing/pipeline_fixture.h"
#include "issuance/timekeeping/deciding_time.h"

namespace hourglass::issuance {
namespace {

// Goes on, and is believed or not.
class ClockInDoubt final : public DoubtfulClock {
 public:
  explicit ClockInDoubt(const Clock* clock) : clock_(*clock) {}
  Timestamp Now() const override { return clock_.Now(); }
  absl::StatusOr<Timestamp> TrustedNow() const override {
    if (doubted) return Error(ErrorReason::kClockUntrusted, "", "leapt");
    return clock_.Now();
  }
  std::atomic<bool> doubted = false;

 private:
  const Clock& clock_;
};

class PipelineClockTest : public PipelineTest {
 protected:
  IssueOutcome IssueByClock() {
    return Pipeline(&*tenants_, &*compliance_, &*journal_, &entropy_, &doubtful_)
        .Issue(broker_, request_);
  }
  ClockInDoubt doubtful_{&clock_};
};

TEST_F(PipelineClockTest, ADoubtedClockIssuesNothingAndAsksNobody) {
  doubtful_.doubted = true;
  EXPECT_THAT(IssueByClock().status, FailsWith(ErrorReason::kClockUntrusted));
  EXPECT_TRUE(verdicts_.questions.empty());
  EXPECT_TRUE(Recorded().empty());
  doubtful_.doubted = false;
  EXPECT_OK(IssueByClock().status);
  doubtful_.doubted = true;
  // Nor is a certificate handed out again: whether it has expired is not known.
  EXPECT_THAT(IssueByClock().status, FailsWith(ErrorReason::kClockUntrusted));
}

TEST_F(PipelineClockTest, WhoMayNotCallIsNotToldOfTheClock) {
  doubtful_.doubted = true;
  broker_.tenants = {"fabrikam"};
  EXPECT_THAT(IssueByClock().status, FailsWith(ErrorReason::kTenantNotPermitted));
}

TEST_F(PipelineClockTest, ALeapDuringTheVerdictStopsWhatFollows) {
  verdicts_.on_question = [this](const v1::EvaluateRequest&) { doubtful_.doubted = true; };
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
  doubtful_.doubted = true;
  EXPECT_THAT(roots.Create(order), FailsWith(ErrorReason::kClockUntrusted));
  EXPECT_EQ(store_->ListRoots("contoso").value().size(), 2U);
  EXPECT_THAT(roots.Retire("contoso", "r1", KeyFate::kKeep),
              FailsWith(ErrorReason::kClockUntrusted));
  // An emergency does not wait, though by this clock the root has expired.
  clock_.Advance(std::chrono::hours(24 * 400));
  EXPECT_OK(roots.Promote("contoso", "r1"));
  clock_.Advance(-std::chrono::hours(24 * 400));
  doubtful_.doubted = false;
  EXPECT_OK(roots.Retire("contoso", "r2", KeyFate::kKeep));
}

}  // namespace
}  // namespace hourglass::issuance
