#include "issuance/base/os_version.h"

#include <gtest/gtest.h>

namespace hourglass::issuance {
namespace {

TEST(ParseOsVersionTest, ReadsOneToFourNumbers) {
  EXPECT_EQ(ParseOsVersion("10"), (OsVersion{10, 0, 0, 0}));
  EXPECT_EQ(ParseOsVersion("10.0.22631.3880"), (OsVersion{10, 0, 22631, 3880}));
  EXPECT_EQ(ParseOsVersion("14.04"), (OsVersion{14, 4, 0, 0}));
  EXPECT_EQ(ParseOsVersion("999999999"), (OsVersion{999999999, 0, 0, 0}));
}

TEST(ParseOsVersionTest, RefusesAnythingElse) {
  for (const char* bad : {"", ".", "10.", ".10", "10..0", "10.0.1.2.3", "-1", "+1", "10.x", "v10",
                          "10.0 ", " 10", "1000000000", "10,0"}) {
    EXPECT_FALSE(ParseOsVersion(bad).has_value()) << bad;
  }
}

TEST(OsVersionTest, ComparesNumberByNumber) {
  EXPECT_LT(*ParseOsVersion("10.0.9200"), *ParseOsVersion("10.0.19045"));
  EXPECT_LT(*ParseOsVersion("9.9"), *ParseOsVersion("10"));
  EXPECT_LT(*ParseOsVersion("10.0.19045.9"), *ParseOsVersion("10.0.19045.10"));
  EXPECT_EQ(*ParseOsVersion("10.0"), *ParseOsVersion("10.0.0.0"));
}

}  // namespace
}  // namespace hourglass::issuance
