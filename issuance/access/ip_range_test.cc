#include "issuance/access/ip_range.h"

#include <gtest/gtest.h>

#include <random>

namespace hourglass::access {
namespace {

TEST(IpRangeTest, ReadsAddressesOfBothVersions) {
  EXPECT_EQ(IpAddressText(ParseIpAddress("192.0.2.7").value()), "192.0.2.7");
  EXPECT_EQ(IpAddressText(ParseIpAddress("2001:DB8:0::7").value()), "2001:db8::7");
  EXPECT_EQ(ParseIpAddress("::ffff:192.0.2.7"), ParseIpAddress("192.0.2.7"));
}

TEST(IpRangeTest, RefusesWhatIsNoAddress) {
  for (const char* const text : {"", "192.0.2", "192.0.2.256", "192.0.2.07.1", " 192.0.2.7",
                                 "192.0.2.7 ", "fe80::1%eth0", "2001:db8::7/64", "example.com"}) {
    EXPECT_FALSE(ParseIpAddress(text).has_value()) << text;
  }
  EXPECT_FALSE(ParseIpAddress({"192.0.2.7\0x", 11}).has_value());
}

TEST(IpRangeTest, WritesRangesAsItReadsThem) {
  for (const char* const text :
       {"192.0.2.0/24", "192.0.2.77/24", "0.0.0.0/0", "192.0.2.1/32", "2001:db8::/32", "::/0"}) {
    const auto range = ParseIpRange(text);
    ASSERT_TRUE(range.has_value()) << text;
    EXPECT_EQ(IpRangeText(*range), text);
  }
  EXPECT_EQ(IpRangeText(ParseIpRange("::ffff:192.0.2.0/120").value()), "192.0.2.0/24");
}

TEST(IpRangeTest, RefusesWhatIsNoRange) {
  for (const char* const text :
       {"192.0.2.0", "192.0.2.0/", "192.0.2.0/33", "192.0.2.0/-1", "192.0.2.0/+8", "192.0.2.0/ 8",
        "2001:db8::/129", "/8", "a/8", "192.0.2.0/8/8", "::ffff:0.0.0.0/64", "192.0.2.0/0000"}) {
    EXPECT_FALSE(ParseIpRange(text).has_value()) << text;
  }
}

bool IsIn(const IpRange& range, const IpAddress& address) {
  const int bits = range.prefix_length + (range.address.is_v4() ? 96 : 0);
  for (int i = 0; i < bits; ++i) {
    const auto bit = [i](const IpAddress& of) { return of.octets[i / 8] >> (7 - i % 8) & 1; };
    if (bit(range.address) != bit(address)) return false;
  }
  return true;
}

// Against a look at each bit of each range.
TEST(IpRangeTest, ASetHasWhatItsRangesHave) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<IpRange> ranges;
    for (unsigned i = random() % 6; i > 0; --i) {
      IpRange range;
      range.address = ParseIpAddress(random() % 2 == 0 ? "10.0.0.0" : "2001:db8::").value();
      for (int k = 13; k < 16; ++k) range.address.octets[k] = random() % 4 * 64;
      range.prefix_length = (range.address.is_v4() ? 20 : 116) + static_cast<int>(random() % 13);
      ranges.push_back(range);
    }
    const IpRangeSet set(ranges);
    for (int i = 0; i < 50; ++i) {
      IpAddress address = ParseIpAddress(random() % 2 == 0 ? "10.0.0.0" : "2001:db8::").value();
      for (int k = 13; k < 16; ++k) address.octets[k] = random() % 4 * 64 + random() % 2;
      bool expected = false;
      for (const IpRange& range : ranges) expected |= IsIn(range, address);
      EXPECT_EQ(set.Contains(address), expected) << IpAddressText(address);
    }
  }
}

}  // namespace
}  // namespace hourglass::access
