// How much of the service a caller may hold at once, and all callers together.
#ifndef HOURGLASS_ISSUANCE_CALLS_CALL_BOUNDS_H_
#define HOURGLASS_ISSUANCE_CALLS_CALL_BOUNDS_H_

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hsm/base/mutex.h"

namespace hourglass::issuance {

struct CallLimits {
  // Calls under way; a stream is one.
  std::size_t calls_of_a_caller = 4096;
  std::size_t calls = 16'384;
  // Streams of requests under way.
  std::size_t streams_of_a_caller = 64;
  std::size_t streams = 512;
  // Streams under way that only tell of changes: they are idle for months, and take no place of
  // those that ask.
  std::size_t watches_of_a_caller = 16;
  std::size_t watches = 2048;
  // Octets of messages that came in and are not answered, and of answers that are not sent.
  std::size_t octets_of_a_caller = 16 * 1024 * 1024;
  std::size_t octets = 64 * 1024 * 1024;
};

// The same, but for streams of both kinds as many times more as `limits.queue_length` of the
// configuration is longer than 1024.
CallLimits CallLimitsFor(std::size_t queue_length);

// Callers are told apart by their names in the configuration. Safe to call from several threads.
class CallBounds {
 private:
  struct Load;

 public:
  // A call under way; it has ended when this goes. Not for several threads at once.
  class Ticket {
   public:
    Ticket() = default;
    Ticket(Ticket&& other) noexcept { *this = std::move(other); }
    Ticket& operator=(Ticket&& other) noexcept;
    ~Ticket() { Return(); }

    // So many octets are held for it from now on; never refused.
    void Hold(std::size_t octets);

    // Ends it before it goes.
    void Return();

   private:
    friend class CallBounds;
    CallBounds* bounds_ = nullptr;  // null: of no call
    Load* load_ = nullptr;
    std::size_t octets_ = 0;
    std::size_t calls_ = 0;    // 0 for a message of a stream
    std::size_t streams_ = 0;  // 1 for a stream
    std::size_t watches_ = 0;  // 1 for a watch
  };

  explicit CallBounds(const CallLimits& limits);
  // No ticket may outlive it.
  ~CallBounds();
  CallBounds(const CallBounds&) = delete;
  CallBounds& operator=(const CallBounds&) = delete;

  // Begin a call whose message has so many octets, a stream of requests, or one that only tells of
  // changes. Errors: STOPPING; OVERLOADED beyond a limit, where nothing is counted.
  absl::StatusOr<Ticket> Begin(absl::string_view caller, std::size_t octets);
  absl::StatusOr<Ticket> BeginStream(absl::string_view caller);
  absl::StatusOr<Ticket> BeginWatch(absl::string_view caller);

  // A message of a stream that is under way. Never refused: whoever reads one while there is no
  // room must have no other of that stream.
  Ticket Take(absl::string_view caller, std::size_t octets);

  // Whether the octets held leave room for one more message, for this caller.
  bool HasRoom(absl::string_view caller);

  // From now on calls are refused with STOPPING. Returns when all that were begun have ended, or
  // after `grace`.
  void Stop(std::chrono::milliseconds grace);

 private:
  Load& LoadOf(absl::string_view caller) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool HasRoom(const Load& load) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status MayBegin(const Load& load) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Ticket Count(Load& load, std::size_t octets, std::size_t calls, std::size_t streams,
               std::size_t watches) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const CallLimits limits_;
  Mutex mutex_;
  ConditionVariable ended_;
  // As many as there are names in the configuration.
  absl::flat_hash_map<std::string, std::unique_ptr<Load>> loads_ ABSL_GUARDED_BY(mutex_);
  const std::unique_ptr<Load> all_ ABSL_PT_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_CALLS_CALL_BOUNDS_H_
