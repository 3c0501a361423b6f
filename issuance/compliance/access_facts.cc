#include "issuance/compliance/access_facts.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "ca/names/name_rules.h"
#include "issuance/access/terms.h"
#include "issuance/wire/proto_time.h"

namespace hourglass::issuance {
namespace {

using access::DeviceAttribute;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// Graph's mark of an account that another tenant has.
constexpr absl::string_view kExternal = "#EXT#";

// A proto3 optional field, nullopt where it is absent.
#define KNOWN_(message, field) \
  ((message).has_##field() ? std::optional((message).field()) : std::nullopt)

std::optional<std::string> KnownText(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

std::optional<int> Number(std::optional<std::uint32_t> number) {
  constexpr std::uint32_t kMost = std::numeric_limits<int>::max();
  if (!number.has_value()) return std::nullopt;
  return static_cast<int>(std::min(*number, kMost));
}

// A text that is there and empty is null.
std::optional<std::vector<std::string>> Values(const std::optional<std::string>& text) {
  if (!text.has_value()) return std::nullopt;
  return text->empty() ? std::vector<std::string>() : std::vector{*text};
}

std::vector<std::string> Values(const v1::TextList& texts) {
  return {texts.values().begin(), texts.values().end()};
}

template <typename Enum>
std::optional<Enum> Term(const std::string& text) {
  return text.empty() ? std::nullopt : access::FromGraphName<Enum>(text);
}

void PutExtensionAttributes(const v1::DirectoryEntry& directory, access::DeviceFacts* facts) {
  constexpr int kCount = 15;
  for (int i = 0; i < kCount; ++i) {
    const FieldDescriptor* const field = v1::DirectoryEntry::descriptor()->FindFieldByNumber(
        v1::DirectoryEntry::kExtensionAttribute1FieldNumber + i);
    const google::protobuf::Reflection& reflection = *directory.GetReflection();
    if (!reflection.HasField(directory, field)) continue;
    const auto attribute =
        static_cast<DeviceAttribute>(static_cast<int>(DeviceAttribute::kExtensionAttribute1) + i);
    facts->attribute(attribute) = Values(reflection.GetString(directory, field));
  }
}

access::HealthFacts HealthOf(const v1::DeviceHealthAttestation& report) {
  access::HealthFacts health;
  health.attestation_key = KNOWN_(report, attestation_key);
  health.dep = KNOWN_(report, data_execution_prevention);
  health.bitlocker = KNOWN_(report, bitlocker);
  health.secure_boot = KNOWN_(report, secure_boot);
  health.code_integrity = KNOWN_(report, code_integrity);
  health.boot_debugging = KNOWN_(report, boot_debugging);
  health.kernel_debugging = KNOWN_(report, kernel_debugging);
  health.test_signing = KNOWN_(report, test_signing);
  health.safe_mode = KNOWN_(report, safe_mode);
  health.win_pe = KNOWN_(report, preinstallation_environment);
  health.elam_driver = KNOWN_(report, early_launch_antimalware);
  health.vsm = KNOWN_(report, virtual_secure_mode);
  return health;
}

access::PasswordFacts PasswordOf(const v1::PasswordPolicy& policy) {
  access::PasswordFacts password;
  password.set = KNOWN_(policy, required);
  password.simple_blocked = KNOWN_(policy, simple_blocked);
  password.asked_from_idle = KNOWN_(policy, asked_from_idle);
  password.minimum_length = Number(KNOWN_(policy, minimum_length));
  password.character_sets = Number(KNOWN_(policy, character_sets));
  password.expires_after_days = Number(KNOWN_(policy, expires_after_days));
  password.locks_after_minutes = Number(KNOWN_(policy, lock_after_minutes));
  password.previous_blocked = Number(KNOWN_(policy, previous_blocked));
  password.type = Term<access::PasswordType>(policy.type());
  return password;
}

void PutProtection(const v1::Protection& protection, access::ComplianceFacts* facts) {
  facts->firewall = KNOWN_(protection, firewall);
  facts->firewall_blocks_incoming = KNOWN_(protection, firewall_blocks_incoming);
  facts->firewall_stealth = KNOWN_(protection, firewall_stealth);
  facts->tpm = KNOWN_(protection, tpm);
  facts->memory_integrity = KNOWN_(protection, memory_integrity);
  facts->kernel_dma_protection = KNOWN_(protection, kernel_dma_protection);
  facts->virtualization_based_security = KNOWN_(protection, virtualization_based_security);
  facts->firmware_protection = KNOWN_(protection, firmware_protection);
  facts->system_integrity_protection = KNOWN_(protection, system_integrity_protection);
  facts->threat = Term<access::ThreatLevel>(protection.threat_level());
  facts->jailbroken = KNOWN_(protection, jailbroken);
  facts->usb_debugging = KNOWN_(protection, usb_debugging);
  facts->unknown_sources = KNOWN_(protection, unknown_sources);
  facts->verifies_apps = KNOWN_(protection, verifies_apps);
}

void PutAntivirus(const v1::Antivirus& antivirus, access::ComplianceFacts* facts) {
  facts->antivirus = KNOWN_(antivirus, enabled);
  facts->real_time_protection = KNOWN_(antivirus, real_time_protection);
  facts->signatures_current = KNOWN_(antivirus, signatures_current);
  facts->antispyware = KNOWN_(antivirus, antispyware);
  facts->defender = KNOWN_(antivirus, defender);
  facts->defender_version = KnownText(antivirus.defender_version());
}

}  // namespace

access::UserFacts UserFactsOf(const std::optional<DirectoryUser>& user, absl::string_view user_id,
                              absl::string_view user_upn) {
  access::UserFacts facts;
  if (!user.has_value()) {
    if (!user_id.empty()) facts.id = std::string(user_id);
    return facts;
  }
  if (!user_upn.empty() && ca::FoldedUpn(user->upn) != ca::FoldedUpn(user_upn)) return facts;
  facts.id = user->user_id;
  facts.groups = access::IdSet(user->groups);
  facts.roles = access::IdSet(user->roles);
  if (!user->is_guest && !absl::StrContains(absl::AsciiStrToUpper(user->upn), kExternal)) {
    facts.type = access::UserType::kMember;
  }
  return facts;
}

access::DeviceFacts DeviceFactsOf(const v1::DeviceState& state, absl::string_view device_id) {
  const v1::DirectoryEntry& directory = state.directory();
  const v1::DeviceManagement& management = state.management();
  access::DeviceFacts facts;
  facts.registered = !directory.has_registered() || directory.registered();
  facts.managed = KNOWN_(management, managed);
  facts.trust_type = Term<access::TrustType>(directory.trust_type());
  facts.ownership = Term<access::DeviceOwnership>(directory.ownership());
  facts.platform = access::PlatformOf(directory.operating_system());
  facts.attribute(DeviceAttribute::kDeviceId) = std::vector{std::string(device_id)};
  facts.attribute(DeviceAttribute::kDisplayName) = Values(KNOWN_(directory, display_name));
  facts.attribute(DeviceAttribute::kEnrollmentProfileName) =
      Values(KNOWN_(management, enrollment_profile_name));
  facts.attribute(DeviceAttribute::kManufacturer) = Values(KNOWN_(directory, manufacturer));
  facts.attribute(DeviceAttribute::kMdmAppId) = Values(KNOWN_(management, mdm_app_id));
  facts.attribute(DeviceAttribute::kModel) = Values(KNOWN_(directory, model));
  facts.attribute(DeviceAttribute::kOperatingSystem) = Values(KNOWN_(directory, operating_system));
  facts.attribute(DeviceAttribute::kOperatingSystemVersion) =
      Values(KnownText(state.automatic_update().os_version()));
  facts.attribute(DeviceAttribute::kProfileType) = Values(KNOWN_(directory, profile_type));
  if (directory.has_physical_ids()) {
    facts.attribute(DeviceAttribute::kPhysicalIds) = Values(directory.physical_ids());
  }
  if (directory.has_system_labels()) {
    facts.attribute(DeviceAttribute::kSystemLabels) = Values(directory.system_labels());
  }
  PutExtensionAttributes(directory, &facts);
  return facts;
}

access::ComplianceFacts ComplianceFactsOf(const v1::DeviceState& state, Timestamp reported_at) {
  access::ComplianceFacts facts;
  facts.reported_at = reported_at;
  const v1::DeviceManagement& management = state.management();
  const auto since = FromProto(management.noncompliant_since(), "");
  if (management.has_noncompliant_since() && since.ok()) facts.noncompliant_since = *since;
  facts.configuration_manager_compliant = KNOWN_(management, configuration_manager_compliant);
  facts.managed_email_profile = KNOWN_(management, managed_email_profile);
  facts.platform = access::PlatformOf(state.directory().operating_system());
  facts.os_version = KnownText(state.automatic_update().os_version());
  facts.os_build = KnownText(state.automatic_update().os_build());
  facts.security_patch = KnownText(state.automatic_update().security_patch());
  facts.health = HealthOf(state.device_health_attestation());
  facts.password = PasswordOf(state.password_policy());
  facts.storage_encrypted = KNOWN_(state.disk_encryption(), enabled);
  PutAntivirus(state.antivirus(), &facts);
  PutProtection(state.protection(), &facts);
  return facts;
}

#undef KNOWN_

}  // namespace hourglass::issuance
