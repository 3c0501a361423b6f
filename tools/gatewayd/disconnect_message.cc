#include "tools/gatewayd/disconnect_message.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"

namespace hourglass::gatewayd {
namespace {

constexpr std::uint8_t kDisconnectRequest = 40;
constexpr std::uint8_t kDisconnectAck = 41;
constexpr std::uint8_t kDisconnectNak = 42;

constexpr std::uint8_t kUserName = 1;
constexpr std::uint8_t kNasIdentifier = 32;
constexpr std::uint8_t kEventTimestamp = 55;
constexpr std::uint8_t kMessageAuthenticator = 80;
constexpr std::uint8_t kErrorCause = 101;

constexpr std::size_t kHeader = 20;
constexpr std::size_t kAuthenticatorAt = 4;
constexpr std::size_t kAuthenticator = 16;
constexpr std::size_t kAttributeHeader = 2;

absl::Status Refused(absl::string_view why) { return Error(ErrorReason::kFieldInvalid, "", why); }

std::string BigEndian(std::uint32_t number, int octets) {
  std::string text;
  for (int shift = 8 * (octets - 1); shift >= 0; shift -= 8) {
    text.push_back(static_cast<char>(number >> shift));
  }
  return text;
}

std::uint32_t NumberIn(absl::string_view octets) {
  std::uint32_t number = 0;
  for (const char octet : octets) number = number << 8 | static_cast<std::uint8_t>(octet);
  return number;
}

std::string Attribute(std::uint8_t type, absl::string_view value) {
  return absl::StrCat(BigEndian(type, 1),
                      BigEndian(static_cast<std::uint32_t>(kAttributeHeader + value.size()), 1),
                      value);
}

std::string Md5(absl::string_view octets) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (EVP_Digest(octets.data(), octets.size(), digest, &size, EVP_md5(), nullptr) != 1) return "";
  return std::string(reinterpret_cast<const char*>(digest), size);
}

std::string HmacMd5(absl::string_view secret, absl::string_view octets) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (HMAC(EVP_md5(), secret.data(), static_cast<int>(secret.size()),
           reinterpret_cast<const unsigned char*>(octets.data()), octets.size(), digest,
           &size) == nullptr) {
    return "";
  }
  return std::string(reinterpret_cast<const char*>(digest), size);
}

bool Same(absl::string_view one, absl::string_view other) {
  return one.size() == kAuthenticator && other.size() == kAuthenticator &&
         CRYPTO_memcmp(one.data(), other.data(), kAuthenticator) == 0;
}

// What an answer's attributes say that matters here.
struct Attributes {
  std::optional<std::size_t> message_authenticator_at;  // of its value, in the packet
  std::optional<std::uint32_t> error_cause;
};

absl::StatusOr<Attributes> ReadAttributes(absl::string_view packet) {
  Attributes attributes;
  for (std::size_t at = kHeader; at < packet.size();) {
    const std::size_t left = packet.size() - at;
    const std::size_t size = left < kAttributeHeader ? 0 : NumberIn(packet.substr(at + 1, 1));
    if (size < kAttributeHeader || size > left) return Refused("an attribute is malformed");
    const auto type = static_cast<std::uint8_t>(packet[at]);
    const absl::string_view value = packet.substr(at + kAttributeHeader, size - kAttributeHeader);
    if (type == kMessageAuthenticator) {
      if (value.size() != kAuthenticator || attributes.message_authenticator_at.has_value()) {
        return Refused("its Message-Authenticator is malformed");
      }
      attributes.message_authenticator_at = at + kAttributeHeader;
    } else if (type == kErrorCause) {
      if (value.size() != 4) return Refused("its Error-Cause is malformed");
      attributes.error_cause = NumberIn(value);
    }
    at += size;
  }
  return attributes;
}

// The packet as its Message-Authenticator is computed, with this in the place of its authenticator.
std::string AsAuthenticated(absl::string_view packet, absl::string_view authenticator,
                            std::size_t at) {
  std::string octets(packet);
  octets.replace(kAuthenticatorAt, kAuthenticator, std::string(authenticator));
  octets.replace(at, kAuthenticator, std::string(kAuthenticator, '\0'));
  return octets;
}

// RFC 5176 section 3.4 computes it over the authenticator of the request. FreeRADIUS, and radclient
// with it, take zeros there.
bool IsMessageAuthentic(absl::string_view packet, absl::string_view request, std::size_t at,
                        absl::string_view secret) {
  const absl::string_view said = packet.substr(at, kAuthenticator);
  const std::string zeros(kAuthenticator, '\0');
  return Same(HmacMd5(secret, AsAuthenticated(
                                  packet, request.substr(kAuthenticatorAt, kAuthenticator), at)),
              said) ||
         Same(HmacMd5(secret, AsAuthenticated(packet, zeros, at)), said);
}

}  // namespace

