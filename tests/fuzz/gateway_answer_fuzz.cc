// Whatever a gateway answers is refused with a reason, or read as what it is: a RADIUS answer that
// counts is authenticated, a vici packet is what it says when it is written again, and of OpenVPN's
// status nothing comes into a command that is not a name of one client.
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "tools/gatewayd/disconnect_message.h"
#include "tools/gatewayd/openvpn_lines.h"
#include "tools/gatewayd/strongswan.h"
#include "tools/gatewayd/vici_message.h"
#include "tools/radius/radius_packet.h"

namespace hourglass::gatewayd {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

void CheckRadius(absl::string_view octets) {
  DisconnectRequest request;
  request.identifier = 7;
  request.user_name = "alice@contoso.example";
  const std::string packet = EncodeDisconnectRequest(request, "secret");
  const auto answer = ReadDisconnectAnswer(octets, packet, "secret");
  // Nobody without the secret makes one, but for the requests' own octets, whose code is another.
  Require(!answer.ok());
  Require(!ReadDisconnectAnswer(packet, octets.size() < 20 ? packet : octets, "secret").ok());
  if (!CheckUserName(octets).ok()) return;
  Require(octets.size() <= radius::kMaxValue && absl::StrContains(octets, '@'));
  Require(octets.find_first_of("*?=:%\n") == absl::string_view::npos);
  request.user_name = std::string(octets);
  Require(absl::StrContains(EncodeDisconnectRequest(request, "secret"), octets));
}

void CheckVici(absl::string_view octets) {
  const auto packet = ParseViciPacket(octets);
  if (!packet.ok()) return;
  for (const IkeSa& sa : IkeSasIn(packet->message, {}, absl::UnixEpoch())) {
    Require(!sa.unique_id.empty());
    Require(sa.unique_id.find_first_not_of("0123456789") == std::string::npos);
    Require(!IsStrongswanNameOf(sa.peer, {.upn = "", .common_name = ""}));
  }
  // Written in the order of kinds, it is the same from then on.
  const std::string written = EncodeViciPacket(*packet);
  const auto again = ParseViciPacket(absl::string_view(written).substr(kViciLength));
  Require(again.ok() && EncodeViciPacket(*again) == written);
}

void CheckOpenvpn(absl::string_view text) {
  const auto clients =
      ParseOpenvpnStatus(std::vector<absl::string_view>(absl::StrSplit(text, '\n')));
  if (!clients.ok()) return;
  for (const OpenvpnClient& client : *clients) {
    const absl::string_view shown = client.common_name;
    const std::optional<std::string> command = OpenvpnKillCommand(shown);
    if (command.has_value()) {
      // What ends a command, a quotation or a name, and what makes an address of it.
      Require(shown.find_first_of("\n\r\"\\:") == absl::string_view::npos);
      const bool is_bare = shown.find_first_of(" \t'#;") == absl::string_view::npos &&
                           *command == absl::StrCat("kill ", shown);
      Require(is_bare || *command == absl::StrCat("kill \"", shown, "\""));
    }
    const OpenvpnName name = ParseOpenvpnName(client.common_name);
    Require(name.serial_number.find_first_not_of("0123456789abcdef") == std::string::npos);
    Require(name.serial_number.size() % 2 == 0);
    Require(absl::StartsWith(shown, name.user));
    Require(!IsOpenvpnNameOf(name.user, ""));
  }
}

}  // namespace
}  // namespace hourglass::gatewayd

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const absl::string_view octets(reinterpret_cast<const char*>(data), size);
  hourglass::gatewayd::CheckRadius(octets);
  hourglass::gatewayd::CheckVici(octets);
  hourglass::gatewayd::CheckOpenvpn(octets);
  return 0;
}
