// The state of a replica on a PostgreSQL that others share.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "issuance/base/entropy.h"
#include "issuance/log/testing/captured_log.h"
#include "issuance/server/service_state.h"
#include "issuance/server/store_check.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/manual_clock.h"
#include "tests/support/manual_kernel_time.h"
#include "tests/support/postgresql_cluster.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

using std::chrono::seconds;
using testing::Contains;
using testing::HasSubstr;
using testing::Pair;

class SharedStateTest : public testing::Test {
 protected:
  SharedStateTest() {
    const postgresql::ConnectionParameters service = cluster_.ServiceOf(database_);
    const std::string password = directory_.Write("password", service.password + "\n");
    chmod(password.c_str(), 0600);
    PostgresqlConfig database;
    for (const auto& server : service.servers)
      database.servers.push_back({server.host, server.port});
    database.database = database_;
    database.user = service.user;
    database.password_file = password;
    database.plain = true;
    database.replica = "a";
    database.waiver_reason = "a test with one server";
    config_.listen = "127.0.0.1:8443";
    config_.program_version = "1.2.3";
    config_.store.postgresql = database;
  }

  absl::StatusOr<std::unique_ptr<ServiceState>> Start(const std::string& replica = "a") {
    config_.store.postgresql->replica = replica;
    return ServiceState::Start(config_, {&clock_, &kernel_, &entropy_}, log_.log());
  }

  PostgresqlCluster& cluster_ = PostgresqlCluster::Shared();
  const std::string database_ = cluster_.CreatePreparedDatabase().value();
  TemporaryDirectory directory_;
  Config config_;
  ManualClock clock_;
  ManualKernelTime kernel_{&clock_};
  SystemEntropy entropy_;
  CapturedLog log_;
};

TEST_F(SharedStateTest, ReplicasShareWhatTheyKnowAndSeeEachOther) {
  ASSERT_OK_AND_ASSIGN(auto a, Start("a"));
  ASSERT_OK(a->store()->CreateTenant(SampleTenant("contoso")));
  ASSERT_OK_AND_ASSIGN(auto b, Start("b"));
  EXPECT_OK(b->store()->GetTenant("contoso"));
  EXPECT_OK(b->clock()->TrustedNow());
  EXPECT_TRUE(b->IsServing());
  ASSERT_OK_AND_ASSIGN(const std::vector<ReplicaRecord> replicas, b->replicas()->List());
  ASSERT_EQ(replicas.size(), 2u);
  EXPECT_EQ(replicas[0].name, "a");
  EXPECT_EQ(replicas[0].run_id, a->own().run_id);
  EXPECT_NE(a->own().run_id, b->own().run_id);
  EXPECT_EQ(replicas[0].program_version, "1.2.3");
  EXPECT_EQ(replicas[0].address, "127.0.0.1:8443");
  // One that is stopped is seen no more, and its name is free.
  a.reset();
  ASSERT_OK_AND_ASSIGN(const std::vector<ReplicaRecord> left, b->replicas()->List());
  EXPECT_EQ(left.size(), 1u);
  EXPECT_OK(Start("a"));
}

TEST_F(SharedStateTest, SaysWhichDatabaseItIsAndWhatIsWaived) {
  ASSERT_OK(Start());
  const std::vector<LoggedLine> lines = log_.Take();
  ASSERT_GE(lines.size(), 2u);
  EXPECT_THAT(lines[0], Contains(Pair("event", "store_opened")));
  EXPECT_THAT(lines[0], Contains(Pair("kind", "postgresql")));
  EXPECT_THAT(lines[0], Contains(Pair("server", "socket")));
  EXPECT_THAT(lines[0], Contains(Pair("timeline", "1")));
  EXPECT_THAT(lines[1], Contains(Pair("event", "synchronous_standby_waived")));
  EXPECT_THAT(lines[1], Contains(Pair("reason", "a test with one server")));
}

TEST_F(SharedStateTest, AClockThatDiffersFromTheDatabasesDecidesNothing) {
  kernel_.Leap(seconds(40));
  ASSERT_OK_AND_ASSIGN(const auto state, Start());
  // By itself the machine has no reason to doubt it.
  EXPECT_OK(state->guard()->TrustedNow());
  EXPECT_THAT(state->clock()->TrustedNow(), FailsWith(ErrorReason::kClockUntrusted));
  EXPECT_FALSE(state->IsServing());
}

TEST_F(SharedStateTest, ANameIsOfOneReplicaThatRuns) {
  ASSERT_OK_AND_ASSIGN(const auto first, Start("a"));
  EXPECT_THAT(Start("a"),
              FailsWith(ErrorReason::kConfigurationInvalid, "store.postgresql.replica"));
}

TEST_F(SharedStateTest, DoesNotStartWithoutWhatIsDemanded) {
  config_.store.postgresql->waiver_reason = "";
  const auto started = Start();
  EXPECT_THAT(started, FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_THAT(std::string(started.status().message()), HasSubstr("synchronous_standby_names"));
  EXPECT_THAT(CheckPostgresqlStore(*config_.store.postgresql),
              FailsWith(ErrorReason::kJournalUnavailable));
  config_.store.postgresql->waiver_reason = "a test with one server";
  EXPECT_OK(CheckPostgresqlStore(*config_.store.postgresql));
  chmod(config_.store.postgresql->password_file.c_str(), 0644);
  EXPECT_THAT(Start(),
              FailsWith(ErrorReason::kConfigurationInvalid, "store.postgresql.password_file"));
}

TEST_F(SharedStateTest, ADatabaseThatWasNotPreparedIsNoStore) {
  config_.store.postgresql->database = cluster_.CreateDatabase().value();
  const auto started = Start();
  EXPECT_THAT(started, FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_THAT(std::string(started.status().message()), HasSubstr("hourglass store prepare"));
  const auto checked = CheckPostgresqlStore(*config_.store.postgresql);
  EXPECT_THAT(checked, FailsWith(ErrorReason::kJournalUnavailable));
}

}  // namespace
}  // namespace hourglass::issuance
