// RADIUS packets (RFC 2865, RFC 3579, RFC 5176), written, authenticated and read: pure functions on
// octets. All of them are safe to call from several threads.
#ifndef HOURGLASS_TOOLS_RADIUS_RADIUS_PACKET_H_
#define HOURGLASS_TOOLS_RADIUS_RADIUS_PACKET_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hourglass::radius {

// No packet is larger (RFC 2865 section 3).
inline constexpr std::size_t kMaxPacket = 4096;
// What an attribute holds.
inline constexpr std::size_t kMaxValue = 253;
inline constexpr std::size_t kAuthenticatorSize = 16;

// Codes (RFC 2865 section 3, RFC 5176 section 2.3).
inline constexpr std::uint8_t kAccessRequest = 1;
inline constexpr std::uint8_t kAccessAccept = 2;
inline constexpr std::uint8_t kAccessReject = 3;
inline constexpr std::uint8_t kAccessChallenge = 11;
inline constexpr std::uint8_t kDisconnectRequest = 40;
inline constexpr std::uint8_t kDisconnectAck = 41;
inline constexpr std::uint8_t kDisconnectNak = 42;

// Attributes.
inline constexpr std::uint8_t kUserName = 1;
inline constexpr std::uint8_t kUserPassword = 2;
inline constexpr std::uint8_t kNasIpAddress = 4;
inline constexpr std::uint8_t kReplyMessage = 18;
inline constexpr std::uint8_t kVendorSpecific = 26;
inline constexpr std::uint8_t kSessionTimeout = 27;
inline constexpr std::uint8_t kNasIdentifier = 32;
inline constexpr std::uint8_t kEventTimestamp = 55;
inline constexpr std::uint8_t kNasPortType = 61;
inline constexpr std::uint8_t kEapMessage = 79;
inline constexpr std::uint8_t kMessageAuthenticator = 80;
inline constexpr std::uint8_t kErrorCause = 101;

struct Attribute {
  std::uint8_t type = 0;
  std::string value;  // at most kMaxValue octets
};

// The value of an attribute that is a number: four octets, big-endian.
std::string NumberValue(std::uint32_t number);

struct Packet {
  std::uint8_t code = 0;
  std::uint8_t identifier = 0;
  std::string authenticator;  // 16 octets
  std::vector<Attribute> attributes;

  // The first of this type; null where there is none.
  const Attribute* Find(std::uint8_t type) const;
  // Of four octets, big-endian; empty where there is none, or of another length.
  std::optional<std::uint32_t> Number(std::uint8_t type) const;
  // Keys for the gateway (RFC 2548 section 2.4, MS-MPPE-Recv-Key): without them no tunnel of EAP.
  bool HasKeys() const;
};

// What stands before the authenticator.
struct Header {
  std::uint8_t code = 0;
  std::uint8_t identifier = 0;
  std::size_t size = 0;  // of the packet; what follows is dropped, as RFC 2865 wants it
};

// Errors: FIELD_INVALID without a field: it is too short or too long, or not as long as it says.
absl::StatusOr<Header> ReadHeader(absl::string_view octets);

// The packet with its attributes, whoever made it. Errors: those of ReadHeader, and FIELD_INVALID
// without a field for attributes that do not fill it.
absl::StatusOr<Packet> ReadPacket(absl::string_view octets);

// The Access-Request with its authenticator as it is and a Message-Authenticator by `secret`, in
// front, in place of any that it has.
std::string EncodeRequest(Packet request, absl::string_view secret);

// As EncodeRequest, without a Message-Authenticator: for requests without EAP.
std::string EncodeUnsignedRequest(const Packet& request);

// A request whose authenticator is computed: Disconnect-Request (RFC 5176 section 2.3). With a
// Message-Authenticator in front if `is_signed`.
std::string EncodeComputedRequest(Packet request, bool is_signed, absl::string_view secret);

// As EncodeRequest, of an answer to the request with `request_authenticator`, whose own is
// computed.
std::string EncodeAnswer(Packet answer, absl::string_view request_authenticator,
                         absl::string_view secret);

// Whether `octets` are an Access-Request with a Message-Authenticator by `secret`.
bool IsRequestBy(absl::string_view octets, absl::string_view secret);

enum class AnswerFault {
  kNone,
  kAuthenticator,           // of another secret, or of another request
  kMessageAuthenticator,    // it is false, of another length, or there are two
  kNoMessageAuthenticator,  // it has EAP and none (RFC 3579 section 3.2)
  kMalformed,               // ReadPacket refuses it
};

// Whether an answer was made by whoever knows `secret`, for the request with this authenticator.
// Its Message-Authenticator is over the request's authenticator; of answers to a Disconnect-Request
// also over zeros, as FreeRADIUS and radclient compute it. Code and identifier are the caller's to
// look at.
AnswerFault FaultOfAnswer(absl::string_view octets, absl::string_view request_authenticator,
                          absl::string_view secret);

// The authenticator of a packet that ReadHeader reads.
absl::string_view AuthenticatorOf(absl::string_view octets);

// User-Password (RFC 2865 section 5.2): `password` hidden for the request with this authenticator.
// At most 128 octets.
std::string HidePassword(absl::string_view password, absl::string_view request_authenticator,
                         absl::string_view secret);

}  // namespace hourglass::radius

#endif  // HOURGLASS_TOOLS_RADIUS_RADIUS_PACKET_H_
