// Ends another thread's poll().
#ifndef HOURGLASS_HSM_KEYHOLDER_QUEUE_WAKER_H_
#define HOURGLASS_HSM_KEYHOLDER_QUEUE_WAKER_H_

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

namespace hourglass::hsm {

class Waker {
 public:
  Waker() : file_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  ~Waker() {
    if (file_ >= 0) close(file_);
  }
  Waker(const Waker&) = delete;
  Waker& operator=(const Waker&) = delete;

  // To poll for POLLIN; negative where this machine had no file descriptor left.
  int file() const { return file_; }

  // From any thread.
  void Wake() const { eventfd_write(file_, 1); }
  // Forgets what woke the poller so far. For the one who polls.
  void Clear() const {
    eventfd_t count = 0;
    eventfd_read(file_, &count);
  }

 private:
  const int file_;
};

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_KEYHOLDER_QUEUE_WAKER_H_
