// What the administrative journal says of a change, whatever database keeps it. All of it is pure,
// and safe to call from several threads.
#ifndef HOURGLASS_ISSUANCE_STORE_ADMINISTRATIVE_ACTIONS_H_
#define HOURGLASS_ISSUANCE_STORE_ADMINISTRATIVE_ACTIONS_H_

#include "absl/strings/string_view.h"
#include "issuance/store/access_records.h"
#include "issuance/store/records.h"
#include "issuance/store/relying_party_store.h"
#include "issuance/store/tenant_store.h"

namespace hourglass::issuance {

// Whether the change makes a STAGED root PRIMARY.
bool IsPromotion(const RootStateChange& change);

// `root_created`, as of `created_at` by `created_by`. Of each of these the store gives the
// sequence.
AdministrativeAction CreationOf(const RootRecord& root);

// As ActionOf (issuance/store/store_rules.h) calls the change. Only of a promotion it says that it
// overrides.
AdministrativeAction ChangeOf(absl::string_view tenant_id, const RootStateChange& change,
                              const RootChangeOrder& order);

// What has no states: `action` is one of those of relying parties, users or blocks
// (AdministrativeAction::action).
AdministrativeAction ActionOn(absl::string_view tenant_id, absl::string_view subject,
                              absl::string_view action, const ChangeCause& cause);

// `policy_imported` where there was none before (null), else `policy_changed` or `policy_deleted`;
// as of when, by whom and why `made` was made.
AdministrativeAction ChangeOfPolicy(const PolicyRecord* before, const PolicyVersion& made);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_ADMINISTRATIVE_ACTIONS_H_
