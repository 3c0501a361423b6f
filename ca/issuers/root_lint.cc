#include "ca/issuers/root_lint.h"

#include <botan/pk_keys.h>
#include <botan/x509cert.h>

#include <exception>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ca/lint/botan_reading.h"
#include "ca/lint/lint_finding.h"
#include "hsm/base/error.h"

namespace hourglass::ca {
namespace {

void CompareRoot(const Botan::X509_Certificate& root, const ExpectedRoot& expected,
                 BotanFindings* findings) {
  findings->Expect(root.x509_version() == 3, "botan_version");
  findings->Expect(HasCommonName(root, expected.common_name), "botan_common_name");
  findings->Expect(Equal(root.not_before(), expected.not_before), "botan_not_before");
  findings->Expect(Equal(root.not_after(), expected.not_after), "botan_not_after");
  findings->Expect(root.is_CA_cert() && root.path_limit() == expected.path_length,
                   "botan_basic_constraints");
  findings->Expect(root.constraints() == Botan::KEY_CERT_SIGN, "botan_key_usage");
  findings->Expect(Equal(root.subject_key_id(), expected.key_identifier),
                   "botan_subject_key_identifier");
  findings->Expect(root.is_self_signed(), "botan_self_signed");
  findings->Expect(root.check_signature(*root.load_subject_public_key()), "botan_signature");
}

}  // namespace

absl::Status CheckRootWithBotan(const ExpectedRoot& expected) {
  std::vector<LintFinding> broken;
  try {
    const Botan::X509_Certificate root = ReadWithBotan(expected.certificate);
    BotanFindings findings;
    CompareRoot(root, expected, &findings);
    broken = findings.Take();
  } catch (const std::exception&) {
    broken = {kBotanRefuses};
  }
  if (broken.empty()) return absl::OkStatus();
  return Error(ErrorReason::kInternalError, "root.certificate",
               absl::StrCat("breaks ", FormatFindings(broken)));
}

}  // namespace hourglass::ca
