#include "issuance/access/graph/graph_export.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/support/status_matchers.h"

namespace hourglass::access {
namespace {

using std::string_literals::operator""s;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// As Graph's own API writes one, with its nulls and annotations.
constexpr char kPolicy[] = R"({
  "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#identity/conditionalAccess/policies/$entity",
  "id": "d0c00000-0000-4000-8000-000000000001",
  "templateId": null,
  "displayName": "Require compliant devices",
  "createdDateTime": "2026-03-01T08:00:00.1234567Z",
  "modifiedDateTime": null,
  "state": "enabled",
  "conditions": {
    "clientAppTypes": ["all"],
    "platforms": null, "locations": null, "times": null, "deviceStates": null, "devices": null,
    "clientApplications": null, "clients": null, "signInRiskDetections": null,
    "userRiskLevels": [], "signInRiskLevels": ["high"], "servicePrincipalRiskLevels": [],
    "applications": {"includeApplications": ["All"], "excludeApplications": [],
      "includeUserActions": [], "includeAuthenticationContextClassReferences": [],
      "applicationFilter": null, "networkAccess": null},
    "users": {"includeUsers": ["All"], "excludeUsers": [], "includeGroups": [],
      "excludeGroups": ["d0c00000-0000-4000-8000-000000000002"], "includeRoles": [],
      "excludeRoles": [], "includeGuestsOrExternalUsers": null,
      "excludeGuestsOrExternalUsers": {"guestOrExternalUserTypes": "internalGuest,serviceProvider",
        "externalTenants": {"@odata.type": "#microsoft.graph.conditionalAccessEnumeratedExternalTenants",
          "membershipKind": "enumerated", "members": ["d0c00000-0000-4000-8000-000000000003"]}}}
  },
  "grantControls": {"operator": "OR", "builtInControls": ["mfa", "compliantDevice"],
    "customAuthenticationFactors": [], "termsOfUse": [],
    "authenticationStrength@odata.context": "https://graph.microsoft.com/v1.0/$metadata#x",
    "authenticationStrength": null},
  "sessionControls": {"disableResilienceDefaults": null, "applicationEnforcedRestrictions": null,
    "cloudAppSecurity": null, "persistentBrowser": {"mode": "never", "isEnabled": true},
    "signInFrequency": {"value": 8, "type": "hours", "isEnabled": true,
      "authenticationType": "primaryAndSecondaryAuthentication", "frequencyInterval": "timeBased"}}
})";

GraphExport Read(absl::string_view text) {
  absl::StatusOr<GraphExport> read = ParseGraphExport(text);
  EXPECT_OK(read);
  return read.ok() ? *std::move(read) : GraphExport();
}

void ExpectSame(const GraphExport& a, const GraphExport& b) {
  EXPECT_EQ(a.policies, b.policies);
  EXPECT_EQ(a.locations, b.locations);
  EXPECT_EQ(a.compliance_policies, b.compliance_policies);
}

std::string Utf16(absl::string_view ascii, bool little) {
  std::string text = little ? "\xff\xfe" : "\xfe\xff";
  for (const char c : ascii) {
    text += little ? std::string{c, '\0'} : std::string{'\0', c};
  }
  return text;
}

TEST(GraphExportTest, ReadsAPolicyOfGraph) {
  const GraphExport read = Read(kPolicy);
  ASSERT_THAT(read.policies, SizeIs(1));
  const ConditionalAccessPolicy& policy = read.policies[0];
  EXPECT_EQ(policy.display_name, "Require compliant devices");
  EXPECT_EQ(policy.created, "2026-03-01T08:00:00.1234567Z");
  EXPECT_EQ(policy.modified, "");
  EXPECT_EQ(policy.state, PolicyState::kEnabled);
  EXPECT_THAT(policy.conditions.sign_in_risk.values, ElementsAre(RiskLevel::kHigh));
  EXPECT_FALSE(policy.conditions.locations.has_value());
  const auto& guests = policy.conditions.users.exclude_guests;
  ASSERT_TRUE(guests.has_value());
  EXPECT_THAT(guests->types.values,
              ElementsAre(UserType::kInternalGuest, UserType::kServiceProvider));
  EXPECT_THAT(guests->tenants.value(), ElementsAre("d0c00000-0000-4000-8000-000000000003"));
  EXPECT_EQ(policy.grant->combination, GrantOperator::kOr);
  EXPECT_EQ(policy.session->sign_in_frequency->value, 8);
  EXPECT_THAT(read.notices,
              ElementsAre(Notice{Notice::Kind::kIgnored, "sessionControls.persistentBrowser",
                                 "has no effect on certificates", read.policies[0].id}));
  EXPECT_NE(read.policies[0].id, "");
}

