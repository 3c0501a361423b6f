#include "tools/gateways/kit.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "hsm/base/error.h"

namespace hourglass::gateways {
namespace {

constexpr absl::string_view kNoneNeeded = "-";

constexpr KitValue kCommonValues[] = {
    {"follower_folder",
     "the folder on the gateway where hourglass-bundle has its certificate (client.pem), its key "
     "(client.key) and the service's root (service-ca.pem)",
     "/etc/hourglass/gateway"},
};

std::vector<KitValue> AllValues(const Kit& kit) {
  std::vector<KitValue> all(kit.values.begin(), kit.values.end());
  const absl::Span<const KitValue> common = CommonValues();
  all.insert(all.end(), common.begin(), common.end());
  return all;
}

}  // namespace

absl::Span<const KitValue> CommonValues() { return kCommonValues; }

absl::StatusOr<Values> CompleteValues(const Kit& kit, Values given) {
  const std::vector<KitValue> all = AllValues(kit);
  for (const auto& [name, value] : given) {
    const bool is_known = std::any_of(
        all.begin(), all.end(), [&name = name](const KitValue& one) { return one.name == name; });
    if (is_known) continue;
    const std::string names = absl::StrJoin(
        all, ", ", [](std::string* out, const KitValue& one) { absl::StrAppend(out, one.name); });
    return Error(ErrorReason::kFieldInvalid, name,
                 absl::StrCat("the kit ", kit.kind, " has no such value; it has ", names));
  }
  std::vector<absl::string_view> missing;
  std::string words;
  for (const KitValue& value : all) {
    if (given.find(value.name) != given.end()) continue;
    if (value.fallback.empty()) {
      missing.push_back(value.name);
      // One line: messages are shown on one.
      absl::StrAppend(&words, words.empty() ? " " : "; ",
                      value.is_secret ? "--set-file " : "--set ", value.name, "=",
                      value.is_secret ? "FILE" : "VALUE", " (", value.words, ")");
    } else {
      given.emplace(value.name, value.fallback == kNoneNeeded ? "" : value.fallback);
    }
  }
  if (missing.empty()) return given;
  return Error(ErrorReason::kFieldMissing, absl::StrJoin(missing, ", "),
               absl::StrCat("must be given:", words));
}

}  // namespace hourglass::gateways
