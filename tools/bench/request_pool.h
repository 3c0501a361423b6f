// Many different PKCS#10 requests, and what a verifier of their signatures needs at least.
#ifndef HOURGLASS_TOOLS_BENCH_REQUEST_POOL_H_
#define HOURGLASS_TOOLS_BENCH_REQUEST_POOL_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "hsm/base/openssl.h"
#include "hsm/key/signing_key.h"

namespace hourglass::bench {

struct PooledRequest {
  std::string der;
  // What the signature is over, hashed as the key's type says, and the signature.
  std::string digest;
  std::string signature;
  // Ready for EVP_PKEY_verify; the pool's, shared by the requests of one key.
  EVP_PKEY_CTX* verification = nullptr;
};

// The requests that a fleet of devices sends, made by OpenSSL. Not for several threads at once.
class RequestPool {
 public:
  // `size` different requests, of as many keys; of RSA, whose keys take long to make, of a quarter
  // as many. Errors: INTERNAL_ERROR.
  static absl::StatusOr<RequestPool> Create(hsm::KeyType type, int size);

  // The next one, round and round.
  const PooledRequest& Next() { return requests_[next_++ % requests_.size()]; }

 private:
  RequestPool() = default;

  std::vector<EvpPkeyCtxPtr> verifications_;
  std::vector<PooledRequest> requests_;
  std::size_t next_ = 0;
};

}  // namespace hourglass::bench

#endif  // HOURGLASS_TOOLS_BENCH_REQUEST_POOL_H_
