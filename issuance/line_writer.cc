#include "issuance/line_writer.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <utility>

namespace hourglass::issuance {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kTogether(10);
constexpr std::chrono::seconds kSecond(1);

// What a broken descriptor does not take is lost: there is nowhere to say so.
void WriteAll(int descriptor, absl::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(descriptor, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      pollfd writable{descriptor, POLLOUT, 0};
      poll(&writable, 1, -1);
    } else if (errno != EINTR) {
      return;
    }
  }
}

}  // namespace

LineWriter::LineWriter(int descriptor, std::function<std::string()> every_second)
    : descriptor_(descriptor), every_second_(std::move(every_second)), thread_([this] { Run(); }) {}

LineWriter::~LineWriter() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  woken_.notify_one();
  thread_.join();
}

bool LineWriter::Write(absl::string_view line) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() + line.size() > kMaxWaiting) return false;
    waiting_.append(line.data(), line.size());
    wake = std::exchange(asleep_, false);
  }
  if (wake) woken_.notify_one();
  return true;
}

void LineWriter::Run() {
  std::string taken;
  bool lines_since_second = false;
  steady_clock::time_point second_ends{};
  std::unique_lock lock(mutex_);
  while (true) {
    const auto something = [this] { return stopping_ || !waiting_.empty(); };
    asleep_ = true;
    if (lines_since_second) {
      woken_.wait_until(lock, second_ends, something);
    } else {
      woken_.wait(lock, something);
      second_ends = steady_clock::now() + kSecond;
    }
    asleep_ = false;
    const bool last = stopping_;
    taken.swap(waiting_);
    lines_since_second = lines_since_second || !taken.empty();
    lock.unlock();
    if (last || steady_clock::now() >= second_ends) {
      taken += every_second_();
      second_ends = steady_clock::now() + kSecond;
      lines_since_second = false;
    }
    WriteAll(descriptor_, taken);
    taken.clear();
    if (last) return;
    lock.lock();
    woken_.wait_for(lock, kTogether, [this] { return stopping_; });
  }
}

}  // namespace hourglass::issuance
