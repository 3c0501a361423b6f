// A software root, as the library has it and as OpenSSL alone would.
#ifndef HOURGLASS_TOOLS_BENCH_ISSUING_ROOT_H_
#define HOURGLASS_TOOLS_BENCH_ISSUING_ROOT_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ca/authority.h"
#include "ca/names/name.h"
#include "hsm/base/openssl.h"
#include "hsm/key/signing_key.h"
#include "tools/bench/request_pool.h"

namespace hourglass::bench {

// Not for several threads at once.
class IssuingRoot {
 public:
  // Errors: INTERNAL_ERROR.
  static absl::StatusOr<IssuingRoot> Create(hsm::KeyType type);

  // From the octets of the request to those of the certificate, which are thrown away.
  absl::Status Issue(const PooledRequest& request) const;

  // One signature of a digest by the same key, in a context that is ready.
  absl::Status SignBarely() const;

 private:
  IssuingRoot(std::unique_ptr<ca::Authority> authority, ca::Subject subject)
      : authority_(std::move(authority)), subject_(std::move(subject)) {}

  std::unique_ptr<ca::Authority> authority_;
  ca::Subject subject_;
  EvpPkeyCtxPtr signing_;
  std::string digest_;
};

}  // namespace hourglass::bench

#endif  // HOURGLASS_TOOLS_BENCH_ISSUING_ROOT_H_
