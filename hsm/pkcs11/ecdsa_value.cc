#include "hsm/pkcs11/ecdsa_value.h"

namespace hourglass::hsm {
namespace {

// The half of a signature on P-521, the largest curve there is.
constexpr size_t kLongestHalf = 66;

// A positive INTEGER's content (X.690 section 8.3): no leading zero octet but the one that keeps
// the first bit clear. Both lengths of X.690 section 8.1.3 are needed: a sequence may be longer
// than 127 octets, an integer is not.
struct Integer {
  absl::string_view magnitude;
  bool padded;
  size_t size() const { return magnitude.size() + (padded ? 1 : 0); }
};

Integer IntegerOf(absl::string_view half) {
  while (!half.empty() && half[0] == '\0') half.remove_prefix(1);
  return {half, !half.empty() && (static_cast<unsigned char>(half[0]) & 0x80) != 0};
}

void Append(const Integer& integer, std::string& der) {
  der.push_back('\x02');
  der.push_back(static_cast<char>(integer.size()));
  if (integer.padded) der.push_back('\0');
  der.append(integer.magnitude.data(), integer.magnitude.size());
}

}  // namespace

std::optional<std::string> EncodeEcdsaValue(absl::string_view raw) {
  const size_t half = raw.size() / 2;
  if (half < 1 || half > kLongestHalf || raw.size() != 2 * half) return std::nullopt;
  const Integer r = IntegerOf(raw.substr(0, half));
  const Integer s = IntegerOf(raw.substr(half));
  if (r.magnitude.empty() || s.magnitude.empty()) return std::nullopt;
  const size_t content = 4 + r.size() + s.size();
  std::string der;
  der.reserve(3 + content);
  der.push_back('\x30');
  if (content > 127) der.push_back('\x81');
  der.push_back(static_cast<char>(content));
  Append(r, der);
  Append(s, der);
  return der;
}

}  // namespace hourglass::hsm
