#include "issuance/base/tenant_id.h"

#include <algorithm>

#include "absl/strings/ascii.h"

namespace hourglass::issuance {

bool IsTenantId(absl::string_view text) {
  return !text.empty() && text.size() <= kMaxTenantIdSize && text.front() != '-' &&
         text.back() != '-' && std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-';
         });
}

}  // namespace hourglass::issuance
