// The commands of docs/replicas.md, on one machine: a fresh database, three replicas, HAProxy.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/support/daemon.h"
#include "tests/support/document_commands.h"
#include "tests/support/grpc_matchers.h"
#include "tests/support/postgresql_cluster.h"
#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kHourglass[] = "tools/hourglass/hourglass";
const std::vector<std::string> kReplicas = {"berlin-1", "berlin-2", "berlin-3"};

// A port of loopback that is listened on already, for a program that inherits the descriptor.
class Listening {
 public:
  Listening() : descriptor_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(descriptor_, any, size), 0);
    EXPECT_EQ(listen(descriptor_, 128), 0);
    EXPECT_EQ(getsockname(descriptor_, any, &size), 0);
    port_ = ntohs(address.sin_port);
  }
  ~Listening() { close(descriptor_); }
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;

  int descriptor() const { return descriptor_; }
  std::string address() const { return absl::StrCat("127.0.0.1:", port_); }

 private:
  const int descriptor_;
  int port_ = 0;
};

// Its files and callers; the program itself runs as the replicas.
class Files final : public Daemon {
 public:
  using ServiceClient::Connect;
};

struct Replica {
  std::unique_ptr<BackgroundProcess> process;
  std::string address;
  std::string metrics_address;
};

class ReplicasDocTest : public testing::Test {
 protected:
  void SetUp() override {
    auto cluster = PostgresqlCluster::Start();
    ASSERT_OK(cluster);
    cluster_ = *std::move(cluster);
    const auto service = cluster_->TlsServiceOf("hourglass");
    server_ = absl::StrCat("127.0.0.1:", service.servers.front().port);
    superuser_password_ = cluster_->SuperuserOf("postgres").password;
    port_ = service.servers.front().port;
    ca_file_ = service.ca_file;
    WriteSecret("db.password", "of the service");
    WriteSecret("owner.password", "of the owner");
    base_ = ReadFileOrDie(daemon_.config_file());
    WriteClientConfig();
  }

  void WriteSecret(const std::string& name, const std::string& secret) {
    chmod(files_.Write(name, secret + "\n").c_str(), 0600);
  }

  // What the document calls so is elsewhere here.
  std::string Here(const std::string& text, const std::string& replica = "berlin-1") const {
    return absl::StrReplaceAll(
        text, {{"[\"db1.contoso.example:5432\", \"db2.contoso.example:5432\", "
                "\"db3.contoso.example:5432\"]",
                absl::StrCat("[\"", server_, "\"]")},
               {"host=db1.contoso.example", absl::StrCat("host=127.0.0.1 port=", port_)},
               {"/etc/hourglass/db-ca.pem", ca_file_},
               {"/etc/hourglass/db.password", files_.File("db.password")},
               {"/etc/hourglass-admin/owner.password", files_.File("owner.password")},
               {"/etc/hourglass/hourglassd.yaml", ConfigFile(replica)},
               {"/etc/haproxy/haproxy.cfg", files_.File("haproxy.cfg")},
               {"replica: berlin-1", "replica: " + replica},
               {"\"0.0.0.0:9464\"", "\"127.0.0.1:0\""},
               {"cli.yaml", files_.File("cli.yaml")}});
  }
  std::string ConfigFile(const std::string& replica) const {
    return absl::StrCat(daemon_.directory().path(), "/", replica, ".yaml");
  }

  // Runs the block of this name, which must succeed; what it says.
  std::string Run(const std::string& name) {
    const std::string script =
        absl::StrCat("set -eu\nhourglassd() { \"$DAEMON\" \"$@\"; }\n",
                     "hourglass() { \"$PROGRAM\" \"$@\"; }\n", Here(document_.Take(name)));
    const CommandResult result =
        RunCommand({"bash", "-c", script}, "",
                   {absl::StrCat("DAEMON=", std::filesystem::absolute(Daemon::kProgram).string()),
                    absl::StrCat("PROGRAM=", std::filesystem::absolute(kHourglass).string()),
                    absl::StrCat("PGPASSWORD=", superuser_password_)});
    EXPECT_EQ(result.exit_code, 0) << name << ":\n" << script << result.output;
    return result.output;
  }

