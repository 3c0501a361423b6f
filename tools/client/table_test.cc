#include "tools/client/table.h"

#include <gtest/gtest.h>

namespace hourglass::client {
namespace {

TEST(TableTest, AlignsColumnsWithoutTrailingSpaces) {
  EXPECT_EQ(FormatTable({"ROOT", "STATE"}, {{"r1", "PRIMARY"}, {"a-long-one", ""}}),
            "ROOT        STATE\n"
            "r1          PRIMARY\n"
            "a-long-one\n");
}

TEST(TableTest, CountsCharactersNotOctets) {
  EXPECT_EQ(FormatTable({"USER", "X"}, {{"m\xc3\xbcller", "1"}, {"abcdef", "2"}}),
            "USER    X\n"
            "m\xc3\xbcller  1\n"
            "abcdef  2\n");
}

TEST(TableTest, CellsCannotBreakALine) {
  EXPECT_EQ(FormatTable({"USER"}, {{"a\nb"}}), "USER\na\\x0ab\n");
}

TEST(TableTest, CellsShowWhatIsNotSeen) {
  EXPECT_EQ(FormatTable({"USER", "X"}, {{" user", "1"}, {"user ", "2"}, {" ", "3"}, {"", "4"}}),
            "USER      X\n"
            "\\x20user  1\n"
            "user\\x20  2\n"
            "\\x20      3\n"
            "          4\n");
  EXPECT_EQ(FormatTable({"USER"}, {{"admin\u202e@x"}}), "USER\nadmin\\u{202E}@x\n");
  EXPECT_EQ(FormatFacts({{"User", "user\u200e"}, {"Id", "x "}}),
            "  User  user\\u{200E}\n  Id    x\\x20\n");
}

TEST(TableTest, FactsAlignAndLeaveOutTheEmpty) {
  EXPECT_EQ(FormatFacts({{"State", "PRIMARY"}, {"A very long label", ""}, {"Key", "ec-p256"}}),
            "  State  PRIMARY\n"
            "  Key    ec-p256\n");
}

}  // namespace
}  // namespace hourglass::client
