// The program as its users meet it: the journal, devices and verdicts.
#include "tools/hourglass/scripted_service.h"

namespace hourglass::cli {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST_F(HourglassTest, TheJournalIsListedByWhatIsAskedFor) {
  const CommandResult listed =
      Run(absl::StrCat("certificates list --tenant contoso --user user@contoso.example --device "
                       "laptop-1 --serial ",
                       kSerialInHex, " --from 2026-11-20 --before 2026-11-21T00:00:00Z"));
  EXPECT_EQ(listed.exit_code, 0) << listed.output;
  EXPECT_THAT(listed.output, HasSubstr(kSerialInHex));
  EXPECT_THAT(listed.output, HasSubstr(" UTC (in 42 min)\n"));
  const auto request = script_.Last<v1::ListCertificatesRequest>();
  EXPECT_EQ(request.user_upn(), "user@contoso.example");
  EXPECT_EQ(request.device_id(), "laptop-1");
  EXPECT_EQ(request.serial_number(), kSerial);
  EXPECT_EQ(request.intended_before().seconds() - request.intended_from().seconds(), 86400);
  EXPECT_EQ(
      RunCommand({kProgram, "--config", service_.config_file(), "certificates", "show", "--tenant",
                  "contoso", absl::StrCat("\xE2\x80\x8E", "serial=", kSerialInHex)})
          .exit_code,
      0);
  EXPECT_EQ(script_.Last<v1::GetCertificateRequest>().serial_number(), kSerial);
  EXPECT_EQ(RunJson("certificates list --tenant contoso")["certificates"][0]["serial_number"],
            kSerialInHex);
}

TEST_F(HourglassTest, LiveCertificatesAreAskedForAsSuch) {
  EXPECT_EQ(Run("certificates list --tenant contoso --device laptop-1").exit_code, 0);
  EXPECT_FALSE(script_.Last<v1::ListCertificatesRequest>().live());
  EXPECT_EQ(Run("certificates list --tenant contoso --live --device laptop-1").exit_code, 0);
  EXPECT_TRUE(script_.Last<v1::ListCertificatesRequest>().live());
  EXPECT_EQ(script_.Last<v1::ListCertificatesRequest>().device_id(), "laptop-1");
}

TEST_F(HourglassTest, TheJournalIsPagedUpToTheLimit) {
  journal_.pages = 5;
  const Json three = RunJson("certificates list --tenant contoso --limit 3");
  EXPECT_EQ(three["certificates"].size(), 3u);
  EXPECT_EQ(three["more"], true);
  EXPECT_THAT(Run("certificates list --tenant contoso --limit 3").output,
              HasSubstr("there are more"));
  const Json all = RunJson("certificates list --tenant contoso --limit 5");
  EXPECT_EQ(all["certificates"].size(), 5u);
  EXPECT_EQ(all["more"], false);
}

TEST_F(HourglassTest, OneCertificateIsShownInThreeForms) {
  const std::string show = absl::StrCat("certificates show --tenant contoso ", kSerialInHex);
  EXPECT_THAT(Run(show).output, HasSubstr("user@contoso.example"));
  EXPECT_EQ(script_.Last<v1::GetCertificateRequest>().serial_number(), kSerial);
  EXPECT_EQ(Run(show + " --format der").output, authority_.root());
  EXPECT_THAT(Run(show + " --format pem").output, StartsWith("-----BEGIN CERTIFICATE-----\n"));
  EXPECT_EQ(RunJson(show)["released"], true);
}

TEST_F(HourglassTest, ACertificateIsShownWithWhoseWordCounted) {
  const std::string show = absl::StrCat("certificates show --tenant contoso ", kSerialInHex);
  EXPECT_THAT(Run(show).output, Not(HasSubstr("Known by"))) << "a record of before";
  EXPECT_FALSE(RunJson(show).contains("identity"));
  journal_.entry.set_identity("asserted_by_broker");
  EXPECT_THAT(Run(show).output, testing::ContainsRegex("Known by +the broker's word\n"));
  journal_.entry.set_identity("access_token");
  journal_.entry.set_token_issuer("https://issuer.example/contoso");
  journal_.entry.set_token_id("uti-7");
  EXPECT_THAT(
      Run(show).output,
      testing::ContainsRegex("Known by +access token uti-7 of https://issuer.example/contoso\n"));
  const Json json = RunJson(show);
  EXPECT_EQ(json["identity"], "access_token");
  EXPECT_EQ(json["token_issuer"], "https://issuer.example/contoso");
  EXPECT_EQ(json["token_id"], "uti-7");
}

TEST_F(HourglassTest, ACertificateNeverReleasedIsSaidToBeSo) {
  journal_.entry.clear_certificate();
  journal_.entry.clear_released_at();
  const std::string show = absl::StrCat("certificates show --tenant contoso ", kSerialInHex);
  EXPECT_THAT(Run(show).output, HasSubstr("never: no certificate left the service"));
  EXPECT_THAT(Run("certificates list --tenant contoso").output, HasSubstr("never released\n"));
  const CommandResult pem = Run(show + " --format pem");
  EXPECT_EQ(pem.exit_code, 1);
  EXPECT_THAT(pem.output, StartsWith("hourglass: CERTIFICATE_UNKNOWN: "));
}

TEST_F(HourglassTest, TheIntermediatesOfARootAreListedToTheLimit) {
  const std::string list = "roots intermediates --tenant contoso r1";
  EXPECT_EQ(Run(list).output, "No intermediates: the root's own key signs.\n");
  EXPECT_EQ(script_.Last<v1::ListIntermediatesRequest>().root_id(), "r1");
  EXPECT_EQ(script_.Last<v1::ListIntermediatesRequest>().page_size(), 100u);
  EXPECT_TRUE(RunJson(list)["intermediates"].empty());

  v1::Intermediate one;
  one.set_serial_number(kSerial);
  one.set_key_type(v1::EC_P256);
  one.set_epoch(3);
  *one.mutable_not_after() = TimestampOf(absl::Now() + absl::Seconds(42 * 60 + 30));
  v1::Intermediate unsigned_one = one;
  one.set_certificate(authority_.root());
  *one.mutable_released_at() = TimestampOf(absl::Now());
  roots_.intermediates = {one, unsigned_one, one};
  const CommandResult table = Run(list);
  EXPECT_EQ(table.exit_code, 0);
  EXPECT_THAT(table.output, HasSubstr(kSerialInHex));
  EXPECT_THAT(table.output, HasSubstr(" UTC (in 42 min)"));
  EXPECT_THAT(table.output, HasSubstr("never used"));
  EXPECT_THAT(table.output, Not(HasSubstr("there are more")));
  const Json all = RunJson(list);
  ASSERT_EQ(all["intermediates"].size(), 3u);
  EXPECT_EQ(all["more"], false);
  EXPECT_EQ(all["intermediates"][0]["serial_number"], kSerialInHex);
  EXPECT_EQ(all["intermediates"][0]["key_type"], "ec-p256");
  EXPECT_EQ(all["intermediates"][0]["epoch"], 3);
  EXPECT_EQ(all["intermediates"][0]["released"], true);
  EXPECT_EQ(all["intermediates"][0]["subject"], "CN=root-one");
  EXPECT_EQ(all["intermediates"][1]["released"], false);
  EXPECT_FALSE(all["intermediates"][1].contains("certificate_pem"));
  const std::string file = service_.directory().Write(
      "above.pem", all["intermediates"][0]["certificate_pem"].get<std::string>());
  EXPECT_EQ(OpensslSays("x509 -noout -subject -in " + file), "subject=CN = root-one\n");

  const Json two = RunJson(list + " --limit 2");
  EXPECT_EQ(two["intermediates"].size(), 2u);
  EXPECT_EQ(two["more"], true);
  EXPECT_THAT(Run(list + " --limit 2").output, HasSubstr("The newest 2 are shown"));
  EXPECT_EQ(Run(list + " --limit 0").exit_code, 2);
  EXPECT_EQ(Run("roots intermediates --tenant contoso").exit_code, 2);
}

TEST_F(HourglassTest, RootsForSubKeysAreCreatedOnlyWhereAskedFor) {
  Run("roots create --tenant contoso --duration 90d --key-type ec-p256");
  EXPECT_FALSE(script_.Last<v1::CreateRootRequest>().issuing_sub_keys());
  Run("roots create --tenant contoso --duration 90d --key-type ec-p256 --issuing-sub-keys");
  EXPECT_TRUE(script_.Last<v1::CreateRootRequest>().issuing_sub_keys());
}

TEST_F(HourglassTest, DevicesAreReportedBySettings) {
  const CommandResult reported =
      Run("devices report --tenant contoso laptop-1 --antivirus on --disk-encryption off "
          "--password-length 12 --os-version 10.0.22631 --attested 2h");
  EXPECT_EQ(reported.exit_code, 0) << reported.output;
  const v1::DeviceState state = script_.Last<v1::ReportDeviceRequest>().state();
  EXPECT_TRUE(state.antivirus().enabled());
  EXPECT_TRUE(state.disk_encryption().has_enabled());
  EXPECT_FALSE(state.disk_encryption().enabled());
  EXPECT_EQ(state.password_policy().minimum_length(), 12u);
  EXPECT_EQ(state.automatic_update().os_version(), "10.0.22631");
  EXPECT_NEAR(state.device_health_attestation().attested_at().seconds(),
              absl::ToUnixSeconds(absl::Now() - absl::Hours(2)), 60);
  EXPECT_FALSE(state.password_policy().has_required());
  EXPECT_THAT(reported.output,
              HasSubstr("disk_encryption.enabled                             off\n"));
  EXPECT_THAT(reported.output,
              HasSubstr("password_policy.required                            unknown\n"));
}

TEST_F(HourglassTest, DevicesAreReportedByFileAndSettingsReplaceItsOwn) {
  const std::string file = service_.directory().Write(
      "state.json", R"({"antivirus": {"enabled": true}, "disk_encryption": {"enabled": false}})");
  EXPECT_EQ(Run("devices report --tenant contoso --device laptop-1 --file " + file +
                " --disk-encryption on")
                .exit_code,
            0);
  const v1::DeviceState state = script_.Last<v1::ReportDeviceRequest>().state();
  EXPECT_TRUE(state.antivirus().enabled());
  EXPECT_TRUE(state.disk_encryption().enabled());

  const std::string wrong =
      service_.directory().Write("wrong.json", R"({"antivirus": {"on": true}})");
  const CommandResult refused = Run("devices report --tenant contoso laptop-1 --file " + wrong);
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.output,
              StartsWith("hourglass: FIELD_INVALID: state.antivirus.on: there is "));
  const std::string doubled = service_.directory().Write(
      "doubled.json", R"({"disk_encryption":{"enabled":false},"diskEncryption":{"enabled":true}})");
  EXPECT_THAT(Run("devices report --tenant contoso laptop-1 --file " + doubled).output,
              StartsWith("hourglass: FIELD_INVALID: state.disk_encryption: appears twice"));
  const std::string garbage = service_.directory().Write("garbage.json", "not json\nat all");
  const CommandResult no_json = Run("devices report --tenant contoso laptop-1 --file " + garbage);
  EXPECT_EQ(no_json.exit_code, 1);
  EXPECT_THAT(no_json.output, StartsWith("hourglass: FIELD_INVALID: state: is not JSON: "));
  EXPECT_THAT(no_json.output, Not(HasSubstr("\\x0a")));
  EXPECT_EQ(script_.asked["hourglass.v1.ReportDeviceRequest"].size(), 1u);
}

