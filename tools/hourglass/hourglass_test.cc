// The program as its users meet it: the built binary against a scripted service over mutual TLS.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "hourglass/v1/compliance.grpc.pb.h"
#include "hourglass/v1/devices.grpc.pb.h"
#include "hourglass/v1/issuance.grpc.pb.h"
#include "hourglass/v1/journal.grpc.pb.h"
#include "hourglass/v1/roots.grpc.pb.h"
#include "hourglass/v1/tenants.grpc.pb.h"
#include "hsm/base/error.h"
#include "issuance/status_detail.h"
#include "tests/support/subprocess.h"
#include "tools/client/testing/loopback_service.h"
#include "tools/client/wording.h"

namespace hourglass::cli {
namespace {

using client::LoopbackService;
using client::OpensslAuthority;
using client::TimestampOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using Json = nlohmann::json;

constexpr char kProgram[] = "tools/hourglass/hourglass";
const std::string kSerial("\x4f\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f", 16);
constexpr char kSerialInHex[] = "4f0102030405060708090a0b0c0d0e0f";

// Answers every call with what the test wrote down for it, and keeps what was asked.
struct Script {
  grpc::Status status = grpc::Status::OK;
  std::map<std::string, std::vector<std::string>> asked;  // by message type, serialized

  template <typename Request>
  grpc::Status Take(const Request& request) {
    asked[request.GetTypeName()].push_back(request.SerializeAsString());
    return status;
  }

  template <typename Request>
  Request Last() const {
    Request request;
    const auto found = asked.find(request.GetTypeName());
    if (found != asked.end()) request.ParseFromString(found->second.back());
    return request;
  }
};

class Tenants final : public v1::TenantService::Service {
 public:
  explicit Tenants(Script& script) : script_(script) {}
  v1::Tenant tenant;
  bool none = false;

  grpc::Status CreateTenant(grpc::ServerContext*, const v1::CreateTenantRequest* request,
                            v1::Tenant* answer) override {
    *answer = tenant;
    return script_.Take(*request);
  }
  grpc::Status ListTenants(grpc::ServerContext*, const v1::ListTenantsRequest* request,
                           v1::ListTenantsResponse* answer) override {
    if (!none) *answer->add_tenants() = tenant;
    return script_.Take(*request);
  }
  grpc::Status GetTenant(grpc::ServerContext*, const v1::GetTenantRequest* request,
                         v1::Tenant* answer) override {
    *answer = tenant;
    return script_.Take(*request);
  }

 private:
  Script& script_;
};

class Roots final : public v1::RootService::Service {
 public:
  explicit Roots(Script& script) : script_(script) {}
  v1::Root root;

  grpc::Status CreateRoot(grpc::ServerContext*, const v1::CreateRootRequest* request,
                          v1::Root* answer) override {
    *answer = root;
    return script_.Take(*request);
  }
  grpc::Status ListRoots(grpc::ServerContext*, const v1::ListRootsRequest* request,
                         v1::ListRootsResponse* answer) override {
    *answer->add_roots() = root;
    return script_.Take(*request);
  }
  grpc::Status GetRoot(grpc::ServerContext*, const v1::GetRootRequest* request,
                       v1::Root* answer) override {
    *answer = root;
    return script_.Take(*request);
  }
  grpc::Status PromoteRoot(grpc::ServerContext*, const v1::MoveRootRequest* request,
                           v1::Root* answer) override {
    return Move(*request, v1::PRIMARY, answer);
  }
  grpc::Status RetireRoot(grpc::ServerContext*, const v1::MoveRootRequest* request,
                          v1::Root* answer) override {
    return Move(*request, v1::RETIRED, answer);
  }
  grpc::Status DiscardRoot(grpc::ServerContext*, const v1::MoveRootRequest* request,
                           v1::Root* answer) override {
    return Move(*request, v1::DISCARDED, answer);
  }

 private:
  grpc::Status Move(const v1::MoveRootRequest& request, v1::RootState state, v1::Root* answer) {
    *answer = root;
    answer->set_state(state);
    return script_.Take(request);
  }

