#include "issuance/store/decision_rules.h"

#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"

namespace hourglass::issuance {
namespace {

using Kind = DecisionEvent::Kind;

constexpr std::pair<Kind, absl::string_view> kNames[] = {
    {Kind::kDeviceNotCompliant, "device_not_compliant"},
    {Kind::kAccessRefused, "access_refused"},
    {Kind::kDeviceBlocked, "device_blocked"},
    {Kind::kDeviceRemoved, "device_removed"},
    {Kind::kUserBlocked, "user_blocked"},
    {Kind::kUserDisabled, "user_disabled"},
    {Kind::kAccessLost, "access_lost"},
};

}  // namespace

absl::string_view NameOf(Kind kind) {
  for (const auto& [named, name] : kNames) {
    if (named == kind) return name;
  }
  return "";
}

absl::StatusOr<Kind> EventKindNamed(absl::string_view name) {
  for (const auto& [kind, named] : kNames) {
    if (named == name) return kind;
  }
  return Error(ErrorReason::kJournalUnavailable, "",
               absl::StrCat("the table of events is damaged: there is no kind ", name));
}

DecisionEvent EventOf(const BlockRecord& block, const std::optional<DirectoryUser>& user,
                      const ChangeCause& cause) {
  DecisionEvent event;
  event.tenant_id = block.tenant_id;
  event.at = cause.now;
  event.reason = cause.reason;
  if (block.kind == BlockRecord::Kind::kDevice) {
    event.kind = Kind::kDeviceBlocked;
    event.device_id = block.subject;
    return event;
  }
  event.kind = Kind::kUserBlocked;
  if (user.has_value()) {
    event.user_id = user->user_id;
    event.user_upn = user->upn;
  } else if (absl::StrContains(block.subject, '@')) {
    event.user_upn = block.subject;
  } else {
    event.user_id = block.subject;
  }
  return event;
}

DecisionEvent EventOfDisabled(absl::string_view tenant_id, const DirectoryUser& user,
                              const ChangeCause& cause) {
  DecisionEvent event;
  event.tenant_id = std::string(tenant_id);
  event.kind = Kind::kUserDisabled;
  event.at = cause.now;
  event.user_id = user.user_id;
  event.user_upn = user.upn;
  event.reason = cause.reason;
  return event;
}

}  // namespace hourglass::issuance
