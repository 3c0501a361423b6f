// The certificates that a server is shown: the canary, and forgeries of it.
#ifndef HOURGLASS_TOOLS_DOCTOR_RADIUS_CANARY_H_
#define HOURGLASS_TOOLS_DOCTOR_RADIUS_CANARY_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hourglass::doctor {

// A certificate with its key, as files hold them.
struct Credential {
  std::string certificate_pem;  // its own first, its chain behind it
  std::string private_key_pem;
};

// What a certificate says that matters here. Times are seconds since 1970, UTC.
struct CredentialFacts {
  std::string upn;  // of its subject alternative name; "" where it has none
  std::int64_t not_before = 0;
  std::int64_t not_after = 0;
  bool has_conditional_access = false;  // the OID is in its extended key usage
};

// Reads the first certificate, and that the key is its own. Errors: FIELD_INVALID with field
// `certificate` or `key`; KEY_MISMATCH with field `key`. No message holds a part of the key.
absl::StatusOr<CredentialFacts> ReadCredential(const Credential& credential);

enum class Forgery {
  kThrowAwayRoot,  // as the original, by another root of the same name
  kExpired,        // the same, and its time was the hour before the last
};

// A copy of the certificate for a new key, issued at `now` by a throw-away root that has the name
// and key identifier of the real one; the root's certificate follows. Nobody has its key once this
// returns. Errors: FIELD_INVALID with field `certificate`, INTERNAL_ERROR.
absl::StatusOr<Credential> Forge(const Credential& credential, Forgery forgery, std::int64_t now);

}  // namespace hourglass::doctor

#endif  // HOURGLASS_TOOLS_DOCTOR_RADIUS_CANARY_H_