  Script& script_;
};

class Issuer final : public v1::CertificateIssuer::Service {
 public:
  explicit Issuer(Script& script) : script_(script) {}
  v1::TrustBundle bundle;

  grpc::Status GetTrustBundle(grpc::ServerContext*, const v1::GetTrustBundleRequest* request,
                              v1::TrustBundle* answer) override {
    *answer = bundle;
    return script_.Take(*request);
  }

 private:
  Script& script_;
};

class Journal final : public v1::JournalService::Service {
 public:
  explicit Journal(Script& script) : script_(script) {}
  v1::JournalEntry entry;
  int pages = 1;  // of one entry each

  grpc::Status ListCertificates(grpc::ServerContext*, const v1::ListCertificatesRequest* request,
                                v1::ListCertificatesResponse* answer) override {
    *answer->add_entries() = entry;
    const int page = request->page_token().empty() ? 1 : std::stoi(request->page_token());
    if (page < pages) answer->set_next_page_token(absl::StrCat(page + 1));
    return script_.Take(*request);
  }
  grpc::Status GetCertificate(grpc::ServerContext*, const v1::GetCertificateRequest* request,
                              v1::JournalEntry* answer) override {
    *answer = entry;
    return script_.Take(*request);
  }

 private:
  Script& script_;
};

class Devices final : public v1::DeviceService::Service {
 public:
  explicit Devices(Script& script) : script_(script) {}
  v1::Device device;

  grpc::Status ReportDevice(grpc::ServerContext*, const v1::ReportDeviceRequest* request,
                            v1::Device* answer) override {
    *answer = device;
    *answer->mutable_state() = request->state();
    return script_.Take(*request);
  }
  grpc::Status ListDevices(grpc::ServerContext*, const v1::ListDevicesRequest* request,
                           v1::ListDevicesResponse* answer) override {
    *answer->add_devices() = device;
    if (request->page_token().empty()) answer->set_next_page_token("2");
    return script_.Take(*request);
  }
  grpc::Status GetDevice(grpc::ServerContext*, const v1::GetDeviceRequest* request,
                         v1::Device* answer) override {
    *answer = device;
    return script_.Take(*request);
  }
  grpc::Status RemoveDevice(grpc::ServerContext*, const v1::RemoveDeviceRequest* request,
                            v1::RemoveDeviceResponse*) override {
    return script_.Take(*request);
  }

 private:
  Script& script_;
};

class Compliance final : public v1::ComplianceService::Service {
 public:
  explicit Compliance(Script& script) : script_(script) {}
  v1::Verdict verdict;
  bool repeat_nonce = true;

  grpc::Status Evaluate(grpc::ServerContext*, const v1::EvaluateRequest* request,
                        v1::Verdict* answer) override {
    *answer = verdict;
    if (repeat_nonce) answer->set_nonce(request->nonce());
    return script_.Take(*request);
  }

 private:
  Script& script_;
};

std::vector<std::string> Words(const std::string& text) { return absl::StrSplit(text, ' '); }

class HourglassTest : public testing::Test {
 protected:
  HourglassTest()
      : tenants_(script_),
        roots_(script_),
        issuer_(script_),
        journal_(script_),
        devices_(script_),
        compliance_(script_),
        authority_("root-one"),
        service_({&tenants_, &roots_, &issuer_, &journal_, &devices_, &compliance_}) {
    const absl::Time now = absl::Now();
    tenants_.tenant.set_tenant_id("contoso");
    tenants_.tenant.set_display_name("Contoso Ltd");
    tenants_.tenant.set_epoch(3);
    *tenants_.tenant.mutable_created_at() = TimestampOf(now - absl::Hours(3));
    v1::Root& root = roots_.root;
    root.set_root_id("r1");
    root.set_tenant_id("contoso");
    root.set_generation(1);
    root.set_state(v1::STAGED);
    root.set_key_type(v1::EC_P256);
    root.set_key_uri("pkcs11:token=contoso;object=r1");
    root.set_certificate(authority_.root());
    *root.mutable_not_after() = TimestampOf(now + absl::Hours(24 * 730) + absl::Minutes(1));
    issuer_.bundle.add_roots(authority_.root());
    v1::JournalEntry& entry = journal_.entry;
    entry.set_tenant_id("contoso");
    entry.set_serial_number(kSerial);
    entry.set_root_id("r1");
    entry.set_user_upn("user@contoso.example");
    entry.set_device_id("laptop-1");
    entry.set_certificate(authority_.root());
    *entry.mutable_not_after() = TimestampOf(now + absl::Seconds(42 * 60 + 30));
    *entry.mutable_intended_at() = TimestampOf(now);
    *entry.mutable_released_at() = TimestampOf(now);
    devices_.device.set_tenant_id("contoso");
    devices_.device.set_device_id("laptop-1");
    devices_.device.set_reported_by("inventory");
    *devices_.device.mutable_reported_at() = TimestampOf(now - absl::Minutes(5));
    compliance_.verdict.set_policy_version("7");
    compliance_.verdict.mutable_allow();
  }

