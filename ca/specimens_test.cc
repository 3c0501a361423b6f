#include "ca/specimens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ca/certificate/certificate.h"
#include "ca/encoding/der.h"
#include "ca/issuers/root_certificate.h"
#include "ca/lint/lint_botan.h"
#include "hsm/key/key_type.h"
#include "hsm/key/software_key.h"
#include "tests/support/status_matchers.h"

namespace hourglass::ca {
namespace {

constexpr Time kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 20);

RootCertificate MakeRoot(hsm::KeyType type, int generation,
                         std::chrono::seconds duration = std::chrono::days(30)) {
  const auto key = *hsm::GenerateSoftwareKey(type);
  return *IssueRoot({.display_name = "Contoso",
                     .generation = generation,
                     .now = kNow,
                     .duration = duration,
                     .serial_entropy = std::string(kSerialSize, 's')},
                    *key);
}

// Past the turn to GeneralizedTime, so that there are all four times.
RootCertificate MakeLongRoot(hsm::KeyType type) {
  return MakeRoot(type, 1, std::chrono::days(30 * 365));
}

std::string KeyOf(const LeafFields& fields) { return std::string(fields.subject_public_key_info); }
std::string NamesOf(const LeafFields& fields) {
  return absl::StrCat(fields.common_name, "/", fields.upn, "/", fields.sid);
}
std::string TimesOf(const LeafFields& fields) {
  return absl::StrCat(FormatTime(fields.not_before), "/", FormatTime(fields.not_after));
}

std::set<std::string> Each(const std::vector<LeafFields>& specimens,
                           std::string (*aspect)(const LeafFields&)) {
  std::set<std::string> values;
  for (const LeafFields& fields : specimens) values.insert(aspect(fields));
  return values;
}

// Adds, for every element of `octets` and of the extensions' values, where it stands and how many
// octets its identifier and length take.
void CollectLengthForms(absl::string_view octets, const std::string& place,
                        std::set<std::string>* forms) {
  der::Reader reader(octets);
  for (int i = 0; !reader.empty(); ++i) {
    const std::optional<der::Element> element = reader.ReadAny();
    ASSERT_TRUE(element.has_value()) << place;
    const std::string here = absl::StrCat(place, "/", i);
    forms->insert(absl::StrCat(here, " ", element->whole.size() - element->content.size()));
    const bool holds_value =
        element->tag == der::kOctetString && der::IsWellFormed(element->content);
    if ((element->tag & 0x20) != 0 || holds_value) {
      CollectLengthForms(element->content, here, forms);
    }
  }
}

std::set<std::string> LengthForms(const RootCertificate& root, const LeafProfile& profile,
                                  const std::vector<LeafFields>& specimens) {
  const CertificateTemplate leaf = CertificateTemplate::Compile(root, profile);
  std::set<std::string> forms;
  for (const LeafFields& fields : specimens) CollectLengthForms(leaf.Fill(fields), "", &forms);
  return forms;
}

std::vector<LeafProfile> Profiles() {
  return {*LeafProfile::Create({}), *LeafProfile::Create({.no_rev_avail = false}),
          *LeafProfile::Create({.sid_uri = true}),
          *LeafProfile::Create({.no_rev_avail = false, .sid_uri = true})};
}

class SpecimensTest : public testing::Test {
 protected:
  // Lint of the template of one root and profile against another.
  absl::Status Lint(const RootCertificate& compiled_for, const LeafProfile& compiled_with) {
    return LintTemplate(CertificateTemplate::Compile(compiled_for, compiled_with), root_, profile_)
        .status();
  }

