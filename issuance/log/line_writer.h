// Lines to a file descriptor, many with one system call, without making their authors wait.
#ifndef HOURGLASS_ISSUANCE_LOG_LINE_WRITER_H_
#define HOURGLASS_ISSUANCE_LOG_LINE_WRITER_H_

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/string_view.h"

namespace hourglass::issuance {

// A thread of its own writes: the first line after a pause at once, those of the next ten
// milliseconds together, in the order in which they came. Nothing runs while there are no lines.
// Lines whole or not at all, unless the descriptor fails. Safe to call from several threads.
class LineWriter {
 public:
  // Octets that wait at most: a reader that does not read must not stop who writes.
  static constexpr std::size_t kMaxWaiting = 1024 * 1024;
  static constexpr std::chrono::seconds kPatience{2};
  static constexpr std::chrono::seconds kLongestEnd{5};

  // Writes to a duplicate of `descriptor`. `every_second` is called on the writing thread about
  // once a second while there are lines, once more after the last, and at the end; what it returns
  // is written too. It may not call Write.
  LineWriter(int descriptor, std::function<std::string()> every_second);
  // Returns when all has been written, or, where nobody reads, kPatience after the last octet that
  // was taken and kLongestEnd from now at the latest; the rest is lost.
  ~LineWriter();
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  // `line` ends in a line feed. False where too much waits already, and it was not taken.
  bool Write(absl::string_view line);

 private:
  struct State;

  static void Run(State& state);

  // The thread's too: one that waits for a reader outlives this object.
  const std::shared_ptr<State> state_;
  std::thread thread_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_LOG_LINE_WRITER_H_
