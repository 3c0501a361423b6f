#include "tools/profiles/ip_prefix.h"

#include <arpa/inet.h>

#include <cstring>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace hourglass::profiles {
namespace {

struct Octets {
  unsigned char value[16] = {};
  int family = AF_INET;

  int bits() const { return family == AF_INET ? 32 : 128; }
};

std::optional<Octets> ParseAddress(absl::string_view text) {
  Octets octets;
  const std::string address(text);
  if (address.size() != std::strlen(address.c_str())) return std::nullopt;
  for (const int family : {AF_INET, AF_INET6}) {
    octets.family = family;
    if (inet_pton(family, address.c_str(), octets.value) == 1) return octets;
  }
  return std::nullopt;
}

std::string Written(const Octets& octets) {
  char text[INET6_ADDRSTRLEN] = {};
  inet_ntop(octets.family, octets.value, text, sizeof(text));
  return text;
}

}  // namespace

bool IpPrefix::HasHostBits() const {
  const std::optional<Octets> own = ParseAddress(address);
  return !own.has_value() || Written(*own) != network;
}

std::optional<IpPrefix> MakeIpPrefix(absl::string_view address, int size) {
  std::optional<Octets> octets = ParseAddress(address);
  if (!octets.has_value() || size < 0 || size > octets->bits()) return std::nullopt;
  for (int bit = size; bit < octets->bits(); ++bit) {
    octets->value[bit / 8] &= static_cast<unsigned char>(~(0x80 >> (bit % 8)));
  }
  return IpPrefix{std::string(address), size, Written(*octets)};
}

std::optional<IpPrefix> ParseIpPrefix(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '/');
  int size = 0;
  if (parts.size() != 2 || parts[1].empty() ||
      parts[1].find_first_not_of("0123456789") != absl::string_view::npos ||
      !absl::SimpleAtoi(parts[1], &size)) {
    return std::nullopt;
  }
  return MakeIpPrefix(parts[0], size);
}

bool IsIpAddress(absl::string_view text) { return ParseAddress(text).has_value(); }

}  // namespace hourglass::profiles
