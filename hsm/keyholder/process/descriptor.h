// An open file of this process.
#ifndef HOURGLASS_HSM_KEYHOLDER_PROCESS_DESCRIPTOR_H_
#define HOURGLASS_HSM_KEYHOLDER_PROCESS_DESCRIPTOR_H_

#include <unistd.h>

#include <utility>

namespace hourglass::hsm {

// Closed with this object; a negative number is none.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() { Reset(-1); }
  Descriptor(Descriptor&& other) noexcept : number_(other.Release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    Reset(other.Release());
    return *this;
  }
  int number() const { return number_; }
  int Release() { return std::exchange(number_, -1); }
  void Reset(int number) {
    if (number_ >= 0) close(number_);
    number_ = number;
  }

 private:
  int number_ = -1;
};

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_KEYHOLDER_PROCESS_DESCRIPTOR_H_