TEST(GraphExportTest, WritesWhatItRead) {
  const GraphExport read = Read(kPolicy);
  ExpectSame(Read(WriteGraphExport(read)), read);
}

TEST(GraphExportTest, ReadsWhatPowerShellWrites) {
  const std::string pascal = absl::StrReplaceAll(
      kPolicy, {{"\"displayName\"", "\"DisplayName\""},
                {"\"state\"", "\"State\""},
                {"\"conditions\"", "\"AdditionalProperties\": {}, \"Conditions\""},
                {"\"includeUsers\"", "\"IncludeUsers\""},
                {"\"builtInControls\"", "\"BuiltInControls\""},
                {"\"mfa\"", "\"Mfa\""},
                {"\"id\"", "\"Id\""}});
  ExpectSame(Read(pascal), Read(kPolicy));
  ExpectSame(Read(absl::StrCat("\xef\xbb\xbf", kPolicy)), Read(kPolicy));
  ExpectSame(Read(Utf16(kPolicy, true)), Read(kPolicy));
  ExpectSame(Read(Utf16(kPolicy, false)), Read(kPolicy));
}

TEST(GraphExportTest, ReadsUtf16BeyondTheFirstPlane) {
  std::string text = Utf16(R"([{"displayName": "X", "ipRanges": []}])", true);
  const std::size_t place = text.find('X');
  const std::string with_pair =
      text.substr(0, place) + "\x3d\xd8\x00\xde"s + text.substr(place + 2);
  EXPECT_EQ(Read(with_pair).locations.at(0).display_name, "\U0001F600");
  const std::string half = text.substr(0, place) + "\x3d\xd8"s + text.substr(place + 2);
  EXPECT_THAT(ParseGraphExport(half), FailsWith(ErrorReason::kFieldInvalid, ""));
  EXPECT_THAT(ParseGraphExport(text.substr(0, text.size() - 1)),
              FailsWith(ErrorReason::kFieldInvalid, ""));
}

TEST(GraphExportTest, ReadsListsAndAnswers) {
  EXPECT_THAT(Read(absl::StrCat("[", kPolicy, ",", kPolicy, "]")).policies, SizeIs(2));
  EXPECT_THAT(Read(absl::StrCat(R"({"@odata.count": 1, "@odata.nextLink": null, "value": [)",
                                kPolicy, "]}"))
                  .policies,
              SizeIs(1));
  EXPECT_THAT(Read("[]").policies, IsEmpty());
}

