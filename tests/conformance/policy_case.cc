#include "tests/conformance/policy_case.h"

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "issuance/access/explanation.h"

namespace hourglass::access {
namespace {

[[noreturn]] void Die(const std::string& message) {
  std::fprintf(stderr, "a case is wrong: %s\n", message.c_str());
  std::abort();
}

// Reads each member by the reader of its name.
using Readers = std::map<std::string, std::function<void(const CaseJson&)>>;

void Read(const CaseJson& json, const Readers& readers) {
  for (const auto& [name, value] : json.items()) {
    const auto reader = readers.find(name);
    if (reader == readers.end()) Die(absl::StrCat("nobody knows ", name));
    reader->second(value);
  }
}

std::function<void(const CaseJson&)> To(std::optional<bool>* fact) {
  return [fact](const CaseJson& json) { *fact = json.get<bool>(); };
}
std::function<void(const CaseJson&)> To(std::optional<int>* fact) {
  return [fact](const CaseJson& json) { *fact = json.get<int>(); };
}
std::function<void(const CaseJson&)> To(std::optional<std::string>* fact) {
  return [fact](const CaseJson& json) { *fact = json.get<std::string>(); };
}
std::function<void(const CaseJson&)> To(std::optional<IdSet>* fact) {
  return [fact](const CaseJson& json) { *fact = IdSet(json.get<std::vector<std::string>>()); };
}
template <typename Enum>
std::function<void(const CaseJson&)> ToTerm(std::optional<Enum>* fact,
                                            std::map<std::string, Enum> more = {}) {
  return [fact, more = std::move(more)](const CaseJson& json) {
    const auto name = json.get<std::string>();
    *fact = more.count(name) != 0 ? more.at(name) : FromGraphName<Enum>(name);
    if (!fact->has_value()) Die(absl::StrCat("no term: ", name));
  };
}
std::function<void(const CaseJson&)> ToMinutesAgo(std::optional<Timestamp>* fact) {
  return
      [fact](const CaseJson& json) { *fact = kCaseTime - std::chrono::minutes(json.get<int>()); };
}
std::function<void(const CaseJson&)> To(std::vector<IpRange>* ranges) {
  return [ranges](const CaseJson& json) {
    for (const auto& text : json) ranges->push_back(ParseIpRange(text.get<std::string>()).value());
  };
}

UserFacts UserOf(const CaseJson& json) {
  UserFacts user;
  Read(json, {{"id", To(&user.id)},
              {"type", ToTerm(&user.type, {{"member", UserType::kMember}})},
              {"homeTenant", To(&user.home_tenant)},
              {"groups", To(&user.groups)},
              {"roles", To(&user.roles)}});
  return user;
}

const std::map<std::string, InsiderRiskLevel> kNoInsiderRisk = {{"none", InsiderRiskLevel::kNone}};

SignInFacts SignInOf(const CaseJson& json) {
  SignInFacts facts;
  Read(json,
       {{"ip",
         [&facts](const CaseJson& text) {
           facts.address = ParseIpAddress(text.get<std::string>()).value();
         }},
        {"country", To(&facts.country)},
        {"gpsCountry", To(&facts.gps_country)},
        {"clientApp", ToTerm(&facts.client_app)},
        {"transferMethod", ToTerm(&facts.transfer_method)},
        {"signInRisk", ToTerm(&facts.sign_in_risk)},
        {"userRisk", ToTerm(&facts.user_risk)},
        {"insiderRisk", ToTerm(&facts.insider_risk, kNoInsiderRisk)},
        {"authenticatedMinutesAgo", ToMinutesAgo(&facts.authenticated_at)},
        {"mfa", To(&facts.mfa)},
        {"mfaMinutesAgo", ToMinutesAgo(&facts.mfa_at)},
        {"methods",
         [&facts](const CaseJson& list) { facts.methods = list.get<std::vector<std::string>>(); }},
        {"strengths", To(&facts.strengths)},
        {"termsAccepted", To(&facts.terms_accepted)},
        {"customFactors", To(&facts.custom_factors)},
        {"approvedApplication", To(&facts.approved_application)},
        {"appProtection", To(&facts.app_protection)},
        {"passwordChanged", To(&facts.password_changed)},
        {"riskRemediated", To(&facts.risk_remediated)},
        {"tokenBound", To(&facts.token_bound)}});
  return facts;
}

AssumedFacts AssumedOf(const CaseJson& json) {
  AssumedFacts assumed;
  Read(json, {{"clientApp", ToTerm(&assumed.client_app)},
              {"transferMethod", ToTerm(&assumed.transfer_method)},
              {"signInRisk", ToTerm(&assumed.sign_in_risk)},
              {"userRisk", ToTerm(&assumed.user_risk)},
              {"insiderRisk", ToTerm(&assumed.insider_risk, kNoInsiderRisk)}});
  return assumed;
}

void ReadAttributes(const CaseJson& json, DeviceFacts* device) {
  for (const auto& [name, value] : json.items()) {
    const auto attribute = AttributeOfName(name);
    if (!attribute.has_value()) Die(absl::StrCat("no attribute: ", name));
    device->attribute(*attribute) =
        value.is_array() ? value.get<std::vector<std::string>>() : std::vector<std::string>{value};
  }
}

HealthFacts HealthOf(const CaseJson& json) {
  HealthFacts health;
  Read(json, {{"AIKPresent", To(&health.attestation_key)},
              {"DEPPolicy", To(&health.dep)},
              {"BitlockerStatus", To(&health.bitlocker)},
              {"SecureBootEnabled", To(&health.secure_boot)},
              {"CodeIntegrityEnabled", To(&health.code_integrity)},
              {"BootDebuggingEnabled", To(&health.boot_debugging)},
              {"OSKernelDebuggingEnabled", To(&health.kernel_debugging)},
              {"TestSigningEnabled", To(&health.test_signing)},
              {"SafeMode", To(&health.safe_mode)},
              {"WinPE", To(&health.win_pe)},
              {"ELAMDriverLoaded", To(&health.elam_driver)},
              {"VSMEnabled", To(&health.vsm)}});
  return health;
}

PasswordFacts PasswordOf(const CaseJson& json) {
  PasswordFacts password;
  Read(json, {{"set", To(&password.set)},
              {"simpleBlocked", To(&password.simple_blocked)},
              {"askedFromIdle", To(&password.asked_from_idle)},
              {"minimumLength", To(&password.minimum_length)},
              {"characterSets", To(&password.character_sets)},
              {"expiresAfterDays", To(&password.expires_after_days)},
              {"locksAfterMinutes", To(&password.locks_after_minutes)},
              {"previousBlocked", To(&password.previous_blocked)},
              {"type", ToTerm(&password.type)}});
  return password;
}

const std::map<std::string, Platform> kOtherPlatform = {{"another", Platform::kUnlisted}};

}  // namespace

DeviceFacts DeviceOf(const CaseJson& json) {
  DeviceFacts device;
  Read(json, {{"registered", To(&device.registered)},
              {"managed", To(&device.managed)},
              {"trustType", ToTerm(&device.trust_type)},
              {"ownership", ToTerm(&device.ownership)},
              {"compliance", ToTerm(&device.compliance)},
              {"platform", ToTerm(&device.platform, kOtherPlatform)},
              {"attributes", [&device](const CaseJson& list) { ReadAttributes(list, &device); }}});
  return device;
}

Facts FactsOf(const CaseJson& json) {
  Facts facts;
  Read(json, {{"user", [&facts](const CaseJson& user) { facts.user = UserOf(user); }},
              {"signIn", [&facts](const CaseJson& sign_in) { facts.sign_in = SignInOf(sign_in); }},
              {"device", [&facts](const CaseJson& device) { facts.device = DeviceOf(device); }}});
  return facts;
}

AccessOptions OptionsOf(const CaseJson& json) {
  AccessOptions options;
  const auto flag = [](bool* option) {
    return [option](const CaseJson& value) { *option = value.get<bool>(); };
  };
  Read(json,
       {{"vpnApplications",
         [&options](const CaseJson& ids) {
           options.vpn_applications = ids.get<std::vector<std::string>>();
         }},
        {"allowWithoutPolicy", flag(&options.allow_without_policy)},
        {"gracePeriodIsCompliant", flag(&options.grace_period_is_compliant)},
        {"mfaTrustedIps", To(&options.mfa_trusted_ips)},
        {"assumed", [&options](const CaseJson& facts) { options.assumed = AssumedOf(facts); }}});
  return options;
}

ComplianceFacts ComplianceFactsOf(const CaseJson& json) {
  ComplianceFacts facts;
  Read(json, {{"reportedMinutesAgo", ToMinutesAgo(&facts.reported_at)},
              {"noncompliantMinutesAgo", ToMinutesAgo(&facts.noncompliant_since)},
              {"platform", ToTerm(&facts.platform, kOtherPlatform)},
              {"osVersion", To(&facts.os_version)},
              {"securityPatch", To(&facts.security_patch)},
              {"health", [&facts](const CaseJson& json) { facts.health = HealthOf(json); }},
              {"password", [&facts](const CaseJson& json) { facts.password = PasswordOf(json); }},
              {"storageEncrypted", To(&facts.storage_encrypted)},
              {"firewall", To(&facts.firewall)},
              {"firewallBlocksIncoming", To(&facts.firewall_blocks_incoming)},
              {"firewallStealth", To(&facts.firewall_stealth)},
              {"tpm", To(&facts.tpm)},
              {"antivirus", To(&facts.antivirus)},
              {"antispyware", To(&facts.antispyware)},
              {"defender", To(&facts.defender)},
              {"defenderVersion", To(&facts.defender_version)},
              {"signaturesCurrent", To(&facts.signatures_current)},
              {"realTimeProtection", To(&facts.real_time_protection)},
              {"memoryIntegrity", To(&facts.memory_integrity)},
              {"kernelDmaProtection", To(&facts.kernel_dma_protection)},
              {"virtualizationBasedSecurity", To(&facts.virtualization_based_security)},
              {"firmwareProtection", To(&facts.firmware_protection)},
              {"configurationManagerCompliant", To(&facts.configuration_manager_compliant)},
              {"systemIntegrityProtection", To(&facts.system_integrity_protection)},
              {"managedEmailProfile", To(&facts.managed_email_profile)},
              {"jailbroken", To(&facts.jailbroken)},
              {"usbDebugging", To(&facts.usb_debugging)},
              {"unknownSources", To(&facts.unknown_sources)},
              {"verifiesApps", To(&facts.verifies_apps)},
              {"threat", ToTerm(&facts.threat)}});
  return facts;
}

ComplianceOptions ComplianceOptionsOf(const CaseJson& json) {
  ComplianceOptions options;
  Read(json, {{"reportValidityDays",
               [&options](const CaseJson& days) {
                 options.report_validity = std::chrono::hours(24 * days.get<int>());
               }},
              {"compliantWithoutPolicy", [&options](const CaseJson& value) {
                 options.compliant_without_policy = value.get<bool>();
               }}});
  return options;
}

CaseJson ResultJson(const PolicyResult& result, const CaseJson& like) {
  const auto controls = [&result](auto is_listed) {
    CaseJson names = CaseJson::array();
    for (const ControlResult& control : result.controls) {
      if (!is_listed(control.status)) continue;
      names.push_back(control.kind == ControlKind::kNotUnderstood
                          ? std::string(control.detail)
                          : std::string(ControlName(control.kind)));
    }
    return names;
  };
  CaseJson not_known = CaseJson::array();
  for (int i = 0; i <= static_cast<int>(Condition::kOther); ++i) {
    const auto condition = static_cast<Condition>(i);
    if (result.IsNotKnown(condition)) not_known.push_back(std::string(ConditionPath(condition)));
  }
  const char* const applications[] = {"no", "possibly", "yes"};
  const CaseJson all = {
      {"applies", applications[static_cast<int>(result.application)]},
      {"excludedBy", std::string(ConditionPath(result.excluded_by))},
      {"satisfied", result.satisfaction == Satisfaction::kSatisfied},
      {"blocks", result.satisfaction == Satisfaction::kBlocks},
      {"enforced", result.enforced},
      {"met", controls([](ControlStatus status) { return status == ControlStatus::kSatisfied; })},
      {"missing", controls([](ControlStatus status) {
         return status == ControlStatus::kUnsatisfied || status == ControlStatus::kNotKnown;
       })},
      {"unknownControls",
       controls([](ControlStatus status) { return status == ControlStatus::kNotKnown; })},
      {"notUnderstood",
       controls([](ControlStatus status) { return status == ControlStatus::kNotUnderstood; })},
      {"notKnown", not_known}};
  CaseJson told = CaseJson::object();
  for (const auto& [name, value] : like.items()) {
    if (!all.contains(name)) Die(absl::StrCat("nobody knows ", name));
    told[name] = all[name];
  }
  return told;
}

}  // namespace hourglass::access
