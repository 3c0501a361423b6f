// PKCS#10 requests: the one way by which a stranger's public key enters the house.
#ifndef HOURGLASS_CA_REQUEST_CERTIFICATE_REQUEST_H_
#define HOURGLASS_CA_REQUEST_CERTIFICATE_REQUEST_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ca/keys/public_key.h"

namespace hourglass::ca {

// A larger request is refused before it is parsed, in octets.
inline constexpr std::size_t kMaxRequestSize = 16 * 1024;

// A public key whose owner has proved possession and which a KeyPolicy accepts. Only
// ParseCertificateRequest makes one. Immutable; copies are cheap enough to pass by value.
class RequestedKey {
 public:
  // SubjectPublicKeyInfo, canonical DER: re-encoded, or checked to be byte for byte what an encoder
  // would write.
  const std::string& subject_public_key_info() const { return subject_public_key_info_; }

  // SHA-1 of the subjectPublicKey BIT STRING's content (RFC 5280 section 4.2.1.2 method 1), 20
  // octets.
  const std::string& key_identifier() const { return key_identifier_; }

  // SHA-256 of subject_public_key_info(), 32 octets.
  const std::string& sha256() const { return sha256_; }

 private:
  friend absl::StatusOr<RequestedKey> ParseCertificateRequest(absl::string_view der,
                                                              const KeyPolicy& policy);
  RequestedKey() = default;

  std::string subject_public_key_info_;
  std::string key_identifier_;
  std::string sha256_;
};

// Parses a DER CertificationRequest (RFC 2986 section 4), verifies its signature with its own key
// and checks that key: P-256 or P-384 (named curve, uncompressed point on the curve) or RSA (odd
// modulus of an accepted size, odd exponent of at least 65537 and below 2^64), and none that
// CheckKeyStrength (ca/keys/weak_keys.h) knows. The request's signature must be ECDSA or RSA PKCS#1
// v1.5 or PSS with SHA-256, SHA-384 or SHA-512. Subject, attributes and extensions are not looked
// at beyond being well-formed DER; attributes may be left out, as some clients do.
// docs/certificate-requests.md has what OpenSSL accepts and this does not, on purpose; nothing that
// OpenSSL refuses is accepted. Errors, all with field `pkcs10`: REQUEST_MALFORMED,
// REQUEST_SIGNATURE_INVALID, KEY_UNSUPPORTED, KEY_SIZE_REFUSED, KEY_INVALID, KEY_WEAK. Safe to call
// from several threads.
absl::StatusOr<RequestedKey> ParseCertificateRequest(absl::string_view der,
                                                     const KeyPolicy& policy);

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_REQUEST_CERTIFICATE_REQUEST_H_