  RootCertificate root_ = MakeRoot(hsm::KeyType::kEcP256, 1);
  LeafProfile profile_ = *LeafProfile::Create({});
};

TEST_F(SpecimensTest, AcceptsTheTemplateOfThisRoot) { EXPECT_OK(Lint(root_, profile_)); }

TEST_F(SpecimensTest, RefusesTheTemplateOfAnotherRoot) {
  const absl::Status same_name = Lint(MakeRoot(hsm::KeyType::kEcP256, 1), profile_);
  EXPECT_THAT(same_name, FailsWith(ErrorReason::kInternalError, "leaf"));
  EXPECT_EQ(std::string(same_name.message()),
            "leaf: the template breaks authority_key_identifier (RFC 5280 section 4.2.1.1), "
            "botan_authority_key_identifier (Botan)");
  EXPECT_THAT(std::string(Lint(MakeRoot(hsm::KeyType::kEcP256, 2), profile_).message()),
              testing::HasSubstr("issuer_is_subject_above (RFC 5280 section 4.1.2.4)"));
  EXPECT_THAT(std::string(Lint(MakeRoot(hsm::KeyType::kEcP384, 1), profile_).message()),
              testing::HasSubstr("signature_algorithms_equal (RFC 5280 section 4.1.1.2)"));
}

TEST_F(SpecimensTest, RefusesTheTemplateOfAnotherProfile) {
  EXPECT_THAT(Lint(root_, *LeafProfile::Create({.no_rev_avail = false})),
              FailsWith(ErrorReason::kInternalError, "leaf"));
  EXPECT_THAT(Lint(root_, *LeafProfile::Create({.sid_uri = true})),
              FailsWith(ErrorReason::kInternalError, "leaf"));
}

TEST_F(SpecimensTest, EveryCombinationIsThere) {
  const RootCertificate root = MakeLongRoot(hsm::KeyType::kEcP256);
  ASSERT_OK_AND_ASSIGN(const std::vector<LeafFields> all, AllSpecimens(root, profile_));
  EXPECT_EQ(Each(all, KeyOf).size(), 5u);
  EXPECT_EQ(Each(all, NamesOf).size(), 5u);
  EXPECT_EQ(Each(all, TimesOf).size(), 4u);
  EXPECT_EQ(all.size(), 5u * 5u * 4u);
  ASSERT_OK_AND_ASSIGN(const std::vector<LeafFields> of_a_month, AllSpecimens(root_, profile_));
  EXPECT_EQ(of_a_month.size(), 5u * 5u * 2u);
}

// What docs/decisions/0011 rests on.
TEST_F(SpecimensTest, AFewCoverEveryKeyNameAndTimeAndEveryLengthForm) {
  const RootCertificate root = MakeLongRoot(hsm::KeyType::kEcP256);
  for (const LeafProfile& profile : Profiles()) {
    ASSERT_OK_AND_ASSIGN(const std::vector<LeafFields> all, AllSpecimens(root, profile));
    ASSERT_OK_AND_ASSIGN(const std::vector<LeafFields> few, CoveringSpecimens(root, profile));
    EXPECT_EQ(few.size(), 5u);
    EXPECT_EQ(Each(few, KeyOf), Each(all, KeyOf));
    EXPECT_EQ(Each(few, NamesOf), Each(all, NamesOf));
    EXPECT_EQ(Each(few, TimesOf), Each(all, TimesOf));
    EXPECT_EQ(LengthForms(root, profile, few), LengthForms(root, profile, all));
  }
}

TEST_F(SpecimensTest, OurRulesJudgeEveryCombinationAndBotanAFew) {
  const RootCertificate root = MakeLongRoot(hsm::KeyType::kEcP256);
  for (int times = 0; times < 2; ++times) {
    ASSERT_OK_AND_ASSIGN(
        const JudgedSpecimens judged,
        LintTemplate(CertificateTemplate::Compile(root, profile_), root, profile_));
    EXPECT_EQ(judged.by_our_rules, 100 + 5);
    EXPECT_EQ(judged.by_botan, 5);
  }
}

TEST_F(SpecimensTest, LengthFormsTellSpecimensApart) {
  ASSERT_OK_AND_ASSIGN(std::vector<LeafFields> few, CoveringSpecimens(root_, profile_));
  const std::set<std::string> forms = LengthForms(root_, profile_, few);
  few.resize(1);
  EXPECT_NE(LengthForms(root_, profile_, few), forms);
}

// The code of the template is the same in every process, so that what it makes of all combinations
// needs to be put before Botan once, here.
TEST_F(SpecimensTest, BotanAgreesWithEveryCombination) {
  for (const hsm::KeyType type :
       {hsm::KeyType::kEcP256, hsm::KeyType::kEcP384, hsm::KeyType::kRsa2048}) {
    const RootCertificate root = MakeLongRoot(type);
    for (const LeafProfile& profile : Profiles()) {
      const CertificateTemplate leaf = CertificateTemplate::Compile(root, profile);
      ASSERT_OK_AND_ASSIGN(const std::vector<LeafFields> all, AllSpecimens(root, profile));
      for (const LeafFields& fields : all) {
        const std::string certificate =
            AssembleCertificate(leaf.Fill(fields), type, std::string(8, '\0'));
        EXPECT_EQ(FormatFindings(
                      LintLeafWithBotan({certificate, root, profile, fields}, BotanKey::kCompare)),
                  "");
      }
    }
  }
}

TEST_F(SpecimensTest, BotanLoadsEveryKey) {
  ASSERT_OK_AND_ASSIGN(const std::vector<LeafFields> few, CoveringSpecimens(root_, profile_));
  for (const LeafFields& fields : few) {
    EXPECT_TRUE(BotanLoadsKey(fields.subject_public_key_info));
    std::string cut(fields.subject_public_key_info);
    cut.pop_back();
    EXPECT_FALSE(BotanLoadsKey(cut));
  }
}

}  // namespace
}  // namespace hourglass::ca
