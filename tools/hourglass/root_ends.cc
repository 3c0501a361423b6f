#include "tools/hourglass/root_ends.h"

#include "absl/strings/str_cat.h"
#include "tools/client/wording.h"

namespace hourglass::cli {
namespace {

// As in the service's log and metrics: docs/operations.md.
constexpr int kWithinDays[] = {0, 7, 14, 30, 90};

}  // namespace

std::optional<LastRootsEnd> LastRootsEndOf(const google::protobuf::RepeatedPtrField<v1::Root>& of,
                                           absl::Time now) {
  const v1::Root* last = nullptr;
  for (const v1::Root& root : of) {
    if (root.state() != v1::STAGED && root.state() != v1::PRIMARY) continue;
    if (last == nullptr || client::TimeOf(root.not_after()) > client::TimeOf(last->not_after())) {
      last = &root;
    }
  }
  if (last == nullptr) return std::nullopt;
  for (const int days : kWithinDays) {
    if (client::TimeOf(last->not_after()) <= now + days * absl::Hours(24)) {
      return LastRootsEnd{*last, days};
    }
  }
  return std::nullopt;
}

std::string EndInWords(const LastRootsEnd& end, absl::Time now) {
  const std::string when = client::TimeInWords(client::TimeOf(end.root.not_after()), now);
  return absl::StrCat(
      "Attention: root ", end.root.root_id(), ", the last of the tenant that can sign, ",
      end.within_days == 0 ? absl::StrCat("ended ", when, ".\n")
                           : absl::StrCat("ends within ", end.within_days, " days: ", when, ".\n"),
      "Next, make another and have relying parties trust it: hourglass roots create --tenant ",
      end.root.tenant_id(), " --duration 2y --key-type ec-p256\n");
}

client::Json EndAsJson(const LastRootsEnd& end) {
  return {{"root_id", end.root.root_id()},
          {"not_after", client::TimeForJson(client::TimeOf(end.root.not_after()))},
          {"within_days", end.within_days}};
}

}  // namespace hourglass::cli
