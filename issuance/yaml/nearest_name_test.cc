#include "issuance/yaml/nearest_name.h"

#include <gtest/gtest.h>

namespace hourglass::yaml {
namespace {

TEST(EditDistanceTest, CountsLetters) {
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3U);
  EXPECT_EQ(EditDistance("", "abc"), 3U);
  EXPECT_EQ(EditDistance("abc", ""), 3U);
  EXPECT_EQ(EditDistance("abc", "abc"), 0U);
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
