// The short-lived certificate of an issuing sub-key: between a root, whose key may be slow, and the
// leaves.
#ifndef HOURGLASS_CA_ISSUERS_INTERMEDIATE_CERTIFICATE_H_
#define HOURGLASS_CA_ISSUERS_INTERMEDIATE_CERTIFICATE_H_

#include <chrono>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ca/certificate/issuer_certificate.h"
#include "ca/encoding/time.h"
#include "ca/issuers/root_certificate.h"
#include "hsm/key/signing_key.h"

namespace hourglass::ca {

// The least that an intermediate may live, from the time at which it is made.
inline constexpr std::chrono::seconds kMinIntermediateLifetime = std::chrono::hours(1);
// The most that an intermediate may live, from the time at which it is made.
inline constexpr std::chrono::seconds kMaxIntermediateLifetime = std::chrono::days(30);

// A parsed and checked intermediate. Immutable.
class IntermediateCertificate : public IssuerCertificate {
 public:
  // Parses DER and checks that it is an intermediate as PrepareIntermediate and SignIntermediate
  // make them under this root: every rule of LintIntermediate, and the root's signature. Errors:
  // INTERNAL_ERROR with field `intermediate.certificate` and the rules that are broken.
  static absl::StatusOr<IntermediateCertificate> Parse(absl::string_view der,
                                                       const RootCertificate& root);

 private:
  IntermediateCertificate() = default;
};

// What an intermediate is made from, beside its root and its key.
struct IntermediateSpecification {
  // The common name is `DISPLAY_NAME VPN issuing CA gen GENERATION ID`, UTF8String, where ID is the
  // first 8 octets of the serial number in hexadecimal, so that it differs from the root's and from
  // every other intermediate's, with the display name cut at a character so that all of it fits 64
  // characters. UTF-8 without control characters, not empty.
  std::string display_name;
  int generation = 1;  // the root's, at least 1
  Time now = {};       // when it is made, within the root's validity
  // notBefore is one hour before now (the most that a leaf may be backdated), notAfter is now +
  // lifetime; neither is outside the root's validity. kMinIntermediateLifetime to
  // kMaxIntermediateLifetime.
  std::chrono::seconds lifetime = {};
  // 16 octets from a CSPRNG; made positive as those of LeafRequest (ca/authority.h) are.
  std::string serial_entropy;
};

// OK where the root has pathLenConstraint 1. Errors: SUB_KEY_NOT_ALLOWED with field
// `root.certificate`.
absl::Status CheckAllowsSubKeys(const RootCertificate& root);

// The to-be-signed part of one intermediate, built and linted by PrepareIntermediate and nobody
// else: holding one is the proof (promise 4). Move-only; SignIntermediate takes it away.
class TbsIntermediate {
 public:
  // SignIntermediate refuses what was moved from, with INTERNAL_ERROR.
  TbsIntermediate(TbsIntermediate&&) = default;
  // As the constructor; what was held here is never signed.
  TbsIntermediate& operator=(TbsIntermediate&&) = default;

  // TBSCertificate (RFC 5280 section 4.1), DER.
  const std::string& der() const { return der_; }
  // 16 octets, big-endian.
  const std::string& serial_number() const { return serial_number_; }
  // First second of validity; never before the root's.
  Time not_before() const { return not_before_; }
  // Last second of validity; never after the root's.
  Time not_after() const { return not_after_; }

 private:
  friend absl::StatusOr<TbsIntermediate> PrepareIntermediate(const IntermediateSpecification&,
                                                             const RootCertificate&,
                                                             absl::string_view);
  friend absl::StatusOr<IntermediateCertificate> SignIntermediate(TbsIntermediate,
                                                                  const RootCertificate&,
                                                                  hsm::SigningKey&);
  TbsIntermediate() = default;

  std::string der_;
  std::string serial_number_;
  Time not_before_;
  Time not_after_;
  std::string root_;  // its certificate, DER
};

// Builds an intermediate of `public_key`, a SubjectPublicKeyInfo, DER, of a type of hsm::KeyType,
// and lints it by our own rules and by Botan before anybody signs it: a critical cA with pathlen 0,
// critical keyCertSign, the purposes of a leaf, which are all that it can issue for (RFC 5280
// section 4.2.1.12), both key identifiers and no other extension. Errors: SUB_KEY_NOT_ALLOWED where
// the root has pathlen 0; ROOT_NOT_YET_VALID or ROOT_EXPIRING where now is outside the root's
// validity; FIELD_INVALID with field `display_name`, `generation`, `now`, `lifetime` or
// `serial_entropy`; KEY_INVALID, KEY_UNSUPPORTED; INTERNAL_ERROR with field
// `intermediate.certificate` naming the rules that what was built breaks. Safe to call from several
// threads.
absl::StatusOr<TbsIntermediate> PrepareIntermediate(const IntermediateSpecification& specification,
                                                    const RootCertificate& root,
                                                    absl::string_view public_key);

// Signs with the root's key, and verifies with the root's certificate; a root's key that signed
// wrong is taken out of service. Errors: KEY_MISMATCH if the signature does not verify,
// INTERNAL_ERROR for what was prepared for another root, whatever the key says. Safe to call from
// several threads.
absl::StatusOr<IntermediateCertificate> SignIntermediate(TbsIntermediate tbs,
                                                         const RootCertificate& root,
                                                         hsm::SigningKey& root_key);

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_ISSUERS_INTERMEDIATE_CERTIFICATE_H_
