#include "tests/conformance/policy_generator.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace hourglass::access {
namespace {

using Texts = std::vector<std::string>;

const Texts kIds = {"00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002",
                    "00000000-0000-4000-8000-000000000003"};
const Texts kPlaces = {"All",   "AllTrusted", "00000000-0000-0000-0000-000000000000",
                       kIds[0], kIds[1],      kIds[2]};
const std::vector<bool> kBoth = {false, true};
const std::vector<UserType> kGuestTypes = {
    UserType::kInternalGuest, UserType::kB2bCollaborationGuest, UserType::kServiceProvider};
const std::vector<RiskLevel> kRisks = {RiskLevel::kNone, RiskLevel::kLow, RiskLevel::kMedium,
                                       RiskLevel::kHigh, RiskLevel::kHidden};
const std::vector<ClientApp> kClients = {
    ClientApp::kBrowser, ClientApp::kMobileAppsAndDesktopClients, ClientApp::kExchangeActiveSync,
    ClientApp::kEasSupported, ClientApp::kOther};
const std::vector<Platform> kPlatforms = {Platform::kAndroid, Platform::kIos,
                                          Platform::kWindows, Platform::kWindowsPhone,
                                          Platform::kMacOs,   Platform::kLinux};
const Texts kMethods = {"fido2", "password", "sms"};

}  // namespace

UserCondition PolicyGenerator::Users() {
  UserCondition users;
  if (Chance(50))
    users.include_users = {OneOf<std::string>({"All", "None", "GuestsOrExternalUsers"})};
  for (Texts* const list : {&users.include_users, &users.include_groups, &users.include_roles}) {
    for (std::string& id : Some(kIds, 20)) list->push_back(std::move(id));
  }
  users.exclude_users = Some(Texts{"GuestsOrExternalUsers", kIds[0], kIds[1]}, 7);
  users.exclude_groups = Some(kIds, 7);
  users.exclude_roles = Some(kIds, 7);
  for (auto* const guests : {&users.include_guests, &users.exclude_guests}) {
    if (!Chance(15)) continue;
    guests->emplace().types.values = Some(kGuestTypes, 50);
    if (Chance(50)) (*guests)->tenants = Some(kIds, 50);
    if (Chance(10)) (*guests)->types.not_understood = {"martian"};
  }
  return users;
}

std::string PolicyGenerator::Rule() {
  const auto comparison = [this] {
    return absl::StrCat(
        Chance(25) ? "-not " : "",
        OneOf<std::string>(
            {"device.model -eq \"a\"", "device.model -ne \"a\"",
             "device.extensionAttribute1 -eq \"a\"", "device.extensionAttribute1 -ne \"a\"",
             "device.extensionAttribute1 -notIn [\"a\", \"b\"]", "device.isCompliant -eq true",
             "device.isCompliant -ne \"False\"", "device.trustType -eq \"ServerAD\"",
             "device.trustType -ne \"ServerAD\"", "device.deviceOwnership -eq \"Personal\"",
             "device.physicalIds -contains \"a\"", "device.physicalIds -notContains \"a\"",
             "device.model -eq null", "device.extensionAttribute1 -ne null"}));
  };
  return absl::StrCat(Chance(25) ? "-not " : "", "(", comparison(), Chance(50) ? " -and " : " -or ",
                      comparison(), ")", Chance(50) ? " -and " : " -or ", comparison());
}

void PolicyGenerator::AddConditions(Conditions* conditions) {
  if (Chance(25)) conditions->client_apps.values = Some(kClients, 50);
  if (Chance(3)) conditions->client_apps.not_understood = {"telepathy"};
  if (Chance(25)) {
    PlatformCondition& platforms = conditions->platforms.emplace();
    if (Chance(30)) platforms.include.values = {Platform::kAll};
    for (const Platform platform : Some(kPlatforms, 40))
      platforms.include.values.push_back(platform);
    platforms.exclude.values = Some(kPlatforms, 15);
    if (Chance(5)) platforms.exclude.not_understood = {"chromeOS"};
  }
  if (Chance(25)) {
    conditions->locations.emplace().include = Some(kPlaces, 40);
    conditions->locations->exclude = Some(kPlaces, 20);
  }
  if (Chance(30)) {
    conditions->devices.emplace().filter =
        DeviceFilter{Chance(50) ? FilterMode::kInclude : FilterMode::kExclude, Rule()};
  }
  if (Chance(15)) conditions->sign_in_risk.values = Some(kRisks, 50);
  if (Chance(15)) conditions->user_risk.values = Some(kRisks, 50);
  if (Chance(10)) conditions->insider_risk.values = {InsiderRiskLevel::kElevated};
  if (Chance(10)) {
    conditions->authentication_flows.emplace().methods.values = {TransferMethod::kDeviceCodeFlow};
  }
  if (Chance(3)) conditions->other["times"] = "{\"x\":1}";
}

