#include "hsm/keyholder/recovery/circuit.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"

namespace hourglass::hsm {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

constexpr int kMostWaitingForRecovery = 4;
constexpr milliseconds kGrace(250);
constexpr milliseconds kGraceAtStart(1000);

}  // namespace

Circuit::Worker& Circuit::At(int worker) {
  const auto index = static_cast<std::size_t>(worker);
  if (index >= workers_.size()) workers_.resize(index + 1);
  return workers_[index];
}

bool Circuit::Change(State state, std::string message, SteadyTime now) {
  if (state == state_ && message == message_) return false;
  if (state != state_) since_ = now;
  state_ = state;
  message_ = std::move(message);
  return true;
}

void Circuit::Use(SteadyTime now) {
  if (used_) return;
  used_ = true;
  used_since_ = now;
}

bool Circuit::any_ready() const {
  return std::any_of(workers_.begin(), workers_.end(),
                     [](const Worker& worker) { return worker.ready; });
}

bool Circuit::any_logged_in() const {
  return std::any_of(workers_.begin(), workers_.end(),
                     [](const Worker& worker) { return worker.logged_in; });
}

bool Circuit::WorkerLoggedIn(int worker, SteadyTime now) {
  At(worker).logged_in = true;
  if (state_ != State::kFailed) return false;
  return Change(State::kRecovering, std::string(refusal_.message()), now);
}

bool Circuit::WorkerReady(int worker, SteadyTime now) {
  At(worker) = {true, true, SteadyTime::max()};
  return Change(State::kHealthy, std::string(refusal_.message()), now);
}

bool Circuit::WorkerLost(int worker, absl::string_view why, SteadyTime now) {
  At(worker) = {};
  if (any_ready()) return false;
  // With no worker that is logged in, and none to be, it stays so until somebody acts.
  if (!refusal_.ok() && !any_logged_in()) {
    return Change(State::kFailed, std::string(refusal_.message()), now);
  }
  return Change(State::kRecovering, std::string(why), now);
}

bool Circuit::PinRefused(const absl::Status& error, SteadyTime now) {
  refusal_ = error;
  return Change(any_logged_in() ? state_ : State::kFailed, std::string(error.message()), now);
}

bool Circuit::PinChanged(SteadyTime now) {
  if (refusal_.ok()) return false;
  refusal_ = absl::OkStatus();
  if (state_ == State::kFailed) {
    return Change(State::kRecovering, "the PIN has changed and is tried", now);
  }
  return Change(state_, state_ == State::kHealthy ? "" : message_, now);
}

absl::Status Circuit::Admit(int waiting, SteadyTime now) const {
  if (state_ == State::kFailed) return refusal_;
  if (waiting < kMostWaitingForRecovery) return absl::OkStatus();
  if (state_ == State::kUnused) {
    return now - used_since_ <= kGraceAtStart ? absl::OkStatus() : Unavailable(now);
  }
  const bool in_time = std::any_of(workers_.begin(), workers_.end(), [&](const Worker& worker) {
    return worker.ready && worker.overdue_at > now;
  });
  if (in_time || (state_ == State::kRecovering && now - since_ <= kGrace)) return absl::OkStatus();
  return Unavailable(now);
}

absl::Status Circuit::Unavailable(SteadyTime now) const {
  if (state_ == State::kFailed) return refusal_;
  std::string message;
  if (state_ == State::kUnused) {
    message = "has not started yet";
  } else if (state_ == State::kRecovering) {
    message = absl::StrCat("recovering for ", duration_cast<milliseconds>(now - since_).count(),
                           " ms: ", message_);
  } else {
    message = "gave no answer in time";
  }
  return ForCaller(Error(ErrorReason::kKeyUnavailable, field_, message));
}

}  // namespace hourglass::hsm
