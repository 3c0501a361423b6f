#include "issuance/log/line_writer.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <utility>

#include "hsm/base/mutex.h"

namespace hourglass::issuance {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kTogether(10);
constexpr std::chrono::seconds kSecond(1);
// Octets of one system call, so that a slow reader is told from one that does not read.
constexpr std::size_t kPiece = 64 * 1024;

}  // namespace

struct LineWriter::State {
  State(int to, std::function<std::string()> each_second)
      : descriptor(fcntl(to, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)),
        every_second(std::move(each_second)) {}
  ~State() {
    if (descriptor >= 0) close(descriptor);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  std::string AskEverySecond() {
    const MutexLock lock(asking);
    return abandoned ? "" : every_second();
  }

  // What a broken descriptor does not take is lost: there is nowhere to say so.
  void WriteAll(absl::string_view text) {
    while (!text.empty() && !abandoned) {
      const ssize_t count = write(descriptor, text.data(), std::min(text.size(), kPiece));
      if (count >= 0) {
        text.remove_prefix(static_cast<std::size_t>(count));
        written += static_cast<std::uint64_t>(count);
      } else if (errno == EAGAIN) {
        pollfd writable{descriptor, POLLOUT, 0};
        poll(&writable, 1, -1);
      } else if (errno != EINTR) {
        return;
      }
    }
  }

  const int descriptor;
  const std::function<std::string()> every_second;
  // Held while every_second runs, and to set `abandoned`: after that it may be gone.
  Mutex asking;
  std::atomic<bool> abandoned = false;
  std::atomic<std::uint64_t> written = 0;  // octets
  Mutex mutex;
  ConditionVariable woken;
  ConditionVariable over;
  std::string waiting ABSL_GUARDED_BY(mutex);
  bool asleep ABSL_GUARDED_BY(mutex) = false;  // nobody needs waking but who sleeps
  bool stopping ABSL_GUARDED_BY(mutex) = false;
  bool ended ABSL_GUARDED_BY(mutex) = false;
};

LineWriter::LineWriter(int descriptor, std::function<std::string()> every_second)
    : state_(std::make_shared<State>(descriptor, std::move(every_second))),
      thread_([state = state_] { Run(*state); }) {}

LineWriter::~LineWriter() {
  State& state = *state_;
  MutexLock lock(state.mutex);
  state.stopping = true;
  state.woken.notify_one();
  const auto latest = steady_clock::now() + kLongestEnd;
  std::uint64_t seen = 0;
  do {
    seen = state.written;
    state.over.wait_until(lock, std::min(latest, steady_clock::now() + kPatience),
                          [&state]()
                              ABSL_EXCLUSIVE_LOCKS_REQUIRED(state.mutex) { return state.ended; });
  } while (!state.ended && state.written != seen && steady_clock::now() < latest);
  const bool ended = state.ended;
  lock.unlock();
  if (ended) {
    thread_.join();
    return;
  }
  // It waits for a reader in the kernel, and touches nothing but its state any more.
  const MutexLock asking(state.asking);
  state.abandoned = true;
  thread_.detach();
}

bool LineWriter::Write(absl::string_view line) {
  bool wake = false;
  {
    const MutexLock lock(state_->mutex);
    if (state_->waiting.size() + line.size() > kMaxWaiting) return false;
    state_->waiting.append(line.data(), line.size());
    wake = std::exchange(state_->asleep, false);
  }
  if (wake) state_->woken.notify_one();
  return true;
}

void LineWriter::Run(State& state) {
  std::string taken;
  bool lines_since_second = false;
  steady_clock::time_point second_ends{};
  MutexLock lock(state.mutex);
  while (true) {
    const auto something = [&state]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(state.mutex) {
      return state.stopping || !state.waiting.empty();
    };
    state.asleep = true;
    if (lines_since_second) {
      state.woken.wait_until(lock, second_ends, something);
    } else {
      state.woken.wait(lock, something);
      second_ends = steady_clock::now() + kSecond;
    }
    state.asleep = false;
    const bool last = state.stopping;
    taken.swap(state.waiting);
    lines_since_second = lines_since_second || !taken.empty();
    lock.unlock();
    if (last || steady_clock::now() >= second_ends) {
      taken += state.AskEverySecond();
      second_ends = steady_clock::now() + kSecond;
      lines_since_second = false;
    }
    state.WriteAll(taken);
    taken.clear();
    lock.lock();
    if (last) break;
    state.woken.wait_for(lock, kTogether, [&state]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(state.mutex) {
      return state.stopping;
    });
  }
  state.ended = true;
  state.over.notify_one();
}

}  // namespace hourglass::issuance
