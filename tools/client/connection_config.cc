#include "tools/client/connection_config.h"

#include <chrono>

#include "absl/strings/numbers.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/yaml/document.h"
#include "tools/client/files.h"

namespace hourglass::client {
namespace {

// Nothing else is an address here: gRPC would take `unix:` and others, which carry no mutual TLS
// between machines.
bool IsHostAndPort(absl::string_view server) {
  const std::size_t colon = server.rfind(':');
  if (colon == absl::string_view::npos || colon == 0) return false;
  const absl::string_view host = server.substr(0, colon);
  const bool bracketed = host.front() == '[' && host.back() == ']';
  if (!bracketed && host.find(':') != absl::string_view::npos) return false;
  if (host.find_first_of("/ ,") != absl::string_view::npos) return false;
  const absl::string_view digits = server.substr(colon + 1);
  int port;
  return digits.find_first_not_of("0123456789") == absl::string_view::npos &&
         absl::SimpleAtoi(digits, &port) && port >= 1 && port <= 65535;
}

}  // namespace

ConnectionConfig ReadConnection(yaml::Mapping& root) {
  ConnectionConfig config;
  config.server = root.RequiredString("server");
  if (!config.server.empty() && !IsHostAndPort(config.server)) {
    root.Mistake("server", "must be HOST:PORT, such as ca.contoso.example:8443 or [::1]:8443");
  }
  yaml::Mapping tls = root.Required("tls");
  config.certificate = tls.RequiredPath("certificate");
  config.private_key = tls.RequiredPath("private_key");
  config.trusted_roots = tls.RequiredPath("trusted_roots");
  config.server_name = root.String("server_name").value_or("");
  const auto timeout = root.Duration("timeout", std::chrono::seconds(1), std::chrono::hours(1));
  if (timeout.has_value()) config.timeout = absl::FromChrono(*timeout);
  return config;
}

absl::StatusOr<ConnectionConfig> ParseConnectionConfig(absl::string_view yaml,
                                                       absl::string_view file_name) {
  yaml::Document document(yaml, file_name);
  yaml::Mapping root = document.Root();
  const ConnectionConfig config = ReadConnection(root);
  RETURN_IF_ERROR(document.Finish());
  return config;
}

absl::StatusOr<ConnectionConfig> LoadConnectionConfig(const std::string& file_name) {
  const absl::StatusOr<std::string> yaml = ReadWholeFile(file_name);
  if (!yaml.ok()) {
    return Error(ErrorReason::kConfigurationInvalid, "--config", yaml.status().message());
  }
  return ParseConnectionConfig(*yaml, file_name);
}

}  // namespace hourglass::client
