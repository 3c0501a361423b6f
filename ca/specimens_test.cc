#include "ca/specimens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ca/certificate.h"
#include "ca/root_certificate.h"
#include "hsm/key_type.h"
#include "hsm/software_key.h"
#include "tests/support/status_matchers.h"

namespace hourglass::ca {
namespace {

constexpr Time kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 20);

RootCertificate MakeRoot(hsm::KeyType type, int generation) {
  const auto key = *hsm::GenerateSoftwareKey(type);
  return *IssueRoot({.display_name = "Contoso",
                     .generation = generation,
                     .now = kNow,
                     .duration = std::chrono::days(30),
                     .serial_entropy = std::string(kSerialSize, 's')},
                    *key);
}

class SpecimensTest : public testing::Test {
 protected:
  // Lint of the template of one root and profile against another.
  absl::Status Lint(const RootCertificate& compiled_for, const LeafProfile& compiled_with) {
    return LintTemplate(CertificateTemplate::Compile(compiled_for, compiled_with), root_, profile_);
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

}  // namespace
}  // namespace hourglass::ca
