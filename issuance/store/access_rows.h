// How rows about policies, users, blocks and keys of devices are read, of SQLite and of PostgreSQL:
// `Rows` is that of either. All of it is safe to call from several threads, each with rows of its
// own.
#ifndef HOURGLASS_ISSUANCE_STORE_ACCESS_ROWS_H_
#define HOURGLASS_ISSUANCE_STORE_ACCESS_ROWS_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/access_records.h"
#include "issuance/store/access_rules.h"
#include "issuance/store/device_key_rules.h"
#include "issuance/store/page.h"

namespace hourglass::issuance {

// Each takes its columns of the current row. `Rows` is that of a database. Errors:
// JOURNAL_UNAVAILABLE for what no program writes: the table is damaged.
template <typename Rows>
std::optional<Timestamp> TakeMoment(Rows& rows) {
  const std::optional<std::int64_t> microseconds = rows.TakeOptionalInteger();
  if (!microseconds.has_value()) return std::nullopt;
  return Timestamp(std::chrono::microseconds(*microseconds));
}

template <typename Rows>
absl::StatusOr<PolicyRecord> TakePolicy(Rows& rows) {
  PolicyRecord policy;
  policy.tenant_id = rows.TakeOctets();
  policy.policy_id = rows.TakeOctets();
  ASSIGN_OR_RETURN(policy.kind, PolicyKindNamed(rows.TakeOctets()));
  policy.display_name = rows.TakeOctets();
  policy.state = rows.TakeOctets();
  policy.document = rows.TakeOctets();
  policy.revision = static_cast<std::uint64_t>(rows.TakeInteger());
  policy.changed_at = TakeMoment(rows).value_or(Timestamp());
  policy.changed_by = rows.TakeOctets();
  return policy;
}

template <typename Rows>
absl::StatusOr<PolicyVersion> TakePolicyVersion(Rows& rows) {
  PolicyVersion version;
  ASSIGN_OR_RETURN(version.policy, TakePolicy(rows));
  version.is_deleted = rows.TakeInteger() != 0;
  version.reason = rows.TakeOctets();
  return version;
}

template <typename Rows>
absl::StatusOr<DirectoryUser> TakeUser(Rows& rows) {
  DirectoryUser user;
  user.tenant_id = rows.TakeOctets();
  user.user_id = rows.TakeOctets();
  user.upn = rows.TakeOctets();
  user.onprem_sid = rows.TakeOctets();
  user.is_guest = rows.TakeInteger() != 0;
  user.is_enabled = rows.TakeInteger() != 0;
  user.updated_at = TakeMoment(rows).value_or(Timestamp());
  user.updated_by = rows.TakeOctets();
  user.groups = IdsIn(rows.TakeOctets());
  user.roles = IdsIn(rows.TakeOctets());
  return user;
}

template <typename Rows>
absl::StatusOr<BlockRecord> TakeBlock(Rows& rows) {
  BlockRecord block;
  block.tenant_id = rows.TakeOctets();
  ASSIGN_OR_RETURN(block.kind, BlockKindNamed(rows.TakeOctets()));
  block.subject = rows.TakeOctets();
  block.reason = rows.TakeOctets();
  block.blocked_by = rows.TakeOctets();
  block.blocked_at = TakeMoment(rows).value_or(Timestamp());
  block.until = TakeMoment(rows);
  return block;
}

template <typename Rows>
absl::StatusOr<DeviceKeyRecord> TakeDeviceKey(Rows& rows) {
  DeviceKeyRecord key;
  key.tenant_id = rows.TakeOctets();
  key.key_id = rows.TakeOctets();
  key.device_id = rows.TakeOctets();
  ASSIGN_OR_RETURN(key.state, DeviceKeyStateNamed(rows.TakeOctets()));
  key.public_key = rows.TakeOctets();
  key.enrolled_at = TakeMoment(rows).value_or(Timestamp());
  key.enrolled_by = rows.TakeOctets();
  key.approved_at = TakeMoment(rows);
  key.approved_by = rows.TakeOctets();
  key.approval_reason = rows.TakeOctets();
  key.removed_at = TakeMoment(rows);
  key.removed_by = rows.TakeOctets();
  key.removal_reason = rows.TakeOctets();
  key.is_released = rows.TakeInteger() != 0;
  return key;
}

// What a statement of the above gives, from its first row on.
template <typename Rows>
absl::StatusOr<PolicySet> TakePolicySet(Rows& rows) {
  PolicySet set;
  for (;;) {
    const absl::StatusOr<bool> more = rows.Next();
    RETURN_IF_ERROR(more.status());
    if (!*more) return set;
    set.revision = static_cast<std::uint64_t>(rows.TakeInteger());
    if (rows.TakeInteger() == 0) continue;
    ASSIGN_OR_RETURN(PolicyRecord policy, TakePolicy(rows));
    set.policies.push_back(std::move(policy));
  }
}

// Of one row more than a page has: `take(Rows&)` reads one, and `token_of(Record)` is that of the
// last one of a page that is not the last.
template <typename Record, typename Rows, typename Take, typename TokenOf>
absl::StatusOr<Page<Record>> TakePage(Rows& rows, int page_size, const Take& take,
                                      const TokenOf& token_of) {
  Page<Record> page;
  for (;;) {
    const absl::StatusOr<bool> more = rows.Next();
    RETURN_IF_ERROR(more.status());
    if (!*more) return page;
    if (page.records.size() == static_cast<std::size_t>(page_size)) {
      page.next_page_token = token_of(page.records.back());
      return page;
    }
    ASSIGN_OR_RETURN(Record record, take(rows));
    page.records.push_back(std::move(record));
  }
}

// What is of a subject: whether it is there comes before its columns.
template <typename Rows, typename Take>
auto TakeOptional(Rows& rows, int columns, const Take& take)
    -> absl::StatusOr<std::optional<typename decltype(take(rows))::value_type>> {
  if (rows.TakeInteger() == 0) {
    for (int i = 0; i < columns; ++i) rows.TakeOctets();
    return std::nullopt;
  }
  ASSIGN_OR_RETURN(auto record, take(rows));
  return std::make_optional(std::move(record));
}

template <typename Rows>
absl::StatusOr<DeviceRecord> TakeDevice(Rows& rows) {
  DeviceRecord device;
  device.tenant_id = rows.TakeOctets();
  device.device_id = rows.TakeOctets();
  device.state = rows.TakeOctets();
  device.reported_at = TakeMoment(rows).value_or(Timestamp());
  device.reported_by = rows.TakeOctets();
  return device;
}

template <typename Rows>
absl::StatusOr<DecisionFacts> TakeFacts(Rows& rows) {
  constexpr int kOfDevice = 5, kOfUser = 10, kOfBlock = 7, kOfDeviceKey = 14;
  DecisionFacts facts;
  const absl::StatusOr<bool> found = rows.Next();
  RETURN_IF_ERROR(found.status());
  if (!*found) return facts;
  facts.policy_revision = static_cast<std::uint64_t>(rows.TakeInteger());
  ASSIGN_OR_RETURN(facts.device, TakeOptional(rows, kOfDevice, TakeDevice<Rows>));
  ASSIGN_OR_RETURN(facts.user, TakeOptional(rows, kOfUser, TakeUser<Rows>));
  ASSIGN_OR_RETURN(facts.device_block, TakeOptional(rows, kOfBlock, TakeBlock<Rows>));
  ASSIGN_OR_RETURN(facts.user_block, TakeOptional(rows, kOfBlock, TakeBlock<Rows>));
  ASSIGN_OR_RETURN(facts.device_key, TakeOptional(rows, kOfDeviceKey, TakeDeviceKey<Rows>));
  facts.device_is_bound = rows.TakeInteger() != 0;
  return facts;
}

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_ACCESS_ROWS_H_