TEST_F(HourglassTest, AShownStateCanBeReportedAgain) {
  devices_.device.mutable_state()->mutable_password_policy()->set_lock_after_minutes(5);
  const Json shown = RunJson("devices show --tenant contoso laptop-1");
  const std::string file = service_.directory().Write("again.json", shown["state"].dump());
  EXPECT_EQ(Run("devices report --tenant contoso laptop-1 --file " + file).exit_code, 0);
  EXPECT_EQ(script_.Last<v1::ReportDeviceRequest>().state().SerializeAsString(),
            devices_.device.state().SerializeAsString());
}

TEST_F(HourglassTest, DevicesAreListedToTheLastPageAndRemoved) {
  EXPECT_EQ(RunJson("devices list --tenant contoso")["devices"].size(), 2u);
  EXPECT_EQ(script_.Last<v1::ListDevicesRequest>().page_token(), "2");
  EXPECT_THAT(Run("devices list --tenant contoso").output, HasSubstr("(5 min ago)  inventory\n"));
  EXPECT_THAT(Run("devices remove --tenant contoso laptop-1").output,
              StartsWith("Forgot device laptop-1"));
  EXPECT_EQ(script_.Last<v1::RemoveDeviceRequest>().device_id(), "laptop-1");
}

constexpr char kEvaluate[] =
    "compliance evaluate --tenant contoso --user user@contoso.example --device laptop-1";

