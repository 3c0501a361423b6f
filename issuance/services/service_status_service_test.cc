#include "issuance/services/service_status_service.h"

#include <chrono>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "issuance/compliance/compliance_counts.h"
#include "issuance/services/testing/service_test.h"
#include "issuance/store/testing/memory_replica_directory.h"
#include "issuance/wire/proto_time.h"
#include "tests/support/manual_clock.h"
#include "tests/support/manual_kernel_time.h"

namespace hourglass::issuance {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

class ServiceStatusServiceTest : public ServiceTest {
 protected:
  void SetUp() override {
    ServiceTest::SetUp();
    own_ = {.name = "a",
            .run_id = "run-1",
            .program_version = "1.2.3",
            .address = "10.0.0.1:8443",
            .started_at = wall_.Now() - seconds(100)};
    ReplicaRecord other = own_;
    other.name = "b";
    other.run_id = "run-2";
    other.program_version = "1.2.2";
    other.seen_at = wall_.Now() - seconds(3);
    other.clock_ahead = -microseconds(1'250'000);
    other.clock_uncertainty = milliseconds(2);
    directory_.records = {{"a", own_}, {"b", other}};
    directory_.database = {.address = "10.0.1.1:5432",
                           .version = "15.18",
                           .system_identifier = "7312345678901234567",
                           .timeline = 4,
                           .synchronous_standby_names = "n2",
                           .now = wall_.Now(),
                           .standbys = {{{"n2", "streaming", "sync", milliseconds(1500), 77},
                                         {"n3", "streaming", "async", std::nullopt, 0}}}};
  }

  v1::ServiceStatus Get(ServiceStatusService::Subjects subjects) {
    ServiceStatusService service(nullptr, std::move(subjects));
    v1::ServiceStatus status;
    EXPECT_OK(service.GetServiceStatus(administrator_, v1::GetServiceStatusRequest(), &status));
    return status;
  }
  v1::ServiceStatus GetOfReplica() {
    return Get({.own = own_,
                .clock = &wall_,
                .directory = &directory_,
                .compared = &compared_,
                .standby_waived = true});
  }

