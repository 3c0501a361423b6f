#include "ca/lint/lint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ca/encoding/der.h"
#include "ca/encoding/digest.h"
#include "ca/encoding/oids.h"
#include "ca/testing/certificate_parts.h"
#include "ca/testing/leaf_fixture.h"
#include "tests/support/hex.h"
#include "tests/support/status_matchers.h"

namespace hourglass::ca {
namespace {

class LintTest : public LeafFixture {
 protected:
  std::vector<std::string> Lint(const std::string& certificate) const {
    return Rules(LintLeaf(Specimen(certificate)));
  }
};

using Parts = CertificateParts;
using Break = std::function<void(Parts*)>;

const std::string kTrue = Hex("0101ff");

// At least one way to break each rule; the rule's name comes first.
// NOLINTNEXTLINE(readability-function-size): a table.
const std::vector<std::pair<std::string, Break>>& Breaks() {
  static const auto* const breaks = new std::vector<std::pair<std::string, Break>>{
      {"version_3", [](Parts* p) { p->version = Hex("a003020101"); }},
      {"version_3", [](Parts* p) { p->version.clear(); }},
      {"serial_number_positive", [](Parts* p) { p->serial_number[0] = '\x80'; }},
      {"serial_number_positive", [](Parts* p) { p->serial_number = std::string(1, '\0'); }},
      {"serial_number_16_octets", [](Parts* p) { p->serial_number.pop_back(); }},
      {"serial_number_16_octets", [](Parts* p) { p->serial_number += "12345"; }},
      {"signature_algorithms_equal",
       [](Parts* p) { p->signed_algorithm = Hex("300a06082a8648ce3d040303"); }},
      {"signature_algorithm_of_issuer",
       [](Parts* p) { p->signed_algorithm = p->algorithm = Hex("300c06082a8648ce3d0403020500"); }},
      {"issuer_is_subject_above",
       [](Parts* p) { p->issuer = Utf8Name(oids::kCommonName, "another"); }},
      {"time_encoding",
       [](Parts* p) { p->not_before = der::Encode(der::kGeneralizedTime, {"20261120000000Z"}); }},
      {"time_encoding",
       [](Parts* p) { p->not_after = der::Encode(der::kUtcTime, {"261120010500+0000"}); }},
      {"validity_of_profile",
       [](Parts* p) { p->not_after = der::Encode(der::kUtcTime, {"261120010501Z"}); }},
      {"validity_within_issuer",
       [](Parts* p) {
         p->not_before = der::Encode(der::kUtcTime, {"261119220000Z"});
         p->not_after = der::Encode(der::kUtcTime, {"261119230500Z"});
       }},
      {"validity_within_issuer",
       [](Parts* p) {
         p->not_before = der::Encode(der::kUtcTime, {"261219230000Z"});
         p->not_after = der::Encode(der::kUtcTime, {"261220000500Z"});
       }},
      {"subject_is_common_name", [](Parts* p) { p->subject = Hex("3000"); }},
      {"subject_is_common_name",
       [](Parts* p) { p->subject = Utf8Name(oids::kCommonName, "mallory"); }},
      {"subject_is_common_name",
       [](Parts* p) {
         p->subject = Utf8Name(absl::string_view("\x55\x04\x0a", 3), "alice@contoso.example");
       }},
      {"public_key_encoding", [](Parts* p) { p->key[p->key.size() - 65] = '\x02'; }},
      {"public_key_is_requested", [](Parts* p) { p->key[p->key.size() - 1] ^= 1; }},
      {"no_unique_identifiers", [](Parts* p) { p->unique_identifiers = Hex("81020055"); }},
      {"no_unique_identifiers", [](Parts* p) { p->unique_identifiers = Hex("82020055"); }},
      {"extensions_not_repeated",
       [](Parts* p) { p->extensions.push_back((*p)[oids::kNoRevAvail]); }},
      {"critical_default_left_out",
       [](Parts* p) { (*p)[oids::kNoRevAvail].critical = Hex("010100"); }},
      {"no_revocation_pointers",
       [](Parts* p) {
         p->extensions.push_back({std::string(oids::kCrlDistributionPoints), "", Hex("3000")});
       }},
      {"no_revocation_pointers",
       [](Parts* p) {
         p->extensions.push_back({std::string(oids::kFreshestCrl), "", Hex("3000")});
       }},
      {"no_revocation_pointers",
       [](Parts* p) {
         p->extensions.push_back({std::string(oids::kAuthorityInfoAccess), "", Hex("3000")});
       }},
      {"extensions_known",
       [](Parts* p) {
         p->extensions.push_back({Hex("551d20"), "", Hex("3000")});
       }},
      {"basic_constraints",
       [](Parts* p) { (*p)[oids::kBasicConstraints].value = Hex("30030101ff"); }},
      {"basic_constraints",
       [](Parts* p) { (*p)[oids::kBasicConstraints].value = Hex("3003010100"); }},
      {"basic_constraints", [](Parts* p) { (*p)[oids::kBasicConstraints].critical.clear(); }},
      {"basic_constraints", [](Parts* p) { p->Remove(oids::kBasicConstraints); }},
      {"key_usage", [](Parts* p) { (*p)[oids::kKeyUsage].value = Hex("030205a0"); }},
      {"key_usage", [](Parts* p) { (*p)[oids::kKeyUsage].value = Hex("03020080"); }},
      {"key_usage", [](Parts* p) { (*p)[oids::kKeyUsage].critical.clear(); }},
      {"extended_key_usage",
       [](Parts* p) { (*p)[oids::kExtendedKeyUsage].value = Hex("300a06082b06010505070302"); }},
      {"extended_key_usage", [](Parts* p) { (*p)[oids::kExtendedKeyUsage].critical = kTrue; }},
      {"subject_alternative_name", [](Parts* p) { p->Remove(oids::kSubjectAltName); }},
      {"subject_alternative_name", [](Parts* p) { (*p)[oids::kSubjectAltName].critical = kTrue; }},
      {"subject_alternative_name", [](Parts* p) { (*p)[oids::kSubjectAltName].value.back() ^= 1; }},
      {"subject_key_identifier",
       [](Parts* p) { (*p)[oids::kSubjectKeyIdentifier].value.back() ^= 1; }},
      {"authority_key_identifier",
       [](Parts* p) { (*p)[oids::kAuthorityKeyIdentifier].value.back() ^= 1; }},
      {"authority_key_identifier", [](Parts* p) { p->Remove(oids::kAuthorityKeyIdentifier); }},
      {"no_rev_avail", [](Parts* p) { (*p)[oids::kNoRevAvail].critical = kTrue; }},
      {"no_rev_avail", [](Parts* p) { p->Remove(oids::kNoRevAvail); }},
      {"sid", [](Parts* p) { (*p)[oids::kSidExtension].value.back() ^= 1; }},
      {"sid", [](Parts* p) { p->Remove(oids::kSidExtension); }},
      {"sid", [](Parts* p) { (*p)[oids::kSidExtension].critical = kTrue; }},
  };
  return *breaks;
}

TEST_F(LintTest, TheTemplatesLeafBreaksNothing) {
  EXPECT_THAT(Lint(parts_.Assemble()), testing::IsEmpty());
}

TEST_F(LintTest, EachFaultBreaksItsRuleAndNoOther) {
  for (std::size_t i = 0; i < Breaks().size(); ++i) {
    const auto& [rule, fault] = Breaks()[i];
    CertificateParts parts = parts_;
    fault(&parts);
    if (rule == "public_key_is_requested") {
      parts[oids::kSubjectKeyIdentifier].value = der::Encode(
          der::kOctetString, {Sha1(absl::string_view(parts.key).substr(parts.key.size() - 65))});
    }
    EXPECT_THAT(Lint(parts.Assemble()), testing::ElementsAre(rule)) << "fault " << i;
  }
}

TEST_F(LintTest, ACommonNameOf65CharactersIsTooLong) {
  const std::string name(65, 'n');
  fields_.common_name = name;
  parts_.subject = EncodeCommonName(name);
  EXPECT_THAT(Lint(parts_.Assemble()), testing::ElementsAre("common_name_length"));
}

TEST_F(LintTest, EveryRuleHasAFault) {
  std::set<std::string> broken = {"common_name_length"};
  for (const auto& [rule, fault] : Breaks()) broken.insert(rule);
  for (const LintRule& rule : LeafRules())
    EXPECT_TRUE(broken.count(std::string(rule.name))) << rule.name;
}

TEST_F(LintTest, OctetsThatAreNoCertificate) {
  const std::string certificate = parts_.Assemble();
  EXPECT_THAT(Lint(""), testing::ElementsAre("certificate_is_der"));
  EXPECT_THAT(Lint(certificate + '\0'), testing::ElementsAre("certificate_is_der"));
  EXPECT_THAT(Lint(certificate.substr(1)), testing::ElementsAre("certificate_is_der"));
}

TEST_F(LintTest, WhatTheProfileDoesNotWantMustBeAbsent) {
  profile_ = *LeafProfile::Create({.no_rev_avail = false, .sid_uri = true});
  EXPECT_THAT(Lint(parts_.Assemble()), testing::ElementsAre("no_rev_avail"));
  profile_ = *LeafProfile::Create({.sid_uri = false});
  EXPECT_THAT(Lint(parts_.Assemble()), testing::ElementsAre("subject_alternative_name"));
  fields_.sid = "";
  EXPECT_THAT(Lint(parts_.Assemble()),
              testing::UnorderedElementsAre("subject_alternative_name", "sid"));
}

TEST_F(LintTest, FindingsNameTheirSource) {
  CertificateParts parts = parts_;
  parts.version.clear();
  const std::string certificate = parts.Assemble();
  EXPECT_EQ(FormatFindings(LintLeaf({certificate, root_, profile_, fields_})),
            "version_3 (RFC 5280 section 4.1.2.1)");
}

}  // namespace
}  // namespace hourglass::ca
