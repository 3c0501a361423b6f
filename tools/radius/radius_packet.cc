#include "tools/radius/radius_packet.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"

namespace hourglass::doctor {
namespace {

constexpr std::size_t kHeader = 20;
constexpr std::size_t kAuthenticatorAt = 4;
constexpr std::size_t kLargest = 4096;
constexpr std::uint32_t kMicrosoft = 311;
constexpr char kMsMppeRecvKey = 17;

absl::Status Invalid(absl::string_view message) {
  return Error(ErrorReason::kFieldInvalid, "", message);
}

std::uint8_t Octet(absl::string_view octets, std::size_t at) {
  return static_cast<std::uint8_t>(octets[at]);
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

bool Same(absl::string_view a, absl::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string Encode(const RadiusMessage& message) {
  std::string attributes;
  for (const RadiusAttribute& attribute : message.attributes) {
    attributes.push_back(static_cast<char>(attribute.type));
    attributes.push_back(static_cast<char>(attribute.value.size() + 2));
    attributes += attribute.value;
  }
  const std::size_t size = kHeader + attributes.size();
  std::string packet;
  packet.push_back(static_cast<char>(message.code));
  packet.push_back(static_cast<char>(message.identifier));
  packet.push_back(static_cast<char>(size >> 8));
  packet.push_back(static_cast<char>(size));
  return absl::StrCat(packet, message.authenticator, attributes);
}

// Puts an empty Message-Authenticator in front, where nothing can be slipped in before it
// (CVE-2024-3596); its value then begins at kHeader + 2.
void MakeRoom(RadiusMessage& message) {
  auto& all = message.attributes;
  all.erase(std::remove_if(all.begin(), all.end(),
                           [](const RadiusAttribute& attribute) {
                             return attribute.type == kMessageAuthenticator;
                           }),
            all.end());
  all.insert(all.begin(), {kMessageAuthenticator, std::string(kRadiusAuthenticator, '\0')});
}

// Where the value of the Message-Authenticator begins; 0 where there is none.
std::size_t MessageAuthenticatorAt(absl::string_view packet) {
  for (std::size_t at = kHeader; at + 2 <= packet.size(); at += Octet(packet, at + 1)) {
    const std::size_t size = Octet(packet, at + 1);
    if (size < 2) return 0;
    if (Octet(packet, at) == kMessageAuthenticator && size == kRadiusAuthenticator + 2) {
      return at + 2;
    }
  }
  return 0;
}

}  // namespace

const RadiusAttribute* RadiusMessage::Find(std::uint8_t type) const {
  for (const RadiusAttribute& attribute : attributes) {
    if (attribute.type == type) return &attribute;
  }
  return nullptr;
}

std::optional<std::uint32_t> RadiusMessage::Number(std::uint8_t type) const {
  const RadiusAttribute* const attribute = Find(type);
  if (attribute == nullptr || attribute->value.size() != 4) return std::nullopt;
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) number = number << 8 | Octet(attribute->value, i);
  return number;
}

bool RadiusMessage::HasKeys() const {
  const std::string vendor = {0, 0, static_cast<char>(kMicrosoft >> 8),
                              static_cast<char>(kMicrosoft & 0xFF)};
  return std::any_of(attributes.begin(), attributes.end(), [&](const RadiusAttribute& attribute) {
    return attribute.type == kVendorSpecific && attribute.value.size() > 6 &&
           attribute.value.compare(0, 4, vendor) == 0 && attribute.value[4] == kMsMppeRecvKey;
  });
}

absl::StatusOr<RadiusMessage> ReadRadius(absl::string_view packet) {
  if (packet.size() < kHeader) return Invalid("it is shorter than a RADIUS packet");
  const std::size_t size = static_cast<std::size_t>(Octet(packet, 2)) << 8 | Octet(packet, 3);
  if (size < kHeader || size > packet.size() || size > kLargest) {
    return Invalid("its length is not what it says");
  }
  packet = packet.substr(0, size);
  RadiusMessage message;
  message.code = Octet(packet, 0);
  message.identifier = Octet(packet, 1);
  message.authenticator = std::string(packet.substr(kAuthenticatorAt, kRadiusAuthenticator));
  for (std::size_t at = kHeader; at < size;) {
    const std::size_t length = size - at < 2 ? 0 : Octet(packet, at + 1);
    if (length < 2 || length > size - at) return Invalid("an attribute is malformed");
    message.attributes.push_back(
        {Octet(packet, at), std::string(packet.substr(at + 2, length - 2))});
    at += length;
  }
  return message;
}

std::string EncodeRequest(RadiusMessage request, absl::string_view secret) {
  MakeRoom(request);
  std::string packet = Encode(request);
  packet.replace(kHeader + 2, kRadiusAuthenticator, HmacMd5(secret, packet));
  return packet;
}

bool IsRequestBy(absl::string_view packet, absl::string_view secret) {
  const absl::StatusOr<RadiusMessage> read = ReadRadius(packet);
  if (!read.ok() || read->code != kAccessRequest) return false;
  packet = packet.substr(0, static_cast<std::size_t>(Octet(packet, 2)) << 8 | Octet(packet, 3));
  const std::size_t at = MessageAuthenticatorAt(packet);
  if (at == 0) return false;
  std::string octets(packet);
  octets.replace(at, kRadiusAuthenticator, std::string(kRadiusAuthenticator, '\0'));
  return Same(HmacMd5(secret, octets), packet.substr(at, kRadiusAuthenticator));
}

std::string EncodeUnsignedRequest(const RadiusMessage& request) { return Encode(request); }

std::string EncodeAnswer(RadiusMessage answer, absl::string_view request_authenticator,
                         absl::string_view secret) {
  MakeRoom(answer);
  answer.authenticator = std::string(request_authenticator);
  std::string packet = Encode(answer);
  packet.replace(kHeader + 2, kRadiusAuthenticator, HmacMd5(secret, packet));
  packet.replace(kAuthenticatorAt, kRadiusAuthenticator, Md5(absl::StrCat(packet, secret)));
  return packet;
}

AnswerFault FaultOfAnswer(absl::string_view packet, absl::string_view request_authenticator,
                          absl::string_view secret) {
  const absl::StatusOr<RadiusMessage> read = ReadRadius(packet);
  if (!read.ok()) return AnswerFault::kAuthenticator;
  packet = packet.substr(0, static_cast<std::size_t>(Octet(packet, 2)) << 8 | Octet(packet, 3));
  std::string octets(packet);
  octets.replace(kAuthenticatorAt, kRadiusAuthenticator, std::string(request_authenticator));
  if (!Same(Md5(absl::StrCat(octets, secret)), read->authenticator)) {
    return AnswerFault::kAuthenticator;
  }
  const std::size_t at = MessageAuthenticatorAt(packet);
  if (at == 0) {
    return read->Find(kEapMessage) == nullptr ? AnswerFault::kNone
                                              : AnswerFault::kNoMessageAuthenticator;
  }
  octets.replace(at, kRadiusAuthenticator, std::string(kRadiusAuthenticator, '\0'));
  return Same(HmacMd5(secret, octets), packet.substr(at, kRadiusAuthenticator))
             ? AnswerFault::kNone
             : AnswerFault::kMessageAuthenticator;
}

std::string HidePassword(absl::string_view password, absl::string_view request_authenticator,
                         absl::string_view secret) {
  std::string hidden(password.substr(0, 128));
  hidden.resize((std::max<std::size_t>(hidden.size(), 1) + kRadiusAuthenticator - 1) /
                kRadiusAuthenticator * kRadiusAuthenticator);
  std::string before(request_authenticator);
  for (std::size_t at = 0; at < hidden.size(); at += kRadiusAuthenticator) {
    const std::string pad = Md5(absl::StrCat(secret, before));
    for (std::size_t i = 0; i < pad.size(); ++i) {
      hidden[at + i] = static_cast<char>(hidden[at + i] ^ pad[i]);
    }
    before = hidden.substr(at, kRadiusAuthenticator);
  }
  return hidden;
}

}  // namespace hourglass::doctor
