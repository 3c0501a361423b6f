#include "ca/text/visible_text.h"

#include <gtest/gtest.h>

namespace hourglass::ca {
namespace {

TEST(VisibleTextTest, ShowsWhatPeopleRead) {
  for (const char* text : {"", "alice@contoso.example", "m\u00fcller \"x\" \\n", "\u5c71\u7530",
                           "\u05d0\u05d1", "\U0001f600"}) {
    EXPECT_EQ(VisibleText(text), text);
    EXPECT_EQ(VisibleJson(text), text);
  }
}

TEST(VisibleTextTest, EscapesWhatIsNotSeen) {
  EXPECT_EQ(VisibleText("admin\u202e@elpmaxe"), "admin\\u{202E}@elpmaxe");
  EXPECT_EQ(VisibleText("user\u200e\u200b\ufeff\u2066\u00ad"),
            "user\\u{200E}\\u{200B}\\u{FEFF}\\u{2066}\\u{00AD}");
  EXPECT_EQ(VisibleText("a\u00a0b\u3000"), "a\\u{00A0}b\\u{3000}");
  EXPECT_EQ(VisibleText("\U000e0041\ue000\ufdd0\u2028"), "\\u{E0041}\\u{E000}\\u{FDD0}\\u{2028}");
  EXPECT_EQ(VisibleText("\x1b[31m\n\x7f\xc2\x9b"), "\\x1b[31m\\x0a\\x7f\\x9b");
  EXPECT_EQ(VisibleText(absl::string_view("\0", 1)), "\\x00");
}

TEST(VisibleTextTest, EscapesWhatIsNoUtf8) {
  EXPECT_EQ(VisibleText("a\xff\xc3"), "a\\xff\\xc3");
  EXPECT_EQ(VisibleText("\xed\xa0\x80"), "\\xed\\xa0\\x80");
  EXPECT_EQ(VisibleText("\xc0\x80\xf4\x90"), "\\xc0\\x80\\xf4\\x90");
}

TEST(VisibleTextTest, EscapesInJsonAsJsonDoes) {
  EXPECT_EQ(VisibleJson("{\n  \"a\": \"x\u202ey\u00fc\"\n}"), "{\n  \"a\": \"x\\u202ey\u00fc\"\n}");
  EXPECT_EQ(VisibleJson("\"\x7f\xc2\x9b\""), "\"\\u007f\\u009b\"");
  EXPECT_EQ(VisibleJson("\"\U000e0041\""), "\"\\udb40\\udc41\"");
}

}  // namespace
}  // namespace hourglass::ca
