// Disconnect-Request and its answers (RFC 5176) in packets of tools/radius: pure functions.
#ifndef HOURGLASS_TOOLS_GATEWAYD_DISCONNECT_MESSAGE_H_
#define HOURGLASS_TOOLS_GATEWAYD_DISCONNECT_MESSAGE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hourglass::gatewayd {

struct DisconnectRequest {
  std::uint8_t identifier = 0;
  std::string user_name;              // User-Name (1): 1 to radius::kMaxValue octets
  std::string nas_identifier;         // NAS-Identifier (32), or empty: none
  std::uint32_t event_timestamp = 0;  // Event-Timestamp (55): seconds since 1970
  bool message_authenticator = true;  // Message-Authenticator (80)
};

// Whether a NAS takes this name for that of one user. OK for text of at most radius::kMaxValue
// octets with something before and behind an `@`. strongSwan reads a User-Name as an identity: a
// `*` in it ends the tunnels of many, and nothing escapes it; `=` makes it a distinguished name, a
// `:` or a leading `{` or `@` another kind. Errors: FIELD_INVALID without a field, for names with
// any of these and for control characters.
absl::Status CheckUserName(absl::string_view user_name);

// The packet, authenticated with `secret`. CheckUserName must hold of the name.
std::string EncodeDisconnectRequest(const DisconnectRequest& request, absl::string_view secret);

struct DisconnectAnswer {
  bool is_ack = false;                       // Disconnect-ACK (41), else Disconnect-NAK (42)
  std::optional<std::uint32_t> error_cause;  // Error-Cause (101)
};

// Reads the answer to `request`, a packet of EncodeDisconnectRequest. Errors: FIELD_INVALID without
// a field: it is no answer to this request, not authenticated with `secret`, its
// Message-Authenticator is false, or it is malformed. What follows the length that it says is
// dropped, as RFC 2865 wants it.
absl::StatusOr<DisconnectAnswer> ReadDisconnectAnswer(absl::string_view octets,
                                                      absl::string_view request,
                                                      absl::string_view secret);

// `Session-Context-Not-Found (503)`; the number alone where RFC 5176 has no name for it.
std::string ErrorCauseInWords(std::uint32_t error_cause);

// Error-Cause of a NAS that has no such session (any more).
inline constexpr std::uint32_t kSessionContextNotFound = 503;

}  // namespace hourglass::gatewayd

#endif  // HOURGLASS_TOOLS_GATEWAYD_DISCONNECT_MESSAGE_H_
