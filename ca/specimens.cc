#include "ca/specimens.h"

#include <openssl/ec.h>
#include <openssl/obj_mac.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ca/certificate/certificate.h"
#include "ca/encoding/der.h"
#include "ca/encoding/digest.h"
#include "ca/encoding/oids.h"
#include "ca/lint/lint.h"
#include "ca/lint/lint_botan.h"
#include "hsm/base/error.h"
#include "hsm/base/openssl.h"
#include "hsm/base/status_macros.h"

namespace hourglass::ca {
namespace {

using EcGroupPtr = OpensslPtr<EC_GROUP, EC_GROUP_free>;

struct KeySpecimen {
  std::string subject_public_key_info;
  std::string key_identifier;
};

struct NameSpecimen {
  std::string common_name;
  std::string upn;
  std::string sid;
};

struct TimeSpecimen {
  Time not_before;
  Time not_after;
};

KeySpecimen MakeKey(absl::string_view oid, absl::string_view parameters, absl::string_view bits) {
  const std::string algorithm =
      der::Encode(der::kSequence, {der::Encode(der::kOid, {oid}), parameters});
  const std::string bit_string = der::Encode(der::kBitString, {absl::string_view("\0", 1), bits});
  return {der::Encode(der::kSequence, {algorithm, bit_string}), Sha1(bits)};
}

// The curve's base point: a public key (of the private key 1) that every parser must accept.
KeySpecimen EcKey(int curve, absl::string_view oid) {
  const EcGroupPtr group(EC_GROUP_new_by_curve_name(curve));
  std::string point(1 + 2 * 48, '\0');
  point.resize(EC_POINT_point2oct(
      group.get(), EC_GROUP_get0_generator(group.get()), POINT_CONVERSION_UNCOMPRESSED,
      reinterpret_cast<unsigned char*>(point.data()), point.size(), nullptr));
  return MakeKey(oids::kEcPublicKey, der::Encode(der::kOid, {oid}), point);
}

// Of the right form and size, which is all that a leaf shows; nobody has the private key.
KeySpecimen RsaKey(std::size_t bits) {
  const std::string modulus = absl::StrCat(std::string(1, '\0'), std::string(bits / 8, '\xc5'));
  const std::string exponent("\x01\x00\x01", 3);
  const std::string numbers = der::Encode(der::kSequence, {der::Encode(der::kInteger, {modulus}),
                                                           der::Encode(der::kInteger, {exponent})});
  return MakeKey(oids::kRsaEncryption, der::Encode(der::kNull, {}), numbers);
}

// From the smallest to the largest.
const std::vector<KeySpecimen>& Keys() {
  static const auto* const keys = new std::vector<KeySpecimen>{
      EcKey(NID_X9_62_prime256v1, oids::kCurveP256), EcKey(NID_secp384r1, oids::kCurveP384),
      RsaKey(2048), RsaKey(3072), RsaKey(4096)};
  return *keys;
}

// Once for all templates: these octets are in every one of them the same.
bool BotanLoadsTheKeys() {
  static const bool loads = std::all_of(Keys().begin(), Keys().end(), [](const KeySpecimen& key) {
    return BotanLoadsKey(key.subject_public_key_info);
  });
  return loads;
}

// A UPN of this many octets.
std::string Upn(std::size_t size) { return absl::StrCat(std::string(size - 2, 'u'), "@c"); }

// The first makes the smallest leaf, the last the largest.
const std::vector<NameSpecimen>& Names() {
  // 64 characters of two octets: the longest UPN that is a common name, and the user id behind one
  // that is not.
  static const auto* const names = [] {
    std::string wide;
    for (int i = 0; i < 62; ++i) wide += "\xc3\xa9";
    const std::string longest_sid = absl::StrCat("S-1-5-21", std::string(101, '7'));
    return new std::vector<NameSpecimen>{
        {"u@c", "u@c", ""},
        {Upn(64), Upn(64), "S-1-5-21-1-2-3-1105"},
        {absl::StrCat(wide, "@c"), absl::StrCat(wide, "@c"), longest_sid},
        {"f81d4fae-7dec-11d0-a765-00a0c91e6bf6", Upn(256), ""},
        {"f81d4fae-7dec-11d0-a765-00a0c91e6bf6", Upn(256), longest_sid},
    };
  }();
  return *names;
}

const std::string& Serial() {
  static const auto* const serial =
      new std::string(SerialFromEntropy(std::string(kSerialSize, '\xff')));
  return *serial;
}

// The first and the last leaf of this issuer, and those around the first second that UTCTime cannot
// write.
absl::StatusOr<std::vector<TimeSpecimen>> Times(const IssuerCertificate& issuer,
                                                const LeafProfile& profile) {
  const std::chrono::seconds length = profile.backdate() + profile.lifetime();
  if (issuer.not_before() > issuer.not_after() - length) {
    return Error(ErrorReason::kRootExpiring, "root.certificate",
                 "its validity is too short for any leaf");
  }
  std::vector<TimeSpecimen> times;
  for (const Time begin :
       {issuer.not_before(), issuer.not_after() - length,
        kFirstGeneralizedTime - std::chrono::seconds(1), kFirstGeneralizedTime}) {
    if (begin >= issuer.not_before() && begin + length <= issuer.not_after()) {
      times.push_back({begin, begin + length});
    }
  }
  return times;
}

LeafFields FieldsOf(const KeySpecimen& key, const NameSpecimen& name, const TimeSpecimen& time) {
  return {Serial(),
          time.not_before,
          time.not_after,
          name.common_name,
          name.upn,
          name.sid,
          key.subject_public_key_info,
          key.key_identifier};
}

// The template of one issuer and profile, and how it is judged.
class TemplateLint {
 public:
  TemplateLint(const CertificateTemplate& leaf, const IssuerCertificate& issuer,
               const LeafProfile& profile)
      : leaf_(leaf), issuer_(issuer), profile_(profile) {}

