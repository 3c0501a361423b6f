#include "tools/client/arguments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/status_matchers.h"

namespace hourglass::client {
namespace {

TEST(ArgumentsTest, LengthsHaveAUnit) {
  EXPECT_EQ(*ParseLength("30s"), absl::Seconds(30));
  EXPECT_EQ(*ParseLength("10min"), absl::Minutes(10));
  EXPECT_EQ(*ParseLength("8h"), absl::Hours(8));
  EXPECT_EQ(*ParseLength("90d"), absl::Hours(24 * 90));
  EXPECT_EQ(*ParseLength("1y"), absl::Hours(24 * 365));
  EXPECT_EQ(*ParseLength("3y"), absl::Hours(24 * 1095));
}

TEST(ArgumentsTest, OtherLengthsAreRefused) {
  for (const char* text : {"", "y", "1", "0d", "-1d", "+1d", " 1d", "1 d", "1.5y", "1Y", "1m",
                           "1yy", "101y", "99999999999d", "inf"}) {
    EXPECT_THAT(ParseLength(text), FailsWith(ErrorReason::kFieldInvalid)) << text;
  }
}

TEST(ArgumentsTest, TimesAreUtcOrALengthAgo) {
  const absl::Time now = absl::FromUnixSeconds(1'795'169'527);
  const absl::Time morning = absl::FromUnixSeconds(1'795'132'800);  // date -u -d 2026-11-20 +%s
  EXPECT_EQ(*ParsePastTime("2026-11-20", now), morning);
  EXPECT_EQ(*ParsePastTime("2026-11-20T10:12:07Z", now), now);
  EXPECT_EQ(*ParsePastTime("2026-11-20 10:12:07 UTC", now), now);
  EXPECT_EQ(*ParsePastTime("2h", now), now - absl::Hours(2));
  EXPECT_EQ(*ParsePastTime("now", now), now);
}

TEST(ArgumentsTest, OtherTimesAreRefused) {
  for (const char* text : {"", "yesterday", "2026-13-01", "2026-11-20T10:12:07",
                           "2026-11-20T10:12:07+01:00", "infinite-past", "2026-11-20x"}) {
    EXPECT_THAT(ParsePastTime(text, absl::UnixEpoch()), FailsWith(ErrorReason::kFieldInvalid))
        << text;
  }
}

TEST(ArgumentsTest, SerialNumbersAreSixteenOctets) {
  const std::string serial("\x4f\x00\x0a\xff\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c", 16);
  EXPECT_EQ(*ParseSerialNumber("4f000aff0102030405060708090a0b0c"), serial);
  EXPECT_EQ(*ParseSerialNumber("4F:00:0A:FF:01:02:03:04:05:06:07:08:09:0A:0B:0C"), serial);
  EXPECT_EQ(*ParseSerialNumber("serial=4F000AFF0102030405060708090A0B0C\n"), serial);
  EXPECT_EQ(*ParseSerialNumber("\xE2\x80\x8E"
                               "4f 00 0a ff 01 02 03 04 05 06 07 08 09 0a 0b 0c"),
            serial);
  for (const char* text :
       {"", "4f", "4f000aff0102030405060708090a0b0", "zz000aff0102030405060708090a0b0c",
        "4f000aff0102030405060708090a0b0c00"}) {
    EXPECT_THAT(ParseSerialNumber(text), FailsWith(ErrorReason::kFieldInvalid)) << text;
  }
  EXPECT_THAT(ParseSerialNumber(std::string(64, 'a')).status().message(),
              testing::HasSubstr("it has 64, as a SHA-256 fingerprint"));
}

}  // namespace
}  // namespace hourglass::client
