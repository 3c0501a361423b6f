#include "issuance/base/tenant_id.h"

#include <gtest/gtest.h>

#include <string>

namespace hourglass::issuance {
namespace {

TEST(IsTenantIdTest, TakesLabelsOnly) {
  for (const std::string& good :
       {std::string("contoso"), std::string("7"), std::string("a-b--c"), std::string(63, 'x')}) {
    EXPECT_TRUE(IsTenantId(good)) << good;
  }
  for (const std::string& bad :
       {std::string(), std::string("-a"), std::string("a-"), std::string("Contoso"),
        std::string("a.b"), std::string(".."), std::string("../a"), std::string("a/b"),
        std::string("a\0b", 3), std::string("a b"), std::string("\xC3\xA9"), std::string("*"),
        std::string(64, 'x')}) {
    EXPECT_FALSE(IsTenantId(bad)) << bad;
  }
}

}  // namespace
}  // namespace hourglass::issuance
