#include "tools/radius/radius_packet.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"

namespace hourglass::radius {
namespace {

constexpr std::size_t kHeader = 20;
constexpr std::size_t kAuthenticatorAt = 4;
constexpr std::size_t kAttributeHeader = 2;
constexpr std::uint32_t kMicrosoft = 311;
constexpr char kMsMppeRecvKey = 17;
constexpr std::size_t kFirstValueAt = kHeader + kAttributeHeader;
constexpr absl::string_view kZeros("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", kAuthenticatorSize);

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

std::string Encode(const Packet& packet) {
  std::string attributes;
  for (const Attribute& attribute : packet.attributes) {
    attributes.push_back(static_cast<char>(attribute.type));
    attributes.push_back(static_cast<char>(attribute.value.size() + kAttributeHeader));
    attributes += attribute.value;
  }
  const std::size_t size = kHeader + attributes.size();
  std::string octets;
  octets.push_back(static_cast<char>(packet.code));
  octets.push_back(static_cast<char>(packet.identifier));
  octets.push_back(static_cast<char>(size >> 8));
  octets.push_back(static_cast<char>(size));
  return absl::StrCat(octets, packet.authenticator, attributes);
}

// Puts an empty Message-Authenticator in front, where nothing can be slipped in before it
// (CVE-2024-3596); its value then begins at kFirstValueAt.
void MakeRoom(Packet& packet) {
  auto& all = packet.attributes;
  all.erase(std::remove_if(
                all.begin(), all.end(),
                [](const Attribute& attribute) { return attribute.type == kMessageAuthenticator; }),
            all.end());
  all.insert(all.begin(), {kMessageAuthenticator, std::string(kZeros)});
}

void Put(std::string& octets, std::size_t at, absl::string_view authenticator) {
  octets.replace(at, kAuthenticatorSize, authenticator.data(), authenticator.size());
}

// Where a packet that ReadPacket reads has the value of its Message-Authenticator; empty where that
// is of another length, or there are two. 0 where there is none.
std::optional<std::size_t> MessageAuthenticatorAt(const Packet& packet) {
  std::size_t found = 0;
  std::size_t at = kHeader;
  for (const Attribute& attribute : packet.attributes) {
    if (attribute.type == kMessageAuthenticator) {
      if (found != 0 || attribute.value.size() != kAuthenticatorSize) return std::nullopt;
      found = at + kAttributeHeader;
    }
    at += kAttributeHeader + attribute.value.size();
  }
  return found;
}

// Whether the Message-Authenticator at `at` is computed with this in the place of the packet's
// authenticator.
bool IsMessageAuthentic(absl::string_view octets, std::size_t at, absl::string_view authenticator,
                        absl::string_view secret) {
  std::string computed(octets);
  Put(computed, kAuthenticatorAt, authenticator);
  Put(computed, at, kZeros);
  return Same(HmacMd5(secret, computed), octets.substr(at, kAuthenticatorSize));
}

}  // namespace

std::string NumberValue(std::uint32_t number) {
  std::string value;
  for (int shift = 24; shift >= 0; shift -= 8) value.push_back(static_cast<char>(number >> shift));
  return value;
}

const Attribute* Packet::Find(std::uint8_t type) const {
  for (const Attribute& attribute : attributes) {
    if (attribute.type == type) return &attribute;
  }
  return nullptr;
}

std::optional<std::uint32_t> Packet::Number(std::uint8_t type) const {
  const Attribute* const attribute = Find(type);
  if (attribute == nullptr || attribute->value.size() != 4) return std::nullopt;
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) number = number << 8 | Octet(attribute->value, i);
  return number;
}

bool Packet::HasKeys() const {
  const std::string vendor = NumberValue(kMicrosoft);
  return std::any_of(attributes.begin(), attributes.end(), [&](const Attribute& attribute) {
    return attribute.type == kVendorSpecific && attribute.value.size() > 6 &&
           attribute.value.compare(0, 4, vendor) == 0 && attribute.value[4] == kMsMppeRecvKey;
  });
}

absl::StatusOr<Header> ReadHeader(absl::string_view octets) {
  if (octets.size() < kHeader || octets.size() > kMaxPacket) {
    return Invalid(absl::StrCat(octets.size(), " octets are no RADIUS packet"));
  }
  const Header header = {Octet(octets, 0), Octet(octets, 1),
                         static_cast<std::size_t>(Octet(octets, 2)) << 8 | Octet(octets, 3)};
  if (header.size < kHeader || header.size > octets.size()) {
    return Invalid("its length is not what it says");
  }
  return header;
}

