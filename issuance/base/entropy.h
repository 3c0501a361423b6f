// Random octets, for serial numbers, nonces and ids.
#ifndef HOURGLASS_ISSUANCE_BASE_ENTROPY_H_
#define HOURGLASS_ISSUANCE_BASE_ENTROPY_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"

namespace hourglass::issuance {

// The one source of randomness. Safe to call from several threads.
class Entropy {
 public:
  virtual ~Entropy() = default;
  // `size` octets that nobody can foretell. Errors: INTERNAL_ERROR.
  virtual absl::StatusOr<std::string> Take(std::size_t size) = 0;
};

// OpenSSL's CSPRNG, seeded by the kernel.
class SystemEntropy final : public Entropy {
 public:
  absl::StatusOr<std::string> Take(std::size_t size) override;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_BASE_ENTROPY_H_
