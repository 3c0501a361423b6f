#include "issuance/rotation/key_claims.h"

#include <gtest/gtest.h>

#include <optional>
#include <utility>

#include "hsm/base/error.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

TEST(KeyClaimsTest, ANameIsClaimedOnceWhateverItsId) {
  KeyClaims claims;
  const std::string name = "pkcs11:token=a;object=k";
  auto first = claims.ClaimName(name + ";id=%01");
  ASSERT_OK(first);
  for (const std::string& uri : {name, name + ";id=%01", name + ";id=%02"}) {
    EXPECT_THAT(claims.ClaimName(uri), FailsWith(ErrorReason::kKeyInUse, "key_uri"));
  }
  EXPECT_OK(claims.ClaimName(name + "2"));
  first->Release();
  EXPECT_OK(claims.ClaimName(name));
}

TEST(KeyClaimsTest, AKeyIsClaimedOnceWhateverItsName) {
  KeyClaims claims;
  ASSERT_OK_AND_ASSIGN(KeyClaims::Claim first, claims.ClaimName("software:a"));
  ASSERT_OK_AND_ASSIGN(KeyClaims::Claim second, claims.ClaimName("software:b"));
  ASSERT_OK(first.ClaimPublicKey("key"));
  EXPECT_THAT(second.ClaimPublicKey("key"), FailsWith(ErrorReason::kKeyInUse, "key_uri"));
  EXPECT_OK(first.ClaimPublicKey("")) << "what cannot be read is nobody's";
  EXPECT_OK(second.ClaimPublicKey(""));
  // The refused one took nothing with it.
  second.Release();
  ASSERT_OK_AND_ASSIGN(second, claims.ClaimName("software:b"));
  EXPECT_THAT(second.ClaimPublicKey("key"), FailsWith(ErrorReason::kKeyInUse));
  first.Release();
  EXPECT_OK(second.ClaimPublicKey("key"));
}

TEST(KeyClaimsTest, AClaimEndsWithItsObject) {
  KeyClaims claims;
  {
    ASSERT_OK_AND_ASSIGN(KeyClaims::Claim claim, claims.ClaimName("software:a"));
    const KeyClaims::Claim moved(std::move(claim));
    EXPECT_THAT(claims.ClaimName("software:a"), FailsWith(ErrorReason::kKeyInUse));
  }
  EXPECT_OK(claims.ClaimName("software:a"));
}

}  // namespace
}  // namespace hourglass::issuance