absl::StatusOr<Packet> ReadPacket(absl::string_view octets) {
  ASSIGN_OR_RETURN(const Header header, ReadHeader(octets));
  octets = octets.substr(0, header.size);
  Packet packet = {header.code, header.identifier, std::string(AuthenticatorOf(octets)), {}};
  for (octets.remove_prefix(kHeader); !octets.empty();) {
    const std::size_t length = octets.size() < kAttributeHeader ? 0 : Octet(octets, 1);
    if (length < kAttributeHeader || length > octets.size()) {
      return Invalid("an attribute is malformed");
    }
    packet.attributes.push_back(
        {Octet(octets, 0),
         std::string(octets.substr(kAttributeHeader, length - kAttributeHeader))});
    octets.remove_prefix(length);
  }
  return packet;
}

absl::string_view AuthenticatorOf(absl::string_view octets) {
  return octets.substr(kAuthenticatorAt, kAuthenticatorSize);
}

std::string EncodeRequest(Packet request, absl::string_view secret) {
  MakeRoom(request);
  std::string octets = Encode(request);
  Put(octets, kFirstValueAt, HmacMd5(secret, octets));
  return octets;
}

std::string EncodeUnsignedRequest(const Packet& request) { return Encode(request); }

std::string EncodeComputedRequest(Packet request, bool is_signed, absl::string_view secret) {
  request.authenticator = std::string(kZeros);
  std::string octets = is_signed ? EncodeRequest(std::move(request), secret) : Encode(request);
  Put(octets, kAuthenticatorAt, Md5(absl::StrCat(octets, secret)));
  return octets;
}

std::string EncodeAnswer(Packet answer, absl::string_view request_authenticator,
                         absl::string_view secret) {
  answer.authenticator = std::string(request_authenticator);
  std::string octets = EncodeRequest(std::move(answer), secret);
  Put(octets, kAuthenticatorAt, Md5(absl::StrCat(octets, secret)));
  return octets;
}

bool IsRequestBy(absl::string_view octets, absl::string_view secret) {
  const absl::StatusOr<Header> header = ReadHeader(octets);
  if (!header.ok() || header->code != kAccessRequest) return false;
  octets = octets.substr(0, header->size);
  const absl::StatusOr<Packet> packet = ReadPacket(octets);
  if (!packet.ok()) return false;
  const std::size_t at = MessageAuthenticatorAt(*packet).value_or(0);
  return at != 0 && IsMessageAuthentic(octets, at, packet->authenticator, secret);
}

AnswerFault FaultOfAnswer(absl::string_view octets, absl::string_view request_authenticator,
                          absl::string_view secret) {
  const absl::StatusOr<Header> header = ReadHeader(octets);
  if (!header.ok()) return AnswerFault::kMalformed;
  octets = octets.substr(0, header->size);
  std::string computed(octets);
  Put(computed, kAuthenticatorAt, request_authenticator);
  if (!Same(Md5(absl::StrCat(computed, secret)), AuthenticatorOf(octets))) {
    return AnswerFault::kAuthenticator;
  }
  const absl::StatusOr<Packet> packet = ReadPacket(octets);
  if (!packet.ok()) return AnswerFault::kMalformed;
  const std::optional<std::size_t> at = MessageAuthenticatorAt(*packet);
  if (!at.has_value()) return AnswerFault::kMessageAuthenticator;
  if (*at == 0) {
    return packet->Find(kEapMessage) == nullptr ? AnswerFault::kNone
                                                : AnswerFault::kNoMessageAuthenticator;
  }
  // RFC 5176 section 3.4 has the request's authenticator there, too.
  const bool may_be_over_zeros = packet->code == kDisconnectAck || packet->code == kDisconnectNak;
  if (IsMessageAuthentic(octets, *at, request_authenticator, secret) ||
      (may_be_over_zeros && IsMessageAuthentic(octets, *at, kZeros, secret))) {
    return AnswerFault::kNone;
  }
  return AnswerFault::kMessageAuthenticator;
}

std::string HidePassword(absl::string_view password, absl::string_view request_authenticator,
                         absl::string_view secret) {
  std::string hidden(password.substr(0, 128));
  hidden.resize((std::max<std::size_t>(hidden.size(), 1) + kAuthenticatorSize - 1) /
                kAuthenticatorSize * kAuthenticatorSize);
  std::string before(request_authenticator);
  for (std::size_t at = 0; at < hidden.size(); at += kAuthenticatorSize) {
    const std::string pad = Md5(absl::StrCat(secret, before));
    for (std::size_t i = 0; i < pad.size(); ++i) {
      hidden[at + i] = static_cast<char>(hidden[at + i] ^ pad[i]);
    }
    before = hidden.substr(at, kAuthenticatorSize);
  }
  return hidden;
}

}  // namespace hourglass::radius
