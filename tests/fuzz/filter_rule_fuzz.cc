// A rule is refused at one of its columns, or it is read, written and read again as it is. What it
// says of a device with fewer facts is the same or not known; and -not before it turns what it
// says.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "ca/encoding/utf8.h"
#include "hsm/base/error.h"
#include "issuance/access/filter_rule.h"

namespace hourglass::access {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

void CheckRefusal(absl::string_view text, const absl::Status& status) {
  Require(ReasonOf(status) == ErrorReason::kFieldInvalid && FieldOf(status) == "rule");
  absl::string_view message = status.message();
  Require(absl::ConsumePrefix(&message, "rule: column "));
  int column = 0;
  Require(absl::SimpleAtoi(message.substr(0, message.find(':')), &column) && column >= 1);
  const auto decoded = ca::DecodeUtf8(text);
  Require(static_cast<std::size_t>(column) <= (decoded.has_value() ? decoded->characters + 1 : 1));
}

// Managed, so that every attribute counts; the last has values, one is null.
DeviceFacts Device() {
  DeviceFacts device;
  device.registered = device.managed = true;
  device.compliance = ComplianceState::kCompliant;
  device.trust_type = TrustType::kAzureAd;
  device.ownership = DeviceOwnership::kPersonal;
  for (auto& attribute : device.attributes) attribute = std::vector<std::string>{"a"};
  device.attribute(DeviceAttribute::kModel) = std::vector<std::string>();
  device.attribute(DeviceAttribute::kPhysicalIds) = std::vector<std::string>{"a", "b"};
  return device;
}

Truth Ask(const FilterRule& rule, const DeviceFacts& device) {
  return rule.Matches(DeviceView(device, /*grace_is_compliant=*/true));
}

void CheckMeaning(const FilterRule& rule) {
  const DeviceFacts all = Device();
  const Truth truth = Ask(rule, all);
  Require(truth != Truth::kUnknown);
  const absl::StatusOr<FilterRule> negation =
      FilterRule::Parse(absl::StrCat("-not (", rule.Text(), ")"));
  if (negation.ok()) Require(Ask(*negation, all) == Not(truth));
  for (std::size_t i = 0; i < kDeviceAttributes + 4; ++i) {
    DeviceFacts fewer = all;
    if (i < kDeviceAttributes) fewer.attributes[i].reset();
    if (i == kDeviceAttributes) fewer.registered.reset();
    if (i == kDeviceAttributes + 1) fewer.compliance.reset();
    if (i == kDeviceAttributes + 2) fewer.trust_type.reset();
    if (i == kDeviceAttributes + 3) fewer.ownership.reset();
    const Truth then = Ask(rule, fewer);
    Require(then == Truth::kUnknown || then == truth);
  }
}

void Check(absl::string_view text) {
  const absl::StatusOr<FilterRule> rule = FilterRule::Parse(text);
  if (!rule.ok()) return CheckRefusal(text, rule.status());
  const std::string written = rule->Text();
  const absl::StatusOr<FilterRule> again = FilterRule::Parse(written);
  // What is written is longer than what was read where there were no blanks.
  const auto decoded = ca::DecodeUtf8(written);
  Require(decoded.has_value());
  Require(again.ok() ? *again == *rule && again->Text() == written
                     : decoded->characters > kMaxFilterRule);
  CheckMeaning(*rule);
}

}  // namespace
}  // namespace hourglass::access

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  hourglass::access::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
