#include "tools/bench/access/sample_tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/support/status_matchers.h"

namespace hourglass::bench {
namespace {

TEST(SampleTokensTest, AreAcceptedAndEachIsOfAnotherUserAndDevice) {
  ASSERT_OK_AND_ASSIGN(SampleTokens tokens, SampleTokens::Make(3, 0));
  std::set<std::string> users, devices, ids;
  for (int i = 0; i < 3; ++i) {
    ASSERT_OK_AND_ASSIGN(const issuance::TokenIdentity identity, tokens.IdentityOfNext());
    users.insert(identity.user_id);
    devices.insert(identity.device_id);
    ids.insert(identity.token_id);
    EXPECT_FALSE(identity.groups.has_value());
    EXPECT_NE(identity.onprem_sid, "");
  }
  EXPECT_EQ(users.size(), 3U);
  EXPECT_EQ(devices.size(), 3U);
  EXPECT_EQ(ids.size(), 3U);
  // Round and round.
  for (int i = 0; i < 4; ++i) EXPECT_OK(tokens.CheckNext());
  for (int i = 0; i < 4; ++i) EXPECT_OK(tokens.VerifyNextBarely());
}

TEST(SampleTokensTest, HaveAsManyGroupsAsTheyAreToHave) {
  ASSERT_OK_AND_ASSIGN(SampleTokens few, SampleTokens::Make(1, 0));
  ASSERT_OK_AND_ASSIGN(SampleTokens many, SampleTokens::Make(1, 200));
  ASSERT_OK_AND_ASSIGN(const issuance::TokenIdentity identity, many.IdentityOfNext());
  ASSERT_TRUE(identity.groups.has_value());
  EXPECT_EQ(identity.groups->size(), 200U);
  EXPECT_GT(many.token_size(), few.token_size() + 200 * 40);
}

}  // namespace
}  // namespace hourglass::bench
