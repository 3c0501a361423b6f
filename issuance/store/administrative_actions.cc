#include "issuance/store/administrative_actions.h"

#include <string>

#include "ca/issuers/root_states.h"
#include "issuance/store/store_rules.h"

namespace hourglass::issuance {

bool IsPromotion(const RootStateChange& change) {
  return change.from == ca::RootState::kStaged && change.to == ca::RootState::kPrimary;
}

AdministrativeAction CreationOf(const RootRecord& root) {
  AdministrativeAction action;
  action.tenant_id = root.tenant_id;
  action.at = root.created_at;
  action.caller = root.created_by;
  action.action = "root_created";
  action.subject = root.root_id;
  action.to_state = std::string(ca::RootStateName(root.state));
  return action;
}

AdministrativeAction ChangeOf(absl::string_view tenant_id, const RootStateChange& change,
                              const RootChangeOrder& order) {
  AdministrativeAction action;
  action.tenant_id = std::string(tenant_id);
  action.at = order.now;
  action.caller = order.caller;
  action.action = std::string(ActionOf(change));
  action.subject = change.root_id;
  action.from_state = std::string(ca::RootStateName(change.from));
  action.to_state = std::string(ca::RootStateName(change.to));
  action.reason = order.reason;
  action.overrides = order.overrides && IsPromotion(change);
  return action;
}

AdministrativeAction ActionOn(absl::string_view tenant_id, absl::string_view subject,
                              absl::string_view action_name, const ChangeCause& cause) {
  AdministrativeAction action;
  action.tenant_id = std::string(tenant_id);
  action.at = cause.now;
  action.caller = cause.caller;
  action.action = std::string(action_name);
  action.subject = std::string(subject);
  action.reason = cause.reason;
  return action;
}

AdministrativeAction ChangeOfPolicy(const PolicyRecord* before, const PolicyVersion& made) {
  const PolicyRecord& policy = made.policy;
  const absl::string_view name = made.is_deleted     ? "policy_deleted"
                                 : before == nullptr ? "policy_imported"
                                                     : "policy_changed";
  AdministrativeAction action = ActionOn(policy.tenant_id, policy.policy_id, name,
                                         {policy.changed_at, policy.changed_by, made.reason});
  if (before != nullptr) action.from_state = before->state;
  if (!made.is_deleted) action.to_state = policy.state;
  return action;
}

}  // namespace hourglass::issuance
