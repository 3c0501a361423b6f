// What a tenant issues and may have, for whoever issues: the one part of the configuration that
// other rooms work with by themselves.
#ifndef HOURGLASS_ISSUANCE_CONFIG_ISSUING_CONFIG_H_
#define HOURGLASS_ISSUANCE_CONFIG_ISSUING_CONFIG_H_

#include <chrono>

#include "ca/certificate/profile.h"
#include "ca/request/certificate_request.h"
#include "hsm/key/signing_key.h"
#include "issuance/config/rotation_policy.h"
#include "issuance/identity/upn_domains.h"

namespace hourglass::issuance {

// Whether leaves are signed by a short-lived sub-key in this process's memory instead of by the
// primary's own key, which may be slow. Only for roots that allow it.
struct SubKeyConfig {
  bool enabled = false;
  // Of its certificate: 1 hour to 30 days, and at least four times the leaf's.
  std::chrono::seconds lifetime = std::chrono::hours(24);
  hsm::KeyType key_type = hsm::KeyType::kEcP256;
};

// What a tenant may have; see issuance/rotation/tenant_quota.h.
struct TenantQuota {
  int roots = 20;  // STAGED, PRIMARY or RETIRING, 1 to 1000
  int keys = 200;  // not destroyed, 1 to 100000
};

// How certificates map to Windows accounts (KB5014754). Whether the SID is also a URI is a matter
// of the leaf profile.
struct StrongMapping {
  // The SID of whom the directory, or a verified access token, has one of.
  bool sid_extension = true;
  // Nothing is issued to others. Only with sid_extension.
  bool required = false;
};

// Whether devices must prove by an enrolled key that they ask (docs/device-keys.md).
enum class DeviceKeyUse {
  kOff,           // nobody looks: the way out where devices cannot sign
  kWhenEnrolled,  // those that have a key, or had one
  kRequired,      // all
};

// What a tenant issues; `issuing:` gives the default, `tenants: {ID: …}` replaces single fields.
struct IssuingConfig {
  ca::LeafProfileOptions profile;
  StrongMapping strong_mapping;
  ca::KeyPolicy key_policy;
  SubKeyConfig sub_key;
  // Of a tenant only, never of all.
  UpnDomains upn_domains;
  TenantQuota quota;
  RotationPolicy rotation;
  DeviceKeyUse device_keys = DeviceKeyUse::kWhenEnrolled;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_CONFIG_ISSUING_CONFIG_H_
