// Addresses of the Internet Protocol, and ranges of them (RFC 4632, RFC 4291).
#ifndef HOURGLASS_ISSUANCE_ACCESS_IP_RANGE_H_
#define HOURGLASS_ISSUANCE_ACCESS_IP_RANGE_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace hourglass::access {

// An address of version 6, network byte order; one of version 4 is its mapped form, ::ffff:0:0/96
// (RFC 4291 section 2.5.5.2), so that both forms of it are equal.
struct IpAddress {
  std::array<std::uint8_t, 16> octets{};

  bool is_v4() const;
  auto operator<=>(const IpAddress&) const = default;
};

// Dotted decimal of four numbers, or the text form of version 6 without a zone. Nullopt for
// anything else.
std::optional<IpAddress> ParseIpAddress(absl::string_view text);

// `192.0.2.7` or `2001:db8::7`.
std::string IpAddressText(const IpAddress& address);

// An address and how many of its first bits count, in 0 to 32 or 0 to 128.
struct IpRange {
  IpAddress address;
  int prefix_length = 0;  // of the version that the address is of

  bool operator==(const IpRange&) const = default;
};

// `192.0.2.0/24` or `2001:db8::/32`; bits behind the prefix may be set, and do not count. Nullopt
// for anything else.
std::optional<IpRange> ParseIpRange(absl::string_view text);

std::string IpRangeText(const IpRange& range);

// Ranges, fit to be asked often: a question costs the logarithm of their number. Immutable, so safe
// to read from several threads.
class IpRangeSet {
 public:
  IpRangeSet() = default;
  explicit IpRangeSet(absl::Span<const IpRange> ranges);

  bool Contains(const IpAddress& address) const;
  bool empty() const { return spans_.empty(); }

 private:
  // First and last address, sorted, apart from each other.
  std::vector<std::pair<IpAddress, IpAddress>> spans_;
};

}  // namespace hourglass::access

#endif  // HOURGLASS_ISSUANCE_ACCESS_IP_RANGE_H_
