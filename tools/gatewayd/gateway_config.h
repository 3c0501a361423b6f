// gateway.yaml: where the service is, and what this program ends the tunnels of.
#ifndef HOURGLASS_TOOLS_GATEWAYD_GATEWAY_CONFIG_H_
#define HOURGLASS_TOOLS_GATEWAYD_GATEWAY_CONFIG_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tools/client/connection.h"
#include "tools/gatewayd/gateway.h"
#include "tools/gatewayd/openvpn.h"
#include "tools/gatewayd/radius_nas.h"
#include "tools/gatewayd/refused_folder.h"
#include "tools/gatewayd/strongswan.h"

namespace hourglass::gatewayd {

struct GatewayConfig {
  client::ConnectionConfig connection;
  std::string tenant;
  std::string state;  // file of GatewayState
  // At least one of all.
  std::vector<StrongswanConfig> strongswan;
  std::vector<OpenvpnConfig> openvpn;
  std::vector<RadiusNasConfig> radius;
  std::vector<RefusedFolderConfig> refused;
};

// Parses gateway.yaml, docs/configuration.md. Secrets and passwords are read from the files that it
// names. Errors: CONFIGURATION_INVALID with one mistake a line, `FILE:LINE: FIELD: what is wrong`.
absl::StatusOr<GatewayConfig> ParseGatewayConfig(absl::string_view yaml,
                                                 absl::string_view file_name);

// Reads and parses the file. Errors: CONFIGURATION_INVALID, also where it cannot be read.
absl::StatusOr<GatewayConfig> LoadGatewayConfig(const std::string& file_name);

// The gateways of the configuration; refused folders first.
std::vector<std::unique_ptr<Gateway>> MakeGateways(const GatewayConfig& config);

}  // namespace hourglass::gatewayd

#endif  // HOURGLASS_TOOLS_GATEWAYD_GATEWAY_CONFIG_H_
