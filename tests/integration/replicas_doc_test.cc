// The commands of docs/replicas.md, on one machine: a fresh database, three replicas, HAProxy.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/integration/replicas_fixture.h"
#include "tests/support/document_commands.h"
#include "tests/support/loopback.h"
#include "tests/support/subprocess.h"

namespace hourglass {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<std::string> kReplicas = {"berlin-1", "berlin-2", "berlin-3"};

class ReplicasDocTest : public ReplicasFixture {
 protected:
  void SetUp() override {
    ReplicasFixture::SetUp();
    shell().Put("/etc/haproxy/haproxy.cfg", files().File("haproxy.cfg"));
    ASSERT_GT(front_.port, 0);
    // HAProxy inherits it.
    ASSERT_EQ(fcntl(front_.descriptor.get(), F_SETFD, 0), 0);
  }
  std::string FrontAddress() const { return absl::StrCat("127.0.0.1:", front_.port); }

  void StartHaproxy() {
    std::string config = replicas_page().Take("haproxy.cfg");
    for (const std::string& name : kReplicas) {
      const std::string metrics = replica(name).metrics_address;
      config =
          absl::StrReplaceAll(config, {{absl::StrCat(name, ".contoso.example:8443"),
                                        absl::StrCat(replica(name).address, " port ",
                                                     metrics.substr(metrics.rfind(':') + 1))}});
    }
    files().Write(
        "haproxy.cfg",
        absl::StrReplaceAll(
            config, {{"bind 0.0.0.0:443", absl::StrCat("bind fd@", front_.descriptor.get())}}));
    Run("check the load balancer");
    haproxy_ = std::make_unique<BackgroundProcess>(
        std::vector<std::string>{"haproxy", "-db", "-f", files().File("haproxy.cfg")},
        files().File("haproxy.log"));
  }

  std::vector<std::string> ReplicasInStatus() {
    const CommandResult asked = RunCommand(
        {kHourglass, "--config", files().File("cli.yaml"), "--json", "service", "status"});
    EXPECT_EQ(asked.exit_code, 0) << asked.output;
    std::vector<std::string> names;
    const auto answer = nlohmann::json::parse(asked.output);
    for (const auto& replica : answer["replicas"]) names.push_back(replica["name"]);
    return names;
  }

  const Listener front_ = ListenOn("127.0.0.1");
  std::unique_ptr<BackgroundProcess> haproxy_;
};

TEST_F(ReplicasDocTest, GoesFromAFreshDatabaseToThreeReplicas) {
  // What only a real cluster has.
  EXPECT_THAT(replicas_page().Take("settings of Patroni"),
              HasSubstr("synchronous_mode_strict: true"));
  Run("make roles");
  for (const std::string& name : kReplicas) WriteConfig(name);
  const std::string prepared = Run("prepare");
  EXPECT_THAT(prepared, HasSubstr("made, of version "));
  EXPECT_THAT(prepared, HasSubstr("the configuration is valid"));
  EXPECT_THAT(prepared, HasSubstr("the service can use database hourglass"));
  Run("start a replica");
  for (const char* name : {"berlin-2", "berlin-3"}) ASSERT_NO_FATAL_FAILURE(StartReplica(name));
  EXPECT_THAT(replica("berlin-2").process->Log(), HasSubstr("synchronous_standby_waived"));

  PointClientAt(replica("berlin-2").address);
  EXPECT_THAT(Run("look at the replicas"), HasSubstr("berlin-2 *"));
  EXPECT_THAT(ReplicasInStatus(), ElementsAre("berlin-1", "berlin-2", "berlin-3"));
  client().MakeReady();

  StartHaproxy();
  PointClientAt(FrontAddress());
  const v1::IssueCertificateRequest request = client().Request();
  const v1::IssueCertificateResponse issued = IssueAtLast(request);
  // The same from each replica, since they share what they know.
  for (const std::string& name : kReplicas) {
    PointClientAt(replica(name).address);
    EXPECT_EQ(IssueAtLast(request).certificate(), issued.certificate()) << name;
  }

  // Whichever replica goes, the others serve.
  PointClientAt(FrontAddress());
  for (const std::string& name : kReplicas) {
    replica(name).process->Stop(SIGKILL);
    IssueAtLast(client().Request());
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
