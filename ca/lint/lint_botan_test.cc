#include "ca/lint/lint_botan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
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
#include "hsm/key/key_type.h"
#include "hsm/key/software_key.h"
#include "tests/support/hex.h"

namespace hourglass::ca {
namespace {

using Parts = CertificateParts;
using Break = std::function<void(Parts*)>;
using testing::ElementsAre;

std::string OtherName(absl::string_view oid, der::Tag tag, absl::string_view text) {
  return der::Encode(der::Constructed(0),
                     {der::Encode(der::kOid, {oid}),
                      der::Encode(der::Constructed(0), {der::Encode(tag, {text})})});
}

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

// The same rules by other faults than above: criticality, what is there beside, and what is there
// unasked.
TEST_F(LintBotanTest, EachRuleLooksAtAllOfItsField) {
  const std::string critical = Hex("0101ff");
  const std::vector<std::pair<std::string, Break>> faults = {
      {"botan_basic_constraints",
       [](Parts* p) { (*p)[oids::kBasicConstraints].value = Hex("30030101ff"); }},
      {"botan_key_usage", [](Parts* p) { (*p)[oids::kKeyUsage].critical.clear(); }},
      {"botan_extended_key_usage",
       [&](Parts* p) { (*p)[oids::kExtendedKeyUsage].critical = critical; }},
      {"botan_extended_key_usage",
       [](Parts* p) {
         (*p)[oids::kExtendedKeyUsage].value = Hex("301406082b0601040182375706082b06010505070302");
       }},
      {"botan_subject_alternative_name",
       [&](Parts* p) { (*p)[oids::kSubjectAltName].critical = critical; }},
      {"botan_subject_key_identifier", [](Parts* p) { p->Remove(oids::kSubjectKeyIdentifier); }},
      {"botan_authority_key_identifier",
       [](Parts* p) { p->Remove(oids::kAuthorityKeyIdentifier); }},
      {"botan_no_rev_avail", [&](Parts* p) { (*p)[oids::kNoRevAvail].critical = critical; }},
      {"botan_sid", [](Parts* p) { p->Remove(oids::kSidExtension); }},
      {"botan_sid", [&](Parts* p) { (*p)[oids::kSidExtension].critical = critical; }},
      {"botan_no_revocation_pointers",
       [](Parts* p) {
         p->extensions.push_back({std::string(oids::kAuthorityInfoAccess), "",
                                  Hex("3016301406082b060105050730018608687474703a2f2f61")});
       }},
  };
  for (std::size_t i = 0; i < faults.size(); ++i) {
    CertificateParts parts = parts_;
    faults[i].second(&parts);
    EXPECT_THAT(LintBotan(parts.Assemble()), ElementsAre(faults[i].first)) << "fault " << i;
  }
}

TEST_F(LintBotanTest, TheAlternativeNamesAreTheUpnAndTheUri) {
  const auto upn = [](absl::string_view text) {
    return OtherName(oids::kUpn, der::kUtf8String, text);
  };
  const std::string name = upn("alice@contoso.example"),
                    uri = der::Encode(der::Primitive(6),
                                      {"tag:microsoft.com,2022-09-14:sid:" + std::string(kSid)});
  const auto lint = [&](const std::string& list) {
    CertificateParts parts = parts_;
    parts[oids::kSubjectAltName].value = der::Encode(der::kSequence, {list});
    return LintBotan(parts.Assemble());
  };
  EXPECT_THAT(lint(name + uri), testing::IsEmpty());
  // Without the URI, with another one, and with a DNS name; and the UPN of another.
  for (const std::string& list :
       {name, name + uri + uri + Hex("860161"), name + uri + Hex("820161"),
        upn("alice@contoso.examplex") + uri}) {
    EXPECT_THAT(lint(list), ElementsAre("botan_subject_alternative_name"))
        << absl::BytesToHexString(list);
  }
}

// Where an extension holds something else altogether, Botan's reader throws, and so does ours.
TEST_F(LintBotanTest, WhatBotanCannotReadIsAFinding) {
  const auto with_sid = [](absl::string_view oid, der::Tag tag) {
    return [=](Parts* p) {
      (*p)[oids::kSidExtension].value = der::Encode(der::kSequence, {OtherName(oid, tag, kSid)});
    };
  };
  CertificateParts same = parts_;
  with_sid(oids::kNtdsObjectSid, der::kOctetString)(&same);
  ASSERT_THAT(LintBotan(same.Assemble()), testing::IsEmpty());
  const std::vector<Break> faults = {
      [](Parts* p) { (*p)[oids::kSubjectAltName].value = Hex("0500"); },
      [](Parts* p) { p->Remove(oids::kSubjectAltName); },
      [](Parts* p) { (*p)[oids::kNoRevAvail].value = Hex("3000"); },
      [](Parts* p) { (*p)[oids::kNoRevAvail].value = Hex("05000500"); },
      [](Parts* p) { (*p)[oids::kSidExtension].value = Hex("3000"); },
      // The SID as an otherName of another type, and as text.
      with_sid(oids::kUpn, der::kOctetString),
      with_sid(oids::kNtdsObjectSid, der::kUtf8String),
      [](Parts* p) { p->key = Hex("3000"); },
  };
  for (std::size_t i = 0; i < faults.size(); ++i) {
    CertificateParts parts = parts_;
    faults[i](&parts);
    EXPECT_THAT(LintBotan(parts.Assemble()), ElementsAre("botan_parses")) << "fault " << i;
  }
}

TEST_F(LintBotanTest, ASidThatNobodyAskedForIsFound) {
  fields_.sid = "";
  EXPECT_THAT(LintBotan(parts_.Assemble()),
              ElementsAre("botan_subject_alternative_name", "botan_sid"));
  profile_ = *LeafProfile::Create({.sid_uri = false});
  EXPECT_THAT(LintBotan(parts_.Assemble()),
              ElementsAre("botan_subject_alternative_name", "botan_sid"));
}

TEST_F(LintBotanTest, KeysAreThoseThatBotanLoads) {
  for (const hsm::KeyType type :
       {hsm::KeyType::kEcP256, hsm::KeyType::kEcP384, hsm::KeyType::kRsa2048}) {
    const std::string key = (*hsm::GenerateSoftwareKey(type))->public_key();
    EXPECT_TRUE(BotanLoadsKey(key));
    for (std::size_t size = 0; size < key.size(); ++size) {
      EXPECT_FALSE(BotanLoadsKey(key.substr(0, size))) << size;
    }
  }
}

// No octet can be another without one of the two lints saying so, the signature alone excepted,
// which a specimen has none of. And none makes them crash.
TEST_F(LintBotanTest, TogetherTheLintsOverlookNoFlippedOctet) {
  const std::string certificate = parts_.Assemble();
  const std::size_t signed_size =
      certificate.size() - ReadCertificate(certificate)->signature.size();
  ASSERT_THAT(LintBotan(certificate), testing::IsEmpty());
  for (std::size_t i = 0; i < certificate.size(); ++i) {
    std::string flipped = certificate;
    flipped[i] = static_cast<char>(flipped[i] ^ (1 << (i % 8)));
    const LeafSpecimen specimen = Specimen(flipped);
    const std::size_t findings =
        LintLeaf(specimen).size() + LintLeafWithBotan(specimen, BotanKey::kCompare).size();
    EXPECT_TRUE(findings > 0 || i >= signed_size) << i;
  }
  for (std::size_t size = 0; size < certificate.size(); ++size) {
    EXPECT_THAT(LintBotan(certificate.substr(0, size)), ElementsAre("botan_parses")) << size;
  }
}

}  // namespace
}  // namespace hourglass::ca
