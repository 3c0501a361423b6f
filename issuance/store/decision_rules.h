// What every store keeps of decisions, whatever database it is made of. All of it is pure, and safe
// to call from several threads.
#ifndef HOURGLASS_ISSUANCE_STORE_DECISION_RULES_H_
#define HOURGLASS_ISSUANCE_STORE_DECISION_RULES_H_

#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/store/access_records.h"
#include "issuance/store/decision_records.h"
#include "issuance/store/relying_party_store.h"

namespace hourglass::issuance {

// In tables: `device_not_compliant`, `access_refused`, `device_blocked`, `device_removed`,
// `user_blocked`, `user_disabled`, `access_lost`. Lives as long as the process.
absl::string_view NameOf(DecisionEvent::Kind kind);
// The reverse. Errors: JOURNAL_UNAVAILABLE for another name: the table is damaged.
absl::StatusOr<DecisionEvent::Kind> EventKindNamed(absl::string_view name);

// Of a block that `cause` puts. `user` is the user of the directory that it names, if there is one;
// without one a subject with an `@` is taken for a UPN, any other for an id.
DecisionEvent EventOf(const BlockRecord& block, const std::optional<DirectoryUser>& user,
                      const ChangeCause& cause);

// Of a user who becomes disabled, or comes so.
DecisionEvent EventOfDisabled(absl::string_view tenant_id, const DirectoryUser& user,
                              const ChangeCause& cause);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_DECISION_RULES_H_
