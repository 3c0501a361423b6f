// The program as its users meet it: how the service itself stands.
#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "absl/time/clock.h"
#include "hourglass/v1/service_status.grpc.pb.h"
#include "tests/support/subprocess.h"
#include "tools/client/testing/loopback_service.h"
#include "tools/client/wording.h"

namespace hourglass::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kProgram[] = "tools/hourglass/hourglass";

class ScriptedStatus final : public v1::ServiceStatusService::Service {
 public:
  grpc::Status GetServiceStatus(grpc::ServerContext*, const v1::GetServiceStatusRequest*,
                                v1::ServiceStatus* answer) override {
    *answer = status;
    return grpc::Status::OK;
  }
  v1::ServiceStatus status;
};

class ServiceStatusTest : public testing::Test {
 protected:
  void Answer(const std::string& text) {
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &scripted_.status)) << text;
    *scripted_.status.mutable_now() = client::TimestampOf(now_);
  }
  std::string Run(const std::string& more = "") {
    std::vector<std::string> command = {kProgram, "--config", service_.config_file(), "service",
                                        "status"};
    if (!more.empty()) command.push_back(more);
    const CommandResult result = RunCommand(command);
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return result.output;
  }

  const absl::Time now_ = absl::Now();
  ScriptedStatus scripted_;
  client::LoopbackService service_{{&scripted_}};
};

TEST_F(ServiceStatusTest, WithSqliteThereIsOneProcess) {
  Answer("store_kind: SQLITE replicas { version: '1.2.3' address: '127.0.0.1:8443' }");
  const std::string said = Run();
  EXPECT_THAT(said, HasSubstr("SQLite, on one machine: there are no replicas.\n"));
  EXPECT_THAT(said, HasSubstr("1.2.3"));
  EXPECT_THAT(said, HasSubstr("127.0.0.1:8443"));
  const auto json = nlohmann::json::parse(Run("--json"));
  EXPECT_EQ(json["store"], "SQLITE");
  EXPECT_FALSE(json.contains("database"));
  EXPECT_EQ(json["replicas"].size(), 1u);
  EXPECT_FALSE(json["replicas"][0].contains("clock_ahead_seconds"));
}

constexpr char kShared[] =
    "store_kind: POSTGRESQL answered_by: 'a' largest_clock_difference { seconds: 30 } "
    "database { address: '10.0.1.1:5432' version: '15.18' system_identifier: '73' timeline: 4 "
    "synchronous_standby_names: 'n2' standbys_visible: true "
    "standbys { name: 'n2' state: 'streaming' sync_state: 'sync' lag { nanos: 1500000 } "
    "lag_octets: 77 } standbys { name: 'n3' state: 'catchup' sync_state: 'async' "
    "lag_octets: 20000 } } "
    "replicas { name: 'a' version: '1.2.3' address: '10.0.0.1:8443' "
    "clock_ahead { nanos: 12000000 } clock_uncertainty { nanos: 1000000 } } "
    "replicas { name: 'b' version: '1.2.2' address: '10.0.0.2:8443' "
    "clock_ahead { seconds: -40 nanos: -500000000 } clock_uncertainty { nanos: 1000000 } } ";

TEST_F(ServiceStatusTest, ShowsDatabaseAndReplicas) {
  Answer(kShared);
  *scripted_.status.mutable_database()->mutable_now() = client::TimestampOf(now_);
  for (v1::Replica& replica : *scripted_.status.mutable_replicas()) {
    *replica.mutable_last_seen() = client::TimestampOf(now_ - absl::Seconds(3));
  }
  const std::string said = Run();
  EXPECT_THAT(said, HasSubstr("10.0.1.1:5432, 15.18"));
  EXPECT_THAT(said, HasSubstr("n2 (sync, streaming, 1.5ms behind, 77 B)"));
  EXPECT_THAT(said, HasSubstr("n3 (async, catchup, nothing behind, 20 kB)"));
  EXPECT_THAT(said, HasSubstr("a *      1.2.3    10.0.0.1:8443  3 s ago  +0.012 s\n"));
  EXPECT_THAT(said, HasSubstr("b        1.2.2    10.0.0.2:8443  3 s ago  -40.500 s TOO FAR\n"));
  EXPECT_THAT(said, Not(HasSubstr("waived")));
  const auto json = nlohmann::json::parse(Run("--json"));
  EXPECT_EQ(json["answered_by"], "a");
  EXPECT_EQ(json["database"]["timeline"], 4);
  EXPECT_EQ(json["database"]["standbys"][0]["sync_state"], "sync");
  EXPECT_EQ(json["database"]["standbys"][0]["lag_octets"], 77);
  EXPECT_FALSE(json["database"]["standbys"][1].contains("lag_seconds"));
  EXPECT_EQ(json["replicas"][1]["clock_ahead_seconds"], -40.5);
  EXPECT_EQ(json["largest_clock_difference_seconds"], 30);
}

