#include "issuance/access/device_attributes.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace hourglass::access {
namespace {

struct Row {
  DeviceAttribute attribute;
  absl::string_view name;
  AttributeForm form;
};

// In the order of the enumeration; the extension attributes follow.
constexpr Row kRows[] = {
    {DeviceAttribute::kDeviceId, "deviceId", AttributeForm::kId},
    {DeviceAttribute::kDisplayName, "displayName", AttributeForm::kText},
    {DeviceAttribute::kDeviceOwnership, "deviceOwnership", AttributeForm::kChoice},
    {DeviceAttribute::kEnrollmentProfileName, "enrollmentProfileName", AttributeForm::kText},
    {DeviceAttribute::kIsCompliant, "isCompliant", AttributeForm::kChoice},
    {DeviceAttribute::kManufacturer, "manufacturer", AttributeForm::kText},
    {DeviceAttribute::kMdmAppId, "mdmAppId", AttributeForm::kId},
    {DeviceAttribute::kModel, "model", AttributeForm::kText},
    {DeviceAttribute::kOperatingSystem, "operatingSystem", AttributeForm::kText},
    {DeviceAttribute::kOperatingSystemVersion, "operatingSystemVersion", AttributeForm::kText},
    {DeviceAttribute::kPhysicalIds, "physicalIds", AttributeForm::kCollection},
    {DeviceAttribute::kProfileType, "profileType", AttributeForm::kChoice},
    {DeviceAttribute::kSystemLabels, "systemLabels", AttributeForm::kCollection},
    {DeviceAttribute::kTrustType, "trustType", AttributeForm::kChoice},
};

constexpr absl::string_view kTruths[] = {"True", "False"};
constexpr absl::string_view kOwnerships[] = {"Personal", "Company"};
constexpr absl::string_view kTrustTypes[] = {"AzureAD", "ServerAD", "Workplace"};

int ExtensionNumber(DeviceAttribute attribute) {
  return static_cast<int>(attribute) - static_cast<int>(DeviceAttribute::kExtensionAttribute1) + 1;
}

}  // namespace

bool IsExtensionAttribute(DeviceAttribute attribute) {
  return attribute >= DeviceAttribute::kExtensionAttribute1;
}

std::string AttributeName(DeviceAttribute attribute) {
  if (IsExtensionAttribute(attribute)) {
    return absl::StrCat("extensionAttribute", ExtensionNumber(attribute));
  }
  return std::string(kRows[static_cast<std::size_t>(attribute)].name);
}

std::optional<DeviceAttribute> AttributeOfName(absl::string_view name) {
  for (std::size_t i = 0; i < kDeviceAttributes; ++i) {
    const auto attribute = static_cast<DeviceAttribute>(i);
    if (absl::EqualsIgnoreCase(AttributeName(attribute), name)) return attribute;
  }
  return std::nullopt;
}

AttributeForm FormOf(DeviceAttribute attribute) {
  if (IsExtensionAttribute(attribute)) return AttributeForm::kText;
  return kRows[static_cast<std::size_t>(attribute)].form;
}

absl::Span<const absl::string_view> ChoicesOf(DeviceAttribute attribute) {
  switch (attribute) {
    case DeviceAttribute::kIsCompliant:
      return kTruths;
    case DeviceAttribute::kDeviceOwnership:
      return kOwnerships;
    case DeviceAttribute::kTrustType:
      return kTrustTypes;
    default:
      return {};
  }
}

}  // namespace hourglass::access
