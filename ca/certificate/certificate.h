// X.509 certificates (RFC 5280 section 4.1) as octets: taken apart, and put together from parts.
#ifndef HOURGLASS_CA_CERTIFICATE_CERTIFICATE_H_
#define HOURGLASS_CA_CERTIFICATE_CERTIFICATE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "ca/encoding/der.h"
#include "hsm/key/signing_key.h"

namespace hourglass::ca {

// Octets of a serial number: positive, fixed length (RFC 5280 section 4.1.2.2).
inline constexpr int kSerialSize = 16;

// 16 octets from a CSPRNG as a serial number: the top bit is cleared and the next one set, so that
// it is positive and has a fixed length; 126 random bits remain.
std::string SerialFromEntropy(absl::string_view entropy);

struct ExtensionView {
  absl::string_view oid;  // content octets
  bool critical;
  bool writes_default;      // `critical FALSE`, which DER leaves out
  absl::string_view value;  // content of extnValue
};

// A certificate's parts, within octets that somebody else keeps alive. Nothing is judged but the
// structure, so that a lint can say what is wrong with it.
struct CertificateView {
  absl::string_view to_be_signed;             // whole
  absl::string_view version;                  // content of the INTEGER; empty where absent
  absl::string_view serial_number;            // content of the INTEGER
  absl::string_view signed_algorithm;         // whole; the one inside the signed part
  absl::string_view issuer;                   // whole
  absl::string_view not_before;               // whole
  absl::string_view not_after;                // whole
  absl::string_view subject;                  // whole
  absl::string_view subject_public_key_info;  // whole
  bool has_unique_identifiers;
  std::vector<ExtensionView> extensions;
  absl::string_view algorithm;  // whole; the one beside the signature
  absl::string_view signature;

  // The first extension of this type, or null.
  const ExtensionView* Find(absl::string_view oid) const;
};

// Empty where `der` is not one Certificate in DER and nothing else.
std::optional<CertificateView> ReadCertificate(absl::string_view der);

// AlgorithmIdentifier, DER, of what a key of `type` signs: ECDSA without parameters (RFC 5758
// section 3.2), RSA with NULL (RFC 4055 section 5).
absl::string_view SignatureAlgorithm(hsm::KeyType type);

// Name of one common name, UTF8String, DER.
std::string EncodeCommonName(absl::string_view common_name);

// Extension, DER; `critical` is left out where it is false.
std::string EncodeExtension(absl::string_view oid, bool critical, absl::string_view value);

// Certificate, DER.
std::string AssembleCertificate(absl::string_view to_be_signed, hsm::KeyType type,
                                absl::string_view signature);

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_CERTIFICATE_CERTIFICATE_H_
