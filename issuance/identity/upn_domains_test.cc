#include "issuance/identity/upn_domains.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

UpnDomains Domains(const std::vector<std::string>& domains) {
  UpnDomains all;
  for (const std::string& domain : domains) EXPECT_EQ(all.Add(domain), std::nullopt) << domain;
  return all;
}

TEST(UpnDomainsTest, HoldsUsersToThem) {
  const UpnDomains domains = Domains({"Contoso.example", "m\u00fcnchen.example"});
  for (const char* upn :
       {"alice@contoso.example", "alice@CONTOSO.EXAMPLE", "a@m\u00fcnchen.example",
        "a@M\u00dcNCHEN.example", "a@xn--mnchen-3ya.example", "a@XN--MNCHEN-3YA.EXAMPLE",
        "bob_fabrikam.example#EXT#@contoso.example"}) {
    EXPECT_OK(domains.Check(upn)) << upn;
  }
  for (const char* upn : {"admin@fabrikam.example", "a@b.contoso.example", "a@xcontoso.example",
                          "a@contoso.example.org", "a@munchen.example",
                          "alice_contoso.example#EXT#@fabrikam.example"}) {
    EXPECT_THAT(domains.Check(upn), FailsWith(ErrorReason::kUpnNotOfTenant, "user.upn")) << upn;
  }
}

TEST(UpnDomainsTest, NoneMeansAny) {
  EXPECT_TRUE(UpnDomains().empty());
  EXPECT_OK(UpnDomains().Check("a@fabrikam.example"));
  EXPECT_FALSE(Domains({"contoso.example"}).empty());
}

TEST(UpnDomainsTest, RefusesWhatIsNoDomainOrTwice) {
  UpnDomains domains = Domains({"m\u00fcnchen.example"});
  EXPECT_EQ(domains.Add("XN--mnchen-3ya.example"), "appears twice");
  for (const char* domain : {"", "*.contoso.example", "@contoso.example", "contoso.example.",
                             "contoso_x.example", "-"}) {
    const std::optional<std::string> fault = domains.Add(domain);
    ASSERT_TRUE(fault.has_value()) << domain;
    EXPECT_THAT(*fault, testing::HasSubstr("is no domain of users"));
  }
}

}  // namespace
}  // namespace hourglass::issuance