GrantControls PolicyGenerator::Grant() {
  GrantControls grant;
  if (Chance(60)) grant.combination = Chance(50) ? GrantOperator::kAnd : GrantOperator::kOr;
  if (Chance(8)) {
    grant.built_in.values = {BuiltInControl::kBlock};
    return grant;
  }
  grant.built_in.values = Some<BuiltInControl>(
      {BuiltInControl::kMfa, BuiltInControl::kCompliantDevice, BuiltInControl::kDomainJoinedDevice},
      30);
  if (Chance(5)) grant.built_in.values.push_back(BuiltInControl::kCompliantApplication);
  if (Chance(3)) grant.built_in.not_understood = {"somethingNew"};
  if (Chance(5)) grant.terms_of_use = {kIds[0]};
  if (Chance(5)) grant.custom_factors = {"x"};
  if (Chance(5)) {
    grant.strength.emplace().id = kIds[0];
    grant.strength->allowed_combinations = {"fido2", "password,sms"};
  }
  return grant;
}

SessionControls PolicyGenerator::Session() {
  SessionControls session;
  SignInFrequency& frequency = session.sign_in_frequency.emplace();
  frequency.value = 1 + static_cast<int>(random_() % 3);
  frequency.unit = Chance(50) ? FrequencyUnit::kHours : FrequencyUnit::kDays;
  if (Chance(15)) frequency.interval = FrequencyInterval::kEveryTime;
  if (Chance(15)) frequency.authentication = FrequencyAuthentication::kSecondary;
  if (Chance(15)) session.secure_sign_in_session = Chance(50);
  if (Chance(15)) session.without_effect["persistentBrowser"] = "{\"isEnabled\":true}";
  return session;
}

ConditionalAccessPolicy PolicyGenerator::Policy(const std::string& id) {
  ConditionalAccessPolicy policy;
  policy.id = id;
  policy.display_name = absl::StrCat("Policy ", id);
  policy.state = Chance(75)   ? PolicyState::kEnabled
                 : Chance(60) ? PolicyState::kReportOnly
                              : PolicyState::kDisabled;
  policy.conditions.users = Users();
  policy.conditions.applications.include = {
      OneOf<std::string>({"All", "All", kIds[0], "Office365"})};
  policy.conditions.applications.exclude = Some(kIds, 5);
  AddConditions(&policy.conditions);
  if (Chance(93)) policy.grant = Grant();
  if (Chance(15)) policy.session = Session();
  return policy;
}

std::vector<ConditionalAccessPolicy> PolicyGenerator::Policies(std::size_t most) {
  std::vector<ConditionalAccessPolicy> policies;
  for (std::size_t i = random_() % (most + 1); i > 0; --i) {
    policies.push_back(Policy(absl::StrCat("p", i)));
  }
  return policies;
}

std::vector<NamedLocation> PolicyGenerator::Locations() {
  std::vector<NamedLocation> locations(2);
  for (std::size_t i = 0; i < locations.size(); ++i) {
    locations[i].id = kIds[i];
    locations[i].display_name = absl::StrCat("Location ", i);
  }
  locations[0].place = IpLocation{Chance(50), {ParseIpRange("192.0.2.0/25").value()}};
  locations[1].place = CountryLocation{{"DE"}, Chance(50), CountryLookup::kClientIpAddress};
  return locations;
}

AccessOptions PolicyGenerator::Options() {
  AccessOptions options;
  if (Chance(80)) options.vpn_applications = {kIds[0]};
  options.allow_without_policy = Chance(40);
  options.grace_period_is_compliant = Chance(50);
  if (Chance(40)) options.mfa_trusted_ips = {ParseIpRange("192.0.2.192/26").value()};
  return options;
}

