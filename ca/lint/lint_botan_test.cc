#include "ca/lint/lint_botan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "ca/encoding/der.h"
#include "ca/encoding/digest.h"
#include "ca/encoding/oids.h"
#include "ca/testing/certificate_parts.h"
#include "ca/testing/leaf_fixture.h"

namespace hourglass::ca {
namespace {

using Parts = CertificateParts;
using Break = std::function<void(Parts*)>;
using testing::ElementsAre;

std::string Hex(absl::string_view digits) { return absl::HexStringToBytes(digits); }

class LintBotanTest : public LeafFixture {
 protected:
  std::vector<std::string> LintBotan(const std::string& certificate) const {
    return Rules(LintLeafWithBotan(Specimen(certificate)));
  }
};

TEST_F(LintBotanTest, TheTemplatesLeafBreaksNothing) {
  EXPECT_THAT(LintBotan(parts_.Assemble()), testing::IsEmpty());
}

TEST_F(LintBotanTest, OctetsThatAreNoCertificate) {
  EXPECT_THAT(LintBotan(parts_.Assemble().substr(1)), ElementsAre("botan_parses"));
}

TEST_F(LintBotanTest, WhatTheProfileDoesNotWantMustBeAbsent) {
  profile_ = *LeafProfile::Create({.no_rev_avail = false, .sid_uri = true});
  EXPECT_THAT(LintBotan(parts_.Assemble()), ElementsAre("botan_no_rev_avail"));
  profile_ = *LeafProfile::Create({.sid_uri = false});
  EXPECT_THAT(LintBotan(parts_.Assemble()), ElementsAre("botan_subject_alternative_name"));
}

// Botan's findings for the faults that it can see; it never sees one where there is none.
TEST_F(LintBotanTest, BotanSeesTheSameFaults) {
  const std::vector<std::pair<std::string, Break>> faults = {
      {"botan_version", [](Parts* p) { p->version = Hex("a003020101"); }},
      {"botan_serial_number", [](Parts* p) { p->serial_number.back() ^= 1; }},
      {"botan_not_before",
       [](Parts* p) { p->not_before = der::Encode(der::kUtcTime, {"261120000001Z"}); }},
      {"botan_not_after",
       [](Parts* p) { p->not_after = der::Encode(der::kUtcTime, {"261120010501Z"}); }},
      {"botan_common_name", [](Parts* p) { p->subject = Utf8Name(oids::kCommonName, "mallory"); }},
      {"botan_issuer", [](Parts* p) { p->issuer = Utf8Name(oids::kCommonName, "another"); }},
      {"botan_basic_constraints", [](Parts* p) { (*p)[oids::kBasicConstraints].critical.clear(); }},
      {"botan_key_usage", [](Parts* p) { (*p)[oids::kKeyUsage].value = Hex("030205a0"); }},
      {"botan_extended_key_usage",
       [](Parts* p) { (*p)[oids::kExtendedKeyUsage].value = Hex("300a06082b06010505070302"); }},
      {"botan_subject_alternative_name",
       [](Parts* p) { (*p)[oids::kSubjectAltName].value.back() ^= 1; }},
      {"botan_subject_key_identifier",
       [](Parts* p) { (*p)[oids::kSubjectKeyIdentifier].value.back() ^= 1; }},
      {"botan_authority_key_identifier",
       [](Parts* p) { (*p)[oids::kAuthorityKeyIdentifier].value.back() ^= 1; }},
      {"botan_no_rev_avail", [](Parts* p) { p->Remove(oids::kNoRevAvail); }},
      {"botan_sid", [](Parts* p) { (*p)[oids::kSidExtension].value.back() ^= 1; }},
      {"botan_no_revocation_pointers",
       [](Parts* p) {
         p->extensions.push_back({std::string(oids::kCrlDistributionPoints), "",
                                  Hex("3010300ea00ca00a8608687474703a2f2f61")});
       }},
  };
  for (const auto& [rule, fault] : faults) {
    CertificateParts parts = parts_;
    fault(&parts);
    EXPECT_THAT(LintBotan(parts.Assemble()), testing::ElementsAre(rule));
  }
}

// Both what was asked for and the hash of what is there differ then.
TEST_F(LintBotanTest, BotanSeesAnotherKey) {
  CertificateParts parts = parts_;
  parts.key.back() ^= 1;
  EXPECT_THAT(LintBotan(parts.Assemble()),
              testing::ElementsAre("botan_public_key", "botan_subject_key_identifier"));
}

// A point that is not on the curve is no key, whoever compares it with itself.
TEST_F(LintBotanTest, BotanLoadsTheKeyUnlessToldThatItDidBefore) {
  CertificateParts parts = parts_;
  parts.key.back() ^= 1;
  fields_.subject_public_key_info = parts.key;
  const std::string key_identifier =
      Sha1(absl::string_view(parts.key).substr(parts.key.size() - 65));
  fields_.key_identifier = key_identifier;
  parts[oids::kSubjectKeyIdentifier].value = der::Encode(der::kOctetString, {key_identifier});
  const std::string certificate = parts.Assemble();
  const LeafSpecimen specimen{certificate, root_, profile_, fields_};
  EXPECT_EQ(FormatFindings(LintLeafWithBotan(specimen)), "botan_parses (Botan)");
  EXPECT_EQ(FormatFindings(LintLeafWithBotan(specimen, BotanKey::kCompare)), "");
  EXPECT_FALSE(BotanLoadsKey(parts.key));
  EXPECT_TRUE(BotanLoadsKey(parts_.key));
}

}  // namespace
}  // namespace hourglass::ca
