// What is known of who signs in, how, and with which device. Each fact may be unknown, which is
// nullopt, and never the same as false or none: whoever supplies facts says so where he knows that
// there is nothing.
#ifndef HOURGLASS_ISSUANCE_ACCESS_FACTS_H_
#define HOURGLASS_ISSUANCE_ACCESS_FACTS_H_

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "issuance/access/device_attributes.h"
#include "issuance/access/id_set.h"
#include "issuance/access/ip_range.h"
#include "issuance/access/terms.h"
#include "issuance/base/clock.h"

namespace hourglass::access {

using issuance::Timestamp;

struct UserFacts {
  std::optional<std::string> id;  // object id
  std::optional<UserType> type;
  std::optional<std::string> home_tenant;  // id; of who is no member
  std::optional<IdSet> groups;             // all, nested ones among them
  std::optional<IdSet> roles;              // ids of their templates
};

struct SignInFacts {
  std::optional<IpAddress> address;    // as the service that verified the sign-in saw it
  std::optional<std::string> country;  // ISO 3166-1 of the address; "" : it belongs to none
  std::optional<std::string> gps_country;
  std::optional<ClientApp> client_app;
  std::optional<TransferMethod> transfer_method;
  std::optional<RiskLevel> sign_in_risk;
  std::optional<RiskLevel> user_risk;
  std::optional<InsiderRiskLevel> insider_risk;
  std::optional<Timestamp> authenticated_at;        // the last time by a first factor
  std::optional<bool> mfa;                          // multifactor authentication was performed
  std::optional<Timestamp> mfa_at;                  // the last time by a second factor
  std::optional<std::vector<std::string>> methods;  // of authentication, by Graph's names: `fido2`
  std::optional<IdSet> strengths;                   // ids of authentication strengths that it meets
  std::optional<IdSet> terms_accepted;              // ids of terms of use
  std::optional<IdSet> custom_factors;              // ids that were satisfied
  std::optional<bool> approved_application;
  std::optional<bool> app_protection;
  std::optional<bool> password_changed;
  std::optional<bool> risk_remediated;
  std::optional<bool> token_bound;  // to the key of who presents it
};

// From the directory or the device management, never from what the client says of itself.
struct DeviceFacts {
  std::optional<bool> registered;  // in the directory; false: all attributes are null
  std::optional<bool> managed;     // by the device management
  std::optional<TrustType> trust_type;
  std::optional<DeviceOwnership> ownership;
  std::optional<ComplianceState> compliance;
  std::optional<Platform> platform;
  // By DeviceAttribute. Unknown, or the values, of which a collection may have several and null
  // none. Of what a field above says, isCompliant, trustType and deviceOwnership, it is not used.
  std::array<std::optional<std::vector<std::string>>, kDeviceAttributes> attributes;

  std::optional<std::vector<std::string>>& attribute(DeviceAttribute which) {
    return attributes[static_cast<std::size_t>(which)];
  }
  const std::optional<std::vector<std::string>>& attribute(DeviceAttribute which) const {
    return attributes[static_cast<std::size_t>(which)];
  }
};

struct Facts {
  UserFacts user;
  SignInFacts sign_in;
  DeviceFacts device;
};

// The platform of an operating system as the directory and Intune write it: `Windows`, `iOS`,
// `iPad`, `MacMDM`, `AndroidForWork`. kUnlisted for whatever else is not empty.
std::optional<Platform> PlatformOf(absl::string_view operating_system);

}  // namespace hourglass::access

#endif  // HOURGLASS_ISSUANCE_ACCESS_FACTS_H_
