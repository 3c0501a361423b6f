// The part of the configuration file that says how often certificates may be asked for.
#ifndef HOURGLASS_ISSUANCE_CONFIG_REQUEST_LIMITS_CONFIG_H_
#define HOURGLASS_ISSUANCE_CONFIG_REQUEST_LIMITS_CONFIG_H_

#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "issuance/yaml/mapping.h"

namespace hourglass::issuance {

// `requests` at once, and after that one each `per` / `requests`.
struct Allowance {
  int requests = 1;                                         // 1 to 1000000
  std::chrono::milliseconds per = std::chrono::seconds(1);  // 1 s to 1 d

  bool operator==(const Allowance&) const = default;
};

// What a device uses that renews every half hour, for two users and with each request repeated
// once, is an eighth of it.
inline constexpr Allowance kUsualDeviceAllowance = {10, std::chrono::minutes(5)};

// None: as often as they like.
struct TenantRequestLimits {
  std::optional<Allowance> device;  // each of the tenant's
  std::optional<Allowance> tenant;  // all of its requests together
};

struct RequestLimitsConfig {
  std::optional<Allowance> caller;  // each one
  // Of tenants that are not in `by_tenant`.
  TenantRequestLimits usual;
  std::map<std::string, TenantRequestLimits> by_tenant;
};

// `caller_requests`, `device_requests` and `tenant_requests` of `limits` of the file's root, and
// the latter two of the tenants' `limits`, where what is not given is as for all. What it returns
// counts only if the document ends without a mistake.
RequestLimitsConfig ReadRequestLimits(yaml::Mapping root);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_CONFIG_REQUEST_LIMITS_CONFIG_H_
