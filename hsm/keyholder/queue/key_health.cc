#include "hsm/keyholder/queue/key_health.h"

namespace hourglass::hsm {

void KeyHealth::Signed() {
  ailment_ = absl::OkStatus();
  ails_since_.reset();
}

std::optional<SteadyTime> KeyHealth::PassedTest(SteadyTime worker_start) {
  Signed();
  if (mismatched_at_.has_value() && worker_start > *mismatched_at_) mismatched_at_.reset();
  if (worker_since_ == SteadyTime::min() || worker_start < worker_since_) return std::nullopt;
  return worker_since_;
}

bool KeyHealth::Mismatched(SteadyTime worker_start, SteadyTime now) {
  if (!mismatched_at_.has_value()) mismatched_at_ = now;
  if (worker_start <= *mismatched_at_) return false;
  out_of_service_ = true;
  return true;
}

KeyHealth::AfterError KeyHealth::Failed(const absl::Status& error, SteadyTime worker_start,
                                        const CustodianCondition& condition, SteadyTime now) {
  const WorkerRemedy remedy = WorkerRemedyFor(error);
  // Whatever is known of the key: each further try may be the one that locks the token.
  if (remedy == WorkerRemedy::kNewPin) {
    return condition.pin_logs_in ? AfterError::kWorkerLost : AfterError::kRefusePin;
  }
  if (condition.none_can_start && remedy == WorkerRemedy::kSecondOpinion) {
    return AfterError::kAnswer;
  }
  if (ails() || out_of_service_) {
    if (out_of_service_ || !ails_since_.has_value() ||
        !IsToBeAskedAnew(*ails_since_, confirmed_at_, now)) {
      ailment_ = error;
      return AfterError::kAnswer;
    }
    ailment_ = absl::OkStatus();
  }
  switch (remedy) {
    case WorkerRemedy::kNewWorker:
      return AfterError::kWorkerLost;
    case WorkerRemedy::kSecondOpinion:
      return Doubt(worker_start, now) ? AfterError::kReplaceWorker : AfterError::kAwaitYounger;
    case WorkerRemedy::kNewPin:
    case WorkerRemedy::kNone:
      break;
  }
  return AfterError::kAnswer;
}

KeyHealth::AfterTest KeyHealth::FailedTest(const absl::Status& error, SteadyTime worker_start,
                                           bool serving, const CustodianCondition& condition,
                                           SteadyTime now) {
  const WorkerRemedy remedy = WorkerRemedyFor(error);
  if (remedy == WorkerRemedy::kNewPin) {
    if (condition.pin_logs_in) return AfterTest::kReplaceWorker;
    Believe(error, worker_start);
    return AfterTest::kRefusePin;
  }
  if (serving) {
    if (ails()) return AfterTest::kNothing;
    if (remedy == WorkerRemedy::kSecondOpinion) {
      if (condition.none_can_start) return AfterTest::kNothing;
      Doubt(worker_start, now);
    }
    return AfterTest::kReplaceWorker;
  }
  if (remedy == WorkerRemedy::kNewWorker) return AfterTest::kJudgeLast;
  Believe(error, worker_start);
  return AfterTest::kBelieve;
}

void KeyHealth::Believe(const absl::Status& error, SteadyTime worker_start) {
  ailment_ = error;
  if (!ails_since_.has_value()) ails_since_ = worker_start;
  confirmed_at_ = worker_start;
  worker_since_ = SteadyTime::min();
}

bool KeyHealth::Doubt(SteadyTime worker_start, SteadyTime now) {
  if (worker_start < worker_since_) return false;
  worker_since_ = now;
  return true;
}

}  // namespace hourglass::hsm
