// The file that says where the service is, and who asks it.
#ifndef HOURGLASS_TOOLS_CLIENT_CONNECTION_CONFIG_H_
#define HOURGLASS_TOOLS_CLIENT_CONNECTION_CONFIG_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/yaml/mapping.h"
#include "tools/client/connection.h"

namespace hourglass::client {

// Reads the fields of a connection from the outermost mapping of a file, which may have others:
// those of ParseConnectionConfig. Mistakes are the document's.
ConnectionConfig ReadConnection(yaml::Mapping& root);

// Parses cli.yaml or broker.yaml, which have the same fields: `server`, `tls: {certificate,
// private_key, trusted_roots}`, and optionally `server_name` and `timeout` (1s to 1h, default 10s).
// Paths that are not absolute are taken from the folder of `file_name`. Errors:
// CONFIGURATION_INVALID with one mistake a line, `FILE:LINE: FIELD: what is wrong`.
absl::StatusOr<ConnectionConfig> ParseConnectionConfig(absl::string_view yaml,
                                                       absl::string_view file_name);

// Reads and parses the file. Errors: CONFIGURATION_INVALID, also where it cannot be read.
absl::StatusOr<ConnectionConfig> LoadConnectionConfig(const std::string& file_name);

}  // namespace hourglass::client

#endif  // HOURGLASS_TOOLS_CLIENT_CONNECTION_CONFIG_H_
