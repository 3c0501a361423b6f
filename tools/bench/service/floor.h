// What nobody who issues a certificate can go below.
#ifndef HOURGLASS_TOOLS_BENCH_SERVICE_FLOOR_H_
#define HOURGLASS_TOOLS_BENCH_SERVICE_FLOOR_H_

#include <chrono>
#include <vector>

#include "absl/status/status.h"
#include "hsm/base/openssl.h"
#include "hsm/key/signing_key.h"

namespace hourglass::bench {

// Who has signed for whom a certificate is for.
enum class Asserted {
  kByBroker,  // nobody
  kByToken,   // its issuer: RS256, a key of 2048 bits
};

// CPU time to verify a P-256 signature, the request's, and to make one of the root's key type, by
// EVP with the key parsed, the contexts made and the digests known; and to verify a token's in the
// same way, where there is one. To be measured before and after what it is compared with, on the
// same machine and in the same minute.
class VerifyAndSignFloor {
 public:
  explicit VerifyAndSignFloor(hsm::KeyType root_type, Asserted asserted = Asserted::kByBroker);

  // Measures for so long. Errors: INTERNAL where OpenSSL fails.
  absl::Status Measure(std::chrono::nanoseconds duration);
  // The median of what was measured; 0 before.
  double Microseconds() const;

 private:
  EvpPkeyPtr leaf_;
  EvpPkeyPtr root_;
  EvpPkeyPtr token_issuer_;  // null where nobody verifies tokens
  std::vector<double> samples_;
};

}  // namespace hourglass::bench

#endif  // HOURGLASS_TOOLS_BENCH_SERVICE_FLOOR_H_
