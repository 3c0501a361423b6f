#include "issuance/compliance/policy.h"

#include <openssl/sha.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/base/tenant_id.h"
#include "issuance/yaml/document.h"
#include "issuance/yaml/file.h"
#include "issuance/yaml/mapping.h"

namespace hourglass::issuance {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using yaml::Mapping;

constexpr std::size_t kMaxVersionSize = 64;
constexpr std::size_t kMaxUrlSize = 256;
constexpr seconds kMaxAge = hours(24 * 366);

// True where the policy demands that `name` has its one safe value.
bool ReadDemand(Mapping fields, absl::string_view name, bool safe) {
  const auto value = fields.Bool(name);
  if (value.has_value() && *value != safe) {
    fields.Mistake(name, absl::StrCat("must be ", safe ? "true" : "false",
                                      ", or left out so that it is not evaluated"));
  }
  return value.has_value();
}

std::optional<seconds> ReadAge(Mapping fields, absl::string_view name) {
  return fields.Seconds(name, seconds(60), kMaxAge);
}

std::string ReadUrl(Mapping fields) {
  std::string url = fields.String("remediation_url").value_or("");
  if (url.empty()) return url;
  if (!absl::StartsWith(url, "https://") || url.size() == 8 || url.size() > kMaxUrlSize ||
      !std::all_of(url.begin(), url.end(), absl::ascii_isgraph)) {
    fields.Mistake("remediation_url", absl::StrCat("must be an https URL of at most ", kMaxUrlSize,
                                                   " ASCII characters"));
  }
  return url;
}

AntivirusPolicy ReadAntivirus(Mapping fields) {
  AntivirusPolicy policy;
  policy.enabled = ReadDemand(fields, "enabled", true);
  policy.real_time_protection = ReadDemand(fields, "real_time_protection", true);
  policy.max_signature_age = ReadAge(fields, "max_signature_age");
  policy.remediation_url = ReadUrl(fields);
  return policy;
}

AutomaticUpdatePolicy ReadAutomaticUpdate(Mapping fields) {
  AutomaticUpdatePolicy policy;
  policy.enabled = ReadDemand(fields, "enabled", true);
  policy.max_age = ReadAge(fields, "max_age");
  if (const auto text = fields.String("min_os_version"); text.has_value()) {
    policy.min_os_version = ParseOsVersion(*text);
    policy.min_os_version_text = *text;
    if (!policy.min_os_version.has_value()) {
      fields.Mistake("min_os_version", "must be one to four numbers joined by dots");
    }
  }
  policy.remediation_url = ReadUrl(fields);
  return policy;
}

PasswordPolicy ReadPasswordPolicy(Mapping fields) {
  PasswordPolicy policy;
  policy.required = ReadDemand(fields, "required", true);
  policy.min_length = fields.Integer("min_length", 1, 128);
  policy.max_lock_after_minutes = fields.Integer("max_lock_after_minutes", 1, 1440);
  policy.remediation_url = ReadUrl(fields);
  return policy;
}

DiskEncryptionPolicy ReadDiskEncryption(Mapping fields) {
  DiskEncryptionPolicy policy;
  policy.enabled = ReadDemand(fields, "enabled", true);
  policy.remediation_url = ReadUrl(fields);
  return policy;
}

DeviceHealthAttestationPolicy ReadHealth(Mapping fields) {
  DeviceHealthAttestationPolicy policy;
  policy.max_age = ReadAge(fields, "max_age");
  policy.secure_boot = ReadDemand(fields, "secure_boot", true);
  policy.code_integrity = ReadDemand(fields, "code_integrity", true);
  policy.early_launch_antimalware = ReadDemand(fields, "early_launch_antimalware", true);
  policy.no_boot_debugging = ReadDemand(fields, "boot_debugging", false);
  policy.no_kernel_debugging = ReadDemand(fields, "kernel_debugging", false);
  policy.no_test_signing = ReadDemand(fields, "test_signing", false);
  policy.remediation_url = ReadUrl(fields);
  return policy;
}

// The group's fields; a group that is there must evaluate something.
Mapping ReadGroup(Mapping root, absl::string_view name) {
  Mapping fields = root.Optional(name);
  if (fields.HasOnly("remediation_url")) fields.Mistake("", "evaluates nothing");
  return fields;
}

std::string ReadVersion(Mapping root, absl::string_view yaml) {
  const std::string version = root.RequiredString("version");
  if (version.size() > kMaxVersionSize) {
    root.Mistake("version", absl::StrCat("must have at most ", kMaxVersionSize, " octets"));
  }
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(yaml.data()), yaml.size(), digest);
  const std::string digits =
      absl::BytesToHexString({reinterpret_cast<const char*>(digest), sizeof(digest)});
  return absl::StrCat(version, " (sha256:", digits.substr(0, 12), ")");
}

CompliancePolicy ReadPolicy(Mapping root, absl::string_view yaml) {
  CompliancePolicy policy;
  policy.version = ReadVersion(root, yaml);
  policy.report_validity = ReadAge(root, "report_validity").value_or(policy.report_validity);
  policy.remediation_url = ReadUrl(root);
  policy.antivirus = ReadAntivirus(ReadGroup(root, "antivirus"));
  policy.automatic_update = ReadAutomaticUpdate(ReadGroup(root, "automatic_update"));
  policy.password_policy = ReadPasswordPolicy(ReadGroup(root, "password_policy"));
  policy.disk_encryption = ReadDiskEncryption(ReadGroup(root, "disk_encryption"));
  policy.device_health_attestation = ReadHealth(ReadGroup(root, "device_health_attestation"));
  const auto groups = {"antivirus", "automatic_update", "password_policy", "disk_encryption",
                       "device_health_attestation"};
  if (std::none_of(groups.begin(), groups.end(), [&](auto name) { return root.Has(name); })) {
    root.Mistake("", "the policy evaluates nothing");
  }
  return policy;
}

}  // namespace

absl::StatusOr<CompliancePolicy> ParsePolicy(absl::string_view yaml, absl::string_view file_name) {
  yaml::Document document(yaml, file_name);
  CompliancePolicy policy = ReadPolicy(document.Root(), yaml);
  RETURN_IF_ERROR(document.Finish());
  return policy;
}

absl::Status CheckPolicyFiles(absl::string_view directory) {
  std::vector<std::string> mistakes;
  std::error_code failure;
  std::filesystem::directory_iterator files(std::string(directory), failure);
  for (; !failure && files != std::filesystem::directory_iterator(); files.increment(failure)) {
    const std::string path = files->path().native();
    const std::string name = files->path().filename().native();
    absl::string_view tenant_id = name;
    if (!absl::ConsumeSuffix(&tenant_id, ".yaml")) continue;
    if (!IsTenantId(tenant_id)) {
      mistakes.push_back(absl::StrCat(path, ":1: the file's name is no tenant's: ", kTenantIdForm));
    }
    const auto text = yaml::ReadConfigurationFile(path);
    const absl::Status status = text.ok() ? ParsePolicy(*text, path).status() : text.status();
    if (!status.ok()) mistakes.emplace_back(status.message());
  }
  if (failure) mistakes.push_back(absl::StrCat(directory, ":1: ", failure.message()));
  if (mistakes.empty()) return absl::OkStatus();
  std::sort(mistakes.begin(), mistakes.end());
  return Error(ErrorReason::kConfigurationInvalid, "", absl::StrJoin(mistakes, "\n"));
}

}  // namespace hourglass::issuance
