#include "ca/encoding/utf8.h"

#include <gtest/gtest.h>

namespace hourglass::ca {
namespace {

TEST(Utf8Test, CountsCharacters) {
  EXPECT_EQ(DecodeUtf8("")->characters, 0u);
  EXPECT_EQ(DecodeUtf8("abc")->characters, 3u);
  EXPECT_EQ(
      DecodeUtf8("\x7e\xc2\xa0\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf")
          ->characters,
      7u);
}

// RFC 3629 sections 3 and 10.
TEST(Utf8Test, RefusesWhatIsNotUtf8) {
  for (const char* text :
       {"\x80", "\xc0\x80", "\xc1\xbf", "\xc3", "\xc3(", "\xe0\x9f\xbf", "\xe2\x82", "\xed\xa0\x80",
        "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"}) {
    EXPECT_FALSE(DecodeUtf8(text).has_value()) << text;
  }
}

TEST(Utf8Test, SeesControls) {
  EXPECT_FALSE(DecodeUtf8(" ~\xc2\xa0\xe2\x80\xa7\xe2\x80\xaa")->has_controls);
  EXPECT_TRUE(DecodeUtf8(absl::string_view("a\0b", 3))->has_controls);
  for (const char* text :
       {"\x1f", "\n", "\x7f", "\xc2\x80", "\xc2\x9f", "\xe2\x80\xa8", "\xe2\x80\xa9"}) {
    EXPECT_TRUE(DecodeUtf8(text)->has_controls) << text;
  }
}

TEST(Utf8Test, CutsBetweenCharacters) {
  EXPECT_EQ(FirstCharacters("a\xc3\xa9\xf0\x9f\x98\x80z", 0), "");
  EXPECT_EQ(FirstCharacters("a\xc3\xa9\xf0\x9f\x98\x80z", 2), "a\xc3\xa9");
  EXPECT_EQ(FirstCharacters("a\xc3\xa9\xf0\x9f\x98\x80z", 3), "a\xc3\xa9\xf0\x9f\x98\x80");
  EXPECT_EQ(FirstCharacters("ab", 9), "ab");
}

}  // namespace
}  // namespace hourglass::ca
