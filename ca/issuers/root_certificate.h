// A tenant's self-signed root certificates.
#ifndef HOURGLASS_CA_ISSUERS_ROOT_CERTIFICATE_H_
#define HOURGLASS_CA_ISSUERS_ROOT_CERTIFICATE_H_

#include <chrono>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ca/certificate/issuer_certificate.h"
#include "ca/encoding/time.h"
#include "hsm/key/signing_key.h"

namespace hourglass::ca {

// A parsed and checked root. Immutable.
class RootCertificate : public IssuerCertificate {
 public:
  // Parses DER and checks that it is a root as IssueRoot makes them: version 3, self-signed with a
  // valid signature, cA with pathlen 0 or 1 and keyCertSign (both critical), subject key
  // identifier, a key type of hsm::KeyType. Errors: CONFIGURATION_INVALID with field
  // `root.certificate`.
  static absl::StatusOr<RootCertificate> Parse(absl::string_view der);

  // Whether its pathLenConstraint is 1, so that it can have intermediates; else it is 0 and relying
  // parties accept leaves of the root itself only (RFC 5280 section 4.2.1.9).
  bool allows_issuing_sub_keys() const { return allows_issuing_sub_keys_; }

 private:
  RootCertificate() = default;

  bool allows_issuing_sub_keys_ = false;
};

// What a root is made from, beside its key.
struct RootSpecification {
  // The common name is `DISPLAY_NAME VPN root CA gen GENERATION`, UTF8String, with at most the
  // first 40 characters of the display name. UTF-8 without control characters, not empty.
  std::string display_name;
  int generation = 1;  // 1 to 9 999 999, another for every root of the tenant
  Time now = {};       // when it is made
  // notBefore is one hour before now (the most that a leaf may be backdated), notAfter is now +
  // duration. 24 hours to 30 years of 366 days.
  std::chrono::seconds duration = {};
  // 16 octets from a CSPRNG; made positive as those of LeafRequest (ca/authority.h) are.
  std::string serial_entropy;
  // Its pathLenConstraint: 1 where intermediates for issuing sub-keys are to come under it, which
  // cannot be changed later, else 0.
  bool issuing_sub_keys = false;
};

// OK for what RootSpecification.duration may be. Errors: FIELD_INVALID with field `duration`.
absl::Status CheckRootDuration(std::chrono::seconds duration);

// Builds, signs and checks (by Parse, and by an independent parser) a self-signed root; a key that
// signed wrong is taken out of service. Errors: FIELD_INVALID with field `display_name`,
// `generation`, `now`, `duration` or `serial_entropy`, whatever the key says, KEY_MISMATCH if the
// signature does not verify or the key's public half is not DER, CONFIGURATION_INVALID or
// INTERNAL_ERROR with field `root.certificate` where a check finds fault with what was built. Safe
// to call from several threads.
absl::StatusOr<RootCertificate> IssueRoot(const RootSpecification& specification,
                                          hsm::SigningKey& key);

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_ISSUERS_ROOT_CERTIFICATE_H_
