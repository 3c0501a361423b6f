#include "tools/gateways/kits/openvpn.h"

#include <arpa/inet.h>

#include <cstdint>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "tools/gateways/kit_values.h"
#include "tools/gateways/kits/openvpn_templates.h"
#include "tools/gateways/kits/tls_server.h"
#include "tools/gateways/template.h"

namespace hourglass::gateways {
namespace {

constexpr absl::string_view kRefused = "refused_folder";

constexpr KitValue kValues[] = {
    {"folder", "where this folder will stand on the gateway", "/etc/openvpn/server/hourglass.d"},
    {"listen_address", "the address to listen on", "0.0.0.0"},
    {"listen_port", "the port to listen on", "1194"},
    {"protocol", "udp or tcp", "udp"},
    {"tunnel_network", "the clients' addresses, such as 10.8.0.0/24", ""},
    {"protected_network", "the network behind the gateway, such as 10.0.0.0/16", ""},
    {"server_certificate", "PEM: this server's own certificate, its chain behind it", ""},
    {"server_key", "PEM: its key", ""},
    {"management_socket", "where hourglass-gatewayd reaches OpenVPN",
     "/run/openvpn-server/hourglass.sock"},
    {"refused_folder",
     "the folder where hourglass-gatewayd names certificates that should count no more "
     "(docs/gatewayd.md), which must be there; without it nobody does",
     "-"},
    {"allowed_users", kAllowedUsersInWords, "-"},
};

absl::StatusOr<std::string> ProtocolOf(const Values& values) {
  const std::string& protocol = ValueOf(values, "protocol");
  if (protocol == "udp") return protocol;
  if (protocol == "tcp") return std::string("tcp-server");
  return Error(ErrorReason::kFieldInvalid, "protocol", "must be udp or tcp");
}

// `10.8.0.0 255.255.255.0`.
absl::StatusOr<std::string> NetworkWithMask(const Values& values, absl::string_view name) {
  RETURN_IF_ERROR(CheckNetwork(values, name));
  const std::pair<std::string, std::string> parts = absl::StrSplit(ValueOf(values, name), '/');
  in_addr address = {};
  int bits = 0;
  if (inet_pton(AF_INET, parts.first.c_str(), &address) != 1 ||
      !absl::SimpleAtoi(parts.second, &bits)) {
    return Error(ErrorReason::kFieldInvalid, name, "must be a network of IPv4");
  }
  constexpr int kBits = 32;
  const in_addr mask = {htonl(bits == 0 ? 0 : ~std::uint32_t{0} << (kBits - bits))};
  if ((address.s_addr & ~mask.s_addr) != 0) {
    return Error(ErrorReason::kFieldInvalid, name, "has bits behind its prefix");
  }
  char text[INET_ADDRSTRLEN];
  return absl::StrCat(parts.first, " ", inet_ntop(AF_INET, &mask, text, sizeof(text)));
}

// The certificates that count no more; nothing where no folder is given.
absl::StatusOr<std::string> RefusedRules(const Values& values) {
  const std::string& refused = ValueOf(values, kRefused);
  if (refused.empty()) return std::string();
  RETURN_IF_ERROR(CheckPath(values, kRefused));
  return FillTemplate(OpenvpnTemplate("refused.conf"), {{kRefused, refused}});
}

// What lets nobody in but these users; nothing where there are none.
absl::StatusOr<std::string> UserRules(const std::string& folder,
                                      const std::vector<std::string>& users) {
  if (users.empty()) return std::string();
  return FillTemplate(OpenvpnTemplate("users.conf"), {{"folder", folder}});
}

// `users`, a name a line, and what looks into it.
absl::StatusOr<std::vector<KitFile>> UserFiles(const std::string& folder,
                                               const std::vector<std::string>& users) {
  std::vector<KitFile> files;
  if (users.empty()) return files;
  ASSIGN_OR_RETURN(const std::string check,
                   FillTemplate(OpenvpnTemplate("check-user"), {{"folder", folder}}));
  files.push_back({"check-user", check, /*is_secret=*/false, /*is_executable=*/true});
  files.push_back({"users", absl::StrCat(absl::StrJoin(users, "\n"), "\n")});
  return files;
}

absl::StatusOr<std::vector<KitFile>> Write(const KitSubject& subject, const Values& values) {
  RETURN_IF_ERROR(CheckTlsServer(values));
  RETURN_IF_ERROR(CheckPath(values, "management_socket"));
  ASSIGN_OR_RETURN(const std::string protocol, ProtocolOf(values));
  ASSIGN_OR_RETURN(const std::string tunnel_network, NetworkWithMask(values, "tunnel_network"));
  ASSIGN_OR_RETURN(const std::string protected_network,
                   NetworkWithMask(values, "protected_network"));
  ASSIGN_OR_RETURN(const std::vector<std::string> users, AllowedUsers(values, kLongestCommonName));
  const std::string& folder = ValueOf(values, "folder");
  ASSIGN_OR_RETURN(const std::string refused_rules, RefusedRules(values));
  ASSIGN_OR_RETURN(const std::string user_rules, UserRules(folder, users));
  ASSIGN_OR_RETURN(const std::string configuration,
                   FillTemplate(OpenvpnTemplate("server.conf"),
                                {{"tenant", subject.tenant_id},
                                 {"folder", folder},
                                 {"listen_address", ValueOf(values, "listen_address")},
                                 {"listen_port", ValueOf(values, "listen_port")},
                                 {"protocol", protocol},
                                 {"tunnel_network", tunnel_network},
                                 {"protected_network", protected_network},
                                 {"server_certificate", ValueOf(values, "server_certificate")},
                                 {"server_key", ValueOf(values, "server_key")},
                                 {"management_socket", ValueOf(values, "management_socket")},
                                 {"refused_rules", refused_rules},
                                 {"user_rules", user_rules}}));
  ASSIGN_OR_RETURN(std::vector<KitFile> files, UserFiles(folder, users));
  files.insert(files.begin(), {"server.conf", configuration});
  return TlsServerFiles(
      subject, values,
      {"openvpn", OpenvpnTemplate("README"), "systemctl restart openvpn-server@hourglass"},
      std::move(files));
}

constexpr Kit kKit = {"openvpn", "tunnels of OpenVPN", kValues, Write};

}  // namespace

const Kit& OpenvpnKit() { return kKit; }

}  // namespace hourglass::gateways