absl::Status CheckUserName(absl::string_view user_name) {
  if (user_name.empty() || user_name.size() > kMaxRadiusValue) {
    return Refused(absl::StrCat("a name of ", user_name.size(), " octets is none for RADIUS"));
  }
  if (std::any_of(user_name.begin(), user_name.end(),
                  [](unsigned char octet) { return absl::ascii_iscntrl(octet); })) {
    return Refused("a control character is in the name");
  }
  const std::size_t refused = user_name.find_first_of("*?=:%");
  if (refused != absl::string_view::npos) {
    return Refused(absl::StrCat("`", user_name.substr(refused, 1),
                                "` is in the name, which a gateway may read as more than one "
                                "user, and nothing escapes it"));
  }
  const std::size_t at = user_name.find('@');
  if (at == absl::string_view::npos || at == 0 || at + 1 == user_name.size() ||
      user_name.front() == '{') {
    return Refused("the name is no user principal name");
  }
  return absl::OkStatus();
}

std::string EncodeDisconnectRequest(const DisconnectRequest& request, absl::string_view secret) {
  std::string attributes;
  // First, so that nothing can be put before it.
  if (request.message_authenticator) {
    attributes = Attribute(kMessageAuthenticator, std::string(kAuthenticator, '\0'));
  }
  attributes += Attribute(kUserName, request.user_name);
  if (!request.nas_identifier.empty()) {
    attributes += Attribute(kNasIdentifier, request.nas_identifier);
  }
  attributes += Attribute(kEventTimestamp, BigEndian(request.event_timestamp, 4));
  std::string packet =
      absl::StrCat(BigEndian(kDisconnectRequest, 1), BigEndian(request.identifier, 1),
                   BigEndian(static_cast<std::uint32_t>(kHeader + attributes.size()), 2),
                   std::string(kAuthenticator, '\0'), attributes);
  if (request.message_authenticator) {
    packet.replace(kHeader + kAttributeHeader, kAuthenticator, HmacMd5(secret, packet));
  }
  packet.replace(kAuthenticatorAt, kAuthenticator, Md5(absl::StrCat(packet, secret)));
  return packet;
}

absl::StatusOr<DisconnectAnswer> ReadDisconnectAnswer(absl::string_view packet,
                                                      absl::string_view request,
                                                      absl::string_view secret) {
  if (packet.size() < kHeader || packet.size() > kMaxRadiusPacket) {
    return Refused(absl::StrCat(packet.size(), " octets are no RADIUS packet"));
  }
  const std::size_t size = NumberIn(packet.substr(2, 2));
  if (size < kHeader || size > packet.size()) return Refused("its length is not what it says");
  packet = packet.substr(0, size);
  const auto code = static_cast<std::uint8_t>(packet[0]);
  if (packet[1] != request[1]) return Refused("it has another identifier");
  if (code != kDisconnectAck && code != kDisconnectNak) {
    return Refused(absl::StrCat("code ", code, " answers no Disconnect-Request"));
  }
  const std::string expected = Md5(absl::StrCat(packet.substr(0, kAuthenticatorAt),
                                                request.substr(kAuthenticatorAt, kAuthenticator),
                                                packet.substr(kHeader), secret));
  if (!Same(expected, packet.substr(kAuthenticatorAt, kAuthenticator))) {
    return Refused("it is not authenticated with the shared secret");
  }
  const absl::StatusOr<Attributes> attributes = ReadAttributes(packet);
  if (!attributes.ok()) return attributes.status();
  if (attributes->message_authenticator_at.has_value()) {
    if (!IsMessageAuthentic(packet, request, *attributes->message_authenticator_at, secret)) {
      return Refused("its Message-Authenticator is false");
    }
  }
  return DisconnectAnswer{.is_ack = code == kDisconnectAck, .error_cause = attributes->error_cause};
}

std::string ErrorCauseInWords(std::uint32_t error_cause) {
  struct Name {
    std::uint32_t number;
    absl::string_view name;
  };
  // RFC 5176 section 3.5.
  static constexpr Name kNames[] = {
      {201, "Residual Session Context Removed"},
      {202, "Invalid EAP Packet"},
      {401, "Unsupported Attribute"},
      {402, "Missing Attribute"},
      {403, "NAS Identification Mismatch"},
      {404, "Invalid Request"},
      {405, "Unsupported Service"},
      {406, "Unsupported Extension"},
      {407, "Invalid Attribute Value"},
      {501, "Administratively Prohibited"},
      {502, "Request Not Routable"},
      {kSessionContextNotFound, "Session Context Not Found"},
      {504, "Session Context Not Removable"},
      {505, "Other Proxy Processing Error"},
      {506, "Resources Unavailable"},
      {507, "Request Initiated"},
      {508, "Multiple Session Selection Unsupported"},
  };
  const auto* const found =
      std::find_if(std::begin(kNames), std::end(kNames),
                   [error_cause](const Name& name) { return name.number == error_cause; });
  if (found == std::end(kNames)) return absl::StrCat(error_cause);
  return absl::StrCat(found->name, " (", error_cause, ")");
}

}  // namespace hourglass::gatewayd
