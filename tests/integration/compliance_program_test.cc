// hourglass-compliance on its own, asked by a hourglassd that is never restarted.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "hourglass/v1/compliance.grpc.pb.h"
#include "hourglass/v1/devices.grpc.pb.h"
#include "hourglass/v1/tenants.grpc.pb.h"
#include "issuance/base/clock.h"
#include "issuance/wire/status_detail.h"
#include "tests/support/grpc_matchers.h"
#include "tests/support/mutual_tls.h"
#include "tests/support/service_in_process.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass {
namespace {

constexpr char kProgram[] = "tools/compliance/hourglass-compliance";

// The program, with a store of its own. Its callers are those of ServiceClient, and hourglassd.
class ComplianceProgram : public ServiceClient {
 public:
  ComplianceProgram() {
    mkdir(directory_.File("data").c_str(), 0700);
    mkdir(directory_.File("policies").c_str(), 0700);
    directory_.Write("policies/contoso.yaml", kTestPolicy);
    server_ = tls().Server();
    hourglassd_ = tls().Client("URI:spiffe://contoso.example/hourglassd");
    Configure("127.0.0.1:0");
    Start();
    // It comes back where it was.
    Configure(address());
  }

  void Start() {
    unlink(directory_.File("address").c_str());
    process_ = std::make_unique<BackgroundProcess>(
        std::vector<std::string>{kProgram, "--config", config_file_},
        // Of this start alone.
        directory_.File(absl::StrCat("log-", ++starts_)));
    ASSERT_TRUE(process_->WaitForLog("\"event\":\"serving\"", 60)) << process_->Log();
    Connect(std::string(absl::StripSuffix(ReadFileOrDie(directory_.File("address")), "\n")));
  }
  void Kill() { process_->Stop(SIGKILL); }
  int Stop() { return process_->Stop(SIGTERM); }
  std::string Log() const { return process_->Log(); }

  // How a hourglassd is told to ask it.
  issuance::ComplianceConfig Endpoint() {
    issuance::ComplianceConfig config;
    config.endpoint = address();
    config.server_name = "localhost";
    config.tls = {hourglassd_.certificate_file, hourglassd_.private_key_file,
                  tls().trusted_roots_file()};
    config.deadline = std::chrono::seconds(2);
    config.circuit = {.failures = 5, .open_for = std::chrono::milliseconds(200)};
    return config;
  }

 private:
  void Configure(const std::string& listen) {
    config_file_ = directory_.Write(
        "compliance.yaml",
        absl::StrCat("listen: ", listen, "\naddress_file: address\ndata_directory: data\n",
                     "tls:\n  certificate: ", server_.certificate_file, "\n  private_key: ",
                     server_.private_key_file, "\n  trusted_roots: ", tls().trusted_roots_file(),
                     "\ncompliance: {embedded: {policy_directory: policies}}\ncallers:\n",
                     Caller("hourglassd", "auditor", "contoso"),
                     Caller(kAdministrator, "administrator", "\"*\""),
                     Caller(kWideReporter, "device_reporter", "\"*\"")));
  }
  static std::string Caller(absl::string_view name, absl::string_view role,
                            absl::string_view tenants) {
    return absl::StrCat("  - {name: ", name, ", identity: \"uri:spiffe://contoso.example/", name,
                        "\", roles: [", role, "], tenants: [", tenants, "]}\n");
  }

  TemporaryDirectory directory_;
  TlsCredential server_;
  TlsCredential hourglassd_;
  std::string config_file_;
  int starts_ = 0;
  std::unique_ptr<BackgroundProcess> process_;
};

class ComplianceProgramTest : public testing::Test {
 protected:
  ComplianceProgramTest()
      : service_([this](issuance::Config& config) { config.compliance = program_.Endpoint(); }) {
    program_.CreateTenant();
    program_.ReportDevice("contoso", "laptop-1", true);
    program_.ReportDevice("contoso", "laptop-2", false);
    service_.CreateTenant();
    service_.CreateRoot();
  }

