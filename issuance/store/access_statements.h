// The statements about policies, users, blocks and keys of devices, which SQLite and PostgreSQL
// share. Their rows are read by issuance/store/access_rows.h.
//
// `$1` and so on are PostgreSQL's values; SQLite takes them for names, and counts these by where
// they come first (https://www.sqlite.org/lang_expr.html#varparam): so they come in order.
#ifndef HOURGLASS_ISSUANCE_STORE_ACCESS_STATEMENTS_H_
#define HOURGLASS_ISSUANCE_STORE_ACCESS_STATEMENTS_H_

#include "absl/strings/string_view.h"

namespace hourglass::issuance {

#define HOURGLASS_POLICY_COLUMNS(t)                                                          \
  t "tenant_id, " t "policy_id, " t "kind, " t "display_name, " t "state, " t "document, " t \
    "revision, " t "changed_at, " t "changed_by"
#define HOURGLASS_USER_COLUMNS(t)                                                            \
  t "tenant_id, " t "user_id, " t "upn, " t "onprem_sid, " t "is_guest, " t "is_enabled, " t \
    "updated_at, " t "updated_by, " t "group_ids, " t "role_ids"
#define HOURGLASS_BLOCK_COLUMNS(t)                                                          \
  t "tenant_id, " t "kind, " t "subject, " t "reason, " t "blocked_by, " t "blocked_at, " t \
    "blocked_until"
#define HOURGLASS_DEVICE_KEY_COLUMNS(t)                                                          \
  t "tenant_id, " t "key_id, " t "device_id, " t "state, " t "public_key, " t "enrolled_at, " t  \
    "enrolled_by, " t "approved_at, " t "approved_by, " t "approval_reason, " t "removed_at, " t \
    "removed_by, " t "removal_reason, " t "is_released"

// Values: the tenant. A row without a policy, which the second column tells, where it has none; for
// TakePolicySet.
inline constexpr absl::string_view kSelectPolicies =
    "SELECT tenants.policy_revision, v.policy_id IS NOT NULL, " HOURGLASS_POLICY_COLUMNS("v.")
    " FROM tenants LEFT JOIN policies AS p ON p.tenant_id = $1 "
    "LEFT JOIN policy_versions AS v ON v.tenant_id = p.tenant_id AND v.policy_id = p.policy_id "
    "AND v.revision = p.revision WHERE tenants.tenant_id = $1 ORDER BY p.policy_id";
// The tenant, the policy, the revision before which they are, how many; for TakePolicyVersion.
inline constexpr absl::string_view kSelectPolicyVersions =
    "SELECT " HOURGLASS_POLICY_COLUMNS("") ", is_deleted, reason FROM policy_versions "
    "WHERE tenant_id = $1 AND policy_id = $2 AND revision < $3 ORDER BY revision DESC LIMIT $4";
// The revision, the tenant.
inline constexpr absl::string_view kRaisePolicyRevision =
    "UPDATE tenants SET policy_revision = $1 WHERE tenant_id = $2";
// The columns of HOURGLASS_POLICY_COLUMNS, is_deleted, reason.
inline constexpr absl::string_view kInsertPolicyVersion =
    "INSERT INTO policy_versions (" HOURGLASS_POLICY_COLUMNS("") ", is_deleted, reason) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
// The tenant, the policy; and the revision.
inline constexpr absl::string_view kDeletePolicy =
    "DELETE FROM policies WHERE tenant_id = $1 AND policy_id = $2";
inline constexpr absl::string_view kPutPolicy =
    "INSERT INTO policies (tenant_id, policy_id, revision) VALUES ($1, $2, $3) "
    "ON CONFLICT (tenant_id, policy_id) DO UPDATE SET revision = excluded.revision";

// The tenant, the user; for TakeUser, as the next two.
inline constexpr absl::string_view kSelectUser =
    "SELECT " HOURGLASS_USER_COLUMNS("") " FROM directory_users "
    "WHERE tenant_id = $1 AND user_id = $2";
// The tenant, the folded UPN.
inline constexpr absl::string_view kSelectUserByUpn =
    "SELECT " HOURGLASS_USER_COLUMNS("") " FROM directory_users "
    "WHERE tenant_id = $1 AND folded_upn = $2";
// The tenant, the user after whom they are, how many.
inline constexpr absl::string_view kSelectUsers =
    "SELECT " HOURGLASS_USER_COLUMNS("") " FROM directory_users "
    "WHERE tenant_id = $1 AND user_id > $2 ORDER BY user_id LIMIT $3";
// The tenant, the user, the folded UPN: takes the user away where he has another UPN so far, which
// may become that of the next.
inline constexpr absl::string_view kDeleteRenamedUser =
    "DELETE FROM directory_users WHERE tenant_id = $1 AND user_id = $2 AND folded_upn <> $3";
// The same: whether another has it.
inline constexpr absl::string_view kIsUpnTaken =
    "SELECT EXISTS (SELECT 1 FROM directory_users "
    "WHERE tenant_id = $1 AND user_id <> $2 AND folded_upn = $3)";
// The columns of HOURGLASS_USER_COLUMNS, the folded id, the folded UPN.
inline constexpr absl::string_view kPutUser =
    "INSERT INTO directory_users (" HOURGLASS_USER_COLUMNS("") ", folded_id, folded_upn) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) "
    "ON CONFLICT (tenant_id, user_id) DO UPDATE SET upn = excluded.upn, "
    "onprem_sid = excluded.onprem_sid, is_guest = excluded.is_guest, "
    "is_enabled = excluded.is_enabled, updated_at = excluded.updated_at, "
    "updated_by = excluded.updated_by, group_ids = excluded.group_ids, "
    "role_ids = excluded.role_ids, folded_id = excluded.folded_id, "
    "folded_upn = excluded.folded_upn";
// The tenant, the user.
inline constexpr absl::string_view kIsUserDisabled =
    "SELECT EXISTS (SELECT 1 FROM directory_users "
    "WHERE tenant_id = $1 AND user_id = $2 AND NOT is_enabled)";
// The tenant, the time.
inline constexpr absl::string_view kDeleteUsersBefore =
    "DELETE FROM directory_users WHERE tenant_id = $1 AND updated_at < $2";
// The tenant, the user.
inline constexpr absl::string_view kDeleteUser =
    "DELETE FROM directory_users WHERE tenant_id = $1 AND user_id = $2";

// The columns of HOURGLASS_BLOCK_COLUMNS, the folded subject. Changes nothing without the tenant.
inline constexpr absl::string_view kPutBlock =
    "INSERT INTO blocks (" HOURGLASS_BLOCK_COLUMNS("") ", folded_subject) "
    "SELECT $1, $2, $3, $4, $5, $6, CAST($7 AS bigint), $8 FROM tenants "
    "WHERE tenant_id = $1 ON CONFLICT (tenant_id, kind, folded_subject) DO UPDATE SET "
    "subject = excluded.subject, reason = excluded.reason, blocked_by = excluded.blocked_by, "
    "blocked_at = excluded.blocked_at, blocked_until = excluded.blocked_until";
// The tenant, the kind, the folded subject; for TakeBlock.
inline constexpr absl::string_view kSelectBlock =
    "SELECT " HOURGLASS_BLOCK_COLUMNS("") " FROM blocks "
    "WHERE tenant_id = $1 AND kind = $2 AND folded_subject = $3";
inline constexpr absl::string_view kDeleteBlock =
    "DELETE FROM blocks WHERE tenant_id = $1 AND kind = $2 AND folded_subject = $3";
// The tenant, the kind and folded subject after which they are, how many; for TakeBlock.
inline constexpr absl::string_view kSelectBlocks =
    "SELECT " HOURGLASS_BLOCK_COLUMNS("") " FROM blocks "
    "WHERE tenant_id = $1 AND (kind, folded_subject) > ($2, $3) "
    "ORDER BY kind, folded_subject LIMIT $4";

// The tenant; how many are pending. No row without the tenant.
inline constexpr absl::string_view kCountPendingDeviceKeys =
    "SELECT (SELECT count(*) FROM device_keys AS k WHERE k.tenant_id = $1 "
    "AND k.state = 'pending') FROM tenants WHERE tenants.tenant_id = $1";
// The tenant, the key; for TakeDeviceKey, as the next two.
inline constexpr absl::string_view kSelectDeviceKey =
    "SELECT " HOURGLASS_DEVICE_KEY_COLUMNS("") " FROM device_keys "
    "WHERE tenant_id = $1 AND key_id = $2";
// The tenant, the folded device.
inline constexpr absl::string_view kSelectKeysOfDevice =
    "SELECT " HOURGLASS_DEVICE_KEY_COLUMNS("") " FROM device_keys "
    "WHERE tenant_id = $1 AND folded_device_id = $2 ORDER BY key_id";
// The tenant, the folded device and the key after which they are, the folded device and the state
// that they are of, either empty for any, how many.
inline constexpr absl::string_view kSelectDeviceKeys =
    "SELECT " HOURGLASS_DEVICE_KEY_COLUMNS("") " FROM device_keys "
    "WHERE tenant_id = $1 AND (folded_device_id, key_id) > ($2, $3) "
    "AND ($4 = '' OR folded_device_id = $4) AND ($5 = '' OR state = $5) "
    "ORDER BY folded_device_id, key_id LIMIT $6";
// The columns of HOURGLASS_DEVICE_KEY_COLUMNS, the folded device. What a key is never changes.
inline constexpr absl::string_view kPutDeviceKey =
    "INSERT INTO device_keys (" HOURGLASS_DEVICE_KEY_COLUMNS("") ", folded_device_id) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) "
    "ON CONFLICT (tenant_id, key_id) DO UPDATE SET state = excluded.state, "
    "approved_at = excluded.approved_at, approved_by = excluded.approved_by, "
    "approval_reason = excluded.approval_reason, removed_at = excluded.removed_at, "
    "removed_by = excluded.removed_by, removal_reason = excluded.removal_reason, "
    "is_released = excluded.is_released";
// The tenant, the folded device.
inline constexpr absl::string_view kReleaseDevice =
    "UPDATE device_keys SET is_released = TRUE "
    "WHERE tenant_id = $1 AND folded_device_id = $2 AND state = 'removed'";

#define HOURGLASS_SELECT_FACTS(user_key) \
  "SELECT tenants.policy_revision, "                                                        \
  "d.device_id IS NOT NULL, d.tenant_id, d.device_id, d.state, d.reported_at, d.reported_by, " \
  "u.user_id IS NOT NULL, " HOURGLASS_USER_COLUMNS("u.") ", "                               \
  "db.subject IS NOT NULL, " HOURGLASS_BLOCK_COLUMNS("db.") ", "                            \
  "ub.subject IS NOT NULL, " HOURGLASS_BLOCK_COLUMNS("ub.") ", "                            \
  "k.key_id IS NOT NULL, " HOURGLASS_DEVICE_KEY_COLUMNS("k.") ", "                          \
  "bk.key_id IS NOT NULL FROM tenants "                                                     \
  "LEFT JOIN devices AS d ON d.tenant_id = $1 AND d.device_id = $2 AND $2 <> '' "           \
  "LEFT JOIN directory_users AS u ON u.tenant_id = $1 AND u." user_key " = $3 "             \
  "LEFT JOIN blocks AS db ON db.tenant_id = $1 AND db.kind = 'device' "                     \
  "AND db.folded_subject = $4 AND (db.blocked_until IS NULL OR db.blocked_until > $5) "     \
  "LEFT JOIN blocks AS ub ON ub.tenant_id = $1 AND ub.kind = 'user' "                       \
  "AND ub.folded_subject = (SELECT b.folded_subject FROM blocks AS b "                      \
  "WHERE b.tenant_id = $1 AND b.kind = 'user' "                                             \
  "AND b.folded_subject IN ($6, $7, u.folded_id, u.folded_upn) "                            \
  "AND (b.blocked_until IS NULL OR b.blocked_until > $5) "                                  \
  "ORDER BY b.blocked_until IS NULL DESC, b.blocked_until DESC, b.folded_subject LIMIT 1) " \
  "LEFT JOIN device_keys AS k ON k.tenant_id = $1 AND k.folded_device_id = $4 "             \
  "AND k.state = 'approved' "                                                               \
  "LEFT JOIN device_keys AS bk ON bk.tenant_id = $1 AND bk.key_id = (SELECT min(b.key_id) " \
  "FROM device_keys AS b WHERE b.tenant_id = $1 AND b.folded_device_id = $4 "               \
  "AND b.approved_at IS NOT NULL AND NOT b.is_released) "                                   \
  "WHERE tenants.tenant_id = $1"

// One statement, so that it is one read of one moment. The tenant, the device, the user's id or
// folded UPN, the folded device, the time, the folded id and UPN; for TakeFacts. No row without the
// tenant. An empty user, UPN, blocked subject or device of a key is in no table.
inline constexpr absl::string_view kSelectFactsByUserId = HOURGLASS_SELECT_FACTS("user_id");
inline constexpr absl::string_view kSelectFactsByUpn = HOURGLASS_SELECT_FACTS("folded_upn");

#undef HOURGLASS_SELECT_FACTS
#undef HOURGLASS_DEVICE_KEY_COLUMNS
#undef HOURGLASS_BLOCK_COLUMNS
#undef HOURGLASS_USER_COLUMNS
#undef HOURGLASS_POLICY_COLUMNS

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_ACCESS_STATEMENTS_H_
