// Our reader accepts what OpenSSL's accepts, but for what is refused on purpose; and a leaf for
// what it accepts passes lint.
//
// A mutated request almost never carries a valid signature, so a fuzzer would stop there. The input
// is therefore read twice: as it is, and signed again by a fixed key whose SubjectPublicKeyInfo the
// seeds carry.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/strings/string_view.h"
#include "ca/authority.h"
#include "ca/certificate/certificate.h"
#include "ca/certificate/certificate_template.h"
#include "ca/certificate/profile.h"
#include "ca/encoding/der.h"
#include "ca/issuers/root_certificate.h"
#include "ca/lint/lint.h"
#include "ca/lint/lint_botan.h"
#include "ca/names/name.h"
#include "ca/request/certificate_request.h"
#include "hsm/key/software_key.h"
#include "tests/fuzz/request_readings.h"

namespace hourglass::ca {
namespace {

// The published example key of RFC 6979 appendix A.2.5, P-256.
constexpr char kSeedKey[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgya+p2EW6dRZrXCFX\n"
    "Z7HWk05Qw9s26JsSe4piKxIPZyGhRANCAARg/tS6JVqdMclh63TGNW1owEm4kjth\n"
    "+mzmaWIuYPKftnkD/hAIuLyZpBrp6VYovGTy8bIMLX6fUXejwpTURiKZ\n"
    "-----END PRIVATE KEY-----\n";

constexpr Time kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 20);

[[noreturn]] void Die(const std::string& message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  std::abort();
}

hsm::SigningKey& SeedKey() {
  static const auto key = hsm::SoftwareKeyFromPem(kSeedKey);
  if (!key.ok()) Die(key.status().ToString());
  return **key;
}

const RootCertificate& Root() {
  static const auto root = IssueRoot({.display_name = "Contoso",
                                      .now = kNow,
                                      .duration = std::chrono::days(30),
                                      .serial_entropy = std::string(kSerialSize, 's')},
                                     SeedKey());
  if (!root.ok()) Die(root.status().ToString());
  return *root;
}

void CheckLeaf(const RequestedKey& key) {
  static const LeafProfile profile = *LeafProfile::Create({});
  static const CertificateTemplate compiled = CertificateTemplate::Compile(Root(), profile);
  const std::string serial = SerialFromEntropy(std::string(kSerialSize, '\x5a'));
  const LeafFields fields{
      serial, kNow,           kNow + std::chrono::minutes(65), "u@c",
      "u@c",  "S-1-5-21-1-2", key.subject_public_key_info(),   key.key_identifier()};
  const std::string leaf =
      AssembleCertificate(compiled.Fill(fields), Root().key_type(), std::string(8, '\0'));
  auto findings = LintLeaf({leaf, Root(), profile, fields});
  for (const LintFinding& finding : LintLeafWithBotan({leaf, Root(), profile, fields})) {
    findings.push_back(finding);
  }
  if (!findings.empty()) Die("the leaf breaks " + FormatFindings(findings));
}

void Check(absl::string_view request) {
  CompareReadings(request);
  const auto key = ParseCertificateRequest(request, KeyPolicy());
  if (!key.ok()) return;
  CheckLeaf(*key);
}

// The request with its first part signed by the seeds' key.
std::string Resigned(absl::string_view request) {
  const auto content = der::ReadOnly(request, der::kSequence);
  if (!content.has_value()) return "";
  der::Reader reader(*content);
  const auto info = reader.ReadWhole(der::kSequence);
  if (!info.has_value()) return "";
  const auto signature = SeedKey().Sign(*info);
  if (!signature.ok()) Die(signature.status().ToString());
  return AssembleCertificate(*info, SeedKey().type(), *signature);
}

}  // namespace
}  // namespace hourglass::ca

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const absl::string_view input(reinterpret_cast<const char*>(data), size);
  hourglass::ca::Check(input);
  hourglass::ca::Check(hourglass::ca::Resigned(input));
  return 0;
}
