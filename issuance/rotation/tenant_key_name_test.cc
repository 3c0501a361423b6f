#include "issuance/rotation/tenant_key_name.h"

#include <gtest/gtest.h>

#include <string>

namespace hourglass::issuance {
namespace {

TEST(TenantKeyNameTest, EachNameIsOfOneTenant) {
  for (const std::string tenant :
       {"a", "a-b", "a-b-r1", "r1", "a-r1", "r", "1", "a-r", "hourglass-a", "a--r1"}) {
    for (const int generation : {1, 2, 12, 9999999}) {
      EXPECT_EQ(TenantOfKeyName(TenantKeyName(tenant, generation)), tenant);
    }
  }
  EXPECT_EQ(TenantKeyName("a-b", 1), "hourglass-a-b-r1");
  EXPECT_EQ(TenantOfKeyName("hourglass-a-b-r1"), "a-b") << "and not a";
  EXPECT_EQ(TenantOfKeyName("hourglass-a-r1-r2"), "a-r1") << "and not a";
}

TEST(TenantKeyNameTest, OtherNamesAreOfNone) {
  for (const char* name : {"",
                           "hourglass-",
                           "hourglass-a",
                           "hourglass-a-r",
                           "hourglass-a-r0",
                           "hourglass-a-r01",
                           "hourglass-a-r+1",
                           "hourglass-a-r-1",
                           "hourglass-a-r1x",
                           "hourglass-a-r1.pem",
                           "hourglass-a-R1",
                           "Hourglass-a-r1",
                           "hourglass--r1",
                           "hourglass--a-r1",
                           "hourglass-a--r1",
                           "hourglass-A-r1",
                           "hourglass-a-r 1",
                           "hourglass-a-r99999999999",
                           "xhourglass-a-r1",
                           "hourglass-a_b-r1",
                           "contoso-2027"}) {
    EXPECT_FALSE(TenantOfKeyName(name).has_value()) << name;
  }
}

}  // namespace
}  // namespace hourglass::issuance
