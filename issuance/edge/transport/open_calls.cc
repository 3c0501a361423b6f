#include "issuance/edge/transport/open_calls.h"

#include <algorithm>
#include <atomic>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/mutex.h"

namespace hourglass::issuance {

struct OpenCalls::OfCaller {
  std::atomic<int> refused = 0;
};

struct OpenCalls::OfConnection {
  std::shared_ptr<OfCaller> caller;
  std::atomic<int> done = 0;  // since the reader looked
};

struct OpenCalls::Known {
  explicit Known(const Limits& the_limits) : limits(the_limits) {}

  const Limits limits;
  Mutex mutex;
  absl::flat_hash_map<std::string, std::shared_ptr<OfConnection>> connections
      ABSL_GUARDED_BY(mutex);
  // As many as there are names in the configuration.
  absl::flat_hash_map<std::string, std::shared_ptr<OfCaller>> callers ABSL_GUARDED_BY(mutex);
};

OpenCalls::Limits OpenCalls::LimitsFor(std::size_t queue_length) {
  Limits limits;
  limits.of_connection += static_cast<int>(queue_length);
  return limits;
}

OpenCalls::OpenCalls() : OpenCalls(Limits()) {}

OpenCalls::OpenCalls(const Limits& limits) : known_(std::make_shared<Known>(limits)) {}

OpenCalls::Connection::Connection(std::shared_ptr<Known> known, std::string peer,
                                  std::shared_ptr<OfConnection> state, Time now)
    : known_(std::move(known)), peer_(std::move(peer)), state_(std::move(state)), latest_(now) {}

OpenCalls::Connection::~Connection() {
  const MutexLock lock(known_->mutex);
  // The peer's port may belong to a later connection.
  const auto found = known_->connections.find(peer_);
  if (found != known_->connections.end() && found->second == state_) {
    known_->connections.erase(found);
  }
}

std::string OpenCalls::Connection::Begin(int calls, Time now) {
  const Limits& limits = known_->limits;
  const double forgotten =
      limits.forgotten_a_second * std::chrono::duration<double>(now - latest_).count();
  latest_ = now;
  open_ = std::max(0.0, open_ - state_->done.exchange(0) - forgotten) + calls;
  if (open_ > limits.of_connection) {
    return absl::StrCat("more than ", limits.of_connection,
                        " calls began and are not done with: a connection may reset calls, but not "
                        "faster than the service ends them");
  }
  if (open_ > limits.of_connection_in_flood &&
      state_->caller->refused >= limits.refused_of_caller) {
    return absl::StrCat("more than ", limits.of_connection_in_flood,
                        " calls began and are not done with, and its caller has ",
                        limits.refused_of_caller, " refused calls whose answers have not gone");
  }
  return "";
}

OpenCalls::Call::Call(Call&& other) noexcept
    : state_(std::move(other.state_)), is_refused_(std::exchange(other.is_refused_, false)) {}

OpenCalls::Call& OpenCalls::Call::operator=(Call&& other) noexcept {
  const Call earlier(std::move(*this));
  state_ = std::move(other.state_);
  is_refused_ = std::exchange(other.is_refused_, false);
  return *this;
}

OpenCalls::Call::~Call() {
  if (state_ == nullptr) return;
  if (is_refused_) --state_->caller->refused;
  ++state_->done;
}

void OpenCalls::Call::Refuse() {
  if (state_ == nullptr || is_refused_) return;
  is_refused_ = true;
  ++state_->caller->refused;
}

std::unique_ptr<OpenCalls::Connection> OpenCalls::Open(const std::string& peer,
                                                       absl::string_view caller,
                                                       Connection::Time now) {
  auto state = std::make_shared<OfConnection>();
  const MutexLock lock(known_->mutex);
  std::shared_ptr<OfCaller>& of_caller = known_->callers[caller];
  if (of_caller == nullptr) of_caller = std::make_shared<OfCaller>();
  state->caller = of_caller;
  known_->connections[peer] = state;
  return std::unique_ptr<Connection>(new Connection(known_, peer, std::move(state), now));
}

OpenCalls::Call OpenCalls::Follow(absl::string_view peer) {
  const MutexLock lock(known_->mutex);
  const auto found = known_->connections.find(peer);
  return found == known_->connections.end() ? Call() : Call(found->second);
}

}  // namespace hourglass::issuance
