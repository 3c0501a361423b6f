#include "ca/issuers/intermediate_lint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ca/encoding/digest.h"
#include "ca/encoding/oids.h"
#include "ca/issuers/intermediate_certificate.h"
#include "ca/testing/certificate_parts.h"
#include "hsm/key/key_type.h"
#include "hsm/key/software_key.h"
#include "tests/support/hex.h"
#include "tests/support/status_matchers.h"

namespace hourglass::ca {
namespace {

using Parts = CertificateParts;
using Break = std::function<void(Parts*)>;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr Time kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 20);

const std::string kTrue = Hex("0101ff");

std::vector<std::string> Rules(const std::vector<LintFinding>& findings) {
  std::vector<std::string> rules;
  for (const LintFinding& finding : findings) rules.emplace_back(finding.rule);
  return rules;
}

RootCertificate MakeRoot(hsm::SigningKey& key, bool issuing_sub_keys) {
  return *IssueRoot({.display_name = "Contoso",
                     .now = kNow,
                     .duration = std::chrono::days(30),
                     .serial_entropy = std::string(kSerialSize, 's'),
                     .issuing_sub_keys = issuing_sub_keys},
                    key);
}

class IntermediateLintTest : public testing::Test {
 protected:
  IntermediateLintTest()
      : tbs_(*PrepareIntermediate({.display_name = "Contoso",
                                   .now = kNow,
                                   .lifetime = std::chrono::hours(24),
                                   .serial_entropy = std::string(kSerialSize, '\xee')},
                                  root_, key_->public_key())),
        parts_(TakeApart(AssembleCertificate(tbs_.der(), root_.key_type(), "\xab"))) {}

  std::vector<std::string> Lint(const Parts& parts) {
    return Rules(LintIntermediate(parts.Assemble(), root_));
  }

  std::vector<std::string> LintBotan(const Parts& parts) {
    const std::string certificate = parts.Assemble();
    return Rules(LintIntermediateWithBotan(
        {certificate, root_, "Contoso VPN issuing CA gen 1 6eeeeeeeeeeeeeee", tbs_.serial_number(),
         tbs_.not_before(), tbs_.not_after(), key_->public_key(),
         *KeyIdentifierOf(key_->public_key())}));
  }

