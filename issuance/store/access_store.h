// The roles of the store that keep what decides who may connect.
#ifndef HOURGLASS_ISSUANCE_STORE_ACCESS_STORE_H_
#define HOURGLASS_ISSUANCE_STORE_ACCESS_STORE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "issuance/store/access_records.h"
#include "issuance/store/page.h"
#include "issuance/store/relying_party_store.h"

namespace hourglass::issuance {

// The contract that all roles share stands at Store (issuance/store/store.h).
class PolicyStore {
 public:
  virtual ~PolicyStore() = default;
  PolicyStore(const PolicyStore&) = delete;
  PolicyStore& operator=(const PolicyStore&) = delete;

  // Puts these in place of those of the same ids, or beside the others, and takes those of the ids
  // in `deleted` away: all in one revision of the tenant's policies, which is returned, as of
  // `cause.now` by `cause.caller`, whatever the records say of these and of their tenant. What is
  // put as it is already stays as it is; where nothing changes, the revision that there is is
  // returned. Records of each what became of it: `policy_imported` where it is new, else
  // `policy_changed` or `policy_deleted`, with the states before and after. Tells of the tenant
  // (TenantStore::changes), also where nothing changed. Errors: FIELD_INVALID with field
  // `policy_id` where an id is empty or named twice; TENANT_UNKNOWN; POLICIES_CHANGED where
  // `expected_revision` is given and is not the tenant's any more; POLICY_UNKNOWN with field
  // `policy_id` for one in `deleted` that is not there. Of several, the first of these.
  virtual absl::StatusOr<std::uint64_t> ChangePolicies(
      absl::string_view tenant_id, std::optional<std::uint64_t> expected_revision,
      absl::Span<const PolicyRecord> put, absl::Span<const std::string> deleted,
      const ChangeCause& cause) = 0;
  // Without any for a tenant that there is not.
  virtual absl::StatusOr<PolicySet> ListPolicies(absl::string_view tenant_id) = 0;
  // Of one policy, newest first; empty where there never was one. Pages as Page says.
  virtual absl::StatusOr<Page<PolicyVersion>> ListPolicyVersions(absl::string_view tenant_id,
                                                                 absl::string_view policy_id,
                                                                 int page_size,
                                                                 absl::string_view page_token) = 0;

 protected:
  PolicyStore() = default;
};

class DirectoryStore {
 public:
  virtual ~DirectoryStore() = default;
  DirectoryStore(const DirectoryStore&) = delete;
  DirectoryStore& operator=(const DirectoryStore&) = delete;

  // Replaces each of these users whole, or adds him, as of `cause.now` by `cause.caller`, whatever
  // the records say of these and of their tenant; all or none, and at most kMostUsersAtOnce. Two of
  // them may exchange their names. Records one `users_imported`, whose subject says how many; of
  // none nothing. Errors: FIELD_INVALID where there are too many, with field `user_id` or `upn`
  // where that is empty, with field `user_id` where it is named twice, with field `groups` or
  // `roles` where these are not as DirectoryUser has them; TENANT_UNKNOWN; USER_EXISTS with field
  // `upn` where another user has it, in the directory or among these. Of several, the first.
  static constexpr std::size_t kMostUsersAtOnce = 1000;
  virtual absl::Status PutUsers(absl::string_view tenant_id, absl::Span<const DirectoryUser> users,
                                const ChangeCause& cause) = 0;
  // Takes those away who were updated before `cutoff`: who is not in a whole import any more.
  // `cutoff` is the `cause.now` of the first portion of the import, and none of the others may have
  // an earlier one: a portion that another replica wrote by a clock that is behind would be taken
  // away. Returns how many, and records one `users_removed`, whose subject says so, where there was
  // one. Errors: TENANT_UNKNOWN.
  virtual absl::StatusOr<std::uint64_t> RemoveUsersNotUpdatedSince(absl::string_view tenant_id,
                                                                   Timestamp cutoff,
                                                                   const ChangeCause& cause) = 0;
  // Records `user_removed`. Errors: USER_UNKNOWN with field `user_id`.
  virtual absl::Status RemoveUser(absl::string_view tenant_id, absl::string_view user_id,
                                  const ChangeCause& cause) = 0;
  // Errors: USER_UNKNOWN with field `user_id`.
  virtual absl::StatusOr<DirectoryUser> GetUser(absl::string_view tenant_id,
                                                absl::string_view user_id) = 0;
  // As ca::FoldedUpn makes them the same. Errors: USER_UNKNOWN with field `upn`.
  virtual absl::StatusOr<DirectoryUser> GetUserByUpn(absl::string_view tenant_id,
                                                     absl::string_view upn) = 0;
  // By user id, in the order of its octets. Pages as Page says.
  virtual absl::StatusOr<Page<DirectoryUser>> ListUsers(absl::string_view tenant_id, int page_size,
                                                        absl::string_view page_token) = 0;

 protected:
  DirectoryStore() = default;
};

class BlockStore {
 public:
  virtual ~BlockStore() = default;
  BlockStore(const BlockStore&) = delete;
  BlockStore& operator=(const BlockStore&) = delete;

  // Blocks it, as of `cause.now` by `cause.caller` for `cause.reason`, whatever `block` says of
  // these, and in place of a block that there is; a device or user need not be known. Counts for
  // every verdict that begins once this has returned, in all processes. Records `device_blocked` or
  // `user_blocked`. Errors: FIELD_INVALID with field `subject` where that is empty; TENANT_UNKNOWN.
  virtual absl::Status Block(const BlockRecord& block, const ChangeCause& cause) = 0;
  // Lifts it, and records `device_unblocked` or `user_unblocked`. Returns it as it was. Errors:
  // BLOCK_UNKNOWN with field `subject`.
  virtual absl::StatusOr<BlockRecord> Unblock(absl::string_view tenant_id, BlockRecord::Kind kind,
                                              absl::string_view subject,
                                              const ChangeCause& cause) = 0;
  // Also those whose time is over. Devices first, then by subject, in the order of the octets of
  // its ca::FoldedUpn. Pages as Page says.
  virtual absl::StatusOr<Page<BlockRecord>> ListBlocks(absl::string_view tenant_id, int page_size,
                                                       absl::string_view page_token) = 0;

 protected:
  BlockStore() = default;
};

// What a verdict is about. An id or UPN that is not known is empty.
struct DecisionSubject {
  absl::string_view tenant_id;
  absl::string_view user_id;
  absl::string_view user_upn;
  absl::string_view device_id;
};

class DecisionFactsStore {
 public:
  virtual ~DecisionFactsStore() = default;
  DecisionFactsStore(const DecisionFactsStore&) = delete;
  DecisionFactsStore& operator=(const DecisionFactsStore&) = delete;

  // In one read, which sees all that was written before it began, by whatever process, and no
  // write by half. The user is that of the id, and where that is empty that of the UPN. A user is
  // blocked by the id or the UPN of `subject`, and by those that the directory has of him; of
  // several blocks the one that ends last is given. Blocks whose `until` is not after `now` are not
  // given. Keys are those of the device by ca::FoldedUpn. Of a tenant that there is not, nothing
  // is.
  virtual absl::StatusOr<DecisionFacts> ReadDecisionFacts(const DecisionSubject& subject,
                                                          Timestamp now) = 0;

 protected:
  DecisionFactsStore() = default;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_ACCESS_STORE_H_
