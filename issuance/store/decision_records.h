// What is kept of decisions against somebody: refusals, and events for whoever ends connections.
#ifndef HOURGLASS_ISSUANCE_STORE_DECISION_RECORDS_H_
#define HOURGLASS_ISSUANCE_STORE_DECISION_RECORDS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "issuance/base/clock.h"

namespace hourglass::issuance {

// A request for a certificate that a verdict denied.
struct RefusalRecord {
  std::string tenant_id;
  std::uint64_t sequence = 0;  // grows with every refusal of the store, which gives it
  std::string verdict_id;      // unique in the tenant: what the user reads out
  Timestamp at = {};           // when the verdict was evaluated
  std::string caller;          // its name
  std::string user_id;         // may be empty
  std::string user_upn;
  std::string device_id;
  std::string request_id;
  std::string policy_version;
  std::string reasons;  // hourglass.v1.DenyReasons, serialized

  bool operator==(const RefusalRecord&) const = default;
};

// Somebody's certificates should count no more, although they have not expired.
struct DecisionEvent {
  enum class Kind {
    kDeviceNotCompliant,  // a report of the device no longer satisfies
    kAccessRefused,       // a verdict denied the user on the device a certificate
    kDeviceBlocked,
    kDeviceRemoved,
    kUserBlocked,
    kUserDisabled,
    kAccessLost,  // the user on the device would be denied a certificate, though nobody asked
  };
  std::string tenant_id;
  std::uint64_t sequence = 0;  // grows with every event of the tenant; the store gives it
  Kind kind = Kind::kDeviceNotCompliant;
  Timestamp at = {};
  std::string device_id;   // empty where it is about a user alone
  std::string user_id;     // with user_upn: whom it is about; both empty where it is all users of
  std::string user_upn;    // the device, one where only that is known
  std::string verdict_id;  // of kAccessRefused
  std::string reason;      // as an administrator gave it
  std::string reasons;     // hourglass.v1.DenyReasons, serialized; empty where `reason` says it

  bool operator==(const DecisionEvent&) const = default;
};

// An event to be told unless one was since the newest certificate concerned: so a device that goes
// on being refused or reported is told of once for all of its certificates.
struct UntoldEvent {
  DecisionEvent event;
  Timestamp newest_intended_at = {};  // of the certificates concerned
};

// Each narrows if set.
struct RefusalFilter {
  std::string verdict_id = {};
  std::string device_id = {};
  std::string user_upn = {};  // finds all that ca::FoldedUpn makes the same
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_DECISION_RECORDS_H_
