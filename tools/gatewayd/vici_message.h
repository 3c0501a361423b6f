// Messages of strongSwan's control interface, as its file README.md of the plugin `vici` describes
// them: pure functions on octets.
#ifndef HOURGLASS_TOOLS_GATEWAYD_VICI_MESSAGE_H_
#define HOURGLASS_TOOLS_GATEWAYD_VICI_MESSAGE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hourglass::gatewayd {

// charon neither sends nor takes larger packets.
inline constexpr std::size_t kMaxViciPacket = 512 * 1024;
// The length before each packet, in octets.
inline constexpr std::size_t kViciLength = 4;
// Sections within sections; charon's have four.
inline constexpr int kMaxViciDepth = 16;

// What a message or one of its sections has, in its order.
struct ViciSection {
  std::string name;  // empty for a message
  std::vector<std::pair<std::string, std::string>> values;
  std::vector<std::pair<std::string, std::vector<std::string>>> lists;
  std::vector<ViciSection> sections;

  // The first value of this name, or "".
  absl::string_view Value(absl::string_view name) const;
};

// The octets on the wire. Names have at most 255 octets, values at most 65535: longer ones are cut,
// which no caller asks for.
std::string EncodeViciMessage(const ViciSection& message);
// Errors: FIELD_INVALID without a field where it is malformed or deeper than kMaxViciDepth.
absl::StatusOr<ViciSection> ParseViciMessage(absl::string_view octets);

enum class ViciPacketType : std::uint8_t {
  kCommandRequest = 0,
  kCommandResponse = 1,
  kCommandUnknown = 2,
  kEventRegister = 3,
  kEventUnregister = 4,
  kEventConfirm = 5,
  kEventUnknown = 6,
  kEvent = 7,
};

struct ViciPacket {
  ViciPacketType type = ViciPacketType::kCommandRequest;
  std::string name;  // of a command or event; empty for types that have none
  ViciSection message;
};

// With its length before it.
std::string EncodeViciPacket(const ViciPacket& packet);
// `octets` without the length. Errors: as ParseViciMessage.
absl::StatusOr<ViciPacket> ParseViciPacket(absl::string_view octets);

}  // namespace hourglass::gatewayd

#endif  // HOURGLASS_TOOLS_GATEWAYD_VICI_MESSAGE_H_
