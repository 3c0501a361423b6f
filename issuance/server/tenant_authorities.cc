#include "issuance/server/tenant_authorities.h"

#include <cstddef>

namespace hourglass::issuance {

TenantAuthorities::TenantAuthorities(const Config& config, Store* store, hsm::KeyStore* keys,
                                     Entropy* entropy, const Clock* clock, const EventLog& log)
    : sub_keys_(store, entropy, clock, log),
      tenants_(store, keys, config.issuing, config.tenants, &sub_keys_,
               static_cast<std::size_t>(config.limits.loaded_tenants)),
      roots_(store, keys, &tenants_, entropy, clock, log),
      keys_(store, keys, &roots_),
      bundles_(store, keys, log) {}

}  // namespace hourglass::issuance
