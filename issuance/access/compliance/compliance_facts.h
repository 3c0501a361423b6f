// What is known of a device's state. Nullopt: not known, which no setting accepts.
#ifndef HOURGLASS_ISSUANCE_ACCESS_COMPLIANCE_COMPLIANCE_FACTS_H_
#define HOURGLASS_ISSUANCE_ACCESS_COMPLIANCE_COMPLIANCE_FACTS_H_

#include <optional>
#include <string>

#include "issuance/access/terms.h"
#include "issuance/base/clock.h"

namespace hourglass::access {

using issuance::Timestamp;

// Of the report of the Device Health Attestation service, version 3, at the last start.
struct HealthFacts {
  std::optional<bool> attestation_key;  // AIKPresent
  std::optional<bool> dep;              // DEPPolicy; dataExcutionPolicy of Graph
  std::optional<bool> bitlocker;        // BitlockerStatus
  std::optional<bool> secure_boot;
  std::optional<bool> code_integrity;
  std::optional<bool> boot_debugging;
  std::optional<bool> kernel_debugging;
  std::optional<bool> test_signing;
  std::optional<bool> safe_mode;
  std::optional<bool> win_pe;
  std::optional<bool> elam_driver;
  std::optional<bool> vsm;
};

// The rules that the device enforces for passwords, and whether one is set.
struct PasswordFacts {
  std::optional<bool> set;
  std::optional<bool> simple_blocked;
  std::optional<bool> asked_from_idle;
  std::optional<int> minimum_length;
  std::optional<int> character_sets;
  std::optional<int> expires_after_days;   // 0: never
  std::optional<int> locks_after_minutes;  // of inactivity; 0: never
  std::optional<int> previous_blocked;
  std::optional<PasswordType> type;  // kNumeric or kAlphanumeric
};

struct ComplianceFacts {
  std::optional<Timestamp> reported_at;
  std::optional<Timestamp> noncompliant_since;  // when it was first found so, without a break
  std::optional<Platform> platform;
  std::optional<std::string> os_version;
  std::optional<std::string> os_build;        // Apple: `21A559`
  std::optional<std::string> security_patch;  // Android: `2026-11-01`
  HealthFacts health;
  PasswordFacts password;
  std::optional<bool> storage_encrypted;
  std::optional<bool> firewall;
  std::optional<bool> firewall_blocks_incoming;
  std::optional<bool> firewall_stealth;
  std::optional<bool> tpm;
  std::optional<bool> antivirus;
  std::optional<bool> antispyware;
  std::optional<bool> defender;
  std::optional<std::string> defender_version;
  std::optional<bool> signatures_current;
  std::optional<bool> real_time_protection;
  std::optional<bool> memory_integrity;
  std::optional<bool> kernel_dma_protection;
  std::optional<bool> virtualization_based_security;
  std::optional<bool> firmware_protection;
  std::optional<bool> configuration_manager_compliant;
  std::optional<bool> system_integrity_protection;
  std::optional<bool> managed_email_profile;
  std::optional<bool> jailbroken;
  std::optional<bool> usb_debugging;
  std::optional<bool> unknown_sources;
  std::optional<bool> verifies_apps;
  std::optional<ThreatLevel> threat;  // kSecured to kHigh
};

}  // namespace hourglass::access

#endif  // HOURGLASS_ISSUANCE_ACCESS_COMPLIANCE_COMPLIANCE_FACTS_H_
