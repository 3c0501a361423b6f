#include "issuance/server/store_connection.h"

#include <algorithm>
#include <ratio>

#include "absl/strings/str_cat.h"
#include "hsm/base/status_macros.h"

namespace hourglass::issuance {

absl::StatusOr<postgresql::ConnectionParameters> ConnectionOf(const PostgresqlConfig& config) {
  postgresql::ConnectionParameters connection;
  for (const HostPort& server : config.servers) {
    connection.servers.push_back({server.host, server.port});
  }
  connection.database = config.database;
  connection.user = config.user;
  if (!config.password_file.empty()) {
    ASSIGN_OR_RETURN(connection.password, ReadPasswordFile(config.password_file));
  }
  connection.transport = config.plain ? postgresql::Transport::kPlain : postgresql::Transport::kTls;
  connection.ca_file = config.ca_file;
  connection.certificate_file = config.certificate_file;
  connection.key_file = config.key_file;
  connection.application_name = absl::StrCat("hourglass ", config.replica);
  connection.operation_timeout = config.operation_timeout;
  return connection;
}

postgresql::ServerDemands DemandsOf(const PostgresqlConfig& config) {
  return {.synchronous_standby = config.demands_standby(),
          .system_identifier = config.system_identifier};
}

std::chrono::hours PartitionSpanFor(std::optional<std::chrono::seconds> retention) {
  using Days = std::chrono::duration<int, std::ratio<24 * 60 * 60>>;
  constexpr int kOfRetention = 16, kLongest = 30;
  if (!retention.has_value()) return Days(kLongest);
  return Days(
      std::clamp(std::chrono::duration_cast<Days>(*retention).count() / kOfRetention, 1, kLongest));
}

}  // namespace hourglass::issuance
