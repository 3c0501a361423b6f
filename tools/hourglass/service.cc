#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "hourglass/v1/service_status.grpc.pb.h"
#include "hsm/base/status_macros.h"
#include "tools/client/table.h"
#include "tools/client/wording.h"
#include "tools/hourglass/command.h"

namespace hourglass::cli {
namespace {

using client::Json;

struct ServiceOptions {};

absl::Duration LengthOf(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

// `+0.012 s`, with milliseconds.
std::string OffsetInWords(const google::protobuf::Duration& offset) {
  return absl::StrFormat("%+.3f s", absl::ToDoubleSeconds(LengthOf(offset)));
}

std::string OctetsInWords(std::int64_t octets) {
  if (octets < 10'000) return absl::StrCat(octets, " B");
  if (octets < 10'000'000) return absl::StrCat(octets / 1000, " kB");
  return absl::StrCat(octets / 1'000'000, " MB");
}

std::string LagInWords(const v1::Standby& standby) {
  const std::string length =
      standby.has_lag() ? absl::FormatDuration(LengthOf(standby.lag())) : "nothing";
  return standby.has_lag_octets()
             ? absl::StrCat(length, " behind, ", OctetsInWords(standby.lag_octets()))
             : absl::StrCat(length, " behind");
}

std::string StandbyInWords(const v1::Standby& standby) {
  return absl::StrCat(standby.name(), " (", standby.sync_state(), ", ", standby.state(), ", ",
                      LagInWords(standby), ")");
}

std::string StandbysInWords(const v1::Database& database) {
  if (!database.standbys_visible()) return "not visible to the service's role (pg_monitor)";
  if (database.standbys().empty()) return "none follows";
  std::string words;
  for (const v1::Standby& standby : database.standbys()) {
    absl::StrAppend(&words, words.empty() ? "" : ", ", StandbyInWords(standby));
  }
  return words;
}

std::string DemandInWords(const v1::Database& database) {
  const std::string names =
      database.synchronous_standby_names().empty() ? "none" : database.synchronous_standby_names();
  return absl::StrCat(names, database.synchronous_standby_waived()
                                 ? " (waived: certificates may be forgotten with the server)"
                                 : "");
}

std::string DatabaseInWords(const v1::ServiceStatus& status) {
  const v1::Database& database = status.database();
  if (!status.has_database()) {
    return absl::StrCat(
        "PostgreSQL, which cannot be reached: ", client::Printable(status.database_error()), "\n");
  }
  return absl::StrCat(
      "PostgreSQL\n",
      client::FormatFacts({{"Server", absl::StrCat(database.address(), ", ", database.version())},
                           {"Timeline", absl::StrCat(database.timeline())},
                           {"System identifier", database.system_identifier()},
                           {"Synchronous standbys", DemandInWords(database)},
                           {"Standbys", StandbysInWords(database)},
                           {"Not all was read", status.database_error()}}));
}

// Beside its clock, so that who reads sees which one stopped.
std::string ClockInWords(const v1::Replica& replica, const v1::ServiceStatus& status) {
  if (!replica.has_clock_ahead()) return "";
  const absl::Duration distance = absl::AbsDuration(LengthOf(replica.clock_ahead()));
  const bool differs = distance - LengthOf(replica.clock_uncertainty()) >
                       LengthOf(status.largest_clock_difference());
  return absl::StrCat(OffsetInWords(replica.clock_ahead()), differs ? " TOO FAR" : "");
}

std::string ReplicasInWords(const v1::ServiceStatus& status) {
  const absl::Time now =
      client::TimeOf(status.has_database() ? status.database().now() : status.now());
  std::vector<std::vector<std::string>> rows;
  for (const v1::Replica& replica : status.replicas()) {
    const absl::Duration age = now - client::TimeOf(replica.last_seen());
    rows.push_back(
        {replica.name() == status.answered_by() ? absl::StrCat(replica.name(), " *")
                                                : replica.name(),
         replica.version(), replica.address(),
         absl::StrCat(client::LengthInWords(std::max(age, absl::ZeroDuration())), " ago"),
         ClockInWords(replica, status)});
  }
  return absl::StrCat(client::FormatTable({"REPLICA", "VERSION", "ADDRESS", "SEEN", "CLOCK"}, rows),
                      "* answered. CLOCK is beside the database's, at most ",
                      absl::FormatDuration(LengthOf(status.largest_clock_difference())), ".\n");
}

std::string ComplianceInWords(const v1::ServiceStatus& status) {
  if (!status.has_compliance()) return "";
  const v1::ComplianceStatus& compliance = status.compliance();
  std::string words =
      absl::StrCat("\nCompliance service ", client::Printable(compliance.endpoint()), ": ");
  if (compliance.open_circuits() == 0) return words + "asked about every tenant.\n";
  absl::StrAppend(&words, "NOT ASKED about ", compliance.open_circuits(),
                  compliance.open_circuits() == 1 ? " tenant" : " tenants",
                  ", since it gave no answers; they get COMPLIANCE_UNAVAILABLE.\n");
  const absl::Time now = client::TimeOf(status.now());
  std::vector<std::vector<std::string>> rows;
  for (const v1::OpenCircuit& circuit : compliance.circuits()) {
    rows.push_back({circuit.tenant_id(), client::TimeInWords(client::TimeOf(circuit.since()), now),
                    circuit.failure()});
  }
  absl::StrAppend(&words, client::FormatTable({"TENANT", "SINCE", "WHY"}, rows));
  const auto shown = static_cast<std::uint32_t>(compliance.circuits_size());
  if (shown < compliance.open_circuits()) {
    absl::StrAppend(&words, "and ", compliance.open_circuits() - shown, " more.\n");
  }
  return words;
}

std::string StoreInWords(const v1::ServiceStatus& status) {
  if (status.store_kind() == v1::ServiceStatus::POSTGRESQL) {
    return absl::StrCat(DatabaseInWords(status), "\n", ReplicasInWords(status));
  }
  std::string words = "SQLite, on one machine: there are no replicas.\n";
  for (const v1::Replica& process : status.replicas()) {
    absl::StrAppend(&words,
                    client::FormatFacts(
                        {{"Version", process.version()},
                         {"Address", process.address()},
                         {"Runs since", client::TimeInWords(client::TimeOf(process.started_at()),
                                                            client::TimeOf(status.now()))}}));
  }
  return words;
}

std::string StatusInWords(const v1::ServiceStatus& status) {
  return StoreInWords(status) + ComplianceInWords(status);
}

Json ComplianceAsJson(const v1::ComplianceStatus& compliance) {
  Json json = {{"endpoint", compliance.endpoint()},
               {"open_circuits", compliance.open_circuits()},
               {"circuits", Json::array()}};
  for (const v1::OpenCircuit& circuit : compliance.circuits()) {
    json["circuits"].push_back({{"tenant_id", circuit.tenant_id()},
                                {"since", client::TimeForJson(client::TimeOf(circuit.since()))},
                                {"failure", circuit.failure()}});
  }
  return json;
}

Json StandbyAsJson(const v1::Standby& standby) {
  Json json = {
      {"name", standby.name()}, {"state", standby.state()}, {"sync_state", standby.sync_state()}};
  if (standby.has_lag()) json["lag_seconds"] = absl::ToDoubleSeconds(LengthOf(standby.lag()));
  if (standby.has_lag_octets()) json["lag_octets"] = standby.lag_octets();
  return json;
}

Json DatabaseAsJson(const v1::Database& database) {
  Json json = {{"address", database.address()},
               {"version", database.version()},
               {"system_identifier", database.system_identifier()},
               {"timeline", database.timeline()},
               {"now", client::TimeForJson(client::TimeOf(database.now()))},
               {"synchronous_standby_names", database.synchronous_standby_names()},
               {"synchronous_standby_waived", database.synchronous_standby_waived()}};
  if (!database.standbys_visible()) {
    json["standbys"] = "not visible";
    return json;
  }
  json["standbys"] = Json::array();
  for (const v1::Standby& standby : database.standbys()) {
    json["standbys"].push_back(StandbyAsJson(standby));
  }
  return json;
}

Json ReplicaAsJson(const v1::Replica& replica) {
  Json json = {{"name", replica.name()},
               {"version", replica.version()},
               {"address", replica.address()},
               {"started_at", client::TimeForJson(client::TimeOf(replica.started_at()))},
               {"last_seen", client::TimeForJson(client::TimeOf(replica.last_seen()))}};
  if (!replica.has_clock_ahead()) return json;
  json["clock_ahead_seconds"] = absl::ToDoubleSeconds(LengthOf(replica.clock_ahead()));
  json["clock_uncertainty_seconds"] = absl::ToDoubleSeconds(LengthOf(replica.clock_uncertainty()));
  return json;
}

Json StatusAsJson(const v1::ServiceStatus& status) {
  Json json = {{"store", v1::ServiceStatus::StoreKind_Name(status.store_kind())},
               {"now", client::TimeForJson(client::TimeOf(status.now()))}};
  if (!status.answered_by().empty()) json["answered_by"] = status.answered_by();
  if (status.has_database()) json["database"] = DatabaseAsJson(status.database());
  if (!status.database_error().empty()) json["database_error"] = status.database_error();
  if (status.has_largest_clock_difference()) {
    json["largest_clock_difference_seconds"] =
        absl::ToDoubleSeconds(LengthOf(status.largest_clock_difference()));
  }
  json["replicas"] = Json::array();
  for (const v1::Replica& replica : status.replicas()) {
    json["replicas"].push_back(ReplicaAsJson(replica));
  }
  if (status.has_compliance()) json["compliance"] = ComplianceAsJson(status.compliance());
  return json;
}

absl::StatusOr<Answer> Status(const ServiceOptions&, const Session& session) {
  ASSIGN_OR_RETURN(
      const v1::ServiceStatus status,
      client::Call(session.connection, &v1::ServiceStatusService::Stub::GetServiceStatus,
                   v1::GetServiceStatusRequest()));
  Answer answer;
  answer.text = StatusInWords(status);
  answer.json = StatusAsJson(status);
  return answer;
}

}  // namespace

void AddService(CLI::App& app, CommandLine& line) {
  CLI::App* noun = app.add_subcommand("service", "Look at the service itself");
  noun->require_subcommand(1)->fallthrough();
  AddCommand(
      *noun, line, "status",
      "Its database and replicas, with their clocks and versions; a compliance service elsewhere",
      std::make_shared<ServiceOptions>(), &Status);
}

}  // namespace hourglass::cli
