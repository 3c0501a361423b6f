#include "issuance/compliance/access_facts.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "issuance/store/testing/sample_records.h"

namespace hourglass::issuance {
namespace {

using access::DeviceAttribute;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;

v1::DeviceState State(const std::string& text) {
  v1::DeviceState state;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &state)) << text;
  return state;
}

TEST(UserFactsTest, AreThoseOfTheDirectory) {
  DirectoryUser user = SampleUser("u-1");
  user.groups = {"g-1", "G-2"};
  user.roles = {"r-1"};
  const access::UserFacts facts = UserFactsOf(user, "u-1", "U-1@Contoso.example");
  EXPECT_THAT(facts.id, Optional(std::string("u-1")));
  EXPECT_EQ(facts.type, access::UserType::kMember);
  ASSERT_TRUE(facts.groups.has_value() && facts.roles.has_value());
  EXPECT_TRUE(facts.groups->Has("g-2"));
  EXPECT_TRUE(facts.roles->Has("r-1"));
  EXPECT_FALSE(facts.groups->Has("r-1"));
  EXPECT_TRUE(UserFactsOf(user, "u-1", "").groups.has_value());
}

TEST(UserFactsTest, OfWhoIsNotInTheDirectoryTheIdAloneIsKnown) {
  const access::UserFacts facts = UserFactsOf(std::nullopt, "u-9", "u-9@contoso.example");
  EXPECT_THAT(facts.id, Optional(std::string("u-9")));
  EXPECT_FALSE(facts.groups.has_value() || facts.roles.has_value() || facts.type.has_value());
  EXPECT_FALSE(UserFactsOf(std::nullopt, "", "u-9@contoso.example").id.has_value());
}

TEST(UserFactsTest, NothingIsKnownOfWhoseNameIsNotTheDirectorys) {
  const access::UserFacts facts = UserFactsOf(SampleUser("u-1"), "u-1", "ceo@contoso.example");
  EXPECT_FALSE(facts.id.has_value() || facts.groups.has_value() || facts.type.has_value());
}

TEST(UserFactsTest, OfGuestsTheKindIsNotKnown) {
  DirectoryUser user = SampleUser("u-1");
  user.is_guest = true;
  EXPECT_FALSE(UserFactsOf(user, "u-1", "").type.has_value());
  user.is_guest = false;
  user.upn = "eve_fabrikam.example#ext#@contoso.example";
  EXPECT_FALSE(UserFactsOf(user, "u-1", "").type.has_value());
}

TEST(DeviceFactsTest, AReportedDeviceIsRegisteredAndNothingElseIsKnown) {
  const access::DeviceFacts facts = DeviceFactsOf({}, "laptop-1");
  EXPECT_EQ(facts.registered, true);
  EXPECT_FALSE(facts.managed.has_value() || facts.trust_type.has_value() ||
               facts.ownership.has_value() || facts.platform.has_value() ||
               facts.compliance.has_value());
  for (std::size_t i = 1; i < access::kDeviceAttributes; ++i) {
    EXPECT_FALSE(facts.attributes[i].has_value()) << i;
  }
  EXPECT_THAT(facts.attribute(DeviceAttribute::kDeviceId), Optional(ElementsAre("laptop-1")));
  EXPECT_EQ(DeviceFactsOf(State("directory { registered: false }"), "x").registered, false);
}

TEST(DeviceFactsTest, HaveWhatTheDirectorySays) {
  const access::DeviceFacts facts =
      DeviceFactsOf(State(R"pb(
                      management { managed: true mdm_app_id: "m" enrollment_profile_name: "" }
                      automatic_update { os_version: "10.0.1" }
                      directory {
                        trust_type: "ServerAD"
                        ownership: "Personal"
                        operating_system: "MacMDM"
                        model: ""
                        physical_ids { values: "a" values: "b" }
                        system_labels {}
                        extension_attribute1: "one"
                        extension_attribute15: "SAW"
                      })pb"),
                    "d");
  EXPECT_EQ(facts.managed, true);
  EXPECT_EQ(facts.trust_type, access::TrustType::kServerAd);
  EXPECT_EQ(facts.ownership, access::DeviceOwnership::kPersonal);
  EXPECT_EQ(facts.platform, access::Platform::kMacOs);
  EXPECT_THAT(facts.attribute(DeviceAttribute::kOperatingSystemVersion),
              Optional(ElementsAre("10.0.1")));
  EXPECT_THAT(facts.attribute(DeviceAttribute::kMdmAppId), Optional(ElementsAre("m")));
  EXPECT_THAT(facts.attribute(DeviceAttribute::kPhysicalIds), Optional(ElementsAre("a", "b")));
  EXPECT_THAT(facts.attribute(DeviceAttribute::kExtensionAttribute1), Optional(ElementsAre("one")));
  EXPECT_THAT(facts.attribute(DeviceAttribute::kExtensionAttribute15),
              Optional(ElementsAre("SAW")));
  // Known to be nothing, and not known.
  EXPECT_THAT(facts.attribute(DeviceAttribute::kModel), Optional(IsEmpty()));
  EXPECT_THAT(facts.attribute(DeviceAttribute::kSystemLabels), Optional(IsEmpty()));
  EXPECT_THAT(facts.attribute(DeviceAttribute::kEnrollmentProfileName), Optional(IsEmpty()));
  EXPECT_FALSE(facts.attribute(DeviceAttribute::kManufacturer).has_value());
}

