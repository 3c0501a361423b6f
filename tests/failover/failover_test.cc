// The database fails over under load: nothing that was released is forgotten, and where the
// standby is not synchronous it is, which the service notices.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "hourglass/v1/error.pb.h"
#include "hourglass/v1/journal.grpc.pb.h"
#include "tests/failover/brokers.h"
#include "tests/failover/judgement.h"
#include "tests/failover/patroni_cluster.h"
#include "tests/failover/replicas.h"
#include "tests/history/summary.h"
#include "tests/history/violation.h"
#include "tests/support/document_commands.h"
#include "tests/support/grpc_matchers.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::failover {
namespace {

using history::Rule;
using testing::HasSubstr;

// Of each replica, before and after.
constexpr int kCertificates = 30;
constexpr char kForgotten[] = "it has forgotten the certificate with serial number ";

class FailoverTest : public testing::Test {
 protected:
  void StartCluster(Replication replication) {
    ASSERT_OK_AND_ASSIGN(cluster_, PatroniCluster::Start(replication));
  }

  // With the tenant ready, and brokers that have their first certificates.
  void StartService(Standby standby) {
    replicas_ = std::make_unique<Replicas>(*cluster_, standby);
    ASSERT_TRUE(replicas_->Start()) << replicas_->LogOf(0) << replicas_->LogOf(1);
    replicas_->client(0).MakeReady();
    ASSERT_OK_AND_ASSIGN(brokers_, Brokers::Start(*replicas_, folder_.path()));
    ASSERT_OK(brokers_->WaitForCertificates(kCertificates));
  }

  // Of everything, for good, and by a server that is there.
  static void ExpectRefusal(ServiceClient& client) {
    const grpc::Status issuing = client.Issue(client.Request());
    EXPECT_EQ(issuing.error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_THAT(issuing.error_message(), HasSubstr(kForgotten));
    v1::ListCertificatesRequest request;
    request.set_tenant_id(kTenant);
    v1::ListCertificatesResponse page;
    grpc::ClientContext context;
    const grpc::Status reading =
        client.As<v1::JournalService>(kAuditor)->ListCertificates(&context, request, &page);
    EXPECT_THAT(reading, RefusedWith(v1::JOURNAL_UNAVAILABLE));
    EXPECT_THAT(reading.error_message(), HasSubstr(kForgotten));
  }

  Judgement JudgeIt(Standby standby) {
    const auto judgement = Judge(*cluster_, standby, folder_.path());
    EXPECT_OK(judgement);
    if (!judgement.ok()) return {};
    std::fputs(history::InWords(judgement->summary).c_str(), stdout);
    return *judgement;
  }

  const TemporaryDirectory folder_;
  std::unique_ptr<PatroniCluster> cluster_;
  std::unique_ptr<Replicas> replicas_;
  std::unique_ptr<Brokers> brokers_;
};

TEST_F(FailoverTest, NothingIsForgottenWhenTheLeaderIsGoneForGood) {
  ASSERT_NO_FATAL_FAILURE(StartCluster(Replication::kSynchronous));
  ASSERT_NO_FATAL_FAILURE(StartService(Standby::kRequired));
  const std::optional<int> leader = cluster_->Leader();
  ASSERT_TRUE(leader.has_value());
  EXPECT_THAT(cluster_->LookAt(*leader).output, HasSubstr("Sync Standby"));
  cluster_->Kill(*leader);

  // By itself, against the new one.
  ASSERT_OK(cluster_->WaitForLeader(leader));
  ASSERT_OK(brokers_->WaitForCertificates(kCertificates)) << cluster_->EndsOfLogs();
  ASSERT_OK(brokers_->Promote());
  ASSERT_OK(brokers_->WaitForCertificates(kCertificates));
  EXPECT_OK(brokers_->Stop(Brokers::LastRequest::kIsFinished));
  for (int replica = 0; replica < Replicas::kCount; ++replica) {
    EXPECT_TRUE(replicas_->WaitForLog(replica, "database_timeline_changed")) << replica;
  }
  EXPECT_TRUE(replicas_->Stop());

  const Judgement judgement = JudgeIt(Standby::kRequired);
  for (const history::Violation& violation : judgement.violations) {
    ADD_FAILURE() << history::InWords(violation);
  }
  EXPECT_TRUE(judgement.summary.logs_are_whole);
  EXPECT_GE(judgement.summary.received, 3 * kCertificates * Replicas::kCount);
  EXPECT_GT(judgement.summary.received_again, 0);
  EXPECT_EQ(judgement.summary.promotions, 2);
}

TEST_F(FailoverTest, WithoutASynchronousStandbyTheLossShowsAndTheServiceRefusesToGoOn) {
  ASSERT_NO_FATAL_FAILURE(StartCluster(Replication::kAsynchronous));
  {
    // Without a word in the configuration there is no service on such a cluster.
    Replicas refused(*cluster_, Standby::kRequired);
    const CommandResult check = refused.Try("--check-database");
    EXPECT_NE(check.exit_code, 0);
    EXPECT_THAT(check.output,
                HasSubstr("synchronous_standby_names is empty: what was released would be lost "
                          "with the server; name a standby there"));
    EXPECT_FALSE(refused.Start());
    EXPECT_THAT(refused.LogOf(0), HasSubstr("synchronous_standby_names is empty"));
  }
  ASSERT_NO_FATAL_FAILURE(StartService(Standby::kWaived));
  EXPECT_THAT(replicas_->LogOf(0), HasSubstr("synchronous_standby_waived"));
  const std::optional<int> leader = cluster_->Leader();
  ASSERT_TRUE(leader.has_value());
  // From now on only the leader knows of what is released.
  ASSERT_OK(cluster_->StopSending(*leader));
  ASSERT_OK(brokers_->WaitForCertificates(kCertificates));
  cluster_->Kill(*leader);

  // Both replicas have released what the new leader does not know.
  ASSERT_OK(cluster_->WaitForLeader(leader));
  for (int replica = 0; replica < Replicas::kCount; ++replica) {
    EXPECT_TRUE(replicas_->WaitForLog(replica, kForgotten)) << replicas_->LogOf(replica);
    ExpectRefusal(replicas_->client(replica));
  }
  EXPECT_OK(brokers_->Stop(Brokers::LastRequest::kIsGivenUp));
  replicas_->Stop();

  const Judgement judgement = JudgeIt(Standby::kWaived);
  EXPECT_GE(judgement.Broken(Rule::kReceivedMissing), kCertificates);
}

// What no test runs may be wrong.
TEST(FailOverDocumentTest, HasNoBlockThatNoTestTakes) {
  DocumentCommands document("docs/fail-over.md");
  for (const char* name : {"etcd.yml", "patroni.yml", "look at the cluster"}) {
    EXPECT_THAT(document.Take(name), testing::Not(HasSubstr("no block is named"))) << name;
  }
  EXPECT_THAT(document.NotTaken(), testing::IsEmpty());
}

}  // namespace
}  // namespace hourglass::failover
