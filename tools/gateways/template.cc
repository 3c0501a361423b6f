#include "tools/gateways/template.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"

namespace hourglass::gateways {
namespace {

constexpr absl::string_view kOpening = "{{";
constexpr absl::string_view kClosing = "}}";

absl::Status Unfit(absl::string_view what) {
  return Error(ErrorReason::kInternalError, "", absl::StrCat("a template of a kit ", what));
}

}  // namespace

absl::StatusOr<std::string> FillTemplate(
    absl::string_view text,
    std::initializer_list<std::pair<absl::string_view, absl::string_view>> places) {
  std::string filled;
  std::set<absl::string_view> used;
  while (true) {
    const std::size_t opening = text.find(kOpening);
    absl::StrAppend(&filled, text.substr(0, opening));
    if (opening == absl::string_view::npos) break;
    text.remove_prefix(opening + kOpening.size());
    const std::size_t closing = text.find(kClosing);
    if (closing == absl::string_view::npos) return Unfit("has a place that does not end");
    const absl::string_view name = text.substr(0, closing);
    const auto* const place = std::find_if(places.begin(), places.end(),
                                           [&](const auto& one) { return one.first == name; });
    if (place == places.end()) return Unfit(absl::StrCat("has an unknown place, ", name));
    absl::StrAppend(&filled, place->second);
    used.insert(place->first);
    text.remove_prefix(closing + kClosing.size());
  }
  for (const auto& [name, value] : places) {
    if (used.count(name) == 0) return Unfit(absl::StrCat("has no place for ", name));
  }
  return filled;
}

}  // namespace hourglass::gateways