TEST(ComplianceFactsTest, OfAnEmptyReportNothingIsKnownButItsTime) {
  const access::ComplianceFacts facts = ComplianceFactsOf({}, SampleTime());
  EXPECT_EQ(facts.reported_at, SampleTime());
  EXPECT_FALSE(facts.noncompliant_since.has_value());
  EXPECT_FALSE(facts.os_version.has_value() || facts.platform.has_value() ||
               facts.storage_encrypted.has_value() || facts.health.secure_boot.has_value() ||
               facts.password.set.has_value() || facts.threat.has_value() ||
               facts.firewall.has_value());
}

// Every field of the report goes somewhere: none is taken for another's.
TEST(ComplianceFactsTest, AreThoseOfTheReport) {
  const access::ComplianceFacts facts = ComplianceFactsOf(
      State(R"pb(
        antivirus {
          enabled: true
          real_time_protection: false
          signatures_current: true
          antispyware: false
          defender: true
          defender_version: "4.18"
        }
        automatic_update { os_version: "14.6" os_build: "23G93" security_patch: "2026-11-01" }
        password_policy {
          required: true
          minimum_length: 8
          lock_after_minutes: 5
          simple_blocked: false
          asked_from_idle: true
          character_sets: 3
          expires_after_days: 90
          previous_blocked: 4294967295
          type: "numeric"
        }
        disk_encryption { enabled: true }
        device_health_attestation {
          bitlocker: true
          data_execution_prevention: false
          attestation_key: true
          virtual_secure_mode: false
          preinstallation_environment: true
          safe_mode: false
          early_launch_antimalware: true
        }
        protection { firewall: true tpm: false jailbroken: false threat_level: "medium" }
        management {
          noncompliant_since { seconds: 1767000001 }
          managed_email_profile: true
        }
        directory { operating_system: "Windows" })pb"),
      SampleTime());
  EXPECT_EQ(facts.antivirus, true);
  EXPECT_EQ(facts.real_time_protection, false);
  EXPECT_EQ(facts.signatures_current, true);
  EXPECT_EQ(facts.antispyware, false);
  EXPECT_EQ(facts.defender, true);
  EXPECT_EQ(facts.defender_version, "4.18");
  EXPECT_EQ(facts.os_version, "14.6");
  EXPECT_EQ(facts.os_build, "23G93");
  EXPECT_EQ(facts.security_patch, "2026-11-01");
  EXPECT_EQ(facts.password.set, true);
  EXPECT_EQ(facts.password.minimum_length, 8);
  EXPECT_EQ(facts.password.locks_after_minutes, 5);
  EXPECT_EQ(facts.password.simple_blocked, false);
  EXPECT_EQ(facts.password.asked_from_idle, true);
  EXPECT_EQ(facts.password.character_sets, 3);
  EXPECT_EQ(facts.password.expires_after_days, 90);
  EXPECT_EQ(facts.password.previous_blocked, 2147483647);
  EXPECT_EQ(facts.password.type, access::PasswordType::kNumeric);
  EXPECT_EQ(facts.storage_encrypted, true);
  EXPECT_EQ(facts.health.bitlocker, true);
  EXPECT_EQ(facts.health.dep, false);
  EXPECT_EQ(facts.health.attestation_key, true);
  EXPECT_EQ(facts.health.vsm, false);
  EXPECT_EQ(facts.health.win_pe, true);
  EXPECT_EQ(facts.health.safe_mode, false);
  EXPECT_EQ(facts.health.elam_driver, true);
  EXPECT_EQ(facts.firewall, true);
  EXPECT_EQ(facts.tpm, false);
  EXPECT_EQ(facts.jailbroken, false);
  EXPECT_EQ(facts.threat, access::ThreatLevel::kMedium);
  EXPECT_EQ(facts.managed_email_profile, true);
  EXPECT_EQ(facts.platform, access::Platform::kWindows);
  EXPECT_EQ(facts.noncompliant_since, Timestamp(std::chrono::seconds(1767000001)));
}

}  // namespace
}  // namespace hourglass::issuance