  // The program has the machine's clock.
  void KeepTime() {
    const auto behind = issuance::SystemClock().Now() - service_.clock().Now();
    if (behind > std::chrono::seconds(1)) service_.clock().Advance(behind);
  }

  grpc::Status Issue(const std::string& device = "laptop-1") {
    KeepTime();
    v1::IssueCertificateRequest request = service_.Request();
    request.set_device_id(device);
    return service_.Issue(request);
  }

  ComplianceProgram program_;
  ServiceInProcess service_;
};

TEST_F(ComplianceProgramTest, DecidesByItsOwnStoreAndPolicies) {
  EXPECT_THAT(Issue(), Succeeded());
  const grpc::Status denied = Issue("laptop-2");
  EXPECT_THAT(denied, RefusedWith(v1::DEVICE_NOT_COMPLIANT, "device_id"));
  ASSERT_EQ(issuance::ErrorDetailOf(denied)->deny_reasons_size(), 1);
  EXPECT_EQ(issuance::ErrorDetailOf(denied)->deny_reasons(0).setting(), "disk_encryption.enabled");
  program_.ReportDevice("contoso", "laptop-2", true);
  EXPECT_THAT(Issue("laptop-2"), Succeeded());
  EXPECT_EQ(program_.Stop(), 0);
  EXPECT_THAT(program_.Log(), testing::HasSubstr("\"event\":\"stopped\""));
}

// Only callers of its configuration, for their tenants.
TEST_F(ComplianceProgramTest, AnswersNobodyElse) {
  v1::EvaluateRequest question;
  question.set_tenant_id("fabrikam");
  question.set_device_id("laptop-1");
  question.set_nonce(std::string(16, 'n'));
  const auto ask = [&](absl::string_view caller) {
    v1::Verdict verdict;
    grpc::ClientContext context;
    return program_.As<v1::ComplianceService>(caller)->Evaluate(&context, question, &verdict);
  };
  EXPECT_THAT(ask(kAdministrator), Succeeded());
  EXPECT_THAT(ask(kWideReporter), RefusedWith(v1::ROLE_NOT_PERMITTED));
  EXPECT_EQ(ask(kStranger).error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(ComplianceProgramTest, ItDiesInMidLoadAndComesBackAndNothingIsIssuedMeanwhile) {
  std::atomic<bool> stop = false;
  std::atomic<int> issued = 0, unavailable = 0, other = 0;
  const auto stub = service_.As<v1::CertificateIssuer>(kBroker);
  const v1::IssueCertificateRequest sample = service_.Request();
  std::vector<std::thread> load;
  for (int t = 0; t < 4; ++t) {
    load.emplace_back([&, t] {
      for (int i = 0; !stop; ++i) {
        v1::IssueCertificateRequest request = sample;
        request.set_request_id(absl::StrCat("load-", t, "-", i));
        v1::IssueCertificateResponse response;
        grpc::ClientContext context;
        const grpc::Status status = stub->IssueCertificate(&context, request, &response);
        const auto detail = issuance::ErrorDetailOf(status);
        if (status.ok()) {
          ++issued;
        } else if (detail.has_value() && detail->reason() == v1::COMPLIANCE_UNAVAILABLE) {
          ++unavailable;
        } else {
          ++other;
        }
      }
    });
  }
  const auto await = [this](const std::atomic<int>& count, int more) {
    const int until = count + more;
    while (count < until) {
      KeepTime();
      std::this_thread::yield();
    }
  };
  await(issued, 20);
  program_.Kill();
  // What had its verdict before may still end; from the first refusals on nothing has.
  await(unavailable, 20);
  const int issued_before = issued;
  await(unavailable, 50);
  EXPECT_EQ(issued, issued_before);
  program_.Start();
  await(issued, 20);
  stop = true;
  for (std::thread& thread : load) thread.join();
  EXPECT_EQ(other, 0);
  EXPECT_THAT(Issue(), Succeeded());
  // Of one page.
  EXPECT_EQ(service_.JournalSize(), std::min(issued + 1, 1000));
}

}  // namespace
}  // namespace hourglass
