#include "issuance/access/device_view.h"

namespace hourglass::access {
namespace {

using Kind = AttributeState::Kind;

// One text of an enumeration's names, as long as the process.
template <typename Enum>
absl::Span<const std::string> TextOf(Enum value) {
  static const auto* const kTexts = [] {
    auto* const texts = new std::vector<std::string>();
    for (const NamedValue<Enum>& named : GraphNames<Enum>()) texts->emplace_back(named.name);
    return texts;
  }();
  std::size_t place = 0;
  for (const NamedValue<Enum>& named : GraphNames<Enum>()) {
    if (named.value == value) break;
    ++place;
  }
  return absl::MakeConstSpan(*kTexts).subspan(place, 1);
}

template <typename Enum>
AttributeState StateOf(const std::optional<Enum>& fact) {
  if (!fact.has_value()) return {};
  return {Kind::kValues, TextOf(*fact)};
}

AttributeState StateOfTruth(Truth truth) {
  static const std::string* const kTexts = new std::string[2]{"False", "True"};
  if (truth == Truth::kUnknown) return {};
  return {Kind::kValues, absl::MakeConstSpan(kTexts + (truth == Truth::kYes ? 1 : 0), 1)};
}

}  // namespace

Truth DeviceView::compliant() const {
  Truth state = Truth::kUnknown;
  switch (facts_.compliance.value_or(ComplianceState::kUnknown)) {
    case ComplianceState::kCompliant:
      state = Truth::kYes;
      break;
    case ComplianceState::kInGracePeriod:
      state = Known(grace_is_compliant_);
      break;
    case ComplianceState::kNoncompliant:
    case ComplianceState::kConflict:
    case ComplianceState::kError:
      state = Truth::kNo;
      break;
    case ComplianceState::kUnknown:
    case ComplianceState::kConfigManager:
      break;
  }
  return And(registered(), state);
}

Truth DeviceView::hybrid_joined() const {
  const Truth joined = facts_.trust_type.has_value()
                           ? Known(*facts_.trust_type == TrustType::kServerAd)
                           : Truth::kUnknown;
  return And(registered(), joined);
}

AttributeState DeviceView::Attribute(DeviceAttribute attribute) const {
  if (registered() == Truth::kUnknown) return {};
  if (registered() == Truth::kNo) return {Kind::kUnregistered, {}};
  if (!IsExtensionAttribute(attribute)) return RegisteredAttribute(attribute);
  switch (Or(Known(facts_.managed), Or(compliant(), hybrid_joined()))) {
    case Truth::kYes:
      return RegisteredAttribute(attribute);
    case Truth::kNo:
      return {Kind::kNotCounted, {}};
    default:
      return {};
  }
}

AttributeState DeviceView::RegisteredAttribute(DeviceAttribute attribute) const {
  switch (attribute) {
    case DeviceAttribute::kIsCompliant:
      return StateOfTruth(compliant());
    case DeviceAttribute::kTrustType:
      return StateOf(facts_.trust_type);
    case DeviceAttribute::kDeviceOwnership:
      return StateOf(facts_.ownership);
    default:
      break;
  }
  const auto& values = facts_.attribute(attribute);
  if (!values.has_value()) return {};
  if (values->empty()) return {Kind::kNull, {}};
  return {Kind::kValues, *values};
}

}  // namespace hourglass::access
