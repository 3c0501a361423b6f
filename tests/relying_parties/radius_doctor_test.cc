// `hourglass gateways doctor radius` asks a real FreeRADIUS, and servers that are broken.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ca/testing/test_ca.h"
#include "hourglass/v1/issuance.grpc.pb.h"
#include "tests/relying_parties/broken_radius_server.h"
#include "tests/relying_parties/openssl_ca.h"
#include "tests/relying_parties/radius_server.h"
#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"
#include "tools/client/testing/loopback_service.h"

namespace hourglass {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Json = nlohmann::json;
using Fault = BrokenRadiusServer::Fault;

constexpr char kProgram[] = "tools/hourglass/hourglass";
constexpr char kUpn[] = "canary@contoso.example";
// Its servers' certificates are good for a day.
constexpr char kEndsSoon[] = "radius-server-expires-soon";

// Longer than any session that FreeRADIUS is set up to grant, also when this test takes its time.
ca::TestCaOptions LongLivedLeaves() {
  ca::TestCaOptions options;
  options.profile.lifetime = std::chrono::minutes(90);
  return options;
}

class RadiusDoctorTest : public testing::Test {
 protected:
  RadiusDoctorTest() {
    const ca::TestCertificate canary = ca_.Issue(kUpn);
    files_.Write("canary.pem", canary.chain_pem);
    files_.Write("canary.key", canary.private_key_pem);
    secret_file_ = files_.Write("secret", RadiusServer::secret() + "\n");
  }

  std::vector<std::string> WithCanary() const {
    return {"--certificate", files_.File("canary.pem"), "--key", files_.File("canary.key")};
  }

  CommandResult Run(int port, const std::vector<std::string>& more) const {
    std::vector<std::string> command = {
        kProgram,        "gateways",   "doctor", "radius",
        "--secret-file", secret_file_, "--json", absl::StrCat("127.0.0.1:", port)};
    command.insert(command.end(), more.begin(), more.end());
    return RunCommand(command);
  }

  Json Ask(int port, const std::vector<std::string>& more) const {
    const CommandResult result = Run(port, more);
    EXPECT_THAT(result.output, Not(HasSubstr(RadiusServer::secret())));
    Json json = Json::parse(result.output, nullptr, /*allow_exceptions=*/false);
    if (json.is_discarded()) {
      ADD_FAILURE() << result.output;
      return Json::object();
    }
    const bool has_mistake = json.value("errors", 0) + json.value("warnings", 0) > 0;
    EXPECT_EQ(result.exit_code, has_mistake ? 1 : 0) << result.output;
    return json;
  }

  // What clients of `server` verify it by.
  std::vector<std::string> WithServer(const RadiusServer& server) const {
    std::vector<std::string> more = WithCanary();
    for (const std::string& word :
         {std::string("--server-ca"), files_.Write("issuer.pem", server.issuer_pem()),
          std::string("--server-name"), RadiusServer::name()}) {
      more.push_back(word);
    }
    return more;
  }

