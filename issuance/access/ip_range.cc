#include "issuance/access/ip_range.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>
#include <iterator>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace hourglass::access {
namespace {

constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::size_t kLongestText = 45;

// First and last address of a range.
std::pair<IpAddress, IpAddress> SpanOf(const IpRange& range) {
  const int bits = range.prefix_length + (range.address.is_v4() ? 96 : 0);
  std::pair<IpAddress, IpAddress> span{range.address, range.address};
  for (int i = 0; i < 16; ++i) {
    const int counted = std::clamp(bits - 8 * i, 0, 8);
    const auto mask = static_cast<std::uint8_t>(0xff >> counted);
    span.first.octets[i] &= static_cast<std::uint8_t>(~mask);
    span.second.octets[i] |= mask;
  }
  return span;
}

}  // namespace

bool IpAddress::is_v4() const { return std::equal(kMapped.begin(), kMapped.end(), octets.begin()); }

std::optional<IpAddress> ParseIpAddress(absl::string_view text) {
  if (text.size() > kLongestText || text.find('\0') != absl::string_view::npos) return std::nullopt;
  const std::string terminated(text);
  IpAddress address;
  if (inet_pton(AF_INET6, terminated.c_str(), address.octets.data()) == 1) return address;
  std::copy(kMapped.begin(), kMapped.end(), address.octets.begin());
  if (inet_pton(AF_INET, terminated.c_str(), address.octets.data() + 12) == 1) return address;
  return std::nullopt;
}

std::string IpAddressText(const IpAddress& address) {
  char text[INET6_ADDRSTRLEN] = {};
  if (address.is_v4()) {
    inet_ntop(AF_INET, address.octets.data() + 12, text, sizeof text);
  } else {
    inet_ntop(AF_INET6, address.octets.data(), text, sizeof text);
  }
  return text;
}

std::optional<IpRange> ParseIpRange(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '/');
  if (parts.size() != 2) return std::nullopt;
  const std::optional<IpAddress> address = ParseIpAddress(parts[0]);
  int length = 0;
  const bool digits = !parts[1].empty() && parts[1].size() <= 3 &&
                      parts[1].find_first_not_of("0123456789") == absl::string_view::npos;
  if (!address.has_value() || !digits || !absl::SimpleAtoi(parts[1], &length)) return std::nullopt;
  const bool written_as_v6 = parts[0].find(':') != absl::string_view::npos;
  if (length > (written_as_v6 ? 128 : 32)) return std::nullopt;
  // A range of mapped addresses is one of version 4; a wider one would hold other addresses, too,
  // and nobody means that.
  if (written_as_v6 && address->is_v4()) {
    if (length < 96) return std::nullopt;
    length -= 96;
  }
  return IpRange{*address, length};
}

std::string IpRangeText(const IpRange& range) {
  return absl::StrCat(IpAddressText(range.address), "/", range.prefix_length);
}

IpRangeSet::IpRangeSet(absl::Span<const IpRange> ranges) {
  std::transform(ranges.begin(), ranges.end(), std::back_inserter(spans_), SpanOf);
  std::sort(spans_.begin(), spans_.end());
  std::vector<std::pair<IpAddress, IpAddress>> merged;
  for (const auto& span : spans_) {
    if (!merged.empty() && span.first <= merged.back().second) {
      merged.back().second = std::max(merged.back().second, span.second);
    } else {
      merged.push_back(span);
    }
  }
  spans_ = std::move(merged);
}

bool IpRangeSet::Contains(const IpAddress& address) const {
  const auto after = std::upper_bound(
      spans_.begin(), spans_.end(), address,
      [](const IpAddress& wanted, const auto& span) { return wanted < span.first; });
  return after != spans_.begin() && address <= std::prev(after)->second;
}

}  // namespace hourglass::access
