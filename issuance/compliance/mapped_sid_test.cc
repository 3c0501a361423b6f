#include "issuance/compliance/mapped_sid.h"

#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

constexpr char kSid[] = "S-1-5-21-1496966362-3320961333-4044918980-1105";
constexpr char kOtherSid[] = "S-1-5-21-1496966362-3320961333-4044918980-1106";

DirectoryUser Alice() {
  DirectoryUser user;
  user.tenant_id = "contoso";
  user.user_id = "a1";
  user.upn = "Alice@Contoso.example";
  user.onprem_sid = kSid;
  return user;
}

TEST(DirectorySidTest, IsThatOfTheUserWhoHasBothNames) {
  EXPECT_EQ(DirectorySid(Alice(), "a1", "alice@contoso.example"), kSid);
  EXPECT_EQ(DirectorySid(Alice(), "", "ALICE@contoso.example"), kSid);
}

TEST(DirectorySidTest, IsNobodysWhereTheNamesAreNotOfOneUser) {
  // Another's UPN, or one that has changed.
  EXPECT_EQ(DirectorySid(Alice(), "a1", "ceo@contoso.example"), "");
  EXPECT_EQ(DirectorySid(Alice(), "a2", "alice@contoso.example"), "");
  EXPECT_EQ(DirectorySid(std::nullopt, "a1", "alice@contoso.example"), "");
}

TEST(DirectorySidTest, IsOfADomainOrNone) {
  for (const char* sid : {"", "S-1-12-1-1-2-3-4", "S-1-5-32-544", "S-1-5-18", "s-1-5-21-1-2-3-4"}) {
    DirectoryUser user = Alice();
    user.onprem_sid = sid;
    EXPECT_EQ(DirectorySid(user, "a1", "alice@contoso.example"), "") << sid;
  }
}

TEST(AgreedSidTest, EitherIsEnoughAndBothMustAgree) {
  EXPECT_EQ(*AgreedSid("", ""), "");
  EXPECT_EQ(*AgreedSid(kSid, ""), kSid);
  EXPECT_EQ(*AgreedSid("", kSid), kSid);
  EXPECT_EQ(*AgreedSid(kSid, kSid), kSid);
  EXPECT_THAT(AgreedSid(kSid, kOtherSid), FailsWith(ErrorReason::kSidUnknown, "user.upn"));
}

TEST(AgreedSidTest, ASidOfTheCloudIsNone) {
  EXPECT_EQ(*AgreedSid("", "S-1-12-1-1-2-3-4"), "");
  EXPECT_EQ(*AgreedSid(kSid, "S-1-12-1-1-2-3-4"), kSid);
}

}  // namespace
}  // namespace hourglass::issuance
