#include "issuance/base/host_port.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"

namespace hourglass::issuance {
namespace {

bool IsHostCharacter(unsigned char c) { return absl::ascii_isalnum(c) || c == '.' || c == '-'; }

bool IsIpv6Character(unsigned char c) { return absl::ascii_isxdigit(c) || c == ':' || c == '.'; }

}  // namespace

std::optional<HostPort> ParseHostPort(absl::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos) return std::nullopt;
  absl::string_view host = text.substr(0, colon);
  const absl::string_view port_text = text.substr(colon + 1);
  const bool bracketed = absl::ConsumePrefix(&host, "[") && absl::ConsumeSuffix(&host, "]");
  if (host.empty() ||
      !std::all_of(host.begin(), host.end(), bracketed ? IsIpv6Character : IsHostCharacter)) {
    return std::nullopt;
  }
  int port = 0;
  if (port_text.empty() || port_text.size() > 5 ||
      !std::all_of(port_text.begin(), port_text.end(), absl::ascii_isdigit) ||
      !absl::SimpleAtoi(port_text, &port) || port > 65535) {
    return std::nullopt;
  }
  return HostPort{std::string(host), port};
}

}  // namespace hourglass::issuance
