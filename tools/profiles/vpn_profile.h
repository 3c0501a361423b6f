// ProfileXML of the VPNv2 configuration service provider, for Always On VPN with conditional
// access.
#ifndef HOURGLASS_TOOLS_PROFILES_VPN_PROFILE_H_
#define HOURGLASS_TOOLS_PROFILES_VPN_PROFILE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tools/profiles/ip_prefix.h"
#include "tools/profiles/xml_writer.h"

namespace hourglass::profiles {

enum class TunnelProtocol { kIkev2, kAutomatic };
enum class EapMethod { kEapTls, kPeapEapTls };

struct VpnServer {
  std::string host;   // a name or an address
  std::string label;  // what Windows shows; empty: the host
};

// Another certificate than the tunnel's for Kerberos (DeviceCompliance/Sso).
struct SingleSignOn {
  std::vector<std::string> purposes;  // OIDs
  std::vector<std::string> issuers;   // SHA-1 thumbprints of the on-premises CA
};

struct NameRule {
  std::string name;                      // `.corp.example` for all below it, or one host's name
  std::vector<std::string> dns_servers;  // IP addresses
};

// What may pass; each empty member lets all pass.
struct TrafficRule {
  std::string app;              // a path or a package family name
  std::optional<int> protocol;  // 0 to 255; 6 is TCP, 17 is UDP
  std::string local_ports;      // `80`, `1-1024`, several with `,`
  std::string remote_ports;
  std::string local_addresses;  // addresses, prefixes, ranges with `-`, several with `,`
  std::string remote_addresses;
  bool is_inbound = false;
};

// Thumbprints are SHA-1, 40 hexadecimal digits.
struct VpnProfileOptions {
  std::vector<VpnServer> servers;
  bool is_device_tunnel = false;
  TunnelProtocol protocol = TunnelProtocol::kIkev2;
  bool is_force_tunnel = false;
  bool is_always_on = true;
  bool registers_dns = false;
  std::vector<IpPrefix> routes;
  std::vector<std::string> dns_suffixes;
  std::vector<std::string> trusted_networks;
  std::vector<TrafficRule> traffic_rules;
  // Of a user's tunnel only.
  EapMethod method = EapMethod::kEapTls;
  std::vector<std::string> radius_names;  // in the RADIUS servers' certificates
  std::vector<std::string> server_roots;  // thumbprints: what these certificates chain to
  std::vector<std::string> issuer_roots;  // thumbprints for CAHashList; empty: none
  std::optional<SingleSignOn> sso;
  std::vector<NameRule> name_rules;
};

// OK where a profile can be written of them. Errors: FIELD_MISSING or FIELD_INVALID with the option
// of `hourglass profiles vpnv2` as field: `--route`.
absl::Status CheckOptions(const VpnProfileOptions& options);

// The profile: elements in the order of the schema, ASCII, valid by the schemas; indented it ends
// with a newline. Errors: those of CheckOptions; INTERNAL_ERROR where it came out invalid.
absl::StatusOr<std::string> WriteVpnProfile(const VpnProfileOptions& options, XmlLayout layout);

}  // namespace hourglass::profiles

#endif  // HOURGLASS_TOOLS_PROFILES_VPN_PROFILE_H_
