#include "absl/strings/match.h"
#include "issuance/access/compliance/settings.h"

namespace hourglass::access {
namespace {

using Form = SettingForm;

// clang-format off: a row a line.
#define FACT_(type, member) \
  static_cast<type>([](const ComplianceFacts& facts) { return facts.member; })
#define BOOL_(member) FACT_(BoolFact, member)
#define NUMBER_(member) FACT_(NumberFact, member)
#define TEXT_(member) FACT_(TextFact, member)
// clang-format on

// A template's static array would be initialised by a thread of its first use; this is a constant.
constexpr SettingRow kRows[] = {
    {"bitLockerEnabled", Form::kOn, "BitLocker at the last start", BOOL_(health.bitlocker)},
    {"secureBootEnabled", Form::kOn, "secure boot at the last start", BOOL_(health.secure_boot)},
    {"codeIntegrityEnabled", Form::kOn, "code integrity", BOOL_(health.code_integrity)},
    {"earlyLaunchAntiMalwareDriverEnabled", Form::kOn, "the early launch antimalware driver",
     BOOL_(health.elam_driver)},
    {"requireHealthyDeviceReport", Form::kHealthReport, "the health report", std::monostate()},
    {"storageRequireEncryption", Form::kOn, "encryption of the storage", BOOL_(storage_encrypted)},
    {"osMinimumVersion", Form::kLeastVersion, "the operating system", TEXT_(os_version)},
    {"osMaximumVersion", Form::kGreatestVersion, "the operating system", TEXT_(os_version)},
    {"mobileOsMinimumVersion", Form::kLeastVersion, "the operating system", TEXT_(os_version),
     true},
    {"mobileOsMaximumVersion", Form::kGreatestVersion, "the operating system", TEXT_(os_version),
     true},
    {"minAndroidSecurityPatchLevel", Form::kLeastDate, "the security patch", TEXT_(security_patch)},
    {"passwordRequired", Form::kOn, "a password", BOOL_(password.set)},
    {"passcodeRequired", Form::kOn, "a passcode", BOOL_(password.set)},
    {"passwordBlockSimple", Form::kOn, "the refusal of simple passwords",
     BOOL_(password.simple_blocked)},
    {"passcodeBlockSimple", Form::kOn, "the refusal of simple passcodes",
     BOOL_(password.simple_blocked)},
    {"passwordRequiredToUnlockFromIdle", Form::kOn, "the demand for a password when idle",
     BOOL_(password.asked_from_idle)},
    {"passwordExpirationDays", Form::kGreatestNumber, "the password's days until it expires",
     NUMBER_(password.expires_after_days)},
    {"passcodeExpirationDays", Form::kGreatestNumber, "the passcode's days until it expires",
     NUMBER_(password.expires_after_days)},
    {"passwordMinimumLength", Form::kLeastNumber, "the least length of passwords",
     NUMBER_(password.minimum_length)},
    {"passcodeMinimumLength", Form::kLeastNumber, "the least length of passcodes",
     NUMBER_(password.minimum_length)},
    {"passwordMinimumCharacterSetCount", Form::kLeastNumber,
     "the number of character sets of passwords", NUMBER_(password.character_sets)},
    {"passcodeMinimumCharacterSetCount", Form::kLeastNumber,
     "the number of character sets of passcodes", NUMBER_(password.character_sets)},
    {"passwordMinutesOfInactivityBeforeLock", Form::kGreatestNumber,
     "the idle minutes until the device locks", NUMBER_(password.locks_after_minutes)},
    {"passcodeMinutesOfInactivityBeforeLock", Form::kGreatestNumber,
     "the idle minutes until the device locks", NUMBER_(password.locks_after_minutes)},
    {"passwordPreviousPasswordBlockCount", Form::kLeastNumber,
     "the number of earlier passwords that are refused", NUMBER_(password.previous_blocked)},
    {"passcodePreviousPasscodeBlockCount", Form::kLeastNumber,
     "the number of earlier passcodes that are refused", NUMBER_(password.previous_blocked)},
    {"passwordRequiredType", Form::kPassword, "the password's type", std::monostate()},
    {"passcodeRequiredType", Form::kPassword, "the passcode's type", std::monostate()},
    {"activeFirewallRequired", Form::kOn, "the firewall", BOOL_(firewall)},
    {"firewallEnabled", Form::kOn, "the firewall", BOOL_(firewall)},
    {"firewallBlockAllIncoming", Form::kOn, "the firewall's block of all that comes in",
     BOOL_(firewall_blocks_incoming)},
    {"firewallEnableStealthMode", Form::kOn, "the firewall's stealth mode",
     BOOL_(firewall_stealth)},
    {"tpmRequired", Form::kOn, "the TPM", BOOL_(tpm)},
    {"antivirusRequired", Form::kOn, "antivirus", BOOL_(antivirus)},
    {"antiSpywareRequired", Form::kOn, "antispyware", BOOL_(antispyware)},
    {"defenderEnabled", Form::kOn, "Microsoft Defender Antimalware", BOOL_(defender)},
    {"defenderVersion", Form::kLeastVersion, "Microsoft Defender Antimalware",
     TEXT_(defender_version)},
    {"signatureOutOfDate", Form::kOn, "the update of Defender's signatures",
     BOOL_(signatures_current)},
    {"rtpEnabled", Form::kOn, "real-time protection", BOOL_(real_time_protection)},
    {"memoryIntegrityEnabled", Form::kOn, "memory integrity", BOOL_(memory_integrity)},
    {"kernelDmaProtectionEnabled", Form::kOn, "kernel DMA protection",
     BOOL_(kernel_dma_protection)},
    {"virtualizationBasedSecurityEnabled", Form::kOn, "virtualization-based security",
     BOOL_(virtualization_based_security)},
    {"firmwareProtectionEnabled", Form::kOn, "firmware protection", BOOL_(firmware_protection)},
    {"configurationManagerComplianceRequired", Form::kOn,
     "the compliance that Configuration Manager reports", BOOL_(configuration_manager_compliant)},
    {"systemIntegrityProtectionEnabled", Form::kOn, "system integrity protection",
     BOOL_(system_integrity_protection)},
    {"managedEmailProfileRequired", Form::kOn, "the managed email profile",
     BOOL_(managed_email_profile)},
    {"securityBlockJailbrokenDevices", Form::kOff, "a jailbreak or root access", BOOL_(jailbroken)},
    {"securityDisableUsbDebugging", Form::kOff, "debugging over USB", BOOL_(usb_debugging)},
    {"securityPreventInstallAppsFromUnknownSources", Form::kOff,
     "the installation of apps from unknown sources", BOOL_(unknown_sources)},
    {"securityRequireVerifyApps", Form::kOn, "the verification of apps", BOOL_(verifies_apps)},
    {"deviceThreatProtectionRequiredSecurityLevel", Form::kThreat, "the threat level",
     std::monostate()},
    {"deviceThreatProtectionEnabled", Form::kNothing, "", std::monostate()},
};

#undef FACT_
#undef BOOL_
#undef NUMBER_
#undef TEXT_

}  // namespace

absl::Span<const SettingRow> SettingRows() { return kRows; }

const SettingRow* FindSetting(absl::string_view name) {
  for (const SettingRow& row : kRows) {
    if (absl::EqualsIgnoreCase(row.name, name)) return &row;
  }
  return nullptr;
}

}  // namespace hourglass::access