  ManualClock wall_;
  ManualKernelTime machine_{&wall_};
  ComparedClock compared_{&clock_, &machine_, seconds(30), EventLog::Silent()};
  MemoryReplicaDirectory directory_{[this] { return wall_.Now(); }};
  ReplicaRecord own_;
};

TEST_F(ServiceStatusServiceTest, WithSqliteThisProcessIsAll) {
  own_.name = "";
  const v1::ServiceStatus status = Get({.own = own_, .clock = &wall_});
  EXPECT_EQ(status.store_kind(), v1::ServiceStatus::SQLITE);
  EXPECT_EQ(status.answered_by(), "");
  EXPECT_FALSE(status.has_database());
  EXPECT_FALSE(status.has_largest_clock_difference());
  EXPECT_THAT(status.now(), IsMessage(ToProto(wall_.Now())));
  ASSERT_EQ(status.replicas_size(), 1);
  EXPECT_EQ(status.replicas(0).version(), "1.2.3");
  EXPECT_EQ(status.replicas(0).address(), "10.0.0.1:8443");
  EXPECT_THAT(status.replicas(0).started_at(), IsMessage(ToProto(own_.started_at)));
  EXPECT_FALSE(status.replicas(0).has_clock_ahead());
}

TEST_F(ServiceStatusServiceTest, SaysHowTheDatabaseStands) {
  const v1::ServiceStatus status = GetOfReplica();
  EXPECT_EQ(status.store_kind(), v1::ServiceStatus::POSTGRESQL);
  EXPECT_EQ(status.answered_by(), "a");
  EXPECT_EQ(status.database_error(), "");
  EXPECT_EQ(status.largest_clock_difference().seconds(), 30);
  const v1::Database& database = status.database();
  EXPECT_EQ(database.address(), "10.0.1.1:5432");
  EXPECT_EQ(database.version(), "15.18");
  EXPECT_EQ(database.system_identifier(), "7312345678901234567");
  EXPECT_EQ(database.timeline(), 4u);
  EXPECT_EQ(database.synchronous_standby_names(), "n2");
  EXPECT_TRUE(database.synchronous_standby_waived());
  EXPECT_TRUE(database.standbys_visible());
  ASSERT_EQ(database.standbys_size(), 2);
  EXPECT_THAT(database.standbys(0),
              IsMessage(MessageOf<v1::Standby>("name: 'n2' state: 'streaming' sync_state: 'sync' "
                                               "lag { seconds: 1 nanos: 500000000 } "
                                               "lag_octets: 77")));
  EXPECT_THAT(database.standbys(1),
              IsMessage(MessageOf<v1::Standby>("name: 'n3' state: 'streaming' sync_state: 'async' "
                                               "lag_octets: 0")));
}

TEST_F(ServiceStatusServiceTest, SaysSoWhereTheRoleMaySeeNoStandbys) {
  directory_.database.standbys.reset();
  const v1::ServiceStatus status = GetOfReplica();
  EXPECT_FALSE(status.database().standbys_visible());
  EXPECT_EQ(status.database().standbys_size(), 0);
}

TEST_F(ServiceStatusServiceTest, SaysHowEachReplicaStands) {
  const v1::ServiceStatus status = GetOfReplica();
  ASSERT_EQ(status.replicas_size(), 2);
  EXPECT_EQ(status.replicas(0).name(), "a");
  const v1::Replica& other = status.replicas(1);
  EXPECT_EQ(other.name(), "b");
  EXPECT_EQ(other.version(), "1.2.2");
  EXPECT_THAT(other.last_seen(), IsMessage(ToProto(wall_.Now() - seconds(3))));
  // Both parts of a google.protobuf.Duration have one sign.
  EXPECT_EQ(other.clock_ahead().seconds(), -1);
  EXPECT_EQ(other.clock_ahead().nanos(), -250'000'000);
  EXPECT_EQ(other.clock_uncertainty().nanos(), 2'000'000);
}

TEST_F(ServiceStatusServiceTest, SaysOfWhomTheComplianceServiceIsNotAsked) {
  ComplianceCounts counts;
  EXPECT_FALSE(Get({.own = own_, .clock = &wall_, .compliance = &counts}).has_compliance())
      << "there is none elsewhere";
  const auto get = [&] {
    return Get({.own = own_,
                .clock = &wall_,
                .compliance_endpoint = "compliance.contoso.example:8443",
                .compliance = &counts})
        .compliance();
  };
  EXPECT_EQ(get().endpoint(), "compliance.contoso.example:8443");
  EXPECT_EQ(get().open_circuits(), 0u);
  const Timestamp since = wall_.Now() - seconds(90);
  // As gRPC hands on what a stranger said.
  counts.circuits.Opened(
      {"contoso", since, absl::StrCat("status 14: \xff", std::string(600, 'x'))});
  ASSERT_EQ(get().circuits_size(), 1);
  EXPECT_EQ(get().circuits(0).tenant_id(), "contoso");
  EXPECT_THAT(get().circuits(0).since(), IsMessage(ToProto(since)));
  EXPECT_EQ(get().circuits(0).failure(), absl::StrCat("status 14: \\xff", std::string(500, 'x')));
  for (int i = 0; i < 150; ++i) counts.circuits.Opened({absl::StrCat("tenant-", i), since, "x"});
  EXPECT_EQ(get().open_circuits(), 151u);
  EXPECT_EQ(get().circuits_size(), 100);
  EXPECT_EQ(get().circuits(0).tenant_id(), "contoso");
}

TEST_F(ServiceStatusServiceTest, AnswersWhileTheDatabaseIsAway) {
  compared_.Learn({"a", seconds(2), milliseconds(1)}, {}, wall_.Now(), machine_.Uptime());
  directory_.is_away = true;
  const v1::ServiceStatus status = GetOfReplica();
  EXPECT_EQ(status.store_kind(), v1::ServiceStatus::POSTGRESQL);
  EXPECT_FALSE(status.has_database());
  EXPECT_EQ(status.database_error(), "database: no answer");
  ASSERT_EQ(status.replicas_size(), 1);
  EXPECT_EQ(status.replicas(0).name(), "a");
  EXPECT_EQ(status.replicas(0).clock_ahead().seconds(), 2);
}

}  // namespace
}  // namespace hourglass::issuance
