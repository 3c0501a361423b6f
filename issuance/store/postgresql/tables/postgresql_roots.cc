#include "issuance/store/postgresql/tables/postgresql_roots.h"

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/key_type.h"
#include "issuance/store/administrative_actions.h"
#include "issuance/store/postgresql/engine/fence.h"
#include "issuance/store/postgresql/engine/postgresql_values.h"
#include "issuance/store/postgresql/tables/postgresql_administrative_actions.h"
#include "issuance/store/postgresql/tables/postgresql_keys.h"
#include "issuance/store/postgresql/tables/postgresql_relying_parties.h"
#include "issuance/store/postgresql/tables/postgresql_tenant_notices.h"
#include "issuance/store/postgresql/tables/postgresql_tenants.h"
#include "issuance/store/store_rules.h"

namespace hourglass::issuance::postgresql {
namespace {

// greatest() passes over NULL. What came with the root may be later than what was written here.
#define HOURGLASS_SELECT_ROOTS                                                              \
  "SELECT tenant_id, root_id, generation, state, key_type, key_uri, key_made_for_root, "    \
  "certificate, not_before, not_after, created_at, state_since, "                           \
  "greatest(last_leaf_not_after, (SELECT max(leaf.not_after) FROM last_leaves AS leaf "     \
  "WHERE leaf.tenant_id = roots.tenant_id AND leaf.root_id = roots.root_id)), request_id, " \
  "key_destroyed_at, created_by, bundle_version, state_revision FROM roots "                \
  "WHERE tenant_id = $1"

absl::Status Damaged(absl::string_view column) {
  return Error(ErrorReason::kJournalUnavailable, "",
               absl::StrCat("database: a table is damaged: unknown ", column, " of a root"));
}

}  // namespace

absl::StatusOr<ca::RootState> ParseState(absl::string_view name) {
  if (const std::optional<ca::RootState> state = ca::RootStateNamed(name)) return *state;
  return Damaged("state");
}

namespace {

absl::StatusOr<RootRecord> TakeRoot(Rows& rows) {
  RootRecord root;
  root.tenant_id = rows.TakeOctets();
  root.root_id = rows.TakeOctets();
  root.generation = static_cast<int>(rows.TakeInteger());
  ASSIGN_OR_RETURN(root.state, ParseState(rows.TakeOctets()));
  const absl::StatusOr<hsm::KeyType> key_type = hsm::ParseKeyType(rows.TakeOctets());
  if (!key_type.ok()) return Damaged("key type");
  root.key_type = *key_type;
  root.key_uri = rows.TakeOctets();
  root.key_made_for_root = rows.TakeBoolean();
  root.certificate = rows.TakeOctets();
  root.not_before = TakeTime(rows);
  root.not_after = TakeTime(rows);
  root.created_at = TakeTimestamp(rows);
  root.state_since = TakeTimestamp(rows);
  if (const std::optional<std::int64_t> seconds = rows.TakeOptionalInteger()) {
    root.last_leaf_not_after = ca::Time(std::chrono::seconds(*seconds));
  }
  root.request_id = rows.TakeOctets();
  root.key_destroyed_at = TakeOptionalTimestamp(rows);
  root.created_by = rows.TakeOctets();
  root.bundle_version = static_cast<std::uint64_t>(rows.TakeInteger());
  root.state_revision = static_cast<std::uint64_t>(rows.TakeInteger());
  return root;
}

absl::Status RaiseRevision(Connection& connection, absl::string_view tenant_id,
                           std::uint64_t expected_revision, bool new_epoch) {
  ASSIGN_OR_RETURN(
      const std::int64_t raised,
      connection.Change("UPDATE tenants SET revision = revision + 1, epoch = epoch + $1 "
                        "WHERE tenant_id = $2 AND revision = $3",
                        {std::int64_t{new_epoch}, Text{tenant_id}, ValueOf(expected_revision)}));
  if (raised == 1) return absl::OkStatus();
  RETURN_IF_ERROR(GetTenant(connection, tenant_id).status());
  return RevisionChanged();
}

absl::Status ChangeState(Connection& connection, absl::string_view tenant_id,
                         const RootStateChange& change, std::uint64_t revision, Timestamp now) {
  // Where there is another primary it changes nothing (promise 1): an error of the index
  // one_primary, which is the last wall, would not say which root it is.
  ASSIGN_OR_RETURN(
      const std::int64_t changed,
      connection.Change(
          "UPDATE roots SET state = $1, state_since = $2, state_revision = $3 "
          "WHERE tenant_id = $4 AND root_id = $5 AND state = $6 "
          "AND ($1 <> 'PRIMARY' OR NOT EXISTS (SELECT 1 FROM roots AS other "
          "WHERE other.tenant_id = $4 AND other.state = 'PRIMARY' AND other.root_id <> $5))",
          {Text{ca::RootStateName(change.to)}, ValueOf(now), ValueOf(revision), Text{tenant_id},
           Text{change.root_id}, Text{ca::RootStateName(change.from)}}));
  if (changed == 1) return absl::OkStatus();
  ASSIGN_OR_RETURN(const RootRecord there, GetRoot(connection, tenant_id, change.root_id));
  return WhyNotChanged(there, change);
}

// What the fence reads is what the roots are.
absl::Status SetPrimaryRoot(Connection& connection, absl::string_view tenant_id) {
  return connection
      .Change(
          "UPDATE tenants SET primary_root = (SELECT root_id FROM roots "
          "WHERE roots.tenant_id = $1 AND state = 'PRIMARY') WHERE tenant_id = $1",
          {Text{tenant_id}})
      .status();
}

// Once the changes are made: then each root is there, and was STAGED.
absl::Status CheckPromotionsAcknowledged(Connection& connection, absl::string_view tenant_id,
                                         absl::Span<const RootStateChange> changes,
                                         const RootChangeOrder& order) {
  if (!order.awaits_acknowledgements) return absl::OkStatus();
  for (const RootStateChange& change : changes) {
    if (!IsPromotion(change)) continue;
    ASSIGN_OR_RETURN(const RootRecord root, GetRoot(connection, tenant_id, change.root_id));
    ASSIGN_OR_RETURN(const std::vector<RelyingPartyRecord> parties,
                     ListRelyingParties(connection, tenant_id));
    if (parties.empty() && order.without_relying_parties) continue;
    RETURN_IF_ERROR(CheckAcknowledged(root, parties));
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> HasRootOfRequest(Connection& connection, const RootRecord& root) {
  if (root.request_id.empty()) return false;
  ASSIGN_OR_RETURN(
      const std::int64_t there,
      connection.QueryInteger("SELECT EXISTS (SELECT 1 FROM roots WHERE tenant_id = $1 "
                              "AND request_id = $2)",
                              {Text{root.tenant_id}, Text{root.request_id}}));
  return there != 0;
}

// In the order of the contract.
absl::Status WhyNotAdded(Connection& connection, const RootRecord& root) {
  ASSIGN_OR_RETURN(const bool of_request, HasRootOfRequest(connection, root));
  if (of_request) return RequestIdHasRoot();
  ASSIGN_OR_RETURN(const bool of_key, HasRootOfKeyUri(connection, root.key_uri));
  return of_key ? KeyHasRoot() : RootCollides();
}

// Returns whether it is there now, with the tenant's revision as its own.
absl::StatusOr<bool> InsertRoot(Connection& connection, const RootRecord& root) {
  ASSIGN_OR_RETURN(
      const std::int64_t added,
      connection.Change(
          "INSERT INTO roots (tenant_id, root_id, generation, state, key_type, key_uri, "
          "key_made_for_root, certificate, not_before, not_after, created_at, state_since, "
          "last_leaf_not_after, request_id, key_destroyed_at, created_by, bundle_version, "
          "state_revision) SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13::bigint, "
          "$14, $15::bigint, $16, revision, revision FROM tenants WHERE tenant_id = $1 "
          "ON CONFLICT DO NOTHING",
          {Text{root.tenant_id}, Text{root.root_id}, std::int64_t{root.generation},
           Text{ca::RootStateName(root.state)}, Text{hsm::KeyTypeName(root.key_type)},
           Text{root.key_uri}, root.key_made_for_root, Blob{root.certificate},
           ValueOf(root.not_before), ValueOf(root.not_after), ValueOf(root.created_at),
           ValueOf(root.state_since), ValueOf(root.last_leaf_not_after), Text{root.request_id},
           ValueOf(root.key_destroyed_at), Text{root.created_by}}));
  return added == 1;
}

}  // namespace

absl::Status AddRoot(Connection& connection, const RootRecord& root) {
  RETURN_IF_ERROR(CheckNewRoot(root));
  ASSIGN_OR_RETURN(const std::int64_t tenants,
                   connection.Change("UPDATE tenants SET revision = revision + 1 "
                                     "WHERE tenant_id = $1",
                                     {Text{root.tenant_id}}));
  if (tenants == 0) return TenantUnknown();
  ASSIGN_OR_RETURN(const bool is_there, InsertRoot(connection, root));
  if (!is_there) return WhyNotAdded(connection, root);
  RETURN_IF_ERROR(TakePlannedKey(connection, root));
  RETURN_IF_ERROR(RecordAction(connection, CreationOf(root)));
  return NotifyOfTenant(connection, root.tenant_id);
}

absl::StatusOr<RootRecord> GetRoot(Connection& connection, absl::string_view tenant_id,
                                   absl::string_view root_id) {
  ASSIGN_OR_RETURN(Rows rows, connection.Query(HOURGLASS_SELECT_ROOTS " AND root_id = $2",
                                               {Text{tenant_id}, Text{root_id}}));
  if (!rows.Next()) return RootUnknown();
  return TakeRoot(rows);
}

absl::StatusOr<std::vector<RootRecord>> ListRoots(Connection& connection,
                                                  absl::string_view tenant_id) {
  ASSIGN_OR_RETURN(Rows rows, connection.Query(HOURGLASS_SELECT_ROOTS " ORDER BY generation",
                                               {Text{tenant_id}}));
  std::vector<RootRecord> roots;
  while (rows.Next()) {
    ASSIGN_OR_RETURN(RootRecord root, TakeRoot(rows));
    roots.push_back(std::move(root));
  }
  return roots;
}

absl::Status ChangeRootStates(Connection& connection, absl::string_view tenant_id,
                              std::uint64_t expected_revision,
                              absl::Span<const RootStateChange> changes,
                              const RootChangeOrder& order) {
  const bool new_epoch = RaisesEpoch(changes);
  if (new_epoch) RETURN_IF_ERROR(LockForPromotion(connection, tenant_id));
  RETURN_IF_ERROR(RaiseRevision(connection, tenant_id, expected_revision, new_epoch));
  for (const RootStateChange& change : InOrder(changes)) {
    RETURN_IF_ERROR(ChangeState(connection, tenant_id, change, expected_revision + 1, order.now));
    RETURN_IF_ERROR(RecordAction(connection, ChangeOf(tenant_id, change, order)));
  }
  if (new_epoch) RETURN_IF_ERROR(SetPrimaryRoot(connection, tenant_id));
  RETURN_IF_ERROR(CheckPromotionsAcknowledged(connection, tenant_id, changes, order));
  return NotifyOfTenant(connection, tenant_id);
}

}  // namespace hourglass::issuance::postgresql
