#include "ca/lint/lint.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "ca/certificate/certificate_rules.h"
#include "ca/encoding/oids.h"
#include "ca/encoding/utf8.h"
#include "ca/names/name.h"

namespace hourglass::ca {
namespace {

using Leaf = CertificateView;
using Specimen = LeafSpecimen;

// A rule of every certificate as one of leaves.
template <bool (*kHolds)(const CertificateView&)>
bool Of(const Leaf& leaf, const Specimen&) {
  return kHolds(leaf);
}

bool Has(const Leaf& leaf, absl::string_view oid, bool critical, absl::string_view value) {
  return HasExtension(leaf, oid, critical, value);
}

// Whether it is there as Has says where `wanted`, and absent otherwise.
bool HasWhere(bool wanted, const Leaf& leaf, absl::string_view oid, absl::string_view value) {
  return wanted ? Has(leaf, oid, false, value) : leaf.Find(oid) == nullptr;
}

// GeneralName otherName (RFC 5280 section 4.2.1.6).
std::string OtherName(absl::string_view oid, der::Tag tag, absl::string_view value) {
  return der::Encode(
      der::Constructed(0),
      {EncodeOid(oid), der::Encode(der::Constructed(0), {der::Encode(tag, {value})})});
}

bool AlgorithmIsTheIssuers(const Leaf& leaf, const Specimen& specimen) {
  return leaf.algorithm == SignatureAlgorithm(specimen.issuer.key_type());
}

bool IssuerIsTheSubjectAbove(const Leaf& leaf, const Specimen& specimen) {
  return leaf.issuer == specimen.issuer.subject();
}

// Of the three rules on validity each lets pass what another one catches.
bool ValidityIsTheProfiles(const Leaf& leaf, const Specimen& specimen) {
  const std::optional<Validity> validity = ReadValidity(leaf);
  if (!validity.has_value()) return true;
  return validity->not_after - validity->not_before ==
         specimen.profile.backdate() + specimen.profile.lifetime();
}

bool ValidityIsWithinTheIssuers(const Leaf& leaf, const Specimen& specimen) {
  const std::optional<Validity> validity = ReadValidity(leaf);
  if (!validity.has_value()) return true;
  return validity->not_before >= specimen.issuer.not_before() &&
         validity->not_after <= specimen.issuer.not_after();
}

bool SubjectIsTheCommonName(const Leaf& leaf, const Specimen& specimen) {
  const std::string attribute = der::Encode(
      der::kSequence,
      {EncodeOid(oids::kCommonName), der::Encode(der::kUtf8String, {specimen.fields.common_name})});
  return leaf.subject == der::Encode(der::kSequence, {der::Encode(der::kSet, {attribute})});
}

bool CommonNameFits(const Leaf&, const Specimen& specimen) {
  const std::optional<Utf8Text> text = DecodeUtf8(specimen.fields.common_name);
  return text.has_value() && text->characters >= 1 && text->characters <= kMaxCommonNameCharacters;
}

bool KeyIsTheRequested(const Leaf& leaf, const Specimen& specimen) {
  return !KeyIsWellWritten(leaf) ||
         leaf.subject_public_key_info == specimen.fields.subject_public_key_info;
}

constexpr absl::string_view kLeafExtensions[] = {
    oids::kBasicConstraints,     oids::kKeyUsage,
    oids::kExtendedKeyUsage,     oids::kSubjectAltName,
    oids::kSubjectKeyIdentifier, oids::kAuthorityKeyIdentifier,
    oids::kNoRevAvail,           oids::kSidExtension,
};

bool HasOnlyKnownExtensions(const Leaf& leaf, const Specimen&) {
  return HasOnlyExtensions(leaf, kLeafExtensions);
}

bool BasicConstraintsAreEmpty(const Leaf& leaf, const Specimen&) {
  return Has(leaf, oids::kBasicConstraints, true, absl::string_view("\x30\x00", 2));
}

bool KeyUsageIsDigitalSignature(const Leaf& leaf, const Specimen&) {
  return Has(leaf, oids::kKeyUsage, true, "\x03\x02\x07\x80");
}

bool AlternativeNamesAreTheSubjects(const Leaf& leaf, const Specimen& specimen) {
  std::string names = OtherName(oids::kUpn, der::kUtf8String, specimen.fields.upn);
  if (specimen.profile.sid_uri() && !specimen.fields.sid.empty()) {
    const std::string uri = absl::StrCat("tag:microsoft.com,2022-09-14:sid:", specimen.fields.sid);
    der::Append(der::Primitive(6), uri, &names);
  }
  return Has(leaf, oids::kSubjectAltName, false, der::Encode(der::kSequence, {names}));
}

bool AuthorityKeyIdentifierIsTheIssuers(const Leaf& leaf, const Specimen& specimen) {
  return AuthorityKeyIdentifierIs(leaf, specimen.issuer.key_identifier());
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
    {"version_3", "RFC 5280 section 4.1.2.1", Of<IsVersion3>},
    {"serial_number_positive", "RFC 5280 section 4.1.2.2", Of<SerialIsPositive>},
    {"serial_number_16_octets", "Hourglass leaf profile", Of<SerialHasFixedSize>},
    {"signature_algorithms_equal", "RFC 5280 section 4.1.1.2", Of<AlgorithmsAreEqual>},
    {"signature_algorithm_of_issuer", "RFC 5758 section 3.2, RFC 4055 section 5",
     AlgorithmIsTheIssuers},
    {"issuer_is_subject_above", "RFC 5280 section 4.1.2.4", IssuerIsTheSubjectAbove},
    {"time_encoding", "RFC 5280 section 4.1.2.5", Of<TimesAreWellWritten>},
    {"validity_of_profile", "Hourglass leaf profile", ValidityIsTheProfiles},
    {"validity_within_issuer", "Hourglass leaf profile", ValidityIsWithinTheIssuers},
    {"subject_is_common_name", "RFC 5280 section 4.1.2.6", SubjectIsTheCommonName},
    {"common_name_length", "RFC 5280 appendix A.1 (ub-common-name)", CommonNameFits},
    {"public_key_encoding", "RFC 5480 section 2, RFC 3279 section 2.3.1", Of<KeyIsWellWritten>},
    {"public_key_is_requested", "Hourglass leaf profile", KeyIsTheRequested},
    {"no_unique_identifiers", "RFC 5280 section 4.1.2.8", Of<HasNoUniqueIdentifiers>},
    {"extensions_not_repeated", "RFC 5280 section 4.2", Of<ExtensionsAreNotRepeated>},
    {"critical_default_left_out", "X.690 section 11.5", Of<DefaultsAreNotWritten>},
    {"no_revocation_pointers", "RFC 9608 section 3", Of<PointsToNoRevocation>},
    {"extensions_known", "Hourglass leaf profile", HasOnlyKnownExtensions},
    {"basic_constraints", "RFC 5280 section 4.2.1.9", BasicConstraintsAreEmpty},
    {"key_usage", "RFC 5280 section 4.2.1.3", KeyUsageIsDigitalSignature},
    {"extended_key_usage", "RFC 5280 section 4.2.1.12", Of<PurposesAreTheTwo>},
    {"subject_alternative_name", "RFC 5280 section 4.2.1.6", AlternativeNamesAreTheSubjects},
    {"subject_key_identifier", "RFC 5280 section 4.2.1.2", Of<SubjectKeyIdentifierIsTheHash>},
    {"authority_key_identifier", "RFC 5280 section 4.2.1.1", AuthorityKeyIdentifierIsTheIssuers},
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