Facts PolicyGenerator::AllFacts(Timestamp now) {
  Facts facts;
  const auto ids = [this] { return IdSet(Some(kIds, 30)); };
  const auto time = [this, now] {
    return now - std::chrono::minutes(static_cast<int>(random_() % 300) - 10);
  };
  Maybe(&facts.user.id, kIds);
  Maybe(&facts.user.type, {UserType::kMember, UserType::kMember, UserType::kInternalGuest,
                           UserType::kB2bCollaborationGuest, UserType::kServiceProvider});
  Maybe(&facts.user.home_tenant, kIds);
  Maybe(&facts.user.groups, {ids()});
  Maybe(&facts.user.roles, {ids()});
  SignInFacts& sign_in = facts.sign_in;
  Maybe(&sign_in.address,
        {ParseIpAddress("192.0.2.7").value(), ParseIpAddress("192.0.2.200").value(),
         ParseIpAddress("2001:db8::1").value()});
  Maybe(&sign_in.country, Texts{"DE", "FR", ""});
  Maybe(&sign_in.client_app, kClients);
  Maybe(&sign_in.transfer_method, {TransferMethod::kNone, TransferMethod::kDeviceCodeFlow});
  Maybe(&sign_in.sign_in_risk, kRisks);
  Maybe(&sign_in.user_risk, kRisks);
  Maybe(&sign_in.insider_risk, {InsiderRiskLevel::kNone, InsiderRiskLevel::kElevated});
  Maybe(&sign_in.authenticated_at, {time()});
  Maybe(&sign_in.mfa, {true, true, false});
  Maybe(&sign_in.mfa_at, {time()});
  Maybe(&sign_in.methods, {Some(kMethods, 50)});
  Maybe(&sign_in.strengths, {ids()});
  Maybe(&sign_in.terms_accepted, {ids()});
  Maybe(&sign_in.custom_factors, {IdSet({"x"})});
  Maybe(&sign_in.app_protection, kBoth);
  Maybe(&sign_in.token_bound, kBoth);
  DeviceFacts& device = facts.device;
  Maybe(&device.registered, {true, true, true, false});
  Maybe(&device.managed, kBoth);
  Maybe(&device.trust_type, {TrustType::kAzureAd, TrustType::kServerAd, TrustType::kWorkplace});
  Maybe(&device.ownership, {DeviceOwnership::kCompany, DeviceOwnership::kPersonal});
  Maybe(&device.compliance,
        {ComplianceState::kCompliant, ComplianceState::kCompliant, ComplianceState::kInGracePeriod,
         ComplianceState::kNoncompliant, ComplianceState::kConfigManager});
  Maybe(&device.platform, {Platform::kWindows, Platform::kLinux, Platform::kUnlisted});
  for (const DeviceAttribute attribute : {DeviceAttribute::kModel, DeviceAttribute::kPhysicalIds,
                                          DeviceAttribute::kExtensionAttribute1}) {
    Maybe(&device.attribute(attribute), {Texts{}, Texts{"a"}, Texts{"b"}});
  }
  return facts;
}

CompliancePolicy PolicyGenerator::DevicePolicy(const std::string& id) {
  CompliancePolicy policy;
  policy.id = policy.display_name = id;
  policy.type = OneOf<std::string>(
      {"windows10CompliancePolicy", "macOSCompliancePolicy", "toasterCompliancePolicy"});
  if (Chance(30)) policy.settings["tpmRequired"] = true;
  if (Chance(30)) policy.settings["requireHealthyDeviceReport"] = true;
  if (Chance(30)) policy.settings["osMinimumVersion"] = std::string("10.0.10");
  if (Chance(15)) policy.settings["mobileOsMinimumVersion"] = std::string("10.0.10");
  if (Chance(30)) policy.settings["passwordMinimumLength"] = 8;
  if (Chance(30))
    policy.settings["deviceThreatProtectionRequiredSecurityLevel"] = std::string("low");
  if (Chance(15)) policy.build_ranges = {{"x", "10.0.9", "10.0.11"}};
  if (Chance(70)) policy.actions = {{"block", static_cast<int>(random_() % 48)}};
  if (Chance(5)) policy.other["somethingNew"] = "true";
  return policy;
}

