#include "tests/integration/replicas_fixture.h"

#include <signal.h>
#include <sys/stat.h>
#include <time.h>

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/support/status_matchers.h"

namespace hourglass {
namespace {

constexpr char kServing[] = "\"event\":\"serving\"";
constexpr int kPatienceSeconds = 120;
constexpr char kOwnersPassword[] = "of the owner";

}  // namespace

bool IsWorthAnotherTry(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::ABORTED:
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::CANCELLED:  // a call that a service which stops had not begun
      return true;
    default:
      return false;
  }
}

void ReplicasFixture::SetUp() {
  auto cluster = PostgresqlCluster::Start();
  ASSERT_OK(cluster);
  cluster_ = *std::move(cluster);
  WriteSecret("db.password", "of the service");
  WriteSecret("owner.password", kOwnersPassword);
  base_ = ReadFileOrDie(daemon_.config_file());
  client_lines_ = daemon_.TlsSectionOf(kAdministrator);
  const auto service = cluster_->TlsServiceOf(kDatabase);
  const int port = service.servers.front().port;
  for (const auto& [theirs, ours] : std::map<std::string, std::string>{
           {"[\"db1.contoso.example:5432\", \"db2.contoso.example:5432\", "
            "\"db3.contoso.example:5432\"]",
            absl::StrCat("[\"127.0.0.1:", port, "\"]")},
           {"host=db1.contoso.example", absl::StrCat("host=127.0.0.1 port=", port)},
           {"/etc/hourglass/db-ca.pem", service.ca_file},
           {"/etc/hourglass/db.password", files_.File("db.password")},
           {"/etc/hourglass-admin/owner.password", files_.File("owner.password")},
           {"/etc/hourglass/hourglassd.yaml", ConfigFile(kFirst)},
           {"\"0.0.0.0:9464\"", "\"127.0.0.1:0\""},
           {"cli.yaml", files_.File("cli.yaml")}}) {
    shell_.Put(theirs, ours);
  }
  shell_.Set(absl::StrCat("PGPASSWORD=", cluster_->SuperuserOf("postgres").password));
}

void ReplicasFixture::WriteSecret(const std::string& name, const std::string& secret) {
  chmod(files_.Write(name, secret + "\n").c_str(), S_IRUSR | S_IWUSR);
}

std::string ReplicasFixture::Run(DocumentCommands& document, const std::string& name) {
  const std::string lines = document.Take(name);
  const CommandResult result = shell_.Run(lines);
  EXPECT_EQ(result.exit_code, 0) << name << ":\n" << shell_.Here(lines) << result.output;
  return result.output;
}

std::string ReplicasFixture::ConfigFile(const std::string& replica) const {
  return absl::StrCat(daemon_.directory().path(), "/", replica, ".yaml");
}

std::string ReplicasFixture::BaseOf(const std::string& replica) const {
  return absl::StrReplaceAll(
      base_, {{"address_file: address", absl::StrCat("address_file: ", replica, ".address")}});
}

void ReplicasFixture::WriteConfigOfOneMachine(const std::string& data_directory) {
  daemon_.directory().Write(
      absl::StrCat(kFirst, ".yaml"),
      absl::StrReplaceAll(BaseOf(kFirst), {{daemon_.data_directory(), data_directory}}));
}

// The one server of these tests has no standby, which has to be said.
void ReplicasFixture::WriteConfig(const std::string& replica) {
  const std::string store =
      absl::StrReplaceAll(shell_.Here(replicas_page_.Take("configuration of a replica")),
                          {{absl::StrCat("replica: ", kFirst), "replica: " + replica}});
  // The page's limits beside those of tests.
  constexpr absl::string_view kLimits = "limits: {device_requests: {unlimited: true}";
  const std::string balanced =
      absl::StrReplaceAll(shell_.Here(replicas_page_.Take("configuration for the load balancer")),
                          {{"limits: {", absl::StrCat(kLimits, ", ")}});
  const std::string base =
      absl::StrReplaceAll(BaseOf(replica), {{absl::StrCat(kLimits, "}\n"), ""}});
  daemon_.directory().Write(replica + ".yaml",
                            absl::StrCat(base, store, "    synchronous_standby: waived\n",
                                         "    waiver_reason: a test with one server\n", balanced));
}

void ReplicasFixture::StartReplica(const std::string& name) {
  // Of this start alone: its addresses are others than before.
  const std::string log = files_.File(absl::StrCat(name, "-", ++starts_, ".log"));
  Replica& replica = replicas_[name];
  replica.process = std::make_unique<BackgroundProcess>(
      std::vector<std::string>{Daemon::kProgram, "--config", ConfigFile(name)}, log);
  ASSERT_TRUE(replica.process->WaitForLog(kServing, kPatienceSeconds)) << replica.process->Log();
  const std::string text = replica.process->Log();
  const auto line = text.substr(text.rfind('{', text.find(kServing)));
  const auto fields = nlohmann::json::parse(line.substr(0, line.find('\n')));
  replica.address = fields.value("address", "");
  replica.metrics_address = fields.value("metrics_address", "");
}

void ReplicasFixture::StopReplica(const std::string& name) {
  EXPECT_EQ(replicas_[name].process->Stop(SIGTERM), 0) << replicas_[name].process->Log();
}

void ReplicasFixture::Systemctl(const std::string& arguments) {
  if (arguments == "stop hourglassd") return StopReplica(kFirst);
  if (arguments == "start hourglassd" || arguments == "enable --now hourglassd") {
    return StartReplica(kFirst);
  }
  ADD_FAILURE() << "systemctl " << arguments;
}

void ReplicasFixture::PointClientAt(const std::string& address) {
  files_.Write("cli.yaml", absl::StrCat("server: ", address, "\n", client_lines_));
  daemon_.Connect(address);
}

v1::IssueCertificateResponse ReplicasFixture::IssueAtLast(
    const v1::IssueCertificateRequest& request) {
  v1::IssueCertificateResponse response;
  grpc::Status status;
  for (int i = 0; i < 60; ++i) {
    response.Clear();
    status = daemon_.Issue(request, &response);
    if (status.ok()) return response;
    EXPECT_TRUE(IsWorthAnotherTry(status)) << status.error_message();
    const timespec pause = {0, 500'000'000};
    nanosleep(&pause, nullptr);
  }
  ADD_FAILURE() << status.error_message();
  return response;
}

issuance::postgresql::ConnectionParameters ReplicasFixture::OwnersConnection() const {
  issuance::postgresql::ConnectionParameters owner = cluster_->OwnerOf(kDatabase);
  owner.user = "hourglass_owner";
  owner.password = kOwnersPassword;
  // No program of ours, which a move would refuse.
  owner.application_name = "test";
  return owner;
}

}  // namespace hourglass
