// When a service that does not answer is not asked for a while: the states of one circuit.
#ifndef HOURGLASS_ISSUANCE_COMPLIANCE_CIRCUIT_BREAKER_H_
#define HOURGLASS_ISSUANCE_COMPLIANCE_CIRCUIT_BREAKER_H_

#include <chrono>

namespace hourglass::issuance {

struct CircuitOptions {
  // Questions in a row that get no answer, after which none is asked; at least 1.
  int failures = 5;
  // For how long then.
  std::chrono::milliseconds open_for = std::chrono::seconds(2);
};

// Closed, every question is asked. After `failures` of them in a row without an answer it is open:
// none is asked. After `open_for` it is half-open: one question is asked, the probe, and none else
// until that is over; an answer closes the circuit, none opens it for as long again. A state
// machine without a clock, of steady time that its user gives and that never goes back. Not for
// several threads at once.
class CircuitBreaker {
 public:
  using Time = std::chrono::steady_clock::time_point;

  enum class State { kClosed, kOpen, kHalfOpen };

  // What becomes of one question.
  struct Admission {
    enum class Kind { kAsk, kProbe, kRefused };
    Kind kind = Kind::kAsk;
    Time asked_at;
    // With kRefused: asking again makes sense after this time; more than nothing.
    std::chrono::milliseconds come_back{0};
  };

  enum class Outcome {
    kAnswered,
    kFailed,
    // It was given up before it could tell anything of the service.
    kNothingLearned,
  };

  enum class Change { kNone, kOpened, kClosed };

  explicit CircuitBreaker(const CircuitOptions& options) : options_(options) {}

  // Whoever is admitted tells Settle how it ended, once.
  Admission Admit(Time now);

  // What changed by it: kOpened is said by the first failure that opens a closed circuit, and by no
  // probe. What was asked before the circuit last closed, or while it was closed and ends when it
  // is not, counts for nothing.
  Change Settle(const Admission& admission, Outcome outcome, Time now);

  State state() const { return state_; }
  // Whether it is closed, and the last question that told anything was answered.
  bool IsUntroubled() const { return state_ == State::kClosed && failures_ == 0; }

 private:
  Change SettleProbe(Outcome outcome, Time now);

  const CircuitOptions options_;
  State state_ = State::kClosed;
  int failures_ = 0;  // in a row
  Time open_until_;   // with kOpen
  Time closed_at_ = Time::min();
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_COMPLIANCE_CIRCUIT_BREAKER_H_
