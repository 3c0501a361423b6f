// The mark of a key that signed something wrong.
#ifndef HOURGLASS_HSM_KEY_OUT_OF_SERVICE_H_
#define HOURGLASS_HSM_KEY_OUT_OF_SERVICE_H_

#include <atomic>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace hourglass::hsm {

// Safe to use from several threads.
class OutOfService {
 public:
  // For good. True for the one who did it first.
  bool Set() { return !set_.exchange(true); }
  bool IsSet() const { return set_.load(); }

  // OK, or KEY_MISMATCH of `field`, the key's URI, which says what to do.
  absl::Status Check(absl::string_view field) const;

 private:
  std::atomic<bool> set_ = false;
};

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_KEY_OUT_OF_SERVICE_H_
