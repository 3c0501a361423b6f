#include "ca/issuers/intermediate_lint.h"

#include <botan/asn1_obj.h>
#include <botan/pk_keys.h>
#include <botan/pkix_types.h>
#include <botan/x509cert.h>

#include <exception>
#include <optional>

#include "ca/certificate/certificate_rules.h"
#include "ca/encoding/der.h"
#include "ca/encoding/oids.h"
#include "ca/encoding/utf8.h"
#include "ca/lint/botan_reading.h"
#include "ca/lint/lint.h"
#include "ca/names/name.h"

namespace hourglass::ca {
namespace {

using Intermediate = CertificateView;

// A rule of every certificate as one of intermediates.
template <bool (*kHolds)(const CertificateView&)>
bool Of(const Intermediate& intermediate, const RootCertificate&) {
  return kHolds(intermediate);
}

bool AlgorithmIsTheRoots(const Intermediate& intermediate, const RootCertificate& root) {
  return intermediate.algorithm == SignatureAlgorithm(root.key_type());
}

bool IssuerIsTheRoot(const Intermediate& intermediate, const RootCertificate& root) {
  return intermediate.issuer == root.subject();
}

// The text of a Name of one common name, UTF8String.
std::optional<absl::string_view> CommonNameOf(absl::string_view name) {
  const auto relative = der::ReadOnly(name, der::kSequence);
  const auto attribute = relative.has_value() ? der::ReadOnly(*relative, der::kSet) : std::nullopt;
  const auto content =
      attribute.has_value() ? der::ReadOnly(*attribute, der::kSequence) : std::nullopt;
  if (!content.has_value()) return std::nullopt;
  der::Reader reader(*content);
  if (reader.Read(der::kOid) != oids::kCommonName) return std::nullopt;
  const auto text = reader.Read(der::kUtf8String);
  return reader.empty() ? text : std::nullopt;
}

bool SubjectIsACommonName(const Intermediate& intermediate, const RootCertificate&) {
  const auto name = CommonNameOf(intermediate.subject);
  const auto text = name.has_value() ? DecodeUtf8(*name) : std::nullopt;
  return text.has_value() && text->characters >= 1 && text->characters <= kMaxCommonNameCharacters;
}

// A self-issued certificate would not count against the root's pathLenConstraint.
bool SubjectIsNotTheRoots(const Intermediate& intermediate, const RootCertificate& root) {
  return intermediate.subject != root.subject();
}

bool ValidityIsWithinTheRoots(const Intermediate& intermediate, const RootCertificate& root) {
  const std::optional<Validity> validity = ReadValidity(intermediate);
  if (!validity.has_value()) return true;
  return validity->not_before >= root.not_before() && validity->not_after <= root.not_after() &&
         validity->not_before <= validity->not_after;
}

bool KeyIsNotTheRoots(const Intermediate& intermediate, const RootCertificate& root) {
  return intermediate.subject_public_key_info != root.public_key();
}

constexpr absl::string_view kExtensions[] = {
    oids::kBasicConstraints,       oids::kKeyUsage,
    oids::kExtendedKeyUsage,       oids::kSubjectKeyIdentifier,
    oids::kAuthorityKeyIdentifier, oids::kNoRevAvail,
};

bool HasOnlyKnownExtensions(const Intermediate& intermediate, const RootCertificate&) {
  return HasOnlyExtensions(intermediate, kExtensions);
}

bool HasNoNoRevAvail(const Intermediate& intermediate, const RootCertificate&) {
  return intermediate.Find(oids::kNoRevAvail) == nullptr;
}

bool IsCaForLeavesOnly(const Intermediate& intermediate, const RootCertificate&) {
  const std::string yes = der::Encode(der::kBoolean, {absl::string_view("\xff", 1)});
  const std::string zero = der::Encode(der::kInteger, {absl::string_view("\0", 1)});
  return HasExtension(intermediate, oids::kBasicConstraints, true,
                      der::Encode(der::kSequence, {yes, zero}));
}

bool RootAllowsIntermediates(const Intermediate&, const RootCertificate& root) {
  return root.allows_issuing_sub_keys();
}

bool KeyUsageIsKeyCertSign(const Intermediate& intermediate, const RootCertificate&) {
  return HasExtension(intermediate, oids::kKeyUsage, true,
                      der::Encode(der::kBitString, {absl::string_view("\x02\x04", 2)}));
}

bool AuthorityKeyIdentifierIsTheRoots(const Intermediate& intermediate,
                                      const RootCertificate& root) {
  return AuthorityKeyIdentifierIs(intermediate, root.key_identifier());
}

constexpr IntermediateRule kRules[] = {
    {"version_3", "RFC 5280 section 4.1.2.1", Of<IsVersion3>},
    {"serial_number_positive", "RFC 5280 section 4.1.2.2", Of<SerialIsPositive>},
    {"serial_number_16_octets", "Hourglass intermediate profile", Of<SerialHasFixedSize>},
    {"signature_algorithms_equal", "RFC 5280 section 4.1.1.2", Of<AlgorithmsAreEqual>},
    {"signature_algorithm_of_root", "RFC 5758 section 3.2, RFC 4055 section 5",
     AlgorithmIsTheRoots},
    {"issuer_is_root_subject", "RFC 5280 section 4.1.2.4", IssuerIsTheRoot},
    {"subject_is_common_name", "RFC 5280 section 4.1.2.6 and appendix A.1", SubjectIsACommonName},
    {"not_self_issued", "RFC 5280 sections 3.2 and 6.1", SubjectIsNotTheRoots},
    {"time_encoding", "RFC 5280 section 4.1.2.5", Of<TimesAreWellWritten>},
    {"validity_within_root", "Hourglass intermediate profile", ValidityIsWithinTheRoots},
    {"public_key_encoding", "RFC 5480 section 2, RFC 3279 section 2.3.1", Of<KeyIsWellWritten>},
    {"public_key_is_not_roots", "Hourglass intermediate profile", KeyIsNotTheRoots},
    {"no_unique_identifiers", "RFC 5280 section 4.1.2.8", Of<HasNoUniqueIdentifiers>},
    {"extensions_not_repeated", "RFC 5280 section 4.2", Of<ExtensionsAreNotRepeated>},
    {"critical_default_left_out", "X.690 section 11.5", Of<DefaultsAreNotWritten>},
    {"no_revocation_pointers", "Hourglass intermediate profile", Of<PointsToNoRevocation>},
    {"no_rev_avail_absent", "RFC 9608 section 2", HasNoNoRevAvail},
    {"extensions_known", "Hourglass intermediate profile", HasOnlyKnownExtensions},
    {"basic_constraints", "RFC 5280 section 4.2.1.9", IsCaForLeavesOnly},
    {"path_length_of_root", "RFC 5280 sections 4.2.1.9 and 6.1.4", RootAllowsIntermediates},
    {"key_usage", "RFC 5280 section 4.2.1.3", KeyUsageIsKeyCertSign},
    {"extended_key_usage", "RFC 5280 section 4.2.1.12", Of<PurposesAreTheTwo>},
    {"subject_key_identifier", "RFC 5280 section 4.2.1.2", Of<SubjectKeyIdentifierIsTheHash>},
    {"authority_key_identifier", "RFC 5280 section 4.2.1.1", AuthorityKeyIdentifierIsTheRoots},
};

void Compare(const Botan::X509_Certificate& read, const ExpectedIntermediate& expected,
             BotanFindings* findings) {
  findings->Expect(read.x509_version() == 3, "botan_version");
  findings->Expect(Equal(read.serial_number(), expected.serial_number), "botan_serial_number");
  findings->Expect(Equal(read.raw_issuer_dn(), expected.root.subject()), "botan_issuer");
  findings->Expect(HasCommonName(read, expected.common_name), "botan_common_name");
  findings->Expect(Equal(read.not_before(), expected.not_before), "botan_not_before");
  findings->Expect(Equal(read.not_after(), expected.not_after), "botan_not_after");
  findings->Expect(Equal(read.subject_public_key_info(), expected.public_key) &&
                       read.load_subject_public_key() != nullptr,
                   "botan_public_key");
  findings->Expect(
      read.is_CA_cert() && read.path_limit() == 0 && read.is_critical("X509v3.BasicConstraints"),
      "botan_basic_constraints");
  findings->Expect(
      read.constraints() == Botan::KEY_CERT_SIGN && read.is_critical("X509v3.KeyUsage"),
      "botan_key_usage");
  findings->Expect(HasTheTwoPurposes(read) && !read.is_critical("X509v3.ExtendedKeyUsage"),
                   "botan_extended_key_usage");
  findings->Expect(Equal(read.subject_key_id(), expected.key_identifier) &&
                       read.subject_public_key_bitstring_sha1() == read.subject_key_id(),
                   "botan_subject_key_identifier");
  findings->Expect(Equal(read.authority_key_id(), expected.root.key_identifier()),
                   "botan_authority_key_identifier");
  findings->Expect(read.crl_distribution_point().empty() && read.ocsp_responder().empty(),
                   "botan_no_revocation_pointers");
}

}  // namespace

absl::Span<const IntermediateRule> IntermediateRules() { return kRules; }

std::vector<LintFinding> LintIntermediate(absl::string_view certificate,
                                          const RootCertificate& root) {
  const std::optional<CertificateView> view = ReadCertificate(certificate);
  if (!view.has_value()) return {kNotACertificate};
  std::vector<LintFinding> findings;
  for (const IntermediateRule& rule : kRules) {
    if (!rule.holds(*view, root)) findings.push_back({rule.name, rule.source});
  }
  return findings;
}

std::vector<LintFinding> LintIntermediateWithBotan(const ExpectedIntermediate& expected) {
  try {
    const Botan::X509_Certificate read = ReadWithBotan(expected.certificate);
    BotanFindings findings;
    Compare(read, expected, &findings);
    return findings.Take();
  } catch (const std::exception&) {
    return {kBotanRefuses};
  }
}

}  // namespace hourglass::ca
