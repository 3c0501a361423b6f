#include "issuance/request_fields.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"

namespace hourglass::issuance {

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

absl::Status CheckTenantId(absl::string_view id) {
  RETURN_IF_ERROR(CheckId(id, kMaxTenantIdSize, "tenant_id"));
  const auto allowed = [](unsigned char c) {
    return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-';
  };
  if (!std::all_of(id.begin(), id.end(), allowed) || id.front() == '-' || id.back() == '-') {
    return Error(ErrorReason::kFieldInvalid, "tenant_id",
                 "may hold only a-z, 0-9 and inner hyphens");
  }
  return absl::OkStatus();
}

}  // namespace hourglass::issuance
