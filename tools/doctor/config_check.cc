#include "tools/doctor/config_check.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "tools/doctor/openvpn_check.h"
#include "tools/doctor/strongswan_check.h"

namespace hourglass::doctor {
namespace {

bool IsOptionOfOpenvpn(const OpenvpnOption& option) {
  static constexpr absl::string_view kOptions[] = {
      "server", "server-bridge", "server-ipv6", "tls-server", "client",    "remote", "dev", "proto",
      "ca",     "cert",          "key",         "mode",       "tls-client"};
  // A value of strongSwan is no option: `ca = x`.
  const bool is_value = !option.arguments.empty() && option.arguments.front().rfind('=', 0) == 0;
  return !is_value &&
         std::find(std::begin(kOptions), std::end(kOptions), option.name) != std::end(kOptions);
}

std::vector<Finding> Unreadable(absl::string_view what, const std::string& file) {
  return {{"config-unreadable",
           Severity::kError,
           std::string(what),
           "nothing can be told of this gateway",
           "give swanctl.conf, strongswan.conf or the file of an OpenVPN server, and say with "
           "--kind which it is where it cannot be told",
           {file, 0, ""}}};
}

}  // namespace

ConfigKind KindOfConfig(absl::string_view octets) {
  if (const auto settings = ParseStrongswanSettings(octets); settings.ok()) {
    for (const char* section :
         {"connections", "charon", "secrets", "pools", "authorities", "libstrongswan", "swanctl"}) {
      if (settings->root.Section(section) != nullptr) return ConfigKind::kStrongswan;
    }
  }
  if (const auto options = ParseOpenvpn(octets); options.ok()) {
    if (std::any_of(options->begin(), options->end(), IsOptionOfOpenvpn)) {
      return ConfigKind::kOpenvpn;
    }
  }
  return ConfigKind::kUnknown;
}

std::vector<Finding> CheckConfigFile(absl::string_view octets, const std::string& file,
                                     ConfigKind kind) {
  if (kind == ConfigKind::kUnknown) kind = KindOfConfig(octets);
  if (kind == ConfigKind::kStrongswan) {
    const auto settings = ParseStrongswanSettings(octets);
    return settings.ok() ? CheckStrongswan(*settings, file)
                         : Unreadable(settings.status().message(), file);
  }
  if (kind == ConfigKind::kOpenvpn) {
    const auto options = ParseOpenvpn(octets);
    return options.ok() ? CheckOpenvpn(*options, file)
                        : Unreadable(options.status().message(), file);
  }
  // Which of the two it was to be is not known: what either reader says is told.
  std::string what = "it is neither a file of strongSwan nor one of an OpenVPN server";
  if (const auto settings = ParseStrongswanSettings(octets); !settings.ok()) {
    absl::StrAppend(&what, "; as the one: ", settings.status().message());
  }
  if (const auto options = ParseOpenvpn(octets); !options.ok()) {
    absl::StrAppend(&what, "; as the other: ", options.status().message());
  }
  return Unreadable(what, file);
}

}  // namespace hourglass::doctor
