// Whether a private key in this process's memory is still what it was.
#ifndef HOURGLASS_HSM_KEY_PRIVATE_OCTETS_H_
#define HOURGLASS_HSM_KEY_PRIVATE_OCTETS_H_

#include <array>

#include "absl/status/statusor.h"
#include "hsm/base/openssl.h"

namespace hourglass::hsm {

// Knows a software key's private numbers by their SHA-256. A bit that flips in memory (radiation, a
// failing module, somebody who hammers the rows beside it) makes every signature wrong, and each
// tells the same about the key. Safe to call from several threads.
class PrivateOctets {
 public:
  // Shares `key`, whose memory is what signs. Errors: INTERNAL_ERROR.
  static absl::StatusOr<PrivateOctets> Of(EVP_PKEY* key);

  // Reads the numbers as they are now; about a microsecond for an EC key. Also false where they
  // cannot be read.
  bool AreAsTheyWere() const;

 private:
  using Digest = std::array<unsigned char, 32>;

  explicit PrivateOctets(EvpPkeyPtr key) : key_(std::move(key)) {}
  bool Read(Digest* digest) const;

  EvpPkeyPtr key_;
  Digest digest_ = {};
};

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_KEY_PRIVATE_OCTETS_H_
