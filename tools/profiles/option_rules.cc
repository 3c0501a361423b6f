#include "tools/profiles/option_rules.h"

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "ca/encoding/utf8.h"
#include "ca/text/visible_text.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"

namespace hourglass::profiles {
namespace {

constexpr std::size_t kLongestText = 256;
constexpr std::size_t kLongestHost = 253;
constexpr std::size_t kLongestLabel = 63;
constexpr std::size_t kLongestName = 64;

absl::Status Invalid(absl::string_view field, absl::string_view value, absl::string_view why) {
  return Error(ErrorReason::kFieldInvalid, field,
               absl::StrCat("\"", ca::VisibleText(value.substr(0, 100)), "\" ", why));
}

absl::Status Missing(absl::string_view field, absl::string_view why) {
  return Error(ErrorReason::kFieldMissing, field, why);
}

bool IsLabel(absl::string_view label) {
  return !label.empty() && label.size() <= kLongestLabel && label.front() != '-' &&
         label.back() != '-' && std::all_of(label.begin(), label.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
         });
}

bool IsHostName(absl::string_view text) {
  if (text.empty() || text.size() > kLongestHost) return false;
  const std::vector<absl::string_view> labels = absl::StrSplit(text, '.');
  return std::all_of(labels.begin(), labels.end(), &IsLabel);
}

absl::Status CheckHost(absl::string_view field, absl::string_view text) {
  if (IsHostName(text) || IsIpAddress(text)) return absl::OkStatus();
  return Invalid(
      field, text,
      "is no name of a host (letters, digits, `-`, `.`; others as xn--…) and no address");
}

absl::Status CheckDomain(absl::string_view field, absl::string_view text) {
  if (IsHostName(text) && !IsIpAddress(text)) return absl::OkStatus();
  return Invalid(field, text,
                 "is no domain: letters, digits, `-`, `.`; no dot in front, no `*`, no URL");
}

// Text that is shown or is a path: all of it can be seen.
absl::Status CheckText(absl::string_view field, absl::string_view text) {
  if (!ca::DecodeUtf8(text).has_value()) return Invalid(field, text, "is no UTF-8");
  if (ca::VisibleText(text) != text) {
    return Invalid(field, text, "has a character that cannot be seen, or a line break");
  }
  if (text.size() > kLongestText) {
    return Invalid(field, text, absl::StrCat("… has more than ", kLongestText, " octets"));
  }
  return absl::OkStatus();
}

// In a certificate's name, or a regular expression for several of them.
absl::Status CheckRadiusName(absl::string_view text) {
  const bool fits =
      !text.empty() && text.size() <= kLongestText &&
      std::all_of(text.begin(), text.end(), [](char c) {
        return absl::ascii_isgraph(static_cast<unsigned char>(c)) && c != ';' && c != ',';
      });
  if (fits) return absl::OkStatus();
  return Invalid("--radius-name", text,
                 "is no name of a server: no blank, `;` or `,` (give the option once a name), no "
                 "letters beyond ASCII (write them as xn--…)");
}

bool IsPort(absl::string_view text) {
  int port = 0;
  return !text.empty() && text.find_first_not_of("0123456789") == absl::string_view::npos &&
         absl::SimpleAtoi(text, &port) && port <= 65535;
}

bool IsPortRange(absl::string_view text) {
  const std::vector<absl::string_view> ends = absl::StrSplit(text, '-');
  int first = 0;
  int last = 0;
  if (ends.size() == 1) return IsPort(text);
  return ends.size() == 2 && IsPort(ends[0]) && IsPort(ends[1]) &&
         absl::SimpleAtoi(ends[0], &first) && absl::SimpleAtoi(ends[1], &last) && first <= last;
}

bool IsAddressRange(absl::string_view text) {
  if (IsIpAddress(text)) return true;
  if (const auto prefix = ParseIpPrefix(text)) return !prefix->HasHostBits();
  const std::vector<absl::string_view> ends = absl::StrSplit(text, '-');
  return ends.size() == 2 && IsIpAddress(ends[0]) && IsIpAddress(ends[1]);
}

absl::Status CheckList(absl::string_view text, bool (*is_one)(absl::string_view),
                       absl::string_view what) {
  if (text.empty()) return absl::OkStatus();
  for (const absl::string_view one : absl::StrSplit(text, ',')) {
    if (!is_one(one)) return Invalid("--traffic-filter", one, what);
  }
  return absl::OkStatus();
}

absl::Status CheckTrafficRule(const TrafficRule& rule) {
  constexpr absl::string_view kField = "--traffic-filter";
  constexpr absl::string_view kPorts = "is no port and no range of ports";
  constexpr absl::string_view kAddresses = "is no address, no network and no range of addresses";
  RETURN_IF_ERROR(CheckText(kField, rule.app));
  RETURN_IF_ERROR(CheckList(rule.local_ports, &IsPortRange, kPorts));
  RETURN_IF_ERROR(CheckList(rule.remote_ports, &IsPortRange, kPorts));
  RETURN_IF_ERROR(CheckList(rule.local_addresses, &IsAddressRange, kAddresses));
  RETURN_IF_ERROR(CheckList(rule.remote_addresses, &IsAddressRange, kAddresses));
  if (rule.protocol.value_or(0) < 0 || rule.protocol.value_or(0) > 255) {
    return Invalid(kField, absl::StrCat(*rule.protocol), "is no protocol: 0 to 255");
  }
  const bool has_ports = !rule.local_ports.empty() || !rule.remote_ports.empty();
  if (has_ports && rule.protocol != 6 && rule.protocol != 17) {
    return Error(ErrorReason::kFieldInvalid, kField, "ports need protocol=tcp or protocol=udp");
  }
  return absl::OkStatus();
}

absl::Status CheckSso(const SingleSignOn& sso) {
  if (sso.issuers.empty()) {
    return Missing("--sso-issuer", "the certificate of the on-premises CA is needed");
  }
  if (sso.purposes.empty()) return Missing("--sso-eku", "the OID of the purpose is needed");
  for (const std::string& purpose : sso.purposes) {
    const std::vector<absl::string_view> arcs = absl::StrSplit(purpose, '.');
    const bool is_oid =
        arcs.size() > 2 && purpose.size() <= kLongestText &&
        std::all_of(arcs.begin(), arcs.end(), [](absl::string_view arc) {
          return !arc.empty() && arc.find_first_not_of("0123456789") == absl::string_view::npos;
        });
    if (!is_oid) return Invalid("--sso-eku", purpose, "is no OID");
    if (purpose == "1.3.6.1.4.1.311.87") {
      return Invalid("--sso-eku", purpose,
                     "is of the tunnel's certificate, which domain controllers do not take");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckDeviceTunnel(const VpnProfileOptions& options) {
  const auto refuse = [](absl::string_view field) {
    return Error(ErrorReason::kFieldInvalid, field,
                 "a device tunnel has no user: it authenticates by the machine's certificate, and "
                 "takes no EAP, no device compliance and no name resolution rules");
  };
  if (options.protocol != TunnelProtocol::kIkev2) {
    return Error(ErrorReason::kFieldInvalid, "--protocol", "a device tunnel is IKEv2");
  }
  if (options.method != EapMethod::kEapTls) return refuse("--method");
  if (!options.radius_names.empty()) return refuse("--radius-name");
  if (!options.server_roots.empty()) return refuse("--server-root");
  if (!options.issuer_roots.empty()) return refuse("--pin-roots");
  if (options.sso.has_value()) return refuse("--sso-issuer");
  if (!options.name_rules.empty()) return refuse("--name-rule");
  return absl::OkStatus();
}

absl::Status CheckUserTunnel(const VpnProfileOptions& options) {
  if (options.radius_names.empty()) {
    return Missing("--radius-name",
                   "the name in the RADIUS server's certificate is needed: without it any server "
                   "of the same root is accepted");
  }
  for (const std::string& name : options.radius_names) RETURN_IF_ERROR(CheckRadiusName(name));
  if (options.server_roots.empty()) {
    return Missing("--server-root", "the root of the RADIUS server's certificate is needed");
  }
  if (options.sso.has_value()) RETURN_IF_ERROR(CheckSso(*options.sso));
  for (const NameRule& rule : options.name_rules) {
    absl::string_view name = rule.name;
    absl::ConsumePrefix(&name, ".");
    if (rule.name != ".") RETURN_IF_ERROR(CheckDomain("--name-rule", name));
    for (const std::string& server : rule.dns_servers) {
      if (!IsIpAddress(server)) return Invalid("--name-rule", server, "is no IP address");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckRouting(const VpnProfileOptions& options) {
  if (options.is_force_tunnel && !options.routes.empty()) {
    return Error(ErrorReason::kFieldInvalid, "--route",
                 "everything goes through a force tunnel: routes are for --routing split");
  }
  if (!options.is_force_tunnel && options.routes.empty()) {
    return Missing("--route", "a split tunnel reaches nothing without a route");
  }
  for (const IpPrefix& route : options.routes) {
    if (!route.HasHostBits()) continue;
    return Invalid("--route", absl::StrCat(route.address, "/", route.size),
                   absl::StrCat("is no network: Windows leaves such a route out without a word; ",
                                route.network, "/", route.size, " is the network"));
  }
  return absl::OkStatus();
}

absl::Status Assign(std::string& member, absl::string_view value) {
  member = std::string(value);
  return absl::OkStatus();
}

absl::Status AssignProtocol(TrafficRule& rule, absl::string_view value) {
  int number = 0;
  if (value == "tcp") {
    rule.protocol = 6;
  } else if (value == "udp") {
    rule.protocol = 17;
  } else if (absl::SimpleAtoi(value, &number)) {
    rule.protocol = number;
  } else {
    return Invalid("--traffic-filter", value, "is no protocol: tcp, udp, or a number");
  }
  return absl::OkStatus();
}

absl::Status AssignPart(TrafficRule& rule, absl::string_view name, absl::string_view value) {
  if (value.empty()) return Invalid("--traffic-filter", name, "has no value");
  if (name == "app") return Assign(rule.app, value);
  if (name == "local-ports") return Assign(rule.local_ports, value);
  if (name == "remote-ports") return Assign(rule.remote_ports, value);
  if (name == "local-addresses") return Assign(rule.local_addresses, value);
  if (name == "remote-addresses") return Assign(rule.remote_addresses, value);
  if (name == "protocol") return AssignProtocol(rule, value);
  if (name == "direction" && (value == "inbound" || value == "outbound")) {
    rule.is_inbound = value == "inbound";
    return absl::OkStatus();
  }
  return Invalid("--traffic-filter", absl::StrCat(name, "=", value),
                 "is none of app, protocol, local-ports, remote-ports, local-addresses, "
                 "remote-addresses, direction=inbound or direction=outbound");
}

}  // namespace

absl::Status CheckOptions(const VpnProfileOptions& options) {
  if (options.servers.empty()) return Missing("--server", "the name of the gateway is needed");
  for (const VpnServer& server : options.servers) {
    RETURN_IF_ERROR(CheckHost("--server", server.host));
    RETURN_IF_ERROR(CheckText("--server", server.label));
    if (server.label.find_first_of(",;") != std::string::npos) {
      return Invalid("--server", server.label, "has a `,` or `;`, which separate servers");
    }
  }
  for (const std::string& suffix : options.dns_suffixes) {
    RETURN_IF_ERROR(CheckDomain("--dns-suffix", suffix));
  }
  for (const std::string& network : options.trusted_networks) {
    RETURN_IF_ERROR(CheckDomain("--trusted-network", network));
  }
  for (const TrafficRule& rule : options.traffic_rules) RETURN_IF_ERROR(CheckTrafficRule(rule));
  RETURN_IF_ERROR(CheckRouting(options));
  return options.is_device_tunnel ? CheckDeviceTunnel(options) : CheckUserTunnel(options);
}

absl::StatusOr<VpnServer> ParseServer(absl::string_view text) {
  const std::size_t end = text.find(';');
  VpnServer server{std::string(text.substr(0, end)), ""};
  if (end != absl::string_view::npos) server.label = std::string(text.substr(end + 1));
  RETURN_IF_ERROR(CheckHost("--server", server.host));
  return server;
}

absl::StatusOr<IpPrefix> ParseRoute(absl::string_view text) {
  std::optional<IpPrefix> prefix = ParseIpPrefix(text);
  if (!prefix.has_value()) return Invalid("--route", text, "is no network: ADDRESS/BITS");
  return *std::move(prefix);
}

absl::StatusOr<NameRule> ParseNameRule(absl::string_view text) {
  const std::size_t end = text.find('=');
  NameRule rule{std::string(text.substr(0, end)), {}};
  if (end == absl::string_view::npos) return rule;
  rule.dns_servers = absl::StrSplit(text.substr(end + 1), ',');
  return rule;
}

absl::StatusOr<TrafficRule> ParseTrafficRule(absl::string_view text) {
  TrafficRule rule;
  std::set<absl::string_view> names;
  for (const absl::string_view part : absl::StrSplit(text, ';')) {
    const std::size_t end = part.find('=');
    const absl::string_view name = part.substr(0, end);
    if (!names.insert(name).second) {
      return Invalid("--traffic-filter", name, "is there more than once");
    }
    RETURN_IF_ERROR(AssignPart(
        rule, name, end == absl::string_view::npos ? absl::string_view() : part.substr(end + 1)));
  }
  return rule;
}

absl::Status CheckProfileName(absl::string_view name) {
  if (name.empty()) return Missing("--name", "the profile's name is needed");
  RETURN_IF_ERROR(CheckText("--name", name));
  if (ca::DecodeUtf8(name)->characters > kLongestName) {
    return Invalid("--name", name, absl::StrCat("… has more than ", kLongestName, " characters"));
  }
  if (absl::StrContains(name, '/') || absl::StripAsciiWhitespace(name) != name) {
    return Invalid("--name", name, "has a `/`, or a blank at its end");
  }
  return absl::OkStatus();
}

}  // namespace hourglass::profiles
