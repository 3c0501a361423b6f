#include "issuance/store/access_rules.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "ca/names/name_rules.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/administrative_actions.h"

namespace hourglass::issuance {
namespace {

constexpr char kIdSeparator = '\n';

absl::Status Invalid(absl::string_view field, absl::string_view why) {
  return Error(ErrorReason::kFieldInvalid, field, why);
}

absl::Status Damaged(absl::string_view what) {
  return Error(ErrorReason::kJournalUnavailable, "",
               absl::StrCat("database: a table is damaged: unknown kind of a ", what));
}

bool AreTheSame(const PolicyRecord& one, const PolicyRecord& other) {
  return one.kind == other.kind && one.display_name == other.display_name &&
         one.state == other.state && one.document == other.document;
}

absl::Status CheckIds(absl::string_view field, const std::vector<std::string>& ids) {
  const bool is_ascending =
      std::adjacent_find(ids.begin(), ids.end(), std::greater_equal<>()) == ids.end();
  if (!is_ascending) return Invalid(field, "must be in the order of their octets, none twice");
  for (const std::string& id : ids) {
    if (id.empty()) return Invalid(field, "has an empty id");
    if (id.find(kIdSeparator) != std::string::npos) return Invalid(field, "has a line feed");
  }
  return absl::OkStatus();
}

// Adds to `changes` what makes `made` of `before`, which is null where there is none.
void Note(const PolicyRecord* before, PolicyVersion made, const ChangeCause& cause,
          PolicyChanges& changes) {
  made.policy.revision = changes.revision;
  made.policy.changed_at = cause.now;
  made.policy.changed_by = cause.caller;
  made.reason = cause.reason;
  changes.actions.push_back(ChangeOfPolicy(before, made));
  changes.versions.push_back(std::move(made));
}

}  // namespace

absl::Status UserUnknown(absl::string_view field) {
  return Error(ErrorReason::kUserUnknown, field, "the tenant's directory has no such user");
}

absl::Status UserExists() {
  return Error(ErrorReason::kUserExists, "upn",
               "another user of the tenant has this user principal name");
}

absl::Status BlockUnknown() {
  return Error(ErrorReason::kBlockUnknown, "subject", "is not blocked");
}

absl::string_view NameOf(PolicyKind kind) {
  switch (kind) {
    case PolicyKind::kConditionalAccess:
      break;
    case PolicyKind::kNamedLocation:
      return "named_location";
    case PolicyKind::kDeviceCompliance:
      return "device_compliance";
  }
  return "conditional_access";
}

absl::string_view NameOf(BlockRecord::Kind kind) {
  return kind == BlockRecord::Kind::kUser ? "user" : "device";
}

absl::StatusOr<PolicyKind> PolicyKindNamed(absl::string_view name) {
  for (const PolicyKind kind : {PolicyKind::kConditionalAccess, PolicyKind::kNamedLocation,
                                PolicyKind::kDeviceCompliance}) {
    if (name == NameOf(kind)) return kind;
  }
  return Damaged("policy");
}

absl::StatusOr<BlockRecord::Kind> BlockKindNamed(absl::string_view name) {
  for (const BlockRecord::Kind kind : {BlockRecord::Kind::kDevice, BlockRecord::Kind::kUser}) {
    if (name == NameOf(kind)) return kind;
  }
  return Damaged("block");
}

absl::Status CheckPolicyIds(absl::Span<const PolicyRecord> put,
                            absl::Span<const std::string> deleted) {
  std::vector<absl::string_view> ids(deleted.begin(), deleted.end());
  for (const PolicyRecord& policy : put) ids.emplace_back(policy.policy_id);
  std::sort(ids.begin(), ids.end());
  if (!ids.empty() && ids.front().empty()) return Invalid("policy_id", "is empty");
  const auto twice = std::adjacent_find(ids.begin(), ids.end());
  if (twice == ids.end()) return absl::OkStatus();
  return Invalid("policy_id", absl::StrCat(*twice, " is named twice"));
}

absl::StatusOr<PolicyChanges> PlanPolicyChanges(absl::string_view tenant_id, const PolicySet& there,
                                                std::optional<std::uint64_t> expected_revision,
                                                absl::Span<const PolicyRecord> put,
                                                absl::Span<const std::string> deleted,
                                                const ChangeCause& cause) {
  if (expected_revision.has_value() && *expected_revision != there.revision) {
    return Error(ErrorReason::kPoliciesChanged, "",
                 absl::StrCat("the tenant's policies changed in the meantime; their revision is ",
                              there.revision));
  }
  absl::flat_hash_map<absl::string_view, const PolicyRecord*> known;
  for (const PolicyRecord& policy : there.policies) known[policy.policy_id] = &policy;
  PolicyChanges changes;
  changes.revision = there.revision + 1;
  for (const std::string& policy_id : deleted) {
    const auto found = known.find(policy_id);
    if (found == known.end()) {
      return Error(ErrorReason::kPolicyUnknown, "policy_id",
                   absl::StrCat("the tenant has no policy ", policy_id));
    }
    PolicyVersion made = {*found->second, true, ""};
    made.policy.document.clear();
    Note(found->second, std::move(made), cause, changes);
  }
  for (const PolicyRecord& policy : put) {
    const auto found = known.find(policy.policy_id);
    const PolicyRecord* const before = found == known.end() ? nullptr : found->second;
    if (before != nullptr && AreTheSame(*before, policy)) continue;
    PolicyVersion made = {policy, false, ""};
    made.policy.tenant_id = std::string(tenant_id);
    Note(before, std::move(made), cause, changes);
  }
  if (changes.versions.empty()) changes.revision = there.revision;
  return changes;
}

absl::Status CheckUsers(absl::Span<const DirectoryUser> users) {
  if (users.size() > DirectoryStore::kMostUsersAtOnce) {
    return Invalid("users",
                   absl::StrCat("are more than ", DirectoryStore::kMostUsersAtOnce, " at once"));
  }
  absl::flat_hash_set<absl::string_view> ids;
  for (const DirectoryUser& user : users) {
    if (user.user_id.empty()) return Invalid("user_id", "is empty");
    if (!ids.insert(user.user_id).second) {
      return Invalid("user_id", absl::StrCat(user.user_id, " is named twice"));
    }
    if (ca::FoldedUpn(user.upn).empty()) return Invalid("upn", "is empty");
    RETURN_IF_ERROR(CheckIds("groups", user.groups));
    RETURN_IF_ERROR(CheckIds("roles", user.roles));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<UserColumns>> ColumnsOf(absl::Span<const DirectoryUser> users) {
  std::vector<UserColumns> columns;
  columns.reserve(users.size());  // `names` has what is in it
  absl::flat_hash_set<absl::string_view> names;
  for (const DirectoryUser& user : users) {
    const std::string separator(1, kIdSeparator);
    columns.push_back({ca::FoldedUpn(user.user_id), ca::FoldedUpn(user.upn),
                       absl::StrJoin(user.groups, separator),
                       absl::StrJoin(user.roles, separator)});
    if (!names.insert(columns.back().folded_upn).second) return UserExists();
  }
  return columns;
}

std::vector<std::string> IdsIn(absl::string_view column) {
  return absl::StrSplit(column, kIdSeparator, absl::SkipEmpty());
}

absl::StatusOr<std::string> FoldedSubject(absl::string_view subject) {
  std::string folded = ca::FoldedUpn(subject);
  if (folded.empty()) return Invalid("subject", "is empty");
  return folded;
}

absl::string_view BlockedName(BlockRecord::Kind kind) {
  return kind == BlockRecord::Kind::kUser ? "user_blocked" : "device_blocked";
}

absl::string_view UnblockedName(BlockRecord::Kind kind) {
  return kind == BlockRecord::Kind::kUser ? "user_unblocked" : "device_unblocked";
}

FoldedDecisionSubject Folded(const DecisionSubject& subject) {
  return {ca::FoldedUpn(subject.device_id), ca::FoldedUpn(subject.user_id),
          ca::FoldedUpn(subject.user_upn)};
}

std::string CountOfUsers(std::uint64_t count) {
  return absl::StrCat(count, count == 1 ? " user" : " users");
}

}  // namespace hourglass::issuance