  // The configuration of one machine, with what the document adds. The one server of this test has
  // no standby, which has to be said.
  void WriteConfigs() {
    const std::string store = document_.Take("configuration of a replica");
    const std::string balanced = document_.Take("configuration for the load balancer");
    for (const std::string& replica : kReplicas) {
      daemon_.directory().Write(
          replica + ".yaml",
          absl::StrCat(absl::StrReplaceAll(base_, {{"address_file: address",
                                                    "address_file: " + replica + ".address"}}),
                       Here(store, replica), "    synchronous_standby: waived\n",
                       "    waiver_reason: a test with one server\n", Here(balanced)));
    }
  }

  void WriteClientConfig() {
    const TlsCredential& credential = daemon_.CredentialOf(kAdministrator);
    client_lines_ = absl::StrCat("tls:\n  certificate: ", credential.certificate_file,
                                 "\n  private_key: ", credential.private_key_file,
                                 "\n  trusted_roots: ", daemon_.tls().trusted_roots_file(), "\n");
  }
  void PointClientAt(const std::string& address) {
    files_.Write("cli.yaml", absl::StrCat("server: ", address, "\n", client_lines_));
    daemon_.Connect(address);
  }

  void StartReplica(const std::string& name) {
    // Of this start alone: its addresses are others than before.
    const std::string log = files_.File(absl::StrCat(name, "-", ++starts_, ".log"));
    Replica& replica = replicas_[name];
    replica.process = std::make_unique<BackgroundProcess>(
        std::vector<std::string>{Daemon::kProgram, "--config", ConfigFile(name)}, log);
    ASSERT_TRUE(replica.process->WaitForLog("\"event\":\"serving\"", 120))
        << replica.process->Log();
    const std::string text = replica.process->Log();
    const auto line = text.substr(text.rfind('{', text.find("\"event\":\"serving\"")));
    const auto fields = nlohmann::json::parse(line.substr(0, line.find('\n')));
    replica.address = fields["address"];
    replica.metrics_address = fields["metrics_address"];
  }

  void StartHaproxy() {
    std::string config = document_.Take("haproxy.cfg");
    for (const std::string& name : kReplicas) {
      const Replica& replica = replicas_[name];
      const std::string metrics =
          replica.metrics_address.substr(replica.metrics_address.rfind(':') + 1);
      config = absl::StrReplaceAll(config, {{absl::StrCat(name, ".contoso.example:8443"),
                                             absl::StrCat(replica.address, " port ", metrics)}});
    }
    files_.Write("haproxy.cfg",
                 absl::StrReplaceAll(config, {{"bind 0.0.0.0:443",
                                               absl::StrCat("bind fd@", front_.descriptor())}}));
    Run("check the load balancer");
    haproxy_ = std::make_unique<BackgroundProcess>(
        std::vector<std::string>{"haproxy", "-db", "-f", files_.File("haproxy.cfg")},
        files_.File("haproxy.log"));
  }

  // As a broker: again, under the same request id, until it is issued.
  v1::IssueCertificateResponse IssueAtLast(const v1::IssueCertificateRequest& request) {
    v1::IssueCertificateResponse response;
    grpc::Status status;
    for (int i = 0; i < 60; ++i) {
      response.Clear();
      status = daemon_.Issue(request, &response);
      if (status.ok()) return response;
      EXPECT_THAT(
          status.error_code(),
          testing::AnyOf(grpc::StatusCode::UNAVAILABLE, grpc::StatusCode::ABORTED,
                         grpc::StatusCode::RESOURCE_EXHAUSTED, grpc::StatusCode::DEADLINE_EXCEEDED))
          << status.error_message();
      const timespec pause = {0, 500'000'000};
      nanosleep(&pause, nullptr);
    }
    ADD_FAILURE() << status.error_message() << "\n" << haproxy_->Log();
    return response;
  }