  CommandResult Run(const std::vector<std::string>& words) const {
    std::vector<std::string> command = {kProgram, "--config", service_.config_file()};
    command.insert(command.end(), words.begin(), words.end());
    return RunCommand(command);
  }
  CommandResult Run(const std::string& words) const { return Run(Words(words)); }

  // What the command prints with --json; discarded where it is no JSON.
  Json RunJson(const std::string& words) const {
    const CommandResult result = Run(words + " --json");
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return Json::parse(result.output, nullptr, false);
  }

  std::string OpensslSays(const std::string& words) const {
    return RunCommand(Words("openssl " + words)).output;
  }

  Script script_;
  Tenants tenants_;
  Roots roots_;
  Issuer issuer_;
  Journal journal_;
  Devices devices_;
  Compliance compliance_;
  OpensslAuthority authority_;
  LoopbackService service_;
};

TEST_F(HourglassTest, TenantsAreCreatedListedAndShown) {
  const CommandResult created =
      Run({"tenants", "create", "contoso", "--display-name", "Contoso Ltd"});
  EXPECT_EQ(created.exit_code, 0);
  EXPECT_THAT(created.output, StartsWith("Created tenant contoso.\n"));
  EXPECT_THAT(created.output, HasSubstr("hourglass roots create --tenant contoso"));
  EXPECT_EQ(script_.Last<v1::CreateTenantRequest>().tenant_id(), "contoso");
  EXPECT_EQ(script_.Last<v1::CreateTenantRequest>().display_name(), "Contoso Ltd");

  EXPECT_THAT(Run("tenants list").output, HasSubstr("contoso  Contoso Ltd   none     "));
  EXPECT_THAT(Run("tenants show contoso").output, HasSubstr("none: nothing is issued"));
  EXPECT_EQ(RunJson("tenants list")["tenants"][0]["tenant_id"], "contoso");
  EXPECT_EQ(RunJson("tenants show --tenant contoso")["epoch"], 3);
  EXPECT_EQ(script_.Last<v1::GetTenantRequest>().tenant_id(), "contoso");
}

TEST_F(HourglassTest, AnEmptyListSaysWhatToDo) {
  tenants_.none = true;
  EXPECT_THAT(Run("tenants list").output, HasSubstr("hourglass tenants create"));
  EXPECT_EQ(RunJson("tenants list")["tenants"], Json::array());
}

TEST_F(HourglassTest, JsonIsTakenBeforeAndBehindTheSubcommand) {
  EXPECT_EQ(Json::parse(Run("--json tenants show contoso").output)["tenant_id"], "contoso");
  EXPECT_EQ(Json::parse(Run("tenants --json show contoso").output)["tenant_id"], "contoso");
}

TEST_F(HourglassTest, RootsAreCreatedAsAskedFor) {
  const CommandResult created =
      Run("roots create --tenant contoso --duration 2y --key-type rsa-3072 --primary "
          "--key pkcs11:token=t;object=o --request-id once");
  EXPECT_EQ(created.exit_code, 0) << created.output;
  const auto request = script_.Last<v1::CreateRootRequest>();
  EXPECT_EQ(request.tenant_id(), "contoso");
  EXPECT_EQ(request.duration().seconds(), 2 * 365 * 86400);
  EXPECT_EQ(request.key_type(), v1::RSA_3072);
  EXPECT_EQ(request.key_uri(), "pkcs11:token=t;object=o");
  EXPECT_TRUE(request.make_primary());
  EXPECT_EQ(request.request_id(), "once");
  EXPECT_THAT(created.output, HasSubstr("hourglass roots promote --tenant contoso r1"));

  Run("roots create --tenant contoso --duration 90d --key-type ec-p256");
  const auto second = script_.Last<v1::CreateRootRequest>();
  EXPECT_EQ(second.duration().seconds(), 90 * 86400);
  EXPECT_EQ(second.key_type(), v1::EC_P256);
  EXPECT_FALSE(second.make_primary());
  EXPECT_EQ(second.request_id().size(), 36u);
}

TEST_F(HourglassTest, ThumbprintsAreThoseOfOpenssl) {
  const std::string file = service_.directory().File("r1.pem");
  ASSERT_EQ(Run("roots export --tenant contoso r1 --out " + file).exit_code, 0);
  const Json root = RunJson("roots show --tenant contoso r1");
  for (const auto& [digest, member] :
       {std::pair{"sha1", "sha1_thumbprint"}, std::pair{"sha256", "sha256_thumbprint"}}) {
    std::string expected =
        OpensslSays(absl::StrCat("x509 -in ", file, " -noout -fingerprint -", digest));
    expected.erase(0, expected.find('=') + 1);
    std::erase(expected, ':');
    std::erase(expected, '\n');
    EXPECT_EQ(root[member], expected);
    EXPECT_THAT(Run("roots show --tenant contoso r1").output, HasSubstr(expected));
  }
  EXPECT_EQ(root["subject"], "CN=root-one");
  EXPECT_EQ(root["key_type"], "ec-p256");
  EXPECT_EQ(root["state"], "STAGED");
  EXPECT_THAT(Run("roots list --tenant contoso").output,
              HasSubstr(root["sha1_thumbprint"].get<std::string>()));
  EXPECT_THAT(Run("roots list --tenant contoso").output, HasSubstr(" UTC (in 730 days)"));
}

TEST_F(HourglassTest, RootsAreExportedAsPemDerAndBundle) {
  const std::string pem = Run("roots export --tenant contoso r1").output;
  EXPECT_THAT(pem, StartsWith("-----BEGIN CERTIFICATE-----\n"));
  EXPECT_EQ(Run("roots export --tenant contoso r1 --format der").output, authority_.root());
  EXPECT_EQ(script_.Last<v1::GetRootRequest>().root_id(), "r1");

  const OpensslAuthority other("root-two");
  issuer_.bundle.add_roots(other.root());
  const std::string file = service_.directory().File("all.pem");
  const CommandResult all = Run("roots export --tenant contoso --all --out " + file);
  EXPECT_EQ(all.exit_code, 0);
  EXPECT_THAT(all.output, StartsWith("Wrote 2 roots to "));
  const std::string listed = OpensslSays("storeutl -noout -certs " + file);
  EXPECT_THAT(listed, HasSubstr("Total found: 2"));
  EXPECT_EQ(RunJson("roots export --tenant contoso --all")["roots"][1]["subject"], "CN=root-two");
}

TEST_F(HourglassTest, RootsMoveAndSayWhatComesNext) {
  EXPECT_THAT(Run("roots promote --tenant contoso r1").output, StartsWith("Promoted root r1.\n"));
  EXPECT_FALSE(script_.Last<v1::MoveRootRequest>().destroy_key());
  const CommandResult retired = Run("roots retire --tenant contoso r1 --destroy-key");
  EXPECT_THAT(retired.output, StartsWith("Retired root r1 and destroyed its key.\n"));
  EXPECT_TRUE(script_.Last<v1::MoveRootRequest>().destroy_key());
  EXPECT_THAT(Run("roots discard --tenant contoso --root r1").output,
              StartsWith("Discarded root r1; its key is still there.\n"));
  EXPECT_EQ(script_.Last<v1::MoveRootRequest>().root_id(), "r1");
  EXPECT_EQ(RunJson("roots promote --tenant contoso r1")["state"], "PRIMARY");
}

TEST_F(HourglassTest, APromotionSaysWhatBecomesOfTheRootBefore) {
  roots_.root.set_state(v1::RETIRING);
  *roots_.root.mutable_last_leaf_not_after() =
      TimestampOf(absl::Now() + absl::Seconds(42 * 60 + 30));
  const CommandResult promoted = Run("roots promote --tenant contoso r2");
  EXPECT_THAT(promoted.output, HasSubstr("Root r1 is retiring. Its last certificate expires "));
  EXPECT_THAT(
      promoted.output,
      HasSubstr(" UTC (in 42 min); after that: hourglass roots retire --tenant contoso r1\n"));
}

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
  EXPECT_EQ(RunJson("certificates list --tenant contoso")["certificates"][0]["serial_number"],
            kSerialInHex);
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
  EXPECT_THAT(refused.output, StartsWith("hourglass: FIELD_INVALID: state: "));
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

TEST_F(HourglassTest, ARefusalSaysReasonMessageAndWhatToTryNext) {
  script_.status = issuance::ToGrpcStatus(
      Error(ErrorReason::kRootMoveIllegal, "root_id", "r1 is RETIRED; no move is legal"));
  const CommandResult refused = Run("roots promote --tenant contoso r1");
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_EQ(refused.output,
            "hourglass: ROOT_MOVE_ILLEGAL: root_id: r1 is RETIRED; no move is legal\n"
            "  next: see the states of the roots: hourglass roots list --tenant TENANT\n");
  const CommandResult json = Run("roots promote --tenant contoso r1 --json");
  EXPECT_EQ(json.exit_code, 1);
  const Json error = Json::parse(json.output)["error"];
  EXPECT_EQ(error["reason"], "ROOT_MOVE_ILLEGAL");
  EXPECT_EQ(error["field"], "root_id");
}

TEST_F(HourglassTest, ARefusalCannotForgeLinesOrSteerTheTerminal) {
  script_.status = issuance::ToGrpcStatus(
      Error(ErrorReason::kTenantExists, "tenant_id", "a\nhourglass: OK\x1b[2J"));
  EXPECT_THAT(Run("tenants create contoso").output,
              StartsWith("hourglass: TENANT_EXISTS: tenant_id: a\\x0ahourglass: OK\\x1b[2J\n"));
}

TEST_F(HourglassTest, OverloadSaysWhenToComeBack) {
  script_.status = issuance::ToGrpcStatus(Error(ErrorReason::kOverloaded, "", "too many requests"),
                                          {{}, std::chrono::milliseconds(4500)});
  EXPECT_THAT(Run("tenants list").output, HasSubstr("  try again in 5 s\n"));
}

TEST_F(HourglassTest, AServiceThatIsAwayIsSaidToBeSo) {
  ASSERT_EQ(Run("tenants list").exit_code, 0);
  service_.Stop();
  const CommandResult away = Run("tenants list");
  EXPECT_EQ(away.exit_code, 1);
  EXPECT_THAT(away.output, StartsWith("hourglass: UNAVAILABLE: cannot reach 127.0.0.1:"));
  EXPECT_THAT(away.output, HasSubstr("check that hourglassd runs"));
}

TEST_F(HourglassTest, ACreationWithoutAnswerSaysHowToAskAgain) {
  script_.status = grpc::Status(grpc::StatusCode::UNAVAILABLE, "gone");
  const CommandResult created =
      Run("roots create --tenant contoso --duration 1y --key-type ec-p384");
  EXPECT_EQ(created.exit_code, 1);
  EXPECT_THAT(created.output,
              HasSubstr("--request-id " + script_.Last<v1::CreateRootRequest>().request_id()));
}

TEST_F(HourglassTest, OnlyTheServiceThatWasNamedIsTalkedTo) {
  const std::string other = service_.WriteConfig("other.yaml", "server_name: other.example\n");
  const CommandResult refused = RunCommand({kProgram, "tenants", "list", "--config", other});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.output, StartsWith("hourglass: UNAVAILABLE: "));
  EXPECT_THAT(refused.output, HasSubstr("server_name"));
  EXPECT_TRUE(script_.asked.empty());
}

TEST_F(HourglassTest, AWrongConfigurationIsToldWithItsLines) {
  const std::string wrong = service_.directory().Write("wrong.yaml", "server: here\nport: 1\n");
  const CommandResult result = RunCommand({kProgram, "--config", wrong, "tenants", "list"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.output, StartsWith("hourglass: CONFIGURATION_INVALID: "));
  EXPECT_THAT(result.output, HasSubstr("wrong.yaml:2: port: unknown field"));
  const std::string missing =
      service_.directory().Write("missing.yaml",
                                 "server: 127.0.0.1:1\ntls: {certificate: none.pem, private_key: "
                                 "client.key, trusted_roots: servers.pem}\n");
  EXPECT_THAT(RunCommand({kProgram, "--config", missing, "tenants", "list"}).output,
              HasSubstr("CONFIGURATION_INVALID: tls.certificate: cannot read "));
}

TEST_F(HourglassTest, CredentialsThatDoNotFitAreToldByName) {
  const std::string config = service_.directory().Write(
      "pair.yaml",
      "server: 127.0.0.1:1\n"
      "tls: {certificate: client.pem, private_key: server.key, trusted_roots: servers.pem}\n");
  const CommandResult result = RunCommand({kProgram, "--config", config, "tenants", "list"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.output, StartsWith("hourglass: CONFIGURATION_INVALID: tls.private_key: is not "
                                        "the key of tls.certificate"));
}

TEST(HourglassUsageTest, WrongUsageEndsWithTwoAndTheRightHelp) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "Usage: hourglass [OPTIONS] SUBCOMMAND"},
      {"--config c nonsense", "Usage: hourglass [OPTIONS] SUBCOMMAND"},
      {"--config c roots", "Usage: hourglass roots [OPTIONS] SUBCOMMAND"},
      {"--config c roots create --tenant t --duration 1m --key-type ec-p256",
       "Usage: hourglass roots create "},
      {"--config c roots create --tenant t --duration 1y --key-type ec-p521",
       "`ec-p521` is none of ec-p256, "},
      {"--config c roots create --tenant t --key-type ec-p256", "--duration is required"},
      {"--config c roots export --tenant t", "give either a ROOT or --all"},
      {"--config c roots export --tenant t r1 --all", "give either a ROOT or --all"},
      {"--config c roots export --tenant t --all --format der", "DER holds one certificate"},
      {"--config c certificates list --tenant t --from soon",
       "Usage: hourglass certificates list "},
      {"--config c certificates list --tenant t --limit 0", "Usage: hourglass certificates list "},
      {"--config c certificates show --tenant t 4f", "32 hexadecimal digits"},
      {"--config c devices report --tenant t d --antivirus perhaps", "neither on nor off"},
      {"tenants list", "--config is required"},
  };
  for (const auto& [words, expected] : cases) {
    std::vector<std::string> command = {kProgram};
    for (const absl::string_view word : absl::StrSplit(words, ' ', absl::SkipEmpty())) {
      command.emplace_back(word);
    }
    const CommandResult result = RunCommand(command);
    EXPECT_EQ(result.exit_code, 2) << words;
    EXPECT_THAT(result.output, HasSubstr(expected)) << words;
  }
}

TEST(HourglassUsageTest, HelpIsNoMistake) {
  const CommandResult help = RunCommand({kProgram, "roots", "create", "--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.output, HasSubstr("Usage: hourglass roots create [OPTIONS]"));
  EXPECT_THAT(help.output, Not(HasSubstr("is required")));
}

}  // namespace
}  // namespace hourglass::cli
