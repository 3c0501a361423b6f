// Part of the running service: what tenants sign with, its administration, and what is to be
// trusted of it.
#ifndef HOURGLASS_ISSUANCE_SERVER_TENANT_AUTHORITIES_H_
#define HOURGLASS_ISSUANCE_SERVER_TENANT_AUTHORITIES_H_

#include "hsm/store/key_store.h"
#include "issuance/authorities/sub_keys.h"
#include "issuance/authorities/tenants.h"
#include "issuance/base/clock.h"
#include "issuance/base/entropy.h"
#include "issuance/config/config.h"
#include "issuance/log/event_log.h"
#include "issuance/rotation/key_administration.h"
#include "issuance/rotation/root_administration.h"
#include "issuance/rotation/trust_bundles.h"
#include "issuance/store/store.h"

namespace hourglass::issuance {

// Snapshots of tenants, their issuing sub-keys, roots, keys and trust bundles. Safe to call from
// several threads.
class TenantAuthorities {
 public:
  // Opens no key yet. All must outlive this object.
  TenantAuthorities(const Config& config, Store* store, hsm::KeyStore* keys, Entropy* entropy,
                    const Clock* clock, const EventLog& log);
  // Waits for renewals of sub-keys that are under way.
  ~TenantAuthorities() = default;
  TenantAuthorities(const TenantAuthorities&) = delete;
  TenantAuthorities& operator=(const TenantAuthorities&) = delete;

  Tenants* tenants() { return &tenants_; }
  RootAdministration* roots() { return &roots_; }
  KeyAdministration* keys() { return &keys_; }
  TrustBundles* bundles() { return &bundles_; }

 private:
  // Each uses those before it.
  SubKeys sub_keys_;
  Tenants tenants_;
  RootAdministration roots_;
  KeyAdministration keys_;
  TrustBundles bundles_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVER_TENANT_AUTHORITIES_H_
