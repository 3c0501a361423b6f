#include "tools/gatewayd/gateway_config.h"

#include <algorithm>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/base/tenant_id.h"
#include "issuance/yaml/document.h"
#include "issuance/yaml/file.h"
#include "issuance/yaml/mapping.h"
#include "tools/client/connection_config.h"
#include "tools/client/files.h"
#include "tools/gatewayd/socket_address.h"
#include "tools/radius/radius_packet.h"

namespace hourglass::gatewayd {
namespace {

constexpr absl::string_view kForms[] = {"decimal", "hexadecimal"};

std::string Address(yaml::Mapping& mapping, absl::string_view name, bool may_be_path) {
  std::string text = mapping.RequiredString(name);
  if (text.empty()) return text;
  if (!may_be_path && text.front() == '/') {
    mapping.Mistake(name, "must be ADDRESS:PORT");
    return "";
  }
  const absl::Status status = SocketAddress::Parse(text).status();
  if (!status.ok()) {
    mapping.Mistake(name,
                    absl::StrCat(may_be_path ? "an absolute path, or: " : "", status.message()));
  }
  return text;
}

// One line of a file, which ends with a line feed or not.
std::string Secret(yaml::Mapping& mapping, absl::string_view name, const std::string& path) {
  if (path.empty()) return "";
  const absl::StatusOr<std::string> text = client::ReadWholeFile(path);
  if (!text.ok()) {
    mapping.Mistake(name, text.status().message());
    return "";
  }
  const absl::string_view secret = absl::StripSuffix(absl::StripSuffix(*text, "\n"), "\r");
  const bool is_line = !secret.empty() && secret.size() <= radius::kMaxValue &&
                       std::none_of(secret.begin(), secret.end(),
                                    [](unsigned char octet) { return absl::ascii_iscntrl(octet); });
  if (!is_line) {
    mapping.Mistake(name, absl::StrCat(path, " must hold one line of 1 to ", radius::kMaxValue,
                                       " octets, and nothing else"));
  }
  return std::string(secret);
}

StrongswanConfig ReadStrongswan(yaml::Mapping& mapping) {
  StrongswanConfig config;
  config.socket = Address(mapping, "vici", /*may_be_path=*/true);
  config.connections = mapping.Strings("connections");
  return config;
}

OpenvpnConfig ReadOpenvpn(yaml::Mapping& mapping) {
  OpenvpnConfig config;
  config.management = Address(mapping, "management", /*may_be_path=*/true);
  config.password = Secret(mapping, "password_file", mapping.Path("password_file").value_or(""));
  return config;
}

RadiusNasConfig ReadRadius(yaml::Mapping& mapping) {
  RadiusNasConfig config;
  config.address = Address(mapping, "nas", /*may_be_path=*/false);
  config.secret = Secret(mapping, "secret_file", mapping.RequiredPath("secret_file"));
  config.nas_identifier = mapping.String("nas_identifier").value_or("");
  if (config.nas_identifier.size() > radius::kMaxValue) {
    mapping.Mistake("nas_identifier", absl::StrCat("has at most ", radius::kMaxValue, " octets"));
  }
  config.message_authenticator = mapping.Bool("message_authenticator").value_or(true);
  return config;
}

RefusedFolderConfig ReadRefused(yaml::Mapping& mapping) {
  RefusedFolderConfig config;
  config.folder = mapping.RequiredPath("folder");
  const std::string form = mapping.Choice("names", kForms).value_or(std::string(kForms[0]));
  config.form = form == kForms[0] ? SerialForm::kDecimal : SerialForm::kHexadecimal;
  return config;
}

template <typename Config>
std::vector<Config> ReadAll(yaml::Mapping& root, absl::string_view name,
                            Config (*read)(yaml::Mapping&)) {
  std::vector<Config> all;
  if (!root.Has(name)) return all;
  for (yaml::Mapping mapping : root.RequiredMappings(name)) all.push_back(read(mapping));
  return all;
}

}  // namespace

absl::StatusOr<GatewayConfig> ParseGatewayConfig(absl::string_view yaml,
                                                 absl::string_view file_name) {
  GatewayConfig config;
  yaml::Document document(yaml, file_name);
  yaml::Mapping root = document.Root();
  config.connection = client::ReadConnection(root);
  config.tenant = root.RequiredString("tenant");
  if (!config.tenant.empty() && !issuance::IsTenantId(config.tenant)) {
    root.Mistake("tenant", "is no tenant's id");
  }
  config.state = root.RequiredPath("state");
  config.strongswan = ReadAll(root, "strongswan", &ReadStrongswan);
  config.openvpn = ReadAll(root, "openvpn", &ReadOpenvpn);
  config.radius = ReadAll(root, "radius", &ReadRadius);
  config.refused = ReadAll(root, "refused", &ReadRefused);
  if (config.strongswan.empty() && config.openvpn.empty() && config.radius.empty() &&
      config.refused.empty()) {
    root.Mistake("", "names nothing whose tunnels end: strongswan, openvpn, radius or refused");
  }
  RETURN_IF_ERROR(document.Finish());
  return config;
}

absl::StatusOr<GatewayConfig> LoadGatewayConfig(const std::string& file_name) {
  ASSIGN_OR_RETURN(const std::string yaml, yaml::ReadConfigurationFile(file_name));
  return ParseGatewayConfig(yaml, file_name);
}

std::vector<std::unique_ptr<Gateway>> MakeGateways(const GatewayConfig& config) {
  std::vector<std::unique_ptr<Gateway>> gateways;
  for (const auto& one : config.refused) gateways.push_back(MakeRefusedFolder(one));
  for (const auto& one : config.strongswan) gateways.push_back(MakeStrongswan(one));
  for (const auto& one : config.openvpn) gateways.push_back(MakeOpenvpn(one));
  for (const auto& one : config.radius) gateways.push_back(MakeRadiusNas(one));
  return gateways;
}

}  // namespace hourglass::gatewayd
