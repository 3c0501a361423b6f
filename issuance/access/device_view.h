// A device's attributes as policies see them.
#ifndef HOURGLASS_ISSUANCE_ACCESS_DEVICE_VIEW_H_
#define HOURGLASS_ISSUANCE_ACCESS_DEVICE_VIEW_H_

#include <string>

#include "absl/types/span.h"
#include "issuance/access/facts.h"
#include "issuance/access/truth.h"

namespace hourglass::access {

struct AttributeState {
  enum class Kind {
    kUnknown,
    kUnregistered,  // null, since the directory has no such device
    kNull,          // of a registered device
    kNotCounted,    // an extension attribute of a device that none of three makes trustworthy
    kValues,
  };
  Kind kind = Kind::kUnknown;
  absl::Span<const std::string> values;  // of kValues, at least one
};

// Facts of a device, with what follows from them. The facts must outlive it. Immutable.
class DeviceView {
 public:
  // `grace_is_compliant`: whether a device in its grace period counts as compliant.
  DeviceView(const DeviceFacts& facts, bool grace_is_compliant)
      : facts_(facts), grace_is_compliant_(grace_is_compliant) {}

  const DeviceFacts& facts() const { return facts_; }

  Truth registered() const { return Known(facts_.registered); }

  // Registered, and compliant. Unknown where the state of compliance is, or is that of another
  // management.
  Truth compliant() const;

  // Registered, and joined to an on-premises domain and Entra (trustType ServerAD).
  Truth hybrid_joined() const;

  // An extension attribute has a value only while the device is managed, compliant or hybrid joined
  // (Microsoft, "Filter for devices as a condition in Conditional Access policy").
  AttributeState Attribute(DeviceAttribute attribute) const;

 private:
  AttributeState RegisteredAttribute(DeviceAttribute attribute) const;

  const DeviceFacts& facts_;
  const bool grace_is_compliant_;
};

}  // namespace hourglass::access

#endif  // HOURGLASS_ISSUANCE_ACCESS_DEVICE_VIEW_H_