  std::unique_ptr<hsm::SigningKey> root_key_ = *hsm::GenerateSoftwareKey(hsm::KeyType::kEcP256);
  std::unique_ptr<hsm::SigningKey> key_ = *hsm::GenerateSoftwareKey(hsm::KeyType::kEcP256);
  RootCertificate root_ = MakeRoot(*root_key_, /*issuing_sub_keys=*/true);
  TbsIntermediate tbs_;
  Parts parts_;
};

void Add(Parts* parts, absl::string_view oid) {
  parts->extensions.push_back({std::string(oid), "", Hex("3000")});
}

// At least one way to break each rule; the rule's name comes first.
// NOLINTNEXTLINE(readability-function-size): a table.
const std::vector<std::pair<std::string, Break>>& Breaks() {
  static const auto* const breaks = new std::vector<std::pair<std::string, Break>>{
      {"version_3", [](Parts* p) { p->version = Hex("a003020101"); }},
      {"serial_number_positive", [](Parts* p) { p->serial_number[0] = '\x80'; }},
      {"serial_number_positive", [](Parts* p) { p->serial_number = std::string(1, '\0'); }},
      {"serial_number_16_octets", [](Parts* p) { p->serial_number.pop_back(); }},
      {"signature_algorithms_equal",
       [](Parts* p) { p->signed_algorithm = Hex("300a06082a8648ce3d040303"); }},
      {"signature_algorithm_of_root",
       [](Parts* p) { p->signed_algorithm = p->algorithm = Hex("300a06082a8648ce3d040303"); }},
      {"issuer_is_root_subject",
       [](Parts* p) { p->issuer = Utf8Name(oids::kCommonName, "another"); }},
      {"subject_is_common_name", [](Parts* p) { p->subject = Hex("3000"); }},
      {"subject_is_common_name", [](Parts* p) { p->subject = Utf8Name(oids::kCommonName, ""); }},
      {"subject_is_common_name",
       [](Parts* p) { p->subject = Utf8Name(oids::kCommonName, std::string(65, 'n')); }},
      {"subject_is_common_name",
       [](Parts* p) { p->subject = Utf8Name(absl::string_view("\x55\x04\x0a", 3), "Contoso"); }},
      {"not_self_issued", [](Parts* p) { p->subject = p->issuer; }},
      {"time_encoding",
       [](Parts* p) { p->not_before = der::Encode(der::kGeneralizedTime, {"20261120000000Z"}); }},
      {"time_encoding",
       [](Parts* p) { p->not_after = der::Encode(der::kUtcTime, {"261121000000+0000"}); }},
      {"validity_within_root",
       [](Parts* p) { p->not_before = der::Encode(der::kUtcTime, {"261119225959Z"}); }},
      {"validity_within_root",
       [](Parts* p) { p->not_after = der::Encode(der::kUtcTime, {"261220000001Z"}); }},
      {"validity_within_root", [](Parts* p) { std::swap(p->not_before, p->not_after); }},
      {"public_key_encoding", [](Parts* p) { p->key[p->key.size() - 65] = '\x02'; }},
      {"no_unique_identifiers", [](Parts* p) { p->unique_identifiers = Hex("81020055"); }},
      {"extensions_not_repeated",
       [](Parts* p) { p->extensions.push_back((*p)[oids::kAuthorityKeyIdentifier]); }},
      {"critical_default_left_out",
       [](Parts* p) { (*p)[oids::kAuthorityKeyIdentifier].critical = Hex("010100"); }},
      {"no_revocation_pointers", [](Parts* p) { Add(p, oids::kCrlDistributionPoints); }},
      {"no_revocation_pointers", [](Parts* p) { Add(p, oids::kFreshestCrl); }},
      {"no_revocation_pointers", [](Parts* p) { Add(p, oids::kAuthorityInfoAccess); }},
      {"no_rev_avail_absent", [](Parts* p) { Add(p, oids::kNoRevAvail); }},
      {"extensions_known", [](Parts* p) { Add(p, Hex("551d20")); }},
      {"extensions_known", [](Parts* p) { Add(p, oids::kSubjectAltName); }},
      {"basic_constraints",
       [](Parts* p) { (*p)[oids::kBasicConstraints].value = Hex("30030101ff"); }},
      {"basic_constraints",
       [](Parts* p) { (*p)[oids::kBasicConstraints].value = Hex("30060101ff020101"); }},
      {"basic_constraints", [](Parts* p) { (*p)[oids::kBasicConstraints].value = Hex("3000"); }},
      {"basic_constraints", [](Parts* p) { (*p)[oids::kBasicConstraints].critical.clear(); }},
      {"basic_constraints", [](Parts* p) { p->Remove(oids::kBasicConstraints); }},
      {"key_usage", [](Parts* p) { (*p)[oids::kKeyUsage].value = Hex("03020106"); }},
      {"key_usage", [](Parts* p) { (*p)[oids::kKeyUsage].value = Hex("03020284"); }},
      {"key_usage", [](Parts* p) { (*p)[oids::kKeyUsage].critical.clear(); }},
      {"extended_key_usage",
       [](Parts* p) { (*p)[oids::kExtendedKeyUsage].value = Hex("300a06082b06010505070302"); }},
      {"extended_key_usage",
       [](Parts* p) { (*p)[oids::kExtendedKeyUsage].value = Hex("300606042a551d2500"); }},
      {"extended_key_usage", [](Parts* p) { (*p)[oids::kExtendedKeyUsage].critical = kTrue; }},
      {"extended_key_usage", [](Parts* p) { p->Remove(oids::kExtendedKeyUsage); }},
      {"subject_key_identifier",
       [](Parts* p) { (*p)[oids::kSubjectKeyIdentifier].value.back() ^= 1; }},
      {"authority_key_identifier",
       [](Parts* p) { (*p)[oids::kAuthorityKeyIdentifier].value.back() ^= 1; }},
      {"authority_key_identifier", [](Parts* p) { p->Remove(oids::kAuthorityKeyIdentifier); }},
  };
  return *breaks;
}

TEST_F(IntermediateLintTest, WhatIsPreparedBreaksNothing) {
  EXPECT_THAT(Lint(parts_), IsEmpty());
  EXPECT_THAT(LintBotan(parts_), IsEmpty());
}

TEST_F(IntermediateLintTest, EachFaultBreaksItsRuleAndNoOther) {
  for (std::size_t i = 0; i < Breaks().size(); ++i) {
    const auto& [rule, fault] = Breaks()[i];
    Parts parts = parts_;
    fault(&parts);
    EXPECT_THAT(Lint(parts), ElementsAre(rule)) << "fault " << i;
  }
}

TEST_F(IntermediateLintTest, TheRootsOwnKeyIsNotForLeaves) {
  Parts parts = parts_;
  parts.key = root_.public_key();
  parts[oids::kSubjectKeyIdentifier].value =
      der::Encode(der::kOctetString, {root_.key_identifier()});
  EXPECT_THAT(Lint(parts), ElementsAre("public_key_is_not_roots"));
}

TEST_F(IntermediateLintTest, ARootWithPathLengthZeroHasNone) {
  EXPECT_THAT(
      Rules(LintIntermediate(parts_.Assemble(), MakeRoot(*root_key_, /*issuing_sub_keys=*/false))),
      ElementsAre("path_length_of_root"));
}

TEST_F(IntermediateLintTest, EveryRuleHasAFault) {
  std::set<std::string> broken = {"public_key_is_not_roots", "path_length_of_root"};
  for (const auto& [rule, fault] : Breaks()) broken.insert(rule);
  for (const IntermediateRule& rule : IntermediateRules()) {
    EXPECT_TRUE(broken.count(std::string(rule.name))) << rule.name;
  }
}

TEST_F(IntermediateLintTest, OctetsThatAreNoCertificate) {
  EXPECT_THAT(Rules(LintIntermediate("", root_)), ElementsAre("certificate_is_der"));
  EXPECT_THAT(Rules(LintIntermediate(parts_.Assemble() + '\0', root_)),
              ElementsAre("certificate_is_der"));
}

// Botan's findings for the faults that it can see; it never sees one where there is none.
TEST_F(IntermediateLintTest, BotanSeesTheSameFaults) {
  const std::vector<std::pair<std::string, Break>> faults = {
      {"botan_version", [](Parts* p) { p->version = Hex("a003020101"); }},
      {"botan_serial_number", [](Parts* p) { p->serial_number.back() ^= 1; }},
      {"botan_issuer", [](Parts* p) { p->issuer = Utf8Name(oids::kCommonName, "another"); }},
      {"botan_common_name", [](Parts* p) { p->subject = Utf8Name(oids::kCommonName, "another"); }},
      {"botan_not_before",
       [](Parts* p) { p->not_before = der::Encode(der::kUtcTime, {"261120000001Z"}); }},
      {"botan_not_after",
       [](Parts* p) { p->not_after = der::Encode(der::kUtcTime, {"261121000001Z"}); }},
      {"botan_basic_constraints",
       [](Parts* p) { (*p)[oids::kBasicConstraints].value = Hex("30060101ff020101"); }},
      {"botan_basic_constraints", [](Parts* p) { (*p)[oids::kBasicConstraints].critical.clear(); }},
      {"botan_key_usage", [](Parts* p) { (*p)[oids::kKeyUsage].value = Hex("03020106"); }},
      {"botan_extended_key_usage",
       [](Parts* p) { (*p)[oids::kExtendedKeyUsage].value = Hex("300a06082b06010505070302"); }},
      {"botan_subject_key_identifier",
       [](Parts* p) { (*p)[oids::kSubjectKeyIdentifier].value.back() ^= 1; }},
      {"botan_authority_key_identifier",
       [](Parts* p) { (*p)[oids::kAuthorityKeyIdentifier].value.back() ^= 1; }},
      {"botan_no_revocation_pointers",
       [](Parts* p) {
         p->extensions.push_back({std::string(oids::kCrlDistributionPoints), "",
                                  Hex("3010300ea00ca00a8608687474703a2f2f61")});
       }},
  };
  for (const auto& [rule, fault] : faults) {
    Parts parts = parts_;
    fault(&parts);
    EXPECT_THAT(LintBotan(parts), ElementsAre(rule));
  }
  Parts parts = parts_;
  parts.key.back() ^= 1;
  EXPECT_THAT(LintBotan(parts), ElementsAre("botan_public_key", "botan_subject_key_identifier"));
}

TEST_F(IntermediateLintTest, FindingsNameTheirSource) {
  Parts parts = parts_;
  Add(&parts, oids::kNoRevAvail);
  EXPECT_EQ(FormatFindings(LintIntermediate(parts.Assemble(), root_)),
            "no_rev_avail_absent (RFC 9608 section 2)");
}

}  // namespace
}  // namespace hourglass::ca
