// What a tenant demands of devices: its policy file.
#ifndef HOURGLASS_ISSUANCE_COMPLIANCE_POLICY_H_
#define HOURGLASS_ISSUANCE_COMPLIANCE_POLICY_H_

#include <chrono>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/base/os_version.h"

namespace hourglass::issuance {

// In each group, what is false or not set is not evaluated. `remediation_url` is an https URL; a
// group that has none takes the policy's.
struct AntivirusPolicy {
  bool enabled = false;
  bool real_time_protection = false;
  std::optional<std::chrono::seconds> max_signature_age;
  std::string remediation_url;
};

struct AutomaticUpdatePolicy {
  bool enabled = false;
  std::optional<std::chrono::seconds> max_age;
  std::optional<OsVersion> min_os_version;
  std::string min_os_version_text;  // as the file has it
  std::string remediation_url;
};

struct PasswordPolicy {
  bool required = false;
  std::optional<int> min_length;              // characters
  std::optional<int> max_lock_after_minutes;  // idle minutes
  std::string remediation_url;
};

struct DiskEncryptionPolicy {
  bool enabled = false;
  std::string remediation_url;
};

// The last three demand that something is off.
struct DeviceHealthAttestationPolicy {
  std::optional<std::chrono::seconds> max_age;
  bool secure_boot = false;
  bool code_integrity = false;
  bool early_launch_antimalware = false;
  bool no_boot_debugging = false;
  bool no_kernel_debugging = false;
  bool no_test_signing = false;
  std::string remediation_url;
};

// A sound policy evaluates at least one setting.
struct CompliancePolicy {
  std::string version;  // `VERSION (sha256:first 12 digits of the file's hash)`
  // An older report is refused whatever it says.
  std::chrono::seconds report_validity = std::chrono::hours(24);
  std::string remediation_url;
  AntivirusPolicy antivirus;
  AutomaticUpdatePolicy automatic_update;
  PasswordPolicy password_policy;
  DiskEncryptionPolicy disk_encryption;
  DeviceHealthAttestationPolicy device_health_attestation;
};

// Parses a policy file, whose fields docs/configuration.md describes. A demand for the unsafe
// (`disk_encryption: {enabled: false}`) is a mistake: who does not want a setting evaluated leaves
// it out. Errors: CONFIGURATION_INVALID, as yaml::Document::Finish. Safe to call from several
// threads.
absl::StatusOr<CompliancePolicy> ParsePolicy(absl::string_view yaml, absl::string_view file_name);

// Parses every file in `directory` whose name ends in `.yaml`; what comes before must be a tenant
// id. Errors: CONFIGURATION_INVALID with the mistakes of all files, one a line.
absl::Status CheckPolicyFiles(absl::string_view directory);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_COMPLIANCE_POLICY_H_
