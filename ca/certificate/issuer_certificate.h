// What issues leaves: a tenant's root, or an intermediate under it. All that is public here is safe
// to call from several threads.
#ifndef HOURGLASS_CA_CERTIFICATE_ISSUER_CERTIFICATE_H_
#define HOURGLASS_CA_CERTIFICATE_ISSUER_CERTIFICATE_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ca/certificate/certificate.h"
#include "ca/encoding/time.h"
#include "hsm/key/signing_key.h"

namespace hourglass::ca {

// A parsed and checked certificate of an authority. Immutable; made by RootCertificate and
// IntermediateCertificate only.
class IssuerCertificate {
 public:
  // Certificate (RFC 5280 section 4.1), DER, the octets that were parsed.
  const std::string& der() const { return der_; }
  // Name, DER.
  const std::string& subject() const { return subject_; }
  // SubjectPublicKeyInfo, DER.
  const std::string& public_key() const { return public_key_; }
  // Value of the subject key identifier, 20 octets.
  const std::string& key_identifier() const { return key_identifier_; }
  // Big-endian, at most 20 octets.
  const std::string& serial_number() const { return serial_number_; }
  // Of public_key(); says also by which algorithm it signs.
  hsm::KeyType key_type() const { return key_type_; }
  // First second of validity.
  Time not_before() const { return not_before_; }
  // Last second of validity.
  Time not_after() const { return not_after_; }

 protected:
  IssuerCertificate() = default;

  // Takes these fields over from `view`, the parts of `der`; nothing is judged but that they can be
  // read. Errors: FIELD_INVALID, KEY_INVALID, KEY_UNSUPPORTED, with a message and no field.
  absl::Status Take(absl::string_view der, const CertificateView& view);

 private:
  std::string der_;
  std::string subject_;
  std::string public_key_;
  std::string key_identifier_;
  std::string serial_number_;
  hsm::KeyType key_type_ = hsm::KeyType::kEcP256;
  Time not_before_;
  Time not_after_;
};

// The subject key identifier of a SubjectPublicKeyInfo, DER: the SHA-1 of its key bits, 20 octets
// (RFC 5280 section 4.2.1.2 method 1). Empty where it is none of a P-256, P-384 or RSA key.
std::optional<std::string> KeyIdentifierOf(absl::string_view public_key);

// Validity (RFC 5280 section 4.1.2.5), DER. Both must be encodable.
std::string EncodeValidity(Time not_before, Time not_after);

// What the to-be-signed part of an issuer's certificate is made of.
struct IssuerFields {
  absl::string_view serial_number;  // 16 octets, positive and minimal as an INTEGER
  hsm::KeyType signer;              // the key type of what is above
  absl::string_view issuer;         // Name, DER
  Time not_before;                  // encodable
  Time not_after;                   // encodable
  absl::string_view subject;        // Name, DER
  absl::string_view public_key;     // SubjectPublicKeyInfo, DER
  absl::string_view extensions;     // each whole, DER, one after the other
};

// TBSCertificate (RFC 5280 section 4.1), DER, of version 3. The fields are copied as they are:
// whoever calls answers for what they hold.
std::string EncodeIssuer(const IssuerFields& fields);

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_CERTIFICATE_ISSUER_CERTIFICATE_H_
