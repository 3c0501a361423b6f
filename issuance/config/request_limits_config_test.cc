#include "issuance/config/request_limits_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "issuance/config/testing/parse_config.h"

namespace hourglass::issuance {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;

RequestLimitsConfig LimitsOf(const std::string& lines) {
  const auto config = ParseConfig(absl::StrCat(kSmallest, lines), "/etc/h.yaml");
  EXPECT_OK(config);
  return config.ok() ? config->limits.requests : RequestLimitsConfig();
}

TEST(RequestLimitsConfigTest, DevicesAreLimitedWhereNothingIsSaid) {
  const RequestLimitsConfig limits = LimitsOf("tenants: {contoso: {lifetime: 60m}}\n");
  EXPECT_EQ(limits.usual.device, (Allowance{10, minutes(5)}));
  EXPECT_EQ(limits.usual.tenant, std::nullopt);
  EXPECT_EQ(limits.caller, std::nullopt);
  EXPECT_EQ(limits.by_tenant.at("contoso").device, (Allowance{10, minutes(5)}));
  EXPECT_EQ(limits.by_tenant.at("contoso").tenant, std::nullopt);
}

TEST(RequestLimitsConfigTest, TenantsChangeWhatIsSaidForAll) {
  const RequestLimitsConfig limits = LimitsOf(R"(limits:
  device_requests: {requests: 6, per: 1m}
  caller_requests: {requests: 5000, per: 1s}
  tenant_requests: {requests: 1000, per: 10s}
tenants:
  contoso: {limits: {device_requests: {requests: 60, per: 1h}}}
  fabrikam: {limits: {device_requests: {unlimited: true}, tenant_requests: {requests: 1, per: 1d}}}
)");
  EXPECT_EQ(limits.usual.device, (Allowance{6, minutes(1)}));
  EXPECT_EQ(limits.caller, (Allowance{5000, seconds(1)}));
  EXPECT_EQ(limits.usual.tenant, (Allowance{1000, seconds(10)}));
  EXPECT_EQ(limits.by_tenant.at("contoso").device, (Allowance{60, std::chrono::hours(1)}));
  EXPECT_EQ(limits.by_tenant.at("contoso").tenant, (Allowance{1000, seconds(10)}));
  EXPECT_EQ(limits.by_tenant.at("fabrikam").device, std::nullopt);
  EXPECT_EQ(limits.by_tenant.at("fabrikam").tenant, (Allowance{1, std::chrono::hours(24)}));
}

TEST(RequestLimitsConfigTest, NamesEachMistake) {
  EXPECT_THAT(MistakesWithLine("limits: {device_requests: {requests: 0, per: 1m}}"),
              HasSubstr("limits.device_requests.requests"));
  EXPECT_THAT(MistakesWithLine("limits: {device_requests: {requests: 1, per: 999ms}}"),
              HasSubstr("limits.device_requests.per"));
  EXPECT_THAT(MistakesWithLine("limits: {caller_requests: {requests: 1, per: 2d}}"),
              HasSubstr("limits.caller_requests.per"));
  EXPECT_THAT(MistakesWithLine("limits: {caller_requests: {requests: 1}}"),
              HasSubstr("limits.caller_requests.per: is missing"));
  EXPECT_THAT(MistakesWithLine("limits: {tenant_requests: {per: 1m}}"),
              HasSubstr("limits.tenant_requests.requests: is missing"));
  EXPECT_THAT(MistakesWithLine("limits: {tenant_requests: {per: 1m, unlimited: true}}"),
              HasSubstr("limits.tenant_requests.per: does nothing while unlimited is true"));
  EXPECT_THAT(MistakesWithLine("limits: {device_requests: 10}"),
              HasSubstr("limits.device_requests"));
  // What belongs to callers is no tenant's.
  EXPECT_THAT(
      MistakesWithLine("tenants: {contoso: {limits: {caller_requests: {requests: 1, per: 1m}}}}"),
      HasSubstr("tenants.contoso.limits.caller_requests"));
}

}  // namespace
}  // namespace hourglass::issuance