TEST(GraphExportTest, RefusesTheFirstPageOfMore) {
  EXPECT_THAT(
      ParseGraphExport(R"({"@odata.nextLink": "https://graph.microsoft.com/x", "value": []})"),
      FailsWith(ErrorReason::kFieldInvalid, "@odata.nextLink"));
}

TEST(GraphExportTest, RefusesMembersThatAppearTwice) {
  EXPECT_THAT(ParseGraphExport(R"({"value": [], "value": []})"),
              FailsWith(ErrorReason::kFieldInvalid, "value"));
  const std::string twice =
      absl::StrReplaceAll(kPolicy, {{"\"state\"", "\"State\": \"disabled\", \"state\""}});
  EXPECT_THAT(ParseGraphExport(twice), FailsWith(ErrorReason::kFieldInvalid, "state"));
}

TEST(GraphExportTest, RefusesWhatIsNoJson) {
  const auto read = ParseGraphExport("{\n\"a\": 1,\n}");
  EXPECT_THAT(read, FailsWith(ErrorReason::kFieldInvalid, ""));
  EXPECT_THAT(std::string(read.status().message()), HasSubstr("line 3"));
  for (const std::string text :
       {"", "{", "\"\xff\"", "null", "3", "{}", "[3]", "[[]]", "{\"value\": 3}"}) {
    EXPECT_THAT(ParseGraphExport(text), FailsWith(ErrorReason::kFieldInvalid)) << text;
  }
  EXPECT_THAT(ParseGraphExport(std::string(100000, '[')), FailsWith(ErrorReason::kFieldInvalid));
  EXPECT_THAT(ParseGraphExport(std::string(40, '[') + std::string(40, ']')),
              FailsWith(ErrorReason::kFieldInvalid, ""));
}

TEST(GraphExportTest, RefusesMembersOfAnotherType) {
  struct Case {
    const char* from;
    const char* to;
    const char* field;
  };
  const Case cases[] = {
      {R"("includeUsers": ["All"])", R"("includeUsers": "All")", "conditions.users.includeUsers"},
      {R"("value": 8)", R"("value": "8")", "sessionControls.signInFrequency.value"},
      {R"("value": 8)", R"("value": -8)", "sessionControls.signInFrequency.value"},
      {R"("value": 8)", R"("value": 8.5)", "sessionControls.signInFrequency.value"},
      {R"("value": 8)", R"("value": 99999999999)", "sessionControls.signInFrequency.value"},
      {R"("state": "enabled")", R"("state": "on")", "state"},
      {R"("state": "enabled")", R"("state": null)", "state"},
      {R"("displayName": "Require compliant devices")", R"("displayName": "")", "displayName"},
      {R"("excludeGroups": [)", R"("excludeGroups": [7,)", "conditions.users.excludeGroups"},
      {R"("platforms": null)", R"("platforms": "@{includePlatforms=System.Object[]}")",
       "conditions.platforms"},
      {R"("operator": "OR")", R"("operator": 1)", "grantControls.operator"},
  };
  for (const Case& one : cases) {
    const std::string text = absl::StrReplaceAll(kPolicy, {{one.from, one.to}});
    ASSERT_NE(text, kPolicy) << one.from;
    EXPECT_THAT(ParseGraphExport(text), FailsWith(ErrorReason::kFieldInvalid, one.field)) << one.to;
  }
}

TEST(GraphExportTest, TellsEveryMistake) {
  const auto read = ParseGraphExport(R"([{"displayName": "a", "ipRanges": [{"cidrAddress": "x"}]},
    {"displayName": "", "countriesAndRegions": ["Germany"]}, {"hello": 1}])");
  EXPECT_THAT(read, FailsWith(ErrorReason::kFieldInvalid, "[0].ipRanges[0].cidrAddress"));
  const std::string message(read.status().message());
  EXPECT_THAT(message, HasSubstr("\n[1].displayName: is missing"));
  EXPECT_THAT(message, HasSubstr("\n[1].countriesAndRegions: "));
  EXPECT_THAT(message, HasSubstr("\n[2]: is no conditionalAccessPolicy"));
}