  std::vector<std::string> ReplicasInStatus() {
    const CommandResult asked = RunCommand(
        {kHourglass, "--config", files_.File("cli.yaml"), "--json", "service", "status"});
    EXPECT_EQ(asked.exit_code, 0) << asked.output;
    std::vector<std::string> names;
    const auto answer = nlohmann::json::parse(asked.output);
    for (const auto& replica : answer["replicas"]) names.push_back(replica["name"]);
    return names;
  }

  DocumentCommands document_{"docs/replicas.md"};
  TemporaryDirectory files_;
  Files daemon_;
  std::string base_, client_lines_;
  std::unique_ptr<PostgresqlCluster> cluster_;
  std::string server_, superuser_password_, ca_file_;
  int port_ = 0;
  Listening front_;
  std::map<std::string, Replica> replicas_;
  int starts_ = 0;
  std::unique_ptr<BackgroundProcess> haproxy_;
};

TEST_F(ReplicasDocTest, GoesFromAFreshDatabaseToThreeReplicas) {
  // What only a real cluster and a real machine have.
  EXPECT_THAT(document_.Take("settings of Patroni"), HasSubstr("synchronous_mode_strict: true"));
  EXPECT_THAT(document_.Take("start a replica"), HasSubstr("systemctl"));
  Run("make roles");
  WriteConfigs();
  const std::string prepared = Run("prepare");
  EXPECT_THAT(prepared, HasSubstr("made, of version "));
  EXPECT_THAT(prepared, HasSubstr("the configuration is valid"));
  EXPECT_THAT(prepared, HasSubstr("the service can use database hourglass"));
  for (const std::string& name : kReplicas) ASSERT_NO_FATAL_FAILURE(StartReplica(name));
  EXPECT_THAT(replicas_["berlin-2"].process->Log(), HasSubstr("synchronous_standby_waived"));

  PointClientAt(replicas_["berlin-2"].address);
  EXPECT_THAT(Run("look at the replicas"), HasSubstr("berlin-2 *"));
  EXPECT_THAT(ReplicasInStatus(), ElementsAre("berlin-1", "berlin-2", "berlin-3"));
  daemon_.MakeReady();

  StartHaproxy();
  PointClientAt(front_.address());
  const v1::IssueCertificateRequest request = daemon_.Request();
  const v1::IssueCertificateResponse issued = IssueAtLast(request);
  // The same from each replica, since they share what they know.
  for (const std::string& name : kReplicas) {
    PointClientAt(replicas_[name].address);
    EXPECT_EQ(IssueAtLast(request).certificate(), issued.certificate()) << name;
  }

  // Whichever replica goes, the others serve.
  PointClientAt(front_.address());
  for (const std::string& name : kReplicas) {
    replicas_[name].process->Stop(SIGKILL);
    IssueAtLast(daemon_.Request());
    EXPECT_EQ(IssueAtLast(request).certificate(), issued.certificate()) << name;
    ASSERT_NO_FATAL_FAILURE(StartReplica(name));
    haproxy_->Stop(SIGTERM);
    StartHaproxy();
  }

  EXPECT_THAT(Run("upgrade the schema"), HasSubstr("already"));
}

// A test that takes none of the blocks shows nothing of the document.
TEST(ReplicasDocBlocksTest, EveryBlockIsOneThatATestTakes) {
  DocumentCommands document("docs/replicas.md");
  for (const char* name :
       {"settings of Patroni", "make roles", "configuration of a replica",
        "configuration for the load balancer", "prepare", "start a replica", "look at the replicas",
        "haproxy.cfg", "check the load balancer", "upgrade the schema"}) {
    EXPECT_THAT(document.Take(name), testing::Not(HasSubstr("no block is named"))) << name;
  }
  EXPECT_THAT(document.NotTaken(), ElementsAre());
}

}  // namespace
}  // namespace hourglass
