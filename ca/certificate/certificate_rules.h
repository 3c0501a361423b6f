// What every certificate must keep to, whoever it is for: the rules that leaves and intermediates
// have in common. Each looks at its own field only, and lets pass what another one catches.
#ifndef HOURGLASS_CA_CERTIFICATE_CERTIFICATE_RULES_H_
#define HOURGLASS_CA_CERTIFICATE_CERTIFICATE_RULES_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "ca/certificate/certificate.h"
#include "ca/encoding/time.h"

namespace hourglass::ca {

// RFC 5280 sections 4.1.2.1, 4.1.2.2, 4.1.1.2, 4.1.2.5, 4.1.2.8, 4.2, and X.690 section 11.5.
bool IsVersion3(const CertificateView& certificate);
bool SerialIsPositive(const CertificateView& certificate);
bool SerialHasFixedSize(const CertificateView& certificate);  // kSerialSize
bool AlgorithmsAreEqual(const CertificateView& certificate);
bool TimesAreWellWritten(const CertificateView& certificate);
bool HasNoUniqueIdentifiers(const CertificateView& certificate);
bool ExtensionsAreNotRepeated(const CertificateView& certificate);
bool DefaultsAreNotWritten(const CertificateView& certificate);
// P-256, P-384 or RSA as RFC 5480 section 2 and RFC 3279 section 2.3.1 write them.
bool KeyIsWellWritten(const CertificateView& certificate);
// The subject key identifier is there, not critical, and the SHA-1 of the key (RFC 5280 section
// 4.2.1.2, method 1).
bool SubjectKeyIdentifierIsTheHash(const CertificateView& certificate);
// The authority key identifier is there, not critical, and holds this key identifier and nothing
// else (RFC 5280 section 4.2.1.1).
bool AuthorityKeyIdentifierIs(const CertificateView& certificate, absl::string_view key_identifier);
// The purposes are what every leaf is for, clientAuth and the conditional-access purpose
// 1.3.6.1.4.1.311.87, in this order, and not critical (RFC 5280 section 4.2.1.12).
bool PurposesAreTheTwo(const CertificateView& certificate);
// Neither CRL distribution points, nor a freshest CRL, nor authority information access.
bool PointsToNoRevocation(const CertificateView& certificate);

// Whether every extension is one of `known`, or one that PointsToNoRevocation looks at.
bool HasOnlyExtensions(const CertificateView& certificate,
                       absl::Span<const absl::string_view> known);

// Whether the extension is there, of this criticality and value.
bool HasExtension(const CertificateView& certificate, absl::string_view oid, bool critical,
                  absl::string_view value);

// The content of the subjectPublicKey BIT STRING, if KeyIsWellWritten.
std::optional<absl::string_view> ReadKeyBits(absl::string_view subject_public_key_info);

struct Validity {
  Time not_before;
  Time not_after;
};

// Empty unless TimesAreWellWritten.
std::optional<Validity> ReadValidity(const CertificateView& certificate);

// OBJECT IDENTIFIER, DER.
std::string EncodeOid(absl::string_view content);

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_CERTIFICATE_CERTIFICATE_RULES_H_
