#include "issuance/yaml/text.h"

#include <gtest/gtest.h>

namespace hourglass::yaml {
namespace {

TEST(FirstInvalidUtf8Test, FindsIllFormedOctets) {
  for (const char* good : {"", "plain", "\xC3\xA9", "\xE2\x82\xAC", "\xED\x9F\xBF", "\xEE\x80\x80",
                           "\xF0\x9F\x94\x91", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_EQ(FirstInvalidUtf8(good), absl::string_view(good).size()) << good;
  }
  // Lone continuation, overlong forms, a surrogate, beyond U+10FFFF, cut short.
  for (const char* bad :
       {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xC3", "\xE2\x82", "\xF0\x9F\x94"}) {
    EXPECT_EQ(FirstInvalidUtf8(std::string("ab") + bad), 2u);
  }
}

TEST(NearestNameTest, SuggestsOnlyWhatIsNear) {
  const std::vector<std::string> names = {"listen", "limits", "log_level", "tls"};
  EXPECT_EQ(NearestName("lisen", names), "listen");
  EXPECT_EQ(NearestName("log-level", names), "log_level");
  EXPECT_EQ(NearestName("loglevl", names), "log_level");
  EXPECT_EQ(NearestName("tsl", names), "");
  EXPECT_EQ(NearestName("tl", names), "tls");
  EXPECT_EQ(NearestName("colour", names), "");
  EXPECT_EQ(NearestName("x", {}), "");
}

}  // namespace
}  // namespace hourglass::yaml
