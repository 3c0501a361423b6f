#include "ca/names/domain_name.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace hourglass::ca {
namespace {

using testing::HasSubstr;

std::string FaultOf(absl::string_view domain) { return FaultInDomain(domain).value_or("sound"); }

TEST(DomainNameTest, DomainsAreWhatIdnaWants) {
  for (const char* domain :
       {"contoso.example", "a", "1.2", "a-b.c-d", "m\u00fcnchen.example", "xn--mnchen-3ya.example",
        "b\u00fccher.xn--mnchen-3ya", "\u4f8b\u3048.\u30c6\u30b9\u30c8", "fa\u00df.example"}) {
    EXPECT_EQ(FaultOf(domain), "sound") << domain;
  }
  const std::string label(63, 'a');
  EXPECT_EQ(FaultOf(label), "sound");
  EXPECT_THAT(FaultOf(label + "a"), HasSubstr("63"));
  EXPECT_EQ(FaultOf(absl::StrCat(label, ".", label, ".", label, ".", std::string(61, 'a'))),
            "sound");
  EXPECT_THAT(FaultOf(absl::StrCat(label, ".", label, ".", label, ".", std::string(62, 'a'))),
              HasSubstr("253"));
  for (const char* domain :
       {"", ".", "a.", ".a", "a..b", "-", "-a", "a-", "a.-", "ab--c", "a_b", "a*b",
        "*.contoso.example", "a b", "a:b", "[1]", "xn--", "xn--a", "xn--zzzzzzzz",
        "xn--contoso-.example",
        // An A-label of what is no U-label, but a symbol.
        "xn--ls8h", "\u2603.example", "a\u3002b", "\u00ad", "m\u00fc--nchen.x-\u00fc-"}) {
    EXPECT_NE(FaultOf(domain), "sound") << domain;
  }
  // 56 letters of two octets fit into 63 octets of an A-label no more.
  std::string wide;
  for (int i = 0; i < 60; ++i) wide += i % 2 == 0 ? "\u00fc" : "\u00e4";
  EXPECT_NE(FaultOf(wide), "sound");
}

}  // namespace
}  // namespace hourglass::ca
