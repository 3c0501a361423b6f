#include "issuance/rotation/tenant_key_name.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "issuance/base/tenant_id.h"

namespace hourglass::issuance {
namespace {

constexpr absl::string_view kBeforeTenant = "hourglass-";
constexpr absl::string_view kBeforeGeneration = "-r";

}  // namespace

std::string TenantKeyName(absl::string_view tenant_id, int generation) {
  return absl::StrCat(kBeforeTenant, tenant_id, kBeforeGeneration, generation);
}

std::optional<std::string> TenantOfKeyName(absl::string_view name) {
  absl::string_view rest = name;
  if (!absl::ConsumePrefix(&rest, kBeforeTenant)) return std::nullopt;
  const size_t end = rest.rfind(kBeforeGeneration);
  if (end == absl::string_view::npos) return std::nullopt;
  const absl::string_view tenant_id = rest.substr(0, end);
  int generation = 0;
  // Made again from what was read: so a sign, a blank and a leading zero are none.
  if (!IsTenantId(tenant_id) ||
      !absl::SimpleAtoi(rest.substr(end + kBeforeGeneration.size()), &generation) ||
      generation < 1 || TenantKeyName(tenant_id, generation) != name) {
    return std::nullopt;
  }
  return std::string(tenant_id);
}

}  // namespace hourglass::issuance
