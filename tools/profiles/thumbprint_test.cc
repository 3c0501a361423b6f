#include "tools/profiles/thumbprint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hourglass::profiles {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr char kDigits[] = "5A89FECB5B49A70B1A5263B735EED71CC268BE4B";
constexpr char kSpaced[] = "5a 89 fe cb 5b 49 a7 0b 1a 52 63 b7 35 ee d7 1c c2 68 be 4b ";

TEST(ThumbprintTest, IsReadAsWindowsWritesIt) {
  EXPECT_EQ(SpacedThumbprint(kDigits), kSpaced);
  EXPECT_EQ(ThumbprintOf(kSpaced), kDigits);
  EXPECT_EQ(ThumbprintOf("5a89fecb5b49a70b1a5263b735eed71cc268be4b"), kDigits);
  for (const char* none :
       {"", "5a", "5a 8", "5:a", "5a 89 fe cb 5b 49 a7 0b 1a 52 63 b7 35 ee d7",
        "5 a89fecb5b49a70b1a5263b735eed71cc268be4b", "0000000000000000000000000000000000000000"}) {
    EXPECT_EQ(ThumbprintOf(none), std::nullopt) << none;
  }
}

TEST(ThumbprintTest, SeveralStandBehindEachOther) {
  const std::string two = std::string(kDigits) + ", " + kSpaced;
  EXPECT_THAT(ThumbprintsOf(two), ElementsAre(kDigits, kDigits));
  EXPECT_THAT(ThumbprintsOf(two + "0"), IsEmpty());
  EXPECT_THAT(ThumbprintsOf("CN=Contoso CA"), IsEmpty());
  EXPECT_THAT(ThumbprintsOf(""), IsEmpty());
}

TEST(ThumbprintTest, SaysWhatElseATextSeemsToBe) {
  EXPECT_EQ(WhatItIs(" "), "is empty");
  EXPECT_EQ(WhatItIs("CN=x"), "is not hexadecimal");
  EXPECT_EQ(WhatItIs(std::string(64, 'a')), "is a SHA-256 thumbprint");
  EXPECT_EQ(WhatItIs(std::string(40, '0')), "is all zeros");
  EXPECT_EQ(WhatItIs("5 a89fecb5b49a70b1a5263b735eed71cc268be4b"),
            "is not written in pairs of digits");
  EXPECT_EQ(WhatItIs("5a 89"), "has 4 digits, not 40");
}

}  // namespace
}  // namespace hourglass::profiles
