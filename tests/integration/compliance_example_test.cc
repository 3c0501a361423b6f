// docs/compliance-services.md: a compliance service in another language, asked by hourglassd.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "issuance/wire/status_detail.h"
#include "tests/support/daemon.h"
#include "tests/support/document_commands.h"
#include "tests/support/grpc_matchers.h"
#include "tests/support/scrape.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass {
namespace {

using testing::HasSubstr;

constexpr char kListening[] = "listening on port ";
constexpr char kOwnDevice[] = "device_id=question.device_id";

// What is missing on this machine; empty where nothing is.
std::string Missing() {
  for (const char* file : {"/usr/bin/python3", "/usr/bin/grpc_python_plugin"}) {
    if (!std::filesystem::exists(file)) return absl::StrCat("there is no ", file);
  }
  const CommandResult imported =
      RunCommand({"/usr/bin/python3", "-c", "import grpc, google.protobuf"});
  if (imported.exit_code != 0) return "there is no python3-grpcio or no python3-protobuf";
  return "";
}

class ComplianceExampleTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::string missing = Missing();
    if (!missing.empty()) GTEST_SKIP() << missing;
    std::filesystem::create_directory_symlink(std::filesystem::current_path() / "proto",
                                              files_.File("proto"));
    Succeed(page_.Take("what protoc makes of the contract"));
    Succeed(page_.Take("devices"));
    const TlsCredential own = daemon_.tls().Server();
    const TlsCredential client = daemon_.tls().Client("URI:spiffe://contoso.example/hourglassd");
    places_ = {{"server.pem", own.certificate_file},
               {"server.key", own.private_key_file},
               {"roots.pem", daemon_.tls().trusted_roots_file()},
               {"hourglassd.pem", client.certificate_file},
               {"hourglassd.key", client.private_key_file}};
  }

  void Succeed(const std::string& commands) const {
    const CommandResult result =
        RunCommand({"bash", "-ec", absl::StrCat("cd ", files_.path(), "\n", commands)});
    ASSERT_EQ(result.exit_code, 0) << commands << "\n" << result.output;
  }

  // The page's words with what is here, in one pass.
  std::string Here(const std::string& text) const { return absl::StrReplaceAll(text, places_); }

  // Both services, the example as `change` leaves it.
  void Start(const std::function<void(std::string*)>& change = [](std::string*) {}) {
    std::string program = ReadFileOrDie("docs/examples/compliance_service.py");
    change(&program);
    files_.Write("compliance_service.py", program);
    places_["127.0.0.1:8444"] = "127.0.0.1:0";
    example_ = std::make_unique<BackgroundProcess>(
        std::vector<std::string>{
            "bash", "-ec", absl::StrCat("cd ", files_.path(), "\n", Here(page_.Take("start")))},
        files_.File("log"));
    ASSERT_TRUE(example_->WaitForLog(kListening)) << example_->Log();
    const std::string log = example_->Log();
    const std::size_t port = log.find(kListening) + sizeof(kListening) - 1;
    places_["localhost:8444"] = absl::StrCat("localhost:", log.substr(port, log.find('\n') - port));
    constexpr char kEmbedded[] = "compliance: {embedded: {policy_directory: policies}}\n";
    const std::string config = ReadFileOrDie(daemon_.config_file());
    ASSERT_TRUE(absl::StrContains(config, kEmbedded));
    daemon_.directory().Write(
        "hourglassd.yaml",
        absl::StrReplaceAll(config,
                            {{kEmbedded, absl::StrCat(Here(page_.Take("configuration")),
                                                      "metrics: {listen: 127.0.0.1:0}\n")}}));
    ASSERT_TRUE(daemon_.Start()) << daemon_.Log();
    daemon_.CreateTenant();
    daemon_.CreateRoot();
  }

  grpc::Status Issue(const std::string& device) {
    v1::IssueCertificateRequest request = daemon_.Request();
    request.set_device_id(device);
    return daemon_.Issue(request);
  }

  TemporaryDirectory files_;
  Daemon daemon_;
  DocumentCommands page_{"docs/compliance-services.md"};
  std::map<std::string, std::string> places_;
  std::unique_ptr<BackgroundProcess> example_;
};

TEST_F(ComplianceExampleTest, AllowsAndDeniesWithWhatHelps) {
  Start();
  EXPECT_THAT(Issue("laptop-1"), Succeeded());
  const grpc::Status denied = Issue("laptop-2");
  ASSERT_THAT(denied, RefusedWith(v1::DEVICE_NOT_COMPLIANT, "device_id"));
  const auto detail = issuance::ErrorDetailOf(denied);
  ASSERT_EQ(detail->deny_reasons_size(), 1);
  EXPECT_EQ(detail->deny_reasons(0).setting(), "disk_encryption.enabled");
  EXPECT_EQ(detail->deny_reasons(0).remediation_url(), "https://help.contoso.example/encrypt");
  EXPECT_THAT(Issue("laptop-3"), RefusedWith(v1::DEVICE_NOT_COMPLIANT, "device_id"));
  EXPECT_EQ(daemon_.JournalSize(), 1);
  EXPECT_EQ(daemon_.Journal().front().policy_version(), "disk-encryption-1");

  // It cannot decide, and says so; then it can again.
  files_.Write("devices.json", "{");
  EXPECT_THAT(Issue("laptop-1"), RefusedWith(v1::COMPLIANCE_UNAVAILABLE));
  files_.Write("devices.json", R"({"contoso": {"laptop-2": {"encrypted": true}}})");
  EXPECT_THAT(Issue("laptop-2"), Succeeded());
  EXPECT_THAT(Issue("laptop-1"), RefusedWith(v1::DEVICE_NOT_COMPLIANT, "device_id"));
  EXPECT_EQ(daemon_.JournalSize(), 2);

  const std::string metrics = Scrape(daemon_.LastLogged("metrics_address"));
  EXPECT_THAT(metrics, HasSubstr("hourglass_compliance_questions_total{outcome=\"answered\"} 5"));
  EXPECT_THAT(metrics, HasSubstr("hourglass_compliance_questions_total{outcome=\"failed\"} 1"));
  EXPECT_THAT(metrics, HasSubstr("hourglass_compliance_circuits_open 0"));
}

TEST_F(ComplianceExampleTest, AVerdictForAnotherDeviceIsRefused) {
  Start([](std::string* program) {
    ASSERT_TRUE(absl::StrContains(*program, kOwnDevice));
    *program = absl::StrReplaceAll(*program, {{kOwnDevice, "device_id=\"laptop-1\""}});
  });
  EXPECT_THAT(Issue("laptop-1"), Succeeded());
  EXPECT_THAT(Issue("laptop-2"), RefusedWith(v1::COMPLIANCE_ANSWER_INVALID, "device_id"));
  EXPECT_EQ(daemon_.JournalSize(), 1);
}

}  // namespace
}  // namespace hourglass