TEST_F(HourglassTest, AVerdictIsShownWithItsReasonsAndDecidesTheExitCode) {
  const CommandResult allowed = Run(kEvaluate);
  EXPECT_EQ(allowed.exit_code, 0);
  EXPECT_THAT(allowed.output, StartsWith("ALLOW: user@contoso.example on laptop-1 "));
  EXPECT_EQ(script_.Last<v1::EvaluateRequest>().nonce().size(), 16u);
  EXPECT_EQ(RunJson(kEvaluate)["outcome"], "allow");

  v1::DenyReason& reason = *compliance_.verdict.mutable_deny()->add_reasons();
  reason.set_setting("disk_encryption.enabled");
  reason.set_message("the disks are not encrypted");
  reason.set_remediation_url("https://help.example/disk");
  const CommandResult denied = Run(kEvaluate);
  EXPECT_EQ(denied.exit_code, 1);
  EXPECT_THAT(denied.output, StartsWith("DENY: "));
  EXPECT_THAT(denied.output, HasSubstr("  - disk_encryption.enabled: the disks are not encrypted\n"
                                       "    how to mend it: https://help.example/disk\n"));
  const CommandResult json = Run(std::string(kEvaluate) + " --json");
  EXPECT_EQ(json.exit_code, 1);
  EXPECT_EQ(Json::parse(json.output)["reasons"][0]["setting"], "disk_encryption.enabled");
}

TEST_F(HourglassTest, WhatIsNoVerdictIsAFailure) {
  compliance_.repeat_nonce = false;
  EXPECT_THAT(Run(kEvaluate).output, StartsWith("hourglass: COMPLIANCE_ANSWER_INVALID: nonce: "));
  compliance_.repeat_nonce = true;
  compliance_.verdict.clear_outcome();
  const CommandResult unset = Run(kEvaluate);
  EXPECT_EQ(unset.exit_code, 1);
  EXPECT_THAT(unset.output, StartsWith("hourglass: COMPLIANCE_ANSWER_INVALID: outcome: "));
}

}  // namespace
}  // namespace hourglass::cli
