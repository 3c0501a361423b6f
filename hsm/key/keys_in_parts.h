// Listing the keys of a custodian in parts.
#ifndef HOURGLASS_HSM_KEY_KEYS_IN_PARTS_H_
#define HOURGLASS_HSM_KEY_KEYS_IN_PARTS_H_

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "hsm/key/custodian.h"

namespace hourglass::hsm {

// The keys of a custodian, which must outlive it, being listed: a token may hold thousands and take
// milliseconds for each. For one thread at a time.
class KeysInParts {
 public:
  virtual ~KeysInParts() = default;
  KeysInParts(const KeysInParts&) = delete;
  KeysInParts& operator=(const KeysInParts&) = delete;
  // Reads on for about `budget`. Nothing while there is more to read; then every private key there
  // is, in no order. Errors: those of KeyCustodian::List.
  virtual absl::StatusOr<std::optional<std::vector<KeyListing>>> ReadOn(
      std::chrono::nanoseconds budget) = 0;

 protected:
  KeysInParts() = default;
};

// All in one part, by KeyCustodian::List: for what holds few keys.
std::unique_ptr<KeysInParts> KeysAtOnce(KeyCustodian* custodian);

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_KEY_KEYS_IN_PARTS_H_
