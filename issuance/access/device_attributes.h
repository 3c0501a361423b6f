// The attributes of devices that filter rules may ask for.
#ifndef HOURGLASS_ISSUANCE_ACCESS_DEVICE_ATTRIBUTES_H_
#define HOURGLASS_ISSUANCE_ACCESS_DEVICE_ATTRIBUTES_H_

#include <cstddef>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace hourglass::access {

enum class DeviceAttribute {
  kDeviceId,
  kDisplayName,
  kDeviceOwnership,
  kEnrollmentProfileName,
  kIsCompliant,
  kManufacturer,
  kMdmAppId,
  kModel,
  kOperatingSystem,
  kOperatingSystemVersion,
  kPhysicalIds,
  kProfileType,
  kSystemLabels,
  kTrustType,
  kExtensionAttribute1,
  kExtensionAttribute15 = kExtensionAttribute1 + 14,
};

inline constexpr std::size_t kDeviceAttributes =
    static_cast<std::size_t>(DeviceAttribute::kExtensionAttribute15) + 1;

// Which operators an attribute has.
enum class AttributeForm {
  kText,        // all
  kId,          // -eq -ne -in -notIn
  kChoice,      // -eq -ne
  kCollection,  // -contains -notContains, of a whole element
};

// `operatingSystemVersion`.
std::string AttributeName(DeviceAttribute attribute);

// The attribute of a name without `device.`, in whatever case: Microsoft's own examples differ
// there. Nullopt for other text.
std::optional<DeviceAttribute> AttributeOfName(absl::string_view name);

AttributeForm FormOf(DeviceAttribute attribute);

// extensionAttribute1 to 15.
bool IsExtensionAttribute(DeviceAttribute attribute);

// The only values that the attribute can have: `True`, `False`. Empty: whatever there is.
absl::Span<const absl::string_view> ChoicesOf(DeviceAttribute attribute);

}  // namespace hourglass::access

#endif  // HOURGLASS_ISSUANCE_ACCESS_DEVICE_ATTRIBUTES_H_