  const TemporaryDirectory files_;
  ca::TestCa ca_{LongLivedLeaves()};
  std::string secret_file_;
};

std::vector<std::string> IdsOf(const Json& report, const std::string& severity) {
  std::vector<std::string> ids;
  for (const Json& finding : report.value("findings", Json::array())) {
    if (finding["severity"] == severity) ids.push_back(finding["id"]);
  }
  return ids;
}

std::vector<std::string> OutcomesOf(const Json& report) {
  std::vector<std::string> outcomes;
  for (const Json& probe : report.value("probes", Json::array())) {
    outcomes.push_back(probe["outcome"]);
  }
  return outcomes;
}

TEST_F(RadiusDoctorTest, AServerThatDoesRight) {
  ASSERT_OK_AND_ASSIGN(const auto server, RadiusServer::Start(ca_.root_pem()));
  const Json report = Ask(server->port(), WithServer(*server));
  EXPECT_THAT(OutcomesOf(report), ElementsAre("accepted", "accepted", "rejected", "rejected",
                                              "rejected", "rejected", "rejected", "rejected"))
      << report;
  EXPECT_THAT(IdsOf(report, "error"), IsEmpty()) << report;
  EXPECT_THAT(IdsOf(report, "warning"), ElementsAre(kEndsSoon));
  EXPECT_THAT(IdsOf(report, "note"),
              ElementsAre("radius-expiry-not-tried", "radius-oid-not-tried"));
  EXPECT_GT(report["probes"][0]["session_timeout"], 0);
  EXPECT_LT(report["probes"][0]["milliseconds"], 2000);
  EXPECT_EQ(report["server"], absl::StrCat("127.0.0.1:", server->port()));
}

TEST_F(RadiusDoctorTest, GivenCertificatesThatMustBeRefused) {
  // Both by the tenant's own root: one has expired, and one that would be good.
  ca::TestCaOptions options = LongLivedLeaves();
  options.now -= std::chrono::hours(2);
  ca::TestCa ca(options);
  const ca::TestCertificate expired = ca.Issue("old@contoso.example");
  ca.Advance(std::chrono::hours(2));
  const ca::TestCertificate canary = ca.Issue(kUpn);
  files_.Write("canary.pem", canary.chain_pem);
  files_.Write("canary.key", canary.private_key_pem);
  ASSERT_OK_AND_ASSIGN(const auto server, RadiusServer::Start(ca.root_pem()));
  std::vector<std::string> more = WithServer(*server);
  for (const std::string& word :
       {std::string("--refuse"), files_.Write("old.pem", expired.chain_pem),
        files_.Write("old.key", expired.private_key_pem), std::string("--refuse"),
        files_.File("canary.pem"), files_.File("canary.key")}) {
    more.push_back(word);
  }
  const Json report = Ask(server->port(), more);
  ASSERT_EQ(report["probes"].size(), 10U) << report;
  EXPECT_EQ(report["probes"][5]["outcome"], "rejected");
  EXPECT_EQ(report["probes"][6]["outcome"], "accepted");
  EXPECT_THAT(IdsOf(report, "error"), ElementsAre("radius-accepts-bad"));
  EXPECT_EQ(report["findings"][0]["item"], "given certificate 2");
  EXPECT_THAT(IdsOf(report, "note"), ElementsAre("radius-oid-not-tried"));
}

TEST_F(RadiusDoctorTest, AServerWithoutTheRoot) {
  const ca::TestCa other;
  ASSERT_OK_AND_ASSIGN(const auto server, RadiusServer::Start(other.root_pem()));
  std::vector<std::string> more = WithServer(*server);
  more.back() = "other.contoso.example";
  const Json report = Ask(server->port(), more);
  EXPECT_THAT(IdsOf(report, "error"),
              ElementsAre("radius-canary-refused", "radius-canary-refused", "radius-server-name"))
      << report;
  EXPECT_THAT(IdsOf(report, "note"), testing::Contains("radius-refusals-prove-nothing"));
}

TEST_F(RadiusDoctorTest, AnotherSecret) {
  ASSERT_OK_AND_ASSIGN(const auto server, RadiusServer::Start(ca_.root_pem()));
  std::vector<std::string> more = WithCanary();
  more.insert(more.end(), {"--secret-file", files_.Write("other", "another-secret-entirely"),
                           "--timeout", "1s"});
  std::vector<std::string> command = {
      kProgram, "gateways", "doctor", "radius", absl::StrCat("127.0.0.1:", server->port()),
      "--json"};
  command.insert(command.end(), more.begin(), more.end());
  const CommandResult result = RunCommand(command);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.output, HasSubstr("radius-silent"));
  EXPECT_THAT(result.output, HasSubstr("that the secret is the same"));
  EXPECT_THAT(result.output, Not(HasSubstr("another-secret-entirely")));
}

TEST_F(RadiusDoctorTest, AServerThatIsSilent) {
  const BrokenRadiusServer server(Fault::kSilent, RadiusServer::secret());
  std::vector<std::string> more = WithCanary();
  more.insert(more.end(), {"--timeout", "1s"});
  const Json report = Ask(server.port(), more);
  EXPECT_THAT(IdsOf(report, "error"), ElementsAre("radius-silent"));
  EXPECT_THAT(OutcomesOf(report), ElementsAre("silent"));
  EXPECT_GE(server.requests(), 2);
  EXPECT_FALSE(server.saw_secret_in_a_command_line());
}

