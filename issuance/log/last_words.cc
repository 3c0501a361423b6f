#include "issuance/log/last_words.h"

#include <poll.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

// There where a sanitizer is linked.
// NOLINTNEXTLINE(bugprone-reserved-identifier): its own name.
extern "C" __attribute__((weak)) void __sanitizer_set_report_fd(void* descriptor);

namespace hourglass::issuance {
namespace {

constexpr int kCrashes[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
// A write of so much to a pipe that is writable does not block (pipe(7), PIPE_BUF).
constexpr std::size_t kPiece = 4096;
constexpr int kPieces = 16;

std::atomic<int> real_descriptor = -1;
std::atomic<int> read_descriptor = -1;

// Async-signal-safe, as is all that it calls.
void SayLastWords(int number) {
  const timespec second = {1, 0};
  nanosleep(&second, nullptr);
  const int real = real_descriptor;
  char octets[kPiece];
  for (int piece = 0; piece < kPieces && real >= 0; ++piece) {
    const ssize_t count = read(read_descriptor, octets, sizeof(octets));
    pollfd writable{real, POLLOUT, 0};
    if (count <= 0 || poll(&writable, 1, 0) != 1) break;
    if (write(real, octets, static_cast<std::size_t>(count)) < 0) break;
  }
  signal(number, SIG_DFL);
  raise(number);
}

void Handle(void (*handler)(int)) {
  for (const int number : kCrashes) signal(number, handler);
}

}  // namespace

void LastWordsGoTo(int real, int read) {
  real_descriptor = real;
  read_descriptor = read;
  if (__sanitizer_set_report_fd != nullptr) {
    // Its reports are no lines, and it has handlers of its own. A descriptor is given as a pointer.
    // NOLINTNEXTLINE(performance-no-int-to-ptr)
    __sanitizer_set_report_fd(reinterpret_cast<void*>(static_cast<std::intptr_t>(real)));
  } else {
    Handle(SayLastWords);
  }
}

void LastWordsGoNowhere() {
  if (__sanitizer_set_report_fd == nullptr) {
    Handle(SIG_DFL);
  } else {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): as above.
    __sanitizer_set_report_fd(reinterpret_cast<void*>(std::intptr_t{STDERR_FILENO}));
  }
  real_descriptor = -1;
  read_descriptor = -1;
}

}  // namespace hourglass::issuance
