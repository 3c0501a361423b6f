#include "issuance/wire/request_fields.h"

#include <algorithm>
#include <optional>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "ca/encoding/utf8.h"
#include "ca/names/name_rules.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/base/tenant_id.h"

namespace hourglass::issuance {
namespace {

// Records of a page, as the protos have it.
constexpr std::uint32_t kUsualPage = 100;
constexpr std::uint32_t kLargestPage = 1000;

}  // namespace

absl::Status CheckId(absl::string_view id, std::size_t max_size, absl::string_view field) {
  if (id.empty()) return Error(ErrorReason::kFieldMissing, field, "is required");
  if (id.size() > max_size) {
    return Error(
        ErrorReason::kFieldInvalid, field,
        absl::StrCat("has ", id.size(), " characters, at most ", max_size, " are allowed"));
  }
  const auto graphic = [](unsigned char c) { return absl::ascii_isgraph(c); };
  if (!std::all_of(id.begin(), id.end(), graphic)) {
    return Error(ErrorReason::kFieldInvalid, field,
                 "may hold only printable ASCII characters and no space");
  }
  return absl::OkStatus();
}

absl::Status CheckNewDeviceId(absl::string_view id) {
  RETURN_IF_ERROR(CheckId(id, kMaxDeviceIdSize, "device_id"));
  const std::optional<std::string> fault = ca::FaultInId(id);
  if (!fault.has_value()) return absl::OkStatus();
  return Error(ErrorReason::kFieldInvalid, "device_id", *fault);
}

absl::Status CheckUpnText(absl::string_view upn, absl::string_view field) {
  const std::optional<ca::Utf8Text> text = ca::DecodeUtf8(upn);
  if (upn.size() <= ca::kMaxUpnSize && text.has_value() && !text->has_controls)
    return absl::OkStatus();
  return Error(ErrorReason::kFieldInvalid, field,
               absl::StrCat("must be at most ", ca::kMaxUpnSize,
                            " octets of UTF-8 without control characters"));
}

absl::Status CheckReason(absl::string_view reason, absl::string_view field) {
  if (absl::StripAsciiWhitespace(reason).empty())
    return Error(ErrorReason::kFieldMissing, field, "is required");
  const std::optional<ca::Utf8Text> text = ca::DecodeUtf8(reason);
  if (reason.size() <= kMaxReasonSize && text.has_value() && !text->has_controls) {
    return absl::OkStatus();
  }
  return Error(ErrorReason::kFieldInvalid, field,
               absl::StrCat("must be at most ", kMaxReasonSize,
                            " octets of UTF-8 without control characters"));
}

absl::Status CheckCallerName(absl::string_view name, absl::string_view field) {
  if (name.empty()) return Error(ErrorReason::kFieldMissing, field, "is required");
  const std::optional<ca::Utf8Text> text = ca::DecodeUtf8(name);
  if (text.has_value() && text->characters <= kMaxCallerNameSize && !text->has_controls) {
    return absl::OkStatus();
  }
  return Error(ErrorReason::kFieldInvalid, field,
               absl::StrCat("must be at most ", kMaxCallerNameSize,
                            " characters of UTF-8 without control characters"));
}

absl::StatusOr<int> PageSize(std::uint32_t requested) {
  if (requested > kLargestPage) {
    return Error(ErrorReason::kFieldInvalid, "page_size",
                 absl::StrCat("at most ", kLargestPage, " are given at once"));
  }
  return static_cast<int>(requested == 0 ? kUsualPage : requested);
}

absl::Status CheckTenantId(absl::string_view id) {
  if (id.empty()) return Error(ErrorReason::kFieldMissing, "tenant_id", "is required");
  if (!IsTenantId(id)) return Error(ErrorReason::kFieldInvalid, "tenant_id", kTenantIdForm);
  return absl::OkStatus();
}

}  // namespace hourglass::issuance
