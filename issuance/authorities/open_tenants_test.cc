#include "issuance/authorities/open_tenants.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace hourglass::issuance {
namespace {

using testing::ElementsAre;

TEST(OpenTenantsTest, AreThoseWithoutDomains) {
  Config config;
  ASSERT_EQ(config.tenants["contoso"].upn_domains.Add("contoso.example"), std::nullopt);
  config.tenants["fabrikam"];
  Caller broker;
  broker.tenants = {"contoso", "tailspin"};
  config.callers = {broker};
  EXPECT_THAT(ConfiguredTenants(config), ElementsAre("contoso", "fabrikam", "tailspin"));
  EXPECT_THAT(TenantsOfAnyDomain(config, ConfiguredTenants(config)),
              ElementsAre("fabrikam", "tailspin"));
  EXPECT_THAT(TenantsOfAnyDomain(config, {"contoso"}), ElementsAre());
}

TEST(OpenTenantsTest, AreToldInALineThatIsNotTooLong) {
  EXPECT_EQ(TenantsInWords({"contoso"}), "contoso");
  std::vector<std::string> many;
  for (int i = 10; i < 23; ++i) many.push_back(absl::StrCat("t", i));
  EXPECT_EQ(TenantsInWords(many), "t10, t11, t12, t13, t14, t15, t16, t17, t18, t19 and 3 more");
}

}  // namespace
}  // namespace hourglass::issuance