TEST_F(ServiceStatusTest, SaysWhatCannotBeSeen) {
  Answer(kShared);
  v1::Database& database = *scripted_.status.mutable_database();
  database.set_standbys_visible(false);
  database.clear_standbys();
  database.clear_synchronous_standby_names();
  database.set_synchronous_standby_waived(true);
  const std::string said = Run();
  EXPECT_THAT(said, HasSubstr("not visible to the service's role (pg_monitor)"));
  EXPECT_THAT(said, HasSubstr("none (waived: certificates may be forgotten with the server)"));
  EXPECT_EQ(nlohmann::json::parse(Run("--json"))["database"]["standbys"], "not visible");
}

TEST_F(ServiceStatusTest, SaysThatTheDatabaseCannotBeReached) {
  Answer(
      "store_kind: POSTGRESQL answered_by: 'a' database_error: 'database: no answer\\033[1m' "
      "replicas { name: 'a' version: '1.2.3' }");
  const std::string said = Run();
  EXPECT_THAT(said,
              HasSubstr("PostgreSQL, which cannot be reached: database: no answer\\x1b[1m\n"));
  EXPECT_THAT(said, HasSubstr("a *"));
  EXPECT_THAT(std::string(nlohmann::json::parse(Run("--json"))["database_error"]),
              HasSubstr("no answer"));
}

TEST_F(ServiceStatusTest, SaysOfWhomAComplianceServiceElsewhereIsNotAsked) {
  Answer("store_kind: SQLITE compliance { endpoint: 'compliance.contoso.example:8443' }");
  EXPECT_THAT(
      Run(),
      HasSubstr(
          "\nCompliance service compliance.contoso.example:8443: asked about every tenant.\n"));
  EXPECT_EQ(nlohmann::json::parse(Run("--json"))["compliance"]["open_circuits"], 0);

  Answer(
      "store_kind: SQLITE compliance { endpoint: 'compliance.contoso.example:8443' "
      "open_circuits: 3 circuits { tenant_id: 'contoso' failure: 'gRPC status 14: away\\033[1m' } "
      "circuits { tenant_id: 'fabrikam' failure: 'gRPC status 4: too late' } }");
  for (v1::OpenCircuit& circuit : *scripted_.status.mutable_compliance()->mutable_circuits()) {
    *circuit.mutable_since() = client::TimestampOf(now_ - absl::Minutes(5));
  }
  const std::string said = Run();
  EXPECT_THAT(said, HasSubstr("NOT ASKED about 3 tenants, since it gave no answers"));
  EXPECT_THAT(said, testing::ContainsRegex("contoso +[-0-9]+ [:0-9]+ UTC \\(5 min ago\\) +gRPC "
                                           "status 14: away\\\\x1b\\[1m\n"));
  EXPECT_THAT(said, testing::EndsWith("\nand 1 more.\n"));
  const auto json = nlohmann::json::parse(Run("--json"))["compliance"];
  EXPECT_EQ(json["circuits"].size(), 2u);
  EXPECT_EQ(json["circuits"][1]["tenant_id"], "fabrikam");
  EXPECT_EQ(json["circuits"][1]["failure"], "gRPC status 4: too late");
  EXPECT_THAT(std::string(json["circuits"][1]["since"]), testing::EndsWith("Z"));
}

TEST_F(ServiceStatusTest, SaysNothingOfAComplianceServiceWhereThereIsNoneElsewhere) {
  Answer("store_kind: SQLITE");
  EXPECT_THAT(Run(), Not(HasSubstr("ompliance")));
  EXPECT_FALSE(nlohmann::json::parse(Run("--json")).contains("compliance"));
}

}  // namespace
}  // namespace hourglass::cli
