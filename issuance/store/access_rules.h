// What every store refuses, keeps and records of policies, users and blocks, whatever database it
// is made of. The contract (issuance/store/access_store.h) names the reasons; a database finds out
// what is there, and asks here. All of it is pure, and safe to call from several threads.
#ifndef HOURGLASS_ISSUANCE_STORE_ACCESS_RULES_H_
#define HOURGLASS_ISSUANCE_STORE_ACCESS_RULES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "issuance/store/access_records.h"
#include "issuance/store/access_store.h"

namespace hourglass::issuance {

// USER_UNKNOWN with this field; USER_EXISTS with field `upn`; BLOCK_UNKNOWN with field `subject`.
absl::Status UserUnknown(absl::string_view field);
absl::Status UserExists();
absl::Status BlockUnknown();

// In tables: `conditional_access`, `named_location`, `device_compliance`; `device`, `user`. Live as
// long as the process.
absl::string_view NameOf(PolicyKind kind);
absl::string_view NameOf(BlockRecord::Kind kind);
// The reverse. Errors: JOURNAL_UNAVAILABLE for another name: the table is damaged.
absl::StatusOr<PolicyKind> PolicyKindNamed(absl::string_view name);
absl::StatusOr<BlockRecord::Kind> BlockKindNamed(absl::string_view name);

// What a change of policies comes to.
struct PolicyChanges {
  std::uint64_t revision = 0;           // after it
  std::vector<PolicyVersion> versions;  // what is made by it; none where nothing changes
  std::vector<AdministrativeAction> actions;
};

// No id is empty or named twice, else FIELD_INVALID with field `policy_id`.
absl::Status CheckPolicyIds(absl::Span<const PolicyRecord> put,
                            absl::Span<const std::string> deleted);

// Of a tenant whose policies are `there`, after CheckPolicyIds. Errors: POLICIES_CHANGED,
// POLICY_UNKNOWN; as PolicyStore::ChangePolicies has them.
absl::StatusOr<PolicyChanges> PlanPolicyChanges(absl::string_view tenant_id, const PolicySet& there,
                                                std::optional<std::uint64_t> expected_revision,
                                                absl::Span<const PolicyRecord> put,
                                                absl::Span<const std::string> deleted,
                                                const ChangeCause& cause);

// Whether these may be users of one import. Errors: FIELD_INVALID, as DirectoryStore::PutUsers has
// it.
absl::Status CheckUsers(absl::Span<const DirectoryUser> users);

// How a user is kept, beside what he has as it is.
struct UserColumns {
  std::string folded_id;   // ca::FoldedUpn, as blocks have it
  std::string folded_upn;  // ca::FoldedUpn
  std::string groups;      // an id a line, without a line feed at the end
  std::string roles;
};
// One a user, after CheckUsers. Errors: USER_EXISTS where two of them have one UPN.
absl::StatusOr<std::vector<UserColumns>> ColumnsOf(absl::Span<const DirectoryUser> users);
// The reverse of UserColumns::groups.
std::vector<std::string> IdsIn(absl::string_view column);

// Who is blocked, folded. Errors: FIELD_INVALID with field `subject` where nothing is left of it.
absl::StatusOr<std::string> FoldedSubject(absl::string_view subject);

// How the administrative journal calls it: `device_blocked`, `user_unblocked`. Live as long as the
// process.
absl::string_view BlockedName(BlockRecord::Kind kind);
absl::string_view UnblockedName(BlockRecord::Kind kind);

// Of whom a verdict's facts are read, folded; empty where that is not known.
struct FoldedDecisionSubject {
  std::string device_id;
  std::string user_id;
  std::string user_upn;
};
FoldedDecisionSubject Folded(const DecisionSubject& subject);

// `1 user`, `17 users`.
std::string CountOfUsers(std::uint64_t count);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_ACCESS_RULES_H_
