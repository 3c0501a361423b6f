#include "ca/lint.h"

#include <algorithm>
#include <optional>
#include <set>

#include "absl/strings/str_cat.h"
#include "ca/digest.h"
#include "ca/name.h"
#include "ca/oids.h"
#include "ca/utf8.h"

namespace hourglass::ca {
namespace {

using Leaf = CertificateView;
using Specimen = LeafSpecimen;

bool IsNegative(absl::string_view integer) { return (integer[0] & 0x80) != 0; }

bool IsZero(absl::string_view integer) { return integer == absl::string_view("\0", 1); }

std::optional<Time> ReadOnlyTime(absl::string_view whole) {
  der::Reader reader(whole);
  return ReadTime(&reader);
}

// Whether the extension is there, of this criticality and value.
bool Has(const Leaf& leaf, absl::string_view oid, bool critical, absl::string_view value) {
  const ExtensionView* extension = leaf.Find(oid);
  return extension != nullptr && extension->critical == critical && extension->value == value;
}

// Whether it is there as Has says where `wanted`, and absent otherwise.
bool HasWhere(bool wanted, const Leaf& leaf, absl::string_view oid, absl::string_view value) {
  return wanted ? Has(leaf, oid, false, value) : leaf.Find(oid) == nullptr;
}

std::string Oid(absl::string_view content) { return der::Encode(der::kOid, {content}); }

// GeneralName otherName (RFC 5280 section 4.2.1.6).
std::string OtherName(absl::string_view oid, der::Tag tag, absl::string_view value) {
  return der::Encode(der::Constructed(0),
                     {Oid(oid), der::Encode(der::Constructed(0), {der::Encode(tag, {value})})});
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

// The content of the subjectPublicKey BIT STRING, if the key is written as one that is certified.
std::optional<absl::string_view> ReadKeyBits(absl::string_view subject_public_key_info) {
  der::Reader reader(*der::ReadOnly(subject_public_key_info, der::kSequence));
  const std::optional<absl::string_view> algorithm = reader.Read(der::kSequence);
  const std::optional<absl::string_view> bits = reader.ReadOctetAlignedBits();
  if (!algorithm.has_value() || !bits.has_value() || !reader.empty()) return std::nullopt;
  der::Reader parameters(*algorithm);
  const std::optional<absl::string_view> oid = parameters.Read(der::kOid);
  const bool fits = (oid == oids::kEcPublicKey && IsPointOnNamedCurve(parameters.rest(), *bits)) ||
                    (oid == oids::kRsaEncryption && IsRsaKey(parameters.rest(), *bits));
  return fits ? bits : std::nullopt;
}

bool IsVersion3(const Leaf& leaf, const Specimen&) { return leaf.version == "\x02"; }

bool SerialIsPositive(const Leaf& leaf, const Specimen&) {
  return !leaf.serial_number.empty() && !IsNegative(leaf.serial_number) &&
         !IsZero(leaf.serial_number);
}

bool SerialHasFixedSize(const Leaf& leaf, const Specimen&) {
  return IsZero(leaf.serial_number) || leaf.serial_number.size() == kSerialSize;
}

bool AlgorithmsAreEqual(const Leaf& leaf, const Specimen&) {
  return leaf.signed_algorithm == leaf.algorithm;
}

bool AlgorithmIsTheRoots(const Leaf& leaf, const Specimen& specimen) {
  return leaf.algorithm == SignatureAlgorithm(specimen.root.key_type());
}

bool IssuerIsTheRoot(const Leaf& leaf, const Specimen& specimen) {
  return leaf.issuer == specimen.root.subject();
}

bool TimesAreWrittenAsWanted(const Leaf& leaf, const Specimen&) {
  return ReadOnlyTime(leaf.not_before).has_value() && ReadOnlyTime(leaf.not_after).has_value();
}

// Of the three rules on validity each lets pass what another one catches.
bool ValidityIsTheProfiles(const Leaf& leaf, const Specimen& specimen) {
  const std::optional<Time> first = ReadOnlyTime(leaf.not_before);
  const std::optional<Time> last = ReadOnlyTime(leaf.not_after);
  if (!first.has_value() || !last.has_value()) return true;
  return *last - *first == specimen.profile.backdate() + specimen.profile.lifetime();
}

bool ValidityIsWithinTheRoots(const Leaf& leaf, const Specimen& specimen) {
  const std::optional<Time> first = ReadOnlyTime(leaf.not_before);
  const std::optional<Time> last = ReadOnlyTime(leaf.not_after);
  if (!first.has_value() || !last.has_value()) return true;
  return *first >= specimen.root.not_before() && *last <= specimen.root.not_after();
}

bool SubjectIsTheCommonName(const Leaf& leaf, const Specimen& specimen) {
  const std::string attribute = der::Encode(
      der::kSequence,
      {Oid(oids::kCommonName), der::Encode(der::kUtf8String, {specimen.fields.common_name})});
  return leaf.subject == der::Encode(der::kSequence, {der::Encode(der::kSet, {attribute})});
}

bool CommonNameFits(const Leaf&, const Specimen& specimen) {
  const std::optional<Utf8Text> text = DecodeUtf8(specimen.fields.common_name);
  return text.has_value() && text->characters >= 1 && text->characters <= kMaxCommonNameCharacters;
}

bool KeyIsWellWritten(const Leaf& leaf, const Specimen&) {
  return ReadKeyBits(leaf.subject_public_key_info).has_value();
}

bool KeyIsTheRequested(const Leaf& leaf, const Specimen& specimen) {
  return !KeyIsWellWritten(leaf, specimen) ||
         leaf.subject_public_key_info == specimen.fields.subject_public_key_info;
}

bool HasNoUniqueIdentifiers(const Leaf& leaf, const Specimen&) {
  return !leaf.has_unique_identifiers;
}

bool ExtensionsAreNotRepeated(const Leaf& leaf, const Specimen&) {
  std::set<absl::string_view> seen;
  return std::all_of(
      leaf.extensions.begin(), leaf.extensions.end(),
      [&seen](const ExtensionView& extension) { return seen.insert(extension.oid).second; });
}

bool DefaultsAreNotWritten(const Leaf& leaf, const Specimen&) {
  return std::none_of(leaf.extensions.begin(), leaf.extensions.end(),
                      [](const ExtensionView& extension) { return extension.writes_default; });
}

constexpr absl::string_view kRevocationPointers[] = {
    oids::kCrlDistributionPoints, oids::kFreshestCrl, oids::kAuthorityInfoAccess};

constexpr absl::string_view kLeafExtensions[] = {
    oids::kBasicConstraints,     oids::kKeyUsage,
    oids::kExtendedKeyUsage,     oids::kSubjectAltName,
    oids::kSubjectKeyIdentifier, oids::kAuthorityKeyIdentifier,
    oids::kNoRevAvail,           oids::kSidExtension,
};

template <typename List>
bool Contains(const List& list, absl::string_view oid) {
  return std::find(std::begin(list), std::end(list), oid) != std::end(list);
}

bool PointsToNoRevocation(const Leaf& leaf, const Specimen&) {
  return std::none_of(
      leaf.extensions.begin(), leaf.extensions.end(),
      [](const ExtensionView& extension) { return Contains(kRevocationPointers, extension.oid); });
}

bool HasOnlyKnownExtensions(const Leaf& leaf, const Specimen&) {
  return std::all_of(leaf.extensions.begin(), leaf.extensions.end(),
                     [](const ExtensionView& extension) {
                       return Contains(kLeafExtensions, extension.oid) ||
                              Contains(kRevocationPointers, extension.oid);
                     });
}

bool BasicConstraintsAreEmpty(const Leaf& leaf, const Specimen&) {
  return Has(leaf, oids::kBasicConstraints, true, absl::string_view("\x30\x00", 2));
}

bool KeyUsageIsDigitalSignature(const Leaf& leaf, const Specimen&) {
  return Has(leaf, oids::kKeyUsage, true, "\x03\x02\x07\x80");
}

bool PurposesAreTheTwo(const Leaf& leaf, const Specimen&) {
  return Has(leaf, oids::kExtendedKeyUsage, false,
             der::Encode(der::kSequence, {Oid(oids::kClientAuth), Oid(oids::kConditionalAccess)}));
}

bool AlternativeNamesAreTheSubjects(const Leaf& leaf, const Specimen& specimen) {
  std::string names = OtherName(oids::kUpn, der::kUtf8String, specimen.fields.upn);
  if (specimen.profile.sid_uri() && !specimen.fields.sid.empty()) {
    const std::string uri = absl::StrCat("tag:microsoft.com,2022-09-14:sid:", specimen.fields.sid);
    der::Append(der::Primitive(6), uri, &names);
  }
  return Has(leaf, oids::kSubjectAltName, false, der::Encode(der::kSequence, {names}));
}

bool SubjectKeyIdentifierIsTheHash(const Leaf& leaf, const Specimen&) {
  const std::optional<absl::string_view> bits = ReadKeyBits(leaf.subject_public_key_info);
  return !bits.has_value() || Has(leaf, oids::kSubjectKeyIdentifier, false,
                                  der::Encode(der::kOctetString, {Sha1(*bits)}));
}

bool AuthorityKeyIdentifierIsTheRoots(const Leaf& leaf, const Specimen& specimen) {
  const std::string identifier = der::Encode(der::Primitive(0), {specimen.root.key_identifier()});
  return Has(leaf, oids::kAuthorityKeyIdentifier, false, der::Encode(der::kSequence, {identifier}));
}

bool NoRevAvailIsTheProfiles(const Leaf& leaf, const Specimen& specimen) {
  return HasWhere(specimen.profile.no_rev_avail(), leaf, oids::kNoRevAvail,
                  absl::string_view("\x05\x00", 2));
}

bool SidIsTheSubjects(const Leaf& leaf, const Specimen& specimen) {
  const std::string name = OtherName(oids::kNtdsObjectSid, der::kOctetString, specimen.fields.sid);
  return HasWhere(!specimen.fields.sid.empty(), leaf, oids::kSidExtension,
                  der::Encode(der::kSequence, {name}));
}

constexpr LintRule kLeafRules[] = {
    {"version_3", "RFC 5280 section 4.1.2.1", IsVersion3},
    {"serial_number_positive", "RFC 5280 section 4.1.2.2", SerialIsPositive},
    {"serial_number_16_octets", "Hourglass leaf profile", SerialHasFixedSize},
    {"signature_algorithms_equal", "RFC 5280 section 4.1.1.2", AlgorithmsAreEqual},
    {"signature_algorithm_of_root", "RFC 5758 section 3.2, RFC 4055 section 5",
     AlgorithmIsTheRoots},
    {"issuer_is_root_subject", "RFC 5280 section 4.1.2.4", IssuerIsTheRoot},
    {"time_encoding", "RFC 5280 section 4.1.2.5", TimesAreWrittenAsWanted},
    {"validity_of_profile", "Hourglass leaf profile", ValidityIsTheProfiles},
    {"validity_within_root", "Hourglass leaf profile", ValidityIsWithinTheRoots},
    {"subject_is_common_name", "RFC 5280 section 4.1.2.6", SubjectIsTheCommonName},
    {"common_name_length", "RFC 5280 appendix A.1 (ub-common-name)", CommonNameFits},
    {"public_key_encoding", "RFC 5480 section 2, RFC 3279 section 2.3.1", KeyIsWellWritten},
    {"public_key_is_requested", "Hourglass leaf profile", KeyIsTheRequested},
    {"no_unique_identifiers", "RFC 5280 section 4.1.2.8", HasNoUniqueIdentifiers},
    {"extensions_not_repeated", "RFC 5280 section 4.2", ExtensionsAreNotRepeated},
    {"critical_default_left_out", "X.690 section 11.5", DefaultsAreNotWritten},
    {"no_revocation_pointers", "RFC 9608 section 3", PointsToNoRevocation},
    {"extensions_known", "Hourglass leaf profile", HasOnlyKnownExtensions},
    {"basic_constraints", "RFC 5280 section 4.2.1.9", BasicConstraintsAreEmpty},
    {"key_usage", "RFC 5280 section 4.2.1.3", KeyUsageIsDigitalSignature},
    {"extended_key_usage", "RFC 5280 section 4.2.1.12", PurposesAreTheTwo},
    {"subject_alternative_name", "RFC 5280 section 4.2.1.6", AlternativeNamesAreTheSubjects},
    {"subject_key_identifier", "RFC 5280 section 4.2.1.2", SubjectKeyIdentifierIsTheHash},
    {"authority_key_identifier", "RFC 5280 section 4.2.1.1", AuthorityKeyIdentifierIsTheRoots},
    {"no_rev_avail", "RFC 9608 section 2", NoRevAvailIsTheProfiles},
    {"sid", "MS-WCCE section 2.2.2.7.7.4", SidIsTheSubjects},
};

}  // namespace

absl::Span<const LintRule> LeafRules() { return kLeafRules; }

std::vector<LintFinding> LintLeaf(const LeafSpecimen& specimen) {
  const std::optional<CertificateView> leaf = ReadCertificate(specimen.certificate);
  if (!leaf.has_value()) return {kNotACertificate};
  std::vector<LintFinding> findings;
  for (const LintRule& rule : kLeafRules) {
    if (!rule.holds(*leaf, specimen)) findings.push_back({rule.name, rule.source});
  }
  return findings;
}

}  // namespace hourglass::ca
