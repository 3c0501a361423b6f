#include "issuance/tokens/base64url.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace hourglass::issuance {
namespace {

constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint8_t kNone = 0xff;

constexpr std::array<std::uint8_t, 256> Values() {
  std::array<std::uint8_t, 256> values = {};
  for (std::uint8_t& value : values) value = kNone;
  for (std::uint8_t i = 0; i < 64; ++i) values[static_cast<unsigned char>(kAlphabet[i])] = i;
  return values;
}

constexpr std::array<std::uint8_t, 256> kValues = Values();

}  // namespace

std::optional<std::string> DecodeBase64Url(absl::string_view text) {
  const std::size_t rest = text.size() % 4;
  if (rest == 1) return std::nullopt;
  const auto value = [&text](std::size_t at) -> std::uint32_t {
    return kValues[static_cast<unsigned char>(text[at])];
  };
  std::string octets(text.size() * 3 / 4, '\0');
  char* out = octets.data();
  // Of all letters at once: one that is none has bits that no value has.
  std::uint32_t seen = 0;
  const std::size_t whole = text.size() - rest;
  for (std::size_t i = 0; i < whole; i += 4) {
    const std::uint32_t a = value(i), b = value(i + 1), c = value(i + 2), d = value(i + 3);
    seen |= a | b | c | d;
    const std::uint32_t bits = a << 18 | b << 12 | c << 6 | d;
    *out++ = static_cast<char>(bits >> 16);
    *out++ = static_cast<char>(bits >> 8);
    *out++ = static_cast<char>(bits);
  }
  if (rest > 0) {
    const std::uint32_t a = value(whole), b = value(whole + 1);
    const std::uint32_t c = rest == 3 ? value(whole + 2) : 0;
    seen |= a | b | c;
    const std::uint32_t bits = a << 18 | b << 12 | c << 6;
    // What is left over belongs to no octet: a text with other bits there would be a second one for
    // the same octets.
    if ((bits & (rest == 3 ? 0xffU : 0xffffU)) != 0) return std::nullopt;
    *out++ = static_cast<char>(bits >> 16);
    if (rest == 3) *out++ = static_cast<char>(bits >> 8);
  }
  if (seen > 63) return std::nullopt;
  return octets;
}

std::string EncodeBase64Url(absl::string_view octets) {
  std::string text;
  text.reserve((octets.size() * 4 + 2) / 3);
  std::uint32_t held = 0;
  int bits = 0;
  for (const char c : octets) {
    held = held << 8 | static_cast<unsigned char>(c);
    for (bits += 8; bits >= 6;) {
      bits -= 6;
      text.push_back(kAlphabet[held >> bits & 63]);
    }
  }
  if (bits > 0) text.push_back(kAlphabet[held << (6 - bits) & 63]);
  return text;
}

}  // namespace hourglass::issuance