  absl::Status ByOurRules(const LeafFields& fields) {
    const std::string certificate = Certificate(fields);
    ++judged_.by_our_rules;
    return Judge(LintLeaf({certificate, issuer_, profile_, fields}));
  }

  absl::Status ByOurRulesAndBotan(const LeafFields& fields) {
    const std::string certificate = Certificate(fields);
    const LeafSpecimen specimen{certificate, issuer_, profile_, fields};
    const BotanKey key = BotanLoadsTheKeys() ? BotanKey::kCompare : BotanKey::kLoad;
    std::vector<LintFinding> findings = LintLeaf(specimen);
    for (const LintFinding& finding : LintLeafWithBotan(specimen, key)) {
      findings.push_back(finding);
    }
    ++judged_.by_our_rules;
    ++judged_.by_botan;
    return Judge(findings);
  }

  const JudgedSpecimens& judged() const { return judged_; }

 private:
  std::string Certificate(const LeafFields& fields) const {
    // Eight octets stand where a signature will; a lint does not verify it.
    return AssembleCertificate(leaf_.Fill(fields), issuer_.key_type(), std::string(8, '\0'));
  }

  static absl::Status Judge(const std::vector<LintFinding>& findings) {
    if (findings.empty()) return absl::OkStatus();
    return Error(ErrorReason::kInternalError, "leaf",
                 absl::StrCat("the template breaks ", FormatFindings(findings)));
  }

  const CertificateTemplate& leaf_;
  const IssuerCertificate& issuer_;
  const LeafProfile& profile_;
  JudgedSpecimens judged_;
};

}  // namespace

absl::StatusOr<std::vector<LeafFields>> AllSpecimens(const IssuerCertificate& issuer,
                                                     const LeafProfile& profile) {
  ASSIGN_OR_RETURN(const std::vector<TimeSpecimen> times, Times(issuer, profile));
  std::vector<LeafFields> all;
  for (const KeySpecimen& key : Keys()) {
    for (const NameSpecimen& name : Names()) {
      for (const TimeSpecimen& time : times) all.push_back(FieldsOf(key, name, time));
    }
  }
  return all;
}

absl::StatusOr<std::vector<LeafFields>> CoveringSpecimens(const IssuerCertificate& issuer,
                                                          const LeafProfile& profile) {
  ASSIGN_OR_RETURN(const std::vector<TimeSpecimen> times, Times(issuer, profile));
  std::vector<LeafFields> covering;
  const std::size_t count = std::max({Keys().size(), Names().size(), times.size()});
  for (std::size_t i = 0; i < count; ++i) {
    covering.push_back(
        FieldsOf(Keys()[i % Keys().size()], Names()[i % Names().size()], times[i % times.size()]));
  }
  return covering;
}

absl::StatusOr<JudgedSpecimens> LintTemplate(const CertificateTemplate& leaf,
                                             const IssuerCertificate& issuer,
                                             const LeafProfile& profile) {
  TemplateLint lint(leaf, issuer, profile);
  ASSIGN_OR_RETURN(const std::vector<LeafFields> all, AllSpecimens(issuer, profile));
  ASSIGN_OR_RETURN(const std::vector<LeafFields> covering, CoveringSpecimens(issuer, profile));
  for (const LeafFields& fields : covering) RETURN_IF_ERROR(lint.ByOurRulesAndBotan(fields));
  for (const LeafFields& fields : all) RETURN_IF_ERROR(lint.ByOurRules(fields));
  return lint.judged();
}

}  // namespace hourglass::ca
