// RADIUS packets (RFC 2865, RFC 3579) as they go between a gateway and its server: pure functions
// on octets. All of them are safe to call from several threads.
#ifndef HOURGLASS_TOOLS_RADIUS_RADIUS_PACKET_H_
#define HOURGLASS_TOOLS_RADIUS_RADIUS_PACKET_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hourglass::doctor {

inline constexpr std::size_t kRadiusAuthenticator = 16;

// Codes (RFC 2865 section 3).
inline constexpr std::uint8_t kAccessRequest = 1;
inline constexpr std::uint8_t kAccessAccept = 2;
inline constexpr std::uint8_t kAccessReject = 3;
inline constexpr std::uint8_t kAccessChallenge = 11;

// Attributes.
inline constexpr std::uint8_t kUserName = 1;
inline constexpr std::uint8_t kUserPassword = 2;
inline constexpr std::uint8_t kReplyMessage = 18;
inline constexpr std::uint8_t kVendorSpecific = 26;
inline constexpr std::uint8_t kSessionTimeout = 27;
inline constexpr std::uint8_t kEapMessage = 79;
inline constexpr std::uint8_t kMessageAuthenticator = 80;

struct RadiusAttribute {
  std::uint8_t type = 0;
  std::string value;  // at most 253 octets
};

struct RadiusMessage {
  std::uint8_t code = 0;
  std::uint8_t identifier = 0;
  std::string authenticator;  // 16 octets
  std::vector<RadiusAttribute> attributes;

  // The first of this type; null where there is none.
  const RadiusAttribute* Find(std::uint8_t type) const;
  // Of four octets, big-endian; empty where there is none, or of another length.
  std::optional<std::uint32_t> Number(std::uint8_t type) const;
  // Keys for the gateway (RFC 2548 section 2.4, MS-MPPE-Recv-Key): without them no tunnel of EAP.
  bool HasKeys() const;
};

// Reads a packet; what follows the length that it says is dropped. Errors: FIELD_INVALID without a
// field.
absl::StatusOr<RadiusMessage> ReadRadius(absl::string_view packet);

// The Access-Request with its authenticator as it is and a Message-Authenticator by `secret`, in
// front, in place of any that it has.
std::string EncodeRequest(RadiusMessage request, absl::string_view secret);

// Whether `packet`, which ReadRadius reads, is a request with a Message-Authenticator by `secret`.
bool IsRequestBy(absl::string_view packet, absl::string_view secret);

// As EncodeRequest, without a Message-Authenticator: for requests without EAP.
std::string EncodeUnsignedRequest(const RadiusMessage& request);

// As EncodeRequest, of an answer to the request with `request_authenticator`, whose own is
// computed.
std::string EncodeAnswer(RadiusMessage answer, absl::string_view request_authenticator,
                         absl::string_view secret);

enum class AnswerFault {
  kNone,
  kAuthenticator,           // of another secret, or of another request
  kMessageAuthenticator,    // it has one, which is false
  kNoMessageAuthenticator,  // it has EAP and none (RFC 3579 section 3.2)
};

// Whether `packet`, which ReadRadius reads, was made by whoever knows `secret`, for this request.
AnswerFault FaultOfAnswer(absl::string_view packet, absl::string_view request_authenticator,
                          absl::string_view secret);

// User-Password (RFC 2865 section 5.2): `password` hidden for the request with this authenticator.
// At most 128 octets.
std::string HidePassword(absl::string_view password, absl::string_view request_authenticator,
                         absl::string_view secret);

}  // namespace hourglass::doctor

#endif  // HOURGLASS_TOOLS_RADIUS_RADIUS_PACKET_H_
