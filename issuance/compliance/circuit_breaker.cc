#include "issuance/compliance/circuit_breaker.h"

namespace hourglass::issuance {
namespace {

// Until the probe that is under way may be over.
constexpr std::chrono::milliseconds kWhileProbed(250);

}  // namespace

CircuitBreaker::Admission CircuitBreaker::Admit(Time now) {
  using Kind = Admission::Kind;
  switch (state_) {
    case State::kClosed:
      return {Kind::kAsk, now, {}};
    case State::kOpen:
      if (now < open_until_) {
        return {Kind::kRefused, now,
                std::chrono::ceil<std::chrono::milliseconds>(open_until_ - now)};
      }
      state_ = State::kHalfOpen;
      return {Kind::kProbe, now, {}};
    case State::kHalfOpen:
      break;
  }
  return {Kind::kRefused, now, kWhileProbed};
}

CircuitBreaker::Change CircuitBreaker::Settle(const Admission& admission, Outcome outcome,
                                              Time now) {
  if (admission.kind == Admission::Kind::kProbe) return SettleProbe(outcome, now);
  if (state_ != State::kClosed || admission.asked_at < closed_at_) return Change::kNone;
  if (outcome == Outcome::kAnswered) failures_ = 0;
  if (outcome != Outcome::kFailed || ++failures_ < options_.failures) return Change::kNone;
  state_ = State::kOpen;
  open_until_ = now + options_.open_for;
  return Change::kOpened;
}

CircuitBreaker::Change CircuitBreaker::SettleProbe(Outcome outcome, Time now) {
  if (outcome == Outcome::kAnswered) {
    state_ = State::kClosed;
    failures_ = 0;
    closed_at_ = now;
    return Change::kClosed;
  }
  state_ = State::kOpen;
  // The next question is a probe at once where this one told nothing.
  open_until_ = outcome == Outcome::kFailed ? now + options_.open_for : now;
  return Change::kNone;
}

}  // namespace hourglass::issuance
