#include "tools/client/wording.h"

#include <gtest/gtest.h>

namespace hourglass::client {
namespace {

TEST(WordingTest, LengthsUseTheUnitsThatMatter) {
  EXPECT_EQ(LengthInWords(absl::ZeroDuration()), "0 s");
  EXPECT_EQ(LengthInWords(absl::Milliseconds(59'999)), "59 s");
  EXPECT_EQ(LengthInWords(absl::Seconds(60)), "1 min");
  EXPECT_EQ(LengthInWords(absl::Seconds(3599)), "59 min");
  EXPECT_EQ(LengthInWords(absl::Hours(1)), "1 h");
  EXPECT_EQ(LengthInWords(absl::Minutes(65)), "1 h 5 min");
  EXPECT_EQ(LengthInWords(absl::Minutes(601)), "10 h");
  EXPECT_EQ(LengthInWords(absl::Hours(47)), "47 h");
  EXPECT_EQ(LengthInWords(absl::Hours(48)), "2 days");
  EXPECT_EQ(LengthInWords(absl::Hours(24 * 364 + 23)), "364 days");
  EXPECT_EQ(LengthInWords(-absl::Minutes(65)), "1 h 5 min");
}

TEST(WordingTest, TimesSayTheirZoneAndHowFarTheyAre) {
  const absl::Time now = absl::FromUnixSeconds(1'795'169'527);  // date -u -d @1795169527
  EXPECT_EQ(UtcInWords(now), "2026-11-20 10:12:07 UTC");
  EXPECT_EQ(TimeInWords(now + absl::Minutes(42), now), "2026-11-20 10:54:07 UTC (in 42 min)");
  EXPECT_EQ(TimeInWords(now - absl::Minutes(185), now), "2026-11-20 07:07:07 UTC (3 h 5 min ago)");
  EXPECT_EQ(TimeInWords(now, now), "2026-11-20 10:12:07 UTC (now)");
  EXPECT_EQ(TimeInWords(now + absl::Seconds(1), now), "2026-11-20 10:12:08 UTC (in 1 s)");
  EXPECT_EQ(TimeForJson(now + absl::Milliseconds(999)), "2026-11-20T10:12:07Z");
}

TEST(WordingTest, TimestampsKeepMicrosecondsAlsoBefore1970) {
  for (const int64_t microseconds : {int64_t{0}, int64_t{1'795'169'527'000'001}, int64_t{-1}}) {
    const google::protobuf::Timestamp timestamp = TimestampOf(absl::FromUnixMicros(microseconds));
    EXPECT_GE(timestamp.nanos(), 0);
    EXPECT_EQ(absl::ToUnixMicros(TimeOf(timestamp)), microseconds);
  }
}

TEST(WordingTest, HexIsLowerCaseWithoutSeparators) {
  EXPECT_EQ(Hex(std::string("\x00\xab\x7f", 3)), "00ab7f");
}

TEST(WordingTest, ControlCharactersAreShownNotSent) {
  EXPECT_EQ(Printable("a\x1b[31mb\n\x7f"), "a\\x1b[31mb\\x0a\\x7f");
  EXPECT_EQ(Printable("csi \xc2\x9b!"), "csi \\x9b!");
  EXPECT_EQ(Printable("m\xc3\xbcller@contoso.example"), "m\xc3\xbcller@contoso.example");
  EXPECT_EQ(Printable("admin\xe2\x80\xae@elpmaxe"), "admin\\u{202E}@elpmaxe");
  EXPECT_EQ(Printable("user\xe2\x80\x8e \xff"), "user\\u{200E} \\xff");
}

}  // namespace
}  // namespace hourglass::client
