// Which worker may start, and when: one after the other, none with a PIN that was refused.
#ifndef HOURGLASS_HSM_KEYHOLDER_QUEUE_START_GATE_H_
#define HOURGLASS_HSM_KEYHOLDER_QUEUE_START_GATE_H_

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "hsm/key/key_uri.h"
#include "hsm/keyholder/queue/pin_stamp.h"
#include "hsm/keyholder/recovery/recovery.h"

namespace hourglass::hsm {

// Decides from what it is told, and from the stamp of the PIN's source. Workers are counted from 0.
// Not for several threads; every `now` is now, and none goes back.
class StartGate {
 public:
  // `pin_logs_in`: a refused PIN stops everything, as a token's login does; else only what it was
  // refused for.
  StartGate(bool pin_logs_in, std::optional<PinSource> pin_source)
      : pin_logs_in_(pin_logs_in), pin_source_(std::move(pin_source)) {}

  // Whether the worker may start now; else when to ask again, if nobody tells it before (waiting).
  // One starts at a time, so that a refused PIN is noticed before the next one tries it.
  struct Permit {
    bool granted = false;
    SteadyTime ask_again;
  };
  Permit Ask(int worker, SteadyTime now);
  // Those that asked and were not granted it since: to be told that another has left.
  const std::set<int>& waiting() const { return waiting_; }
  // The worker has logged in, or never will: the next one may.
  void Leave(int worker);
  // The worker ended, or could not be started: the next one may, after a pause that grows.
  void LeaveAfterLoss(int worker, SteadyTime now);

  // The PIN of that stamp was refused for `subject`: the label of a key or a sealed blob. Where it
  // logs in, there is one subject alone, whatever it is called.
  void RefusePin(const std::string& subject, const PinStamp& stamp, absl::Status error);
  // True where the PIN that logs in had been refused, and is another by this stamp: it may be
  // tried.
  bool AcceptPin(const PinStamp& stamp);
  // The PIN that logs in was refused, and has not changed.
  bool none_can_start() const;
  // Where it does not log in: the error with which the PIN was refused for the subject, until its
  // source changes. Else OK.
  absl::Status CheckPin(const std::string& subject);
  // The same without a look at the source.
  bool IsRefused(const std::string& subject) const { return refusals_.contains(subject); }

 private:
  struct Refusal {
    PinStamp stamp;
    absl::Status error;
  };

  const bool pin_logs_in_;
  const std::optional<PinSource> pin_source_;
  std::optional<int> starting_;  // the worker that logs in
  std::set<int> waiting_;
  BackOff back_off_;
  SteadyTime next_start_ = SteadyTime::min();
  std::map<std::string, Refusal> refusals_;
};

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_KEYHOLDER_QUEUE_START_GATE_H_
