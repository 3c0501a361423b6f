// An open file, closed by its owner.
#ifndef HOURGLASS_ISSUANCE_EDGE_DESCRIPTOR_H_
#define HOURGLASS_ISSUANCE_EDGE_DESCRIPTOR_H_

#include <unistd.h>

#include <utility>

namespace hourglass::issuance {

// Owns a file descriptor; negative where there is none.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(Descriptor&& other) noexcept : fd_(other.Release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this == &other) return *this;
    if (fd_ >= 0) close(fd_);
    fd_ = other.Release();
    return *this;
  }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_EDGE_DESCRIPTOR_H_
