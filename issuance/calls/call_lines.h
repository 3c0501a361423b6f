// Calls that wait for a thread: bounded, and fair to every caller.
#ifndef HOURGLASS_ISSUANCE_CALLS_CALL_LINES_H_
#define HOURGLASS_ISSUANCE_CALLS_CALL_LINES_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

namespace hourglass::issuance {

// A line for each caller, taken in turns. Not safe to call from several threads: whoever shares it
// locks it.
class CallLines {
 public:
  using Call = std::function<void()>;

  struct Limits {
    // At least 1 each.
    std::size_t waiting;
    std::size_t waiting_of_a_caller;
    int running_of_a_caller;
  };

  explicit CallLines(const Limits& limits);
  ~CallLines();
  CallLines(const CallLines&) = delete;
  CallLines& operator=(const CallLines&) = delete;

  // False, and the call does not wait, where as many of its caller wait as may, or where
  // `limits.waiting` calls do and its caller has its fair share of them, an equal part for each
  // caller in line, or more. So who floods is refused, and who does not is admitted; never more
  // than twice `limits.waiting` wait in all.
  bool Add(absl::string_view caller, Call call);

  struct Taken {
    std::string caller;
    Call call;
  };

  // Whether Take would give one.
  bool HasOne() const { return !turns_.empty(); }
  // The first call of the caller whose turn it is; it runs until End is told the caller. HasOne()
  // must be true.
  Taken Take();
  void End(absl::string_view caller);

  std::size_t waiting() const { return waiting_; }

 private:
  struct Line;

  // If something may be taken from it.
  void TakeTurn(Line& line);

  const Limits limits_;
  std::size_t waiting_ = 0;
  std::size_t callers_waiting_ = 0;
  // Of callers of which a call waits or runs.
  absl::flat_hash_map<std::string, std::unique_ptr<Line>> lines_;
  // Lines from which something may be taken, each once.
  std::deque<Line*> turns_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_CALLS_CALL_LINES_H_
