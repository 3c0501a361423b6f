// A leaf of the template with all that it was made from, to be put out of shape.
#ifndef HOURGLASS_CA_TESTING_LEAF_FIXTURE_H_
#define HOURGLASS_CA_TESTING_LEAF_FIXTURE_H_

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "ca/certificate/certificate.h"
#include "ca/certificate/certificate_template.h"
#include "ca/certificate/profile.h"
#include "ca/encoding/time.h"
#include "ca/issuers/root_certificate.h"
#include "ca/lint/lint.h"
#include "ca/testing/certificate_parts.h"
#include "hsm/key/software_key.h"

namespace hourglass::ca {

class LeafFixture : public testing::Test {
 protected:
  static constexpr Time kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 20);
  static constexpr char kSid[] = "S-1-5-21-1-2-3-1105";

  LeafFixture()
      : key_(*hsm::GenerateSoftwareKey(hsm::KeyType::kEcP256)),
        root_(*IssueRoot({.display_name = "Contoso",
                          .now = kNow,
                          .duration = std::chrono::days(30),
                          .serial_entropy = std::string(kSerialSize, 's')},
                         *key_)),
        profile_(*LeafProfile::Create({.sid_uri = true})),
        serial_(SerialFromEntropy(std::string(kSerialSize, '\xee'))),
        fields_{serial_,
                kNow,
                kNow + std::chrono::minutes(65),
                "alice@contoso.example",
                "alice@contoso.example",
                kSid,
                root_.public_key(),
                root_.key_identifier()},
        parts_(TakeApart(
            AssembleCertificate(CertificateTemplate::Compile(root_, profile_).Fill(fields_),
                                root_.key_type(), "\xab"))) {}

  static std::vector<std::string> Rules(const std::vector<LintFinding>& findings) {
    std::vector<std::string> rules;
    for (const LintFinding& finding : findings) rules.emplace_back(finding.rule);
    return rules;
  }

  LeafSpecimen Specimen(const std::string& certificate) const {
    return {certificate, root_, profile_, fields_};
  }

  std::unique_ptr<hsm::SigningKey> key_;
  RootCertificate root_;
  LeafProfile profile_;
  std::string serial_;
  LeafFields fields_;
  CertificateParts parts_;
};

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_TESTING_LEAF_FIXTURE_H_
