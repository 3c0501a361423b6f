#include "issuance/calls/call_bounds.h"

#include <algorithm>

#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"

namespace hourglass::issuance {
namespace {

// Of the configuration, if it says nothing.
constexpr std::size_t kQueueLength = 1024;

absl::Status TooMany(absl::string_view what) { return Error(ErrorReason::kOverloaded, "", what); }

}  // namespace

CallLimits CallLimitsFor(std::size_t queue_length) {
  CallLimits limits;
  const std::size_t times = std::max<std::size_t>(1, queue_length / kQueueLength);
  for (std::size_t* limit :
       {&limits.calls_of_a_caller, &limits.calls, &limits.octets_of_a_caller, &limits.octets}) {
    *limit *= times;
  }
  return limits;
}

struct CallBounds::Load {
  std::size_t calls = 0;
  std::size_t streams = 0;
  std::size_t watches = 0;
  std::size_t octets = 0;
};

CallBounds::Ticket& CallBounds::Ticket::operator=(Ticket&& other) noexcept {
  if (this == &other) return *this;
  Return();
  bounds_ = std::exchange(other.bounds_, nullptr);
  load_ = other.load_;
  octets_ = other.octets_;
  calls_ = other.calls_;
  streams_ = other.streams_;
  watches_ = other.watches_;
  return *this;
}

void CallBounds::Ticket::Hold(std::size_t octets) {
  if (bounds_ == nullptr) return;
  const MutexLock lock(bounds_->mutex_);
  for (Load* load : {load_, bounds_->all_.get()}) load->octets += octets - octets_;
  octets_ = octets;
}

void CallBounds::Ticket::Return() {
  CallBounds* const bounds = std::exchange(bounds_, nullptr);
  if (bounds == nullptr) return;
  // Notified under the lock: the one that waits may destroy the bounds as soon as it can.
  const MutexLock lock(bounds->mutex_);
  for (Load* load : {load_, bounds->all_.get()}) {
    load->octets -= octets_;
    load->calls -= calls_;
    load->streams -= streams_;
    load->watches -= watches_;
  }
  if (bounds->stopping_ && bounds->all_->calls == 0) bounds->ended_.notify_all();
}

CallBounds::CallBounds(const CallLimits& limits)
    : limits_(limits), all_(std::make_unique<Load>()) {}

CallBounds::~CallBounds() = default;

CallBounds::Load& CallBounds::LoadOf(absl::string_view caller) {
  const auto found = loads_.find(caller);
  if (found != loads_.end()) return *found->second;
  return *loads_.emplace(std::string(caller), std::make_unique<Load>()).first->second;
}

bool CallBounds::HasRoom(const Load& load) const {
  return load.octets < limits_.octets_of_a_caller && all_->octets < limits_.octets;
}

absl::Status CallBounds::MayBegin(const Load& load) const {
  if (stopping_) return Error(ErrorReason::kStopping, "", "the service is stopping");
  if (load.calls >= limits_.calls_of_a_caller) {
    return TooMany("this caller has as many calls under way as the service takes of one");
  }
  if (all_->calls >= limits_.calls) {
    return TooMany("more calls are under way than the service takes");
  }
  if (!HasRoom(load)) {
    return TooMany(
        "more octets are asked and not answered, or answered and not read, than the "
        "service keeps");
  }
  return absl::OkStatus();
}

CallBounds::Ticket CallBounds::Count(Load& load, std::size_t octets, std::size_t calls,
                                     std::size_t streams, std::size_t watches) {
  for (Load* counted : {&load, all_.get()}) {
    counted->octets += octets;
    counted->calls += calls;
    counted->streams += streams;
    counted->watches += watches;
  }
  Ticket ticket;
  ticket.bounds_ = this;
  ticket.load_ = &load;
  ticket.octets_ = octets;
  ticket.calls_ = calls;
  ticket.streams_ = streams;
  ticket.watches_ = watches;
  return ticket;
}

absl::StatusOr<CallBounds::Ticket> CallBounds::Begin(absl::string_view caller, std::size_t octets) {
  const MutexLock lock(mutex_);
  Load& load = LoadOf(caller);
  RETURN_IF_ERROR(MayBegin(load));
  return Count(load, octets, 1, 0, 0);
}

absl::StatusOr<CallBounds::Ticket> CallBounds::BeginStream(absl::string_view caller) {
  const MutexLock lock(mutex_);
  Load& load = LoadOf(caller);
  RETURN_IF_ERROR(MayBegin(load));
  if (load.streams >= limits_.streams_of_a_caller || all_->streams >= limits_.streams) {
    return TooMany("more streams are under way than the service takes");
  }
  return Count(load, 0, 1, 1, 0);
}

absl::StatusOr<CallBounds::Ticket> CallBounds::BeginWatch(absl::string_view caller) {
  const MutexLock lock(mutex_);
  Load& load = LoadOf(caller);
  RETURN_IF_ERROR(MayBegin(load));
  if (load.watches >= limits_.watches_of_a_caller || all_->watches >= limits_.watches) {
    return TooMany("more streams watch for changes than the service takes");
  }
  return Count(load, 0, 1, 0, 1);
}

CallBounds::Ticket CallBounds::Take(absl::string_view caller, std::size_t octets) {
  const MutexLock lock(mutex_);
  return Count(LoadOf(caller), octets, 0, 0, 0);
}

bool CallBounds::HasRoom(absl::string_view caller) {
  const MutexLock lock(mutex_);
  return HasRoom(LoadOf(caller));
}

void CallBounds::Stop(std::chrono::milliseconds grace) {
  MutexLock lock(mutex_);
  stopping_ = true;
  ended_.wait_for(lock, grace,
                  [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return all_->calls == 0; });
}

}  // namespace hourglass::issuance