TEST(GraphExportTest, TellsWhatCannotBeEnforced) {
  const std::string text = absl::StrReplaceAll(
      kPolicy,
      {{"\"times\": null", "\"times\": {\"x\": [1.5, true, null]}"},
       {"\"mfa\"", "\"mfa\", \"telepathy\""},
       {"\"cloudAppSecurity\": null", "\"cloudAppSecurity\": {\"isEnabled\": true}"},
       {"\"devices\": null",
        R"("devices": {"deviceFilter": {"mode": "include", "rule": "device.x -eq 1"}})"},
       {"\"templateId\"", "\"REF\": \"r\", \"VER\": \"1\", \"ENV\": \"p\", \"templateId\""}});
  const GraphExport read = Read(absl::StrCat("{\"value\": [", text, "]}"));
  std::vector<std::string> not_enforced, ignored;
  for (const Notice& notice : read.notices) {
    (notice.kind == Notice::Kind::kNotEnforced ? not_enforced : ignored).push_back(notice.path);
  }
  EXPECT_THAT(not_enforced,
              ElementsAre("value[0].conditions.devices.deviceFilter.rule",
                          "value[0].conditions.times", "value[0].sessionControls.cloudAppSecurity",
                          "value[0].grantControls.builtInControls"));
  EXPECT_THAT(ignored, ElementsAre("value[0].sessionControls.persistentBrowser", "value[0].ENV",
                                   "value[0].REF", "value[0].VER"));
  ExpectSame(Read(WriteGraphExport(read)), read);
}

TEST(GraphExportTest, TellsOfAPasswordChangeThatStandsAlone) {
  const std::string text =
      absl::StrReplaceAll(kPolicy, {{"\"mfa\", \"compliantDevice\"", "\"passwordChange\""}});
  EXPECT_THAT(Read(text).notices,
              testing::Contains(Field(&Notice::message, HasSubstr("belongs beside mfa"))));
}

TEST(GraphExportTest, ReadsNamedLocations) {
  const GraphExport read = Read(R"({"value": [
    {"@odata.type": "#microsoft.graph.ipNamedLocation", "id": "1", "displayName": "HQ",
     "isTrusted": true, "ipRanges": [
       {"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "192.0.2.0/24"},
       {"@odata.type": "#microsoft.graph.iPv6CidrRange", "cidrAddress": "2001:DB8::/32"}]},
    {"id": "2", "displayName": "Countries", "countriesAndRegions": ["de"],
     "includeUnknownCountriesAndRegions": true, "countryLookupMethod": "authenticatorAppGps"},
    {"Id": "3", "DisplayName": "By PowerShell", "AdditionalProperties": {
     "@odata.type": "#microsoft.graph.ipNamedLocation", "isTrusted": false,
     "ipRanges": [{"cidrAddress": "198.51.100.0/28"}]}},
    {"@odata.type": "#microsoft.graph.compliantNetworkNamedLocation", "id": "4",
     "displayName": "Compliant networks"}]})");
  ASSERT_THAT(read.locations, SizeIs(4));
  const auto& network = std::get<IpLocation>(read.locations[0].place);
  EXPECT_TRUE(network.trusted);
  EXPECT_EQ(IpRangeText(network.ranges.at(1)), "2001:db8::/32");
  const auto& countries = std::get<CountryLocation>(read.locations[1].place);
  EXPECT_THAT(countries.countries, ElementsAre("DE"));
  EXPECT_TRUE(countries.include_unknown);
  EXPECT_EQ(countries.lookup, CountryLookup::kAuthenticatorAppGps);
  EXPECT_THAT(std::get<IpLocation>(read.locations[2].place).ranges, SizeIs(1));
  EXPECT_TRUE(std::holds_alternative<OtherLocation>(read.locations[3].place));
  EXPECT_THAT(read.notices, ElementsAre(Field(&Notice::kind, Notice::Kind::kNotEnforced)));
  ExpectSame(Read(WriteGraphExport(read)), read);
}

