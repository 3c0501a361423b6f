// Tenants whose configuration leaves a wall out.
#ifndef HOURGLASS_ISSUANCE_AUTHORITIES_OPEN_TENANTS_H_
#define HOURGLASS_ISSUANCE_AUTHORITIES_OPEN_TENANTS_H_

#include <set>
#include <string>
#include <vector>

#include "issuance/config/config.h"

namespace hourglass::issuance {

// The ids of all tenants that the configuration names, in `tenants` or of a caller.
std::set<std::string> ConfiguredTenants(const Config& config);

// Those of `tenants` without upn_domains: their brokers may ask for a certificate for any user.
std::vector<std::string> TenantsOfAnyDomain(const Config& config,
                                            const std::set<std::string>& tenants);

// `contoso, fabrikam and 7 more`: at most ten by name.
std::string TenantsInWords(const std::vector<std::string>& tenants);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_AUTHORITIES_OPEN_TENANTS_H_
