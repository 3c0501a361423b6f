#include "ca/certificate/certificate_rules.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "ca/encoding/der.h"
#include "ca/encoding/digest.h"
#include "ca/encoding/oids.h"

namespace hourglass::ca {
namespace {

constexpr absl::string_view kRevocationPointers[] = {
    oids::kCrlDistributionPoints, oids::kFreshestCrl, oids::kAuthorityInfoAccess};

bool IsNegative(absl::string_view integer) { return (integer[0] & 0x80) != 0; }

bool IsZero(absl::string_view integer) { return integer == absl::string_view("\0", 1); }

bool Contains(absl::Span<const absl::string_view> list, absl::string_view oid) {
  return std::find(list.begin(), list.end(), oid) != list.end();
}

bool IsPointOnNamedCurve(absl::string_view parameters, absl::string_view bits) {
  const std::optional<absl::string_view> curve = der::ReadOnly(parameters, der::kOid);
  const std::size_t size = curve == oids::kCurveP256 ? 65 : curve == oids::kCurveP384 ? 97 : 0;
  return size != 0 && bits.size() == size && bits[0] == 0x04;
}

// Two positive INTEGERs with the parameters that RFC 3279 section 2.3.1 wants, NULL.
bool IsRsaKey(absl::string_view parameters, absl::string_view bits) {
  const std::optional<absl::string_view> numbers = der::ReadOnly(bits, der::kSequence);
  if (der::ReadOnly(parameters, der::kNull) != absl::string_view() || !numbers.has_value()) {
    return false;
  }
  der::Reader reader(*numbers);
  for (int i = 0; i < 2; ++i) {
    const std::optional<absl::string_view> number = reader.Read(der::kInteger);
    if (!number.has_value() || !der::IsMinimalInteger(*number) || IsNegative(*number)) return false;
  }
  return reader.empty();
}

std::optional<Time> ReadOnlyTime(absl::string_view whole) {
  der::Reader reader(whole);
  return ReadTime(&reader);
}

}  // namespace

bool IsVersion3(const CertificateView& certificate) { return certificate.version == "\x02"; }

bool SerialIsPositive(const CertificateView& certificate) {
  return !certificate.serial_number.empty() && !IsNegative(certificate.serial_number) &&
         !IsZero(certificate.serial_number);
}

bool SerialHasFixedSize(const CertificateView& certificate) {
  return IsZero(certificate.serial_number) || certificate.serial_number.size() == kSerialSize;
}

bool AlgorithmsAreEqual(const CertificateView& certificate) {
  return certificate.signed_algorithm == certificate.algorithm;
}

bool TimesAreWellWritten(const CertificateView& certificate) {
  return ReadValidity(certificate).has_value();
}

bool HasNoUniqueIdentifiers(const CertificateView& certificate) {
  return !certificate.has_unique_identifiers;
}

bool ExtensionsAreNotRepeated(const CertificateView& certificate) {
  std::set<absl::string_view> seen;
  return std::all_of(
      certificate.extensions.begin(), certificate.extensions.end(),
      [&seen](const ExtensionView& extension) { return seen.insert(extension.oid).second; });
}

bool DefaultsAreNotWritten(const CertificateView& certificate) {
  return std::none_of(certificate.extensions.begin(), certificate.extensions.end(),
                      [](const ExtensionView& extension) { return extension.writes_default; });
}

bool KeyIsWellWritten(const CertificateView& certificate) {
  return ReadKeyBits(certificate.subject_public_key_info).has_value();
}

bool SubjectKeyIdentifierIsTheHash(const CertificateView& certificate) {
  const std::optional<absl::string_view> bits = ReadKeyBits(certificate.subject_public_key_info);
  return !bits.has_value() || HasExtension(certificate, oids::kSubjectKeyIdentifier, false,
                                           der::Encode(der::kOctetString, {Sha1(*bits)}));
}

bool AuthorityKeyIdentifierIs(const CertificateView& certificate,
                              absl::string_view key_identifier) {
  const std::string identifier = der::Encode(der::Primitive(0), {key_identifier});
  return HasExtension(certificate, oids::kAuthorityKeyIdentifier, false,
                      der::Encode(der::kSequence, {identifier}));
}

bool PurposesAreTheTwo(const CertificateView& certificate) {
  return HasExtension(certificate, oids::kExtendedKeyUsage, false,
                      der::Encode(der::kSequence, {EncodeOid(oids::kClientAuth),
                                                   EncodeOid(oids::kConditionalAccess)}));
}

bool PointsToNoRevocation(const CertificateView& certificate) {
  return std::none_of(
      certificate.extensions.begin(), certificate.extensions.end(),
      [](const ExtensionView& extension) { return Contains(kRevocationPointers, extension.oid); });
}

bool HasOnlyExtensions(const CertificateView& certificate,
                       absl::Span<const absl::string_view> known) {
  return std::all_of(certificate.extensions.begin(), certificate.extensions.end(),
                     [known](const ExtensionView& extension) {
                       return Contains(known, extension.oid) ||
                              Contains(kRevocationPointers, extension.oid);
                     });
}

bool HasExtension(const CertificateView& certificate, absl::string_view oid, bool critical,
                  absl::string_view value) {
  const ExtensionView* extension = certificate.Find(oid);
  return extension != nullptr && extension->critical == critical && extension->value == value;
}

std::optional<absl::string_view> ReadKeyBits(absl::string_view subject_public_key_info) {
  const std::optional<absl::string_view> info =
      der::ReadOnly(subject_public_key_info, der::kSequence);
  if (!info.has_value()) return std::nullopt;
  der::Reader reader(*info);
  const std::optional<absl::string_view> algorithm = reader.Read(der::kSequence);
  const std::optional<absl::string_view> bits = reader.ReadOctetAlignedBits();
  if (!algorithm.has_value() || !bits.has_value() || !reader.empty()) return std::nullopt;
  der::Reader parameters(*algorithm);
  const std::optional<absl::string_view> oid = parameters.Read(der::kOid);
  const bool fits = (oid == oids::kEcPublicKey && IsPointOnNamedCurve(parameters.rest(), *bits)) ||
                    (oid == oids::kRsaEncryption && IsRsaKey(parameters.rest(), *bits));
  return fits ? bits : std::nullopt;
}

std::optional<Validity> ReadValidity(const CertificateView& certificate) {
  const std::optional<Time> first = ReadOnlyTime(certificate.not_before);
  const std::optional<Time> last = ReadOnlyTime(certificate.not_after);
  if (!first.has_value() || !last.has_value()) return std::nullopt;
  return Validity{*first, *last};
}

std::string EncodeOid(absl::string_view content) { return der::Encode(der::kOid, {content}); }

}  // namespace hourglass::ca
