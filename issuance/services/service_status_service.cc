#include "issuance/services/service_status_service.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ca/text/visible_text.h"
#include "google/protobuf/duration.pb.h"
#include "issuance/wire/proto_time.h"

namespace hourglass::issuance {
namespace {

constexpr std::size_t kMostCircuits = 100;
constexpr std::size_t kLongestFailure = 512;

google::protobuf::Duration DurationAsProto(std::chrono::microseconds length) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(length);
  google::protobuf::Duration duration;
  duration.set_seconds(seconds.count());
  duration.set_nanos(static_cast<std::int32_t>((length - seconds).count() * 1000));
  return duration;
}

v1::Standby StandbyAsProto(const StandbyRecord& record) {
  v1::Standby standby;
  standby.set_name(record.name);
  standby.set_state(record.state);
  standby.set_sync_state(record.sync_state);
  if (record.lag.has_value()) *standby.mutable_lag() = DurationAsProto(*record.lag);
  if (record.lag_octets.has_value()) standby.set_lag_octets(*record.lag_octets);
  return standby;
}

v1::Database DatabaseAsProto(const DatabaseRecord& record, bool standby_waived) {
  v1::Database database;
  database.set_address(record.address);
  database.set_version(record.version);
  database.set_system_identifier(record.system_identifier);
  database.set_timeline(record.timeline);
  *database.mutable_now() = ToProto(record.now);
  database.set_synchronous_standby_names(record.synchronous_standby_names);
  database.set_synchronous_standby_waived(standby_waived);
  database.set_standbys_visible(record.standbys.has_value());
  for (const StandbyRecord& standby : record.standbys.value_or(std::vector<StandbyRecord>())) {
    *database.add_standbys() = StandbyAsProto(standby);
  }
  return database;
}

// Whoever runs on SQLite has no name and is compared with nobody.
v1::Replica ReplicaAsProto(const ReplicaRecord& record) {
  v1::Replica replica;
  replica.set_name(record.name);
  replica.set_version(record.program_version);
  replica.set_address(record.address);
  *replica.mutable_started_at() = ToProto(record.started_at);
  *replica.mutable_last_seen() = ToProto(record.seen_at);
  if (record.name.empty()) return replica;
  *replica.mutable_clock_ahead() = DurationAsProto(record.clock_ahead);
  *replica.mutable_clock_uncertainty() = DurationAsProto(record.clock_uncertainty);
  return replica;
}

v1::OpenCircuit CircuitAsProto(const OpenCircuit& record) {
  v1::OpenCircuit circuit;
  circuit.set_tenant_id(record.tenant_id);
  *circuit.mutable_since() = ToProto(record.since);
  // Cut first: what is escaped is whole characters again.
  circuit.set_failure(ca::VisibleText(record.failure.substr(0, kLongestFailure)));
  return circuit;
}

}  // namespace

void ServiceStatusService::AddOwn(v1::ServiceStatus* response) const {
  ReplicaRecord own = subjects_.own;
  own.seen_at = subjects_.clock->Now();
  if (subjects_.compared != nullptr) {
    if (const std::optional<ComparedReplica> beside = subjects_.compared->BesideDatabase()) {
      own.clock_ahead = beside->ahead;
      own.clock_uncertainty = beside->uncertainty;
    }
  }
  *response->add_replicas() = ReplicaAsProto(own);
}

void ServiceStatusService::AddDatabase(v1::ServiceStatus* response) const {
  const absl::StatusOr<DatabaseRecord> database = subjects_.directory->Describe();
  if (database.ok()) {
    *response->mutable_database() = DatabaseAsProto(*database, subjects_.standby_waived);
  } else {
    response->set_database_error(std::string(database.status().message()));
  }
}

void ServiceStatusService::AddReplicas(v1::ServiceStatus* response) const {
  const absl::StatusOr<std::vector<ReplicaRecord>> replicas = subjects_.directory->List();
  if (!replicas.ok()) {
    response->set_database_error(std::string(replicas.status().message()));
    return AddOwn(response);
  }
  for (const ReplicaRecord& replica : *replicas) {
    *response->add_replicas() = ReplicaAsProto(replica);
  }
}

void ServiceStatusService::AddCompliance(v1::ServiceStatus* response) const {
  if (subjects_.compliance_endpoint.empty() || subjects_.compliance == nullptr) return;
  v1::ComplianceStatus& compliance = *response->mutable_compliance();
  compliance.set_endpoint(subjects_.compliance_endpoint);
  const std::vector<OpenCircuit> open = subjects_.compliance->circuits.List();
  compliance.set_open_circuits(static_cast<std::uint32_t>(open.size()));
  for (std::size_t i = 0; i < std::min(open.size(), kMostCircuits); ++i) {
    *compliance.add_circuits() = CircuitAsProto(open[i]);
  }
}

absl::Status ServiceStatusService::GetServiceStatus(const Caller&,
                                                    const v1::GetServiceStatusRequest&,
                                                    v1::ServiceStatus* response) {
  *response->mutable_now() = ToProto(subjects_.clock->Now());
  AddCompliance(response);
  if (subjects_.directory == nullptr) {
    response->set_store_kind(v1::ServiceStatus::SQLITE);
    AddOwn(response);
    return absl::OkStatus();
  }
  response->set_store_kind(v1::ServiceStatus::POSTGRESQL);
  response->set_answered_by(subjects_.own.name);
  if (subjects_.compared != nullptr) {
    *response->mutable_largest_clock_difference() = DurationAsProto(subjects_.compared->largest());
  }
  AddDatabase(response);
  AddReplicas(response);
  return absl::OkStatus();
}

}  // namespace hourglass::issuance
