// Whether a custodian can be asked now, and who may wait until it can.
#ifndef HOURGLASS_HSM_KEYHOLDER_RECOVERY_CIRCUIT_H_
#define HOURGLASS_HSM_KEYHOLDER_RECOVERY_CIRCUIT_H_

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "hsm/key/custodian.h"
#include "hsm/keyholder/recovery/recovery.h"

namespace hourglass::hsm {

// Decides from what it is told. Not for several threads; every time is now, and none goes back.
class Circuit {
 public:
  using State = CustodianStatus::State;

  // `field` is that of its errors.
  explicit Circuit(std::string field) : field_(std::move(field)) {}

  State state() const { return state_; }
  SteadyTime since() const { return since_; }
  const std::string& message() const { return message_; }
  bool any_ready() const;

  // Somebody asked.
  void Use(SteadyTime now);
  // What follows answers whether state or message changed. `worker` counts from 0. A worker logs
  // in, is ready, and is lost.
  bool WorkerLoggedIn(int worker, SteadyTime now);
  bool WorkerReady(int worker, SteadyTime now);
  bool WorkerLost(int worker, absl::string_view why, SteadyTime now);
  // The PIN was refused to one that would log in. Those that did go on (a PIN that is changed ends
  // no session), and `error` is only told; once there is none, it is what callers get. Until
  // PinChanged.
  bool PinRefused(const absl::Status& error, SteadyTime now);
  bool PinChanged(SteadyTime now);

  // The earliest time at which a signature that this worker owes is overdue; SteadyTime::max():
  // it owes none.
  void SetOverdueAt(int worker, SteadyTime time) { At(worker).overdue_at = time; }
  // It owes one more.
  void NoteOverdueAt(int worker, SteadyTime time) {
    At(worker).overdue_at = std::min(At(worker).overdue_at, time);
  }

  // OK where one more may wait besides the `waiting` that do. Else the error for him: PIN_REFUSED,
  // or KEY_UNAVAILABLE with a retry delay. While no worker is fit to sign, or all are overdue, four
  // may wait; for the first quarter of a second after a loss all may, since most losses are mended
  // by then.
  absl::Status Admit(int waiting, SteadyTime now) const;

  // The error for one who waited in vain: as Admit's, with what is wrong.
  absl::Status Unavailable(SteadyTime now) const;

 private:
  struct Worker {
    bool logged_in = false;
    bool ready = false;
    SteadyTime overdue_at = SteadyTime::max();
  };

  Worker& At(int worker);
  bool any_logged_in() const;
  bool Change(State state, std::string message, SteadyTime now);

  const std::string field_;
  State state_ = State::kUnused;
  SteadyTime since_;
  std::string message_;
  absl::Status refusal_;  // OK: the PIN was not refused, or has changed since
  bool used_ = false;
  SteadyTime used_since_;
  std::vector<Worker> workers_;
};

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_KEYHOLDER_RECOVERY_CIRCUIT_H_