TEST_F(RadiusDoctorTest, AServerThatAnswersWithAWrongAuthenticator) {
  const BrokenRadiusServer server(Fault::kWrongAuthenticator, RadiusServer::secret());
  std::vector<std::string> more = WithCanary();
  more.insert(more.end(), {"--timeout", "1s"});
  const Json report = Ask(server.port(), more);
  EXPECT_THAT(IdsOf(report, "error"), ElementsAre("radius-wrong-authenticator"));
  EXPECT_THAT(OutcomesOf(report), ElementsAre("false answers"));
}

TEST_F(RadiusDoctorTest, AServerThatLetsEverythingIn) {
  const BrokenRadiusServer server(Fault::kAcceptsAll, RadiusServer::secret());
  std::vector<std::string> more = WithCanary();
  more.insert(more.end(), {"--timeout", "1s"});
  const Json report = Ask(server.port(), more);
  EXPECT_THAT(IdsOf(report, "error"),
              ElementsAre("radius-no-keys", "radius-session-unbounded", "radius-no-keys",
                          "radius-session-unbounded", "radius-lets-everything-in"))
      << report;
}

TEST_F(RadiusDoctorTest, APortWhereNothingListens) {
  int port = 0;
  {
    const BrokenRadiusServer server(Fault::kSilent, RadiusServer::secret());
    port = server.port();
  }
  const Json report = Ask(port, WithCanary());
  EXPECT_THAT(IdsOf(report, "error"), ElementsAre("radius-unreachable"));
}

// Signs with the tenant's root whatever is asked, as the service does.
class SigningService final : public v1::CertificateIssuer::Service {
 public:
  explicit SigningService(ca::TestCa& ca) : ca_(ca) {}
  grpc::Status IssueCertificate(grpc::ServerContext*, const v1::IssueCertificateRequest* request,
                                v1::IssueCertificateResponse* response) override {
    last = *request;
    const auto issued = ca_.IssueForRequest(request->user().upn(), request->pkcs10());
    if (!issued.ok()) return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "no");
    response->set_certificate(issued->certificate_der);
    return grpc::Status::OK;
  }
  v1::IssueCertificateRequest last;

 private:
  ca::TestCa& ca_;
};

TEST_F(RadiusDoctorTest, TheCanaryComesFromTheService) {
  SigningService issuer(ca_);
  const client::LoopbackService service({&issuer});
  ASSERT_OK_AND_ASSIGN(const auto server, RadiusServer::Start(ca_.root_pem()));
  const Json report = Ask(server->port(), {"--broker-config", service.config_file(), "--tenant",
                                           "contoso", "--user", kUpn, "--device", "canary-1"});
  EXPECT_THAT(IdsOf(report, "error"), IsEmpty()) << report;
  EXPECT_EQ(issuer.last.tenant_id(), "contoso");
  EXPECT_EQ(issuer.last.device_id(), "canary-1");
  EXPECT_FALSE(issuer.last.request_id().empty());
}

TEST_F(RadiusDoctorTest, WrongUsage) {
  const CommandResult no_canary = Run(1812, {});
  EXPECT_EQ(no_canary.exit_code, 2);
  EXPECT_THAT(no_canary.output, HasSubstr("give a canary"));
  const CommandResult half = Run(1812, {"--certificate", files_.File("canary.pem")});
  EXPECT_EQ(half.exit_code, 2);
  EXPECT_THAT(half.output, HasSubstr("--key"));
  secret_file_ = files_.Write("empty", "\n");
  const CommandResult no_secret = Run(1812, WithCanary());
  EXPECT_EQ(no_secret.exit_code, 1);
  EXPECT_THAT(no_secret.output, HasSubstr("--secret-file"));
}

}  // namespace
}  // namespace hourglass