ComplianceFacts PolicyGenerator::DeviceReport(Timestamp now) {
  ComplianceFacts facts;
  const auto hours_ago = [this, now](int most) {
    return now - std::chrono::hours(static_cast<int>(random_() % most));
  };
  if (Chance(95)) facts.reported_at = hours_ago(24 * 32);
  Maybe(&facts.noncompliant_since, {hours_ago(48)});
  Maybe(&facts.platform, {Platform::kWindows, Platform::kWindowsPhone, Platform::kMacOs});
  Maybe(&facts.os_version, Texts{"10.0.9", "10.0.10", "10.0.11"});
  Maybe(&facts.tpm, {true, true, false});
  Maybe(&facts.password.minimum_length, {7, 8, 9});
  Maybe(&facts.threat, {ThreatLevel::kSecured, ThreatLevel::kLow, ThreatLevel::kHigh});
  HealthFacts& health = facts.health;
  for (auto* const good :
       {&health.attestation_key, &health.dep, &health.bitlocker, &health.secure_boot,
        &health.code_integrity, &health.elam_driver, &health.vsm}) {
    if (Chance(97)) *good = Chance(98);
  }
  for (auto* const bad : {&health.boot_debugging, &health.kernel_debugging, &health.test_signing,
                          &health.safe_mode, &health.win_pe}) {
    if (Chance(97)) *bad = Chance(2);
  }
  return facts;
}

std::vector<std::function<void(Facts*)>> FactRemovals() {
  std::vector<std::function<void(Facts*)>> removals = {
      [](Facts* facts) { facts->user.id.reset(); },
      [](Facts* facts) { facts->user.type.reset(); },
      [](Facts* facts) { facts->user.home_tenant.reset(); },
      [](Facts* facts) { facts->user.groups.reset(); },
      [](Facts* facts) { facts->user.roles.reset(); },
      [](Facts* facts) { facts->sign_in.address.reset(); },
      [](Facts* facts) { facts->sign_in.country.reset(); },
      [](Facts* facts) { facts->sign_in.client_app.reset(); },
      [](Facts* facts) { facts->sign_in.transfer_method.reset(); },
      [](Facts* facts) { facts->sign_in.sign_in_risk.reset(); },
      [](Facts* facts) { facts->sign_in.user_risk.reset(); },
      [](Facts* facts) { facts->sign_in.insider_risk.reset(); },
      [](Facts* facts) { facts->sign_in.authenticated_at.reset(); },
      [](Facts* facts) { facts->sign_in.mfa.reset(); },
      [](Facts* facts) { facts->sign_in.mfa_at.reset(); },
      [](Facts* facts) { facts->sign_in.methods.reset(); },
      [](Facts* facts) { facts->sign_in.strengths.reset(); },
      [](Facts* facts) { facts->sign_in.terms_accepted.reset(); },
      [](Facts* facts) { facts->sign_in.custom_factors.reset(); },
      [](Facts* facts) { facts->sign_in.app_protection.reset(); },
      [](Facts* facts) { facts->sign_in.token_bound.reset(); },
      [](Facts* facts) { facts->device.registered.reset(); },
      [](Facts* facts) { facts->device.managed.reset(); },
      [](Facts* facts) { facts->device.trust_type.reset(); },
      [](Facts* facts) { facts->device.ownership.reset(); },
      [](Facts* facts) { facts->device.compliance.reset(); },
      [](Facts* facts) { facts->device.platform.reset(); },
  };
  for (const DeviceAttribute attribute : {DeviceAttribute::kModel, DeviceAttribute::kPhysicalIds,
                                          DeviceAttribute::kExtensionAttribute1}) {
    removals.push_back([attribute](Facts* facts) { facts->device.attribute(attribute).reset(); });
  }
  return removals;
}

std::vector<std::function<void(ComplianceFacts*)>> ComplianceFactRemovals() {
  return {
      [](ComplianceFacts* facts) { facts->reported_at.reset(); },
      [](ComplianceFacts* facts) { facts->noncompliant_since.reset(); },
      [](ComplianceFacts* facts) { facts->platform.reset(); },
      [](ComplianceFacts* facts) { facts->os_version.reset(); },
      [](ComplianceFacts* facts) { facts->tpm.reset(); },
      [](ComplianceFacts* facts) { facts->password.minimum_length.reset(); },
      [](ComplianceFacts* facts) { facts->threat.reset(); },
      [](ComplianceFacts* facts) { facts->health.bitlocker.reset(); },
      [](ComplianceFacts* facts) { facts->health.win_pe.reset(); },
  };
}

}  // namespace hourglass::access