constexpr char kCompliance[] = R"({
  "@odata.type": "#microsoft.graph.windows10CompliancePolicy",
  "roleScopeTagIds": ["0"], "id": "00000000-0000-0000-0000-000000000000", "version": 3,
  "createdDateTime": "2026-03-01T08:00:00.1234567+00:00", "description": null,
  "lastModifiedDateTime": "2026-03-02T08:00:00Z", "displayName": "Laptops",
  "passwordRequired": true, "passwordBlockSimple": false, "passwordRequiredToUnlockFromIdle": false,
  "passwordMinutesOfInactivityBeforeLock": 15, "passwordExpirationDays": null,
  "passwordMinimumLength": 8, "passwordRequiredType": "deviceDefault",
  "requireHealthyDeviceReport": false, "osMinimumVersion": "10.0.19041.0", "osMaximumVersion": null,
  "bitLockerEnabled": true, "storageRequireEncryption": true, "tpmRequired": true,
  "deviceThreatProtectionEnabled": false,
  "deviceThreatProtectionRequiredSecurityLevel": "unavailable",
  "deviceCompliancePolicyScript": null, "wslDistributions": [],
  "validOperatingSystemBuildRanges": [{"@odata.type": "microsoft.graph.operatingSystemVersionRange",
    "description": "22H2", "lowOSVersion": "10.0.22621.0", "highOSVersion": "10.0.22621.9999"}],
  "scheduledActionsForRule": [{"id": "x", "ruleName": "PasswordRequired",
    "scheduledActionConfigurations": [{"id": "y", "gracePeriodHours": 12, "actionType": "block",
      "notificationTemplateId": "", "notificationMessageCCList": []}]}]
})";

TEST(GraphExportTest, ReadsACompliancePolicy) {
  const GraphExport read = Read(kCompliance);
  ASSERT_THAT(read.compliance_policies, SizeIs(1));
  const CompliancePolicy& policy = read.compliance_policies[0];
  EXPECT_EQ(policy.type, "windows10CompliancePolicy");
  const std::map<std::string, SettingValue> settings = {
      {"passwordRequired", true},   {"passwordMinutesOfInactivityBeforeLock", 15},
      {"passwordMinimumLength", 8}, {"osMinimumVersion", std::string("10.0.19041.0")},
      {"bitLockerEnabled", true},   {"storageRequireEncryption", true},
      {"tpmRequired", true}};
  EXPECT_EQ(policy.settings, settings);
  EXPECT_THAT(policy.build_ranges,
              ElementsAre(BuildRange{"22H2", "10.0.22621.0", "10.0.22621.9999"}));
  EXPECT_EQ(GraceHours(policy), 12);
  EXPECT_THAT(policy.other, IsEmpty());
  EXPECT_THAT(read.notices, IsEmpty());
  ExpectSame(Read(WriteGraphExport(read)), read);
}

TEST(GraphExportTest, RefusesSettingsOfAnotherType) {
  const std::string text =
      absl::StrReplaceAll(kCompliance, {{"\"tpmRequired\": true", "\"tpmRequired\": \"true\""}});
  EXPECT_THAT(ParseGraphExport(text), FailsWith(ErrorReason::kFieldInvalid, "tpmRequired"));
  const std::string range = absl::StrReplaceAll(kCompliance, {{"10.0.22621.9999", "latest"}});
  EXPECT_THAT(
      ParseGraphExport(range),
      FailsWith(ErrorReason::kFieldInvalid, "validOperatingSystemBuildRanges[0].highOSVersion"));
}

TEST(GraphExportTest, TellsWhatNoDeviceMeets) {
  const std::string text = absl::StrReplaceAll(
      kCompliance, {{"\"tpmRequired\": true", "\"somethingNewRequired\": true, \"offNow\": false"},
                    {"\"wslDistributions\": []", "\"assignments\": [{\"id\": \"a\"}]"},
                    {"10.0.19041.0", "22H2"},
                    {"\"actionType\": \"block\"", "\"actionType\": \"notification\""}});
  const GraphExport read = Read(text);
  EXPECT_THAT(read.compliance_policies.at(0).other,
              ElementsAre(testing::Pair("osMinimumVersion", "\"22H2\""),
                          testing::Pair("somethingNewRequired", "true")));
  EXPECT_THAT(read.notices, ElementsAre(Field(&Notice::path, "assignments"),
                                        Field(&Notice::path, "osMinimumVersion"),
                                        Field(&Notice::path, "somethingNewRequired"),
                                        Field(&Notice::path, "scheduledActionsForRule")));
  ExpectSame(Read(WriteGraphExport(read)), read);
}

}  // namespace
}  // namespace hourglass::access
