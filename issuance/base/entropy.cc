#include "issuance/base/entropy.h"

#include <openssl/rand.h>

#include "hsm/base/error.h"
#include "hsm/base/openssl.h"

namespace hourglass::issuance {

absl::StatusOr<std::string> SystemEntropy::Take(std::size_t size) {
  std::string octets(size, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(octets.data()), static_cast<int>(size)) != 1) {
    return Error(ErrorReason::kInternalError, "",
                 "no randomness to be had: " + DrainOpensslErrors());
  }
  return octets;
}

}  // namespace hourglass::issuance
