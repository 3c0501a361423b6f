#include "issuance/config/request_limits_config.h"

#include "absl/strings/string_view.h"

namespace hourglass::issuance {
namespace {

using yaml::Mapping;

constexpr int kMostRequests = 1'000'000;
constexpr std::chrono::seconds kShortestPeriod(1);
// Of a longer one too many devices would have to be remembered.
constexpr std::chrono::hours kLongestPeriod(24);

std::optional<Allowance> ReadAllowance(Mapping limits, absl::string_view name,
                                       std::optional<Allowance> usual) {
  Mapping fields = limits.Optional(name);
  if (!fields.present()) return usual;
  if (fields.Bool("unlimited").value_or(false)) {
    for (const char* other : {"requests", "per"}) {
      if (fields.Has(other)) fields.Mistake(other, "does nothing while unlimited is true");
    }
    return std::nullopt;
  }
  const std::optional<int> requests = fields.Integer("requests", 1, kMostRequests);
  const std::optional<std::chrono::milliseconds> per =
      fields.Duration("per", kShortestPeriod, kLongestPeriod);
  for (const char* needed : {"requests", "per"}) {
    if (!fields.Has(needed)) fields.Mistake(needed, "is missing");
  }
  return Allowance{requests.value_or(1), per.value_or(kShortestPeriod)};
}

TenantRequestLimits ReadTenantRequestLimits(Mapping limits, const TenantRequestLimits& usual) {
  return {ReadAllowance(limits, "device_requests", usual.device),
          ReadAllowance(limits, "tenant_requests", usual.tenant)};
}

}  // namespace

RequestLimitsConfig ReadRequestLimits(Mapping root) {
  Mapping fields = root.Optional("limits");
  RequestLimitsConfig limits;
  limits.caller = ReadAllowance(fields, "caller_requests", std::nullopt);
  limits.usual = ReadTenantRequestLimits(fields, {kUsualDeviceAllowance, std::nullopt});
  for (auto& [tenant_id, tenant] : root.NamedMappings("tenants")) {
    limits.by_tenant.emplace(tenant_id,
                             ReadTenantRequestLimits(tenant.Optional("limits"), limits.usual));
  }
  return limits;
}

}  // namespace hourglass::issuance
