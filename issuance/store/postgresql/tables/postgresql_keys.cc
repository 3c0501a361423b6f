#include "issuance/store/postgresql/tables/postgresql_keys.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "hsm/base/status_macros.h"
#include "hsm/key/key_uri.h"
#include "issuance/store/postgresql/engine/postgresql_values.h"
#include "issuance/store/postgresql/tables/postgresql_roots.h"
#include "issuance/store/postgresql/tables/postgresql_tenants.h"
#include "issuance/store/store_rules.h"

namespace hourglass::issuance::postgresql {
namespace {

// Of a public key $1, a URI $2 and its name $3. A plan whose key was never noted is known by its
// URI only, which may have come without id from a store of before ids were noted.
#define HOURGLASS_WHERE_PLANS_OF_KEY \
  " WHERE public_key = $1 OR (key_uri IN ($2, $3) AND public_key = '')"

absl::StatusOr<std::vector<RootOfKey>> TakeRoots(Rows rows) {
  std::vector<RootOfKey> roots;
  while (rows.Next()) {
    RootOfKey& root = roots.emplace_back();
    root.tenant_id = rows.TakeOctets();
    root.root_id = rows.TakeOctets();
    ASSIGN_OR_RETURN(root.state, ParseState(rows.TakeOctets()));
    root.key_uri = rows.TakeOctets();
  }
  return roots;
}

}  // namespace

absl::StatusOr<bool> HasRootOfKeyUri(Connection& connection, absl::string_view key_uri) {
  ASSIGN_OR_RETURN(const std::int64_t there,
                   connection.QueryInteger("SELECT EXISTS (SELECT 1 FROM roots WHERE key_uri = $1)",
                                           {Text{key_uri}}));
  return there != 0;
}

absl::Status PlanKey(Connection& connection, const PlannedKey& key) {
  RETURN_IF_ERROR(GetTenant(connection, key.tenant_id).status());
  ASSIGN_OR_RETURN(const bool has_root, HasRootOfKeyUri(connection, key.key_uri));
  if (has_root) return KeyHasRoot();
  ASSIGN_OR_RETURN(
      const std::int64_t planned,
      connection.Change("INSERT INTO planned_keys AS plan (key_uri, tenant_id, generation, "
                        "public_key) VALUES ($1, $2, $3, $4) ON CONFLICT (key_uri) DO UPDATE "
                        "SET public_key = excluded.public_key "
                        "WHERE plan.tenant_id = excluded.tenant_id "
                        "AND plan.generation = excluded.generation "
                        "AND plan.public_key IN ('', excluded.public_key) "
                        "AND NOT plan.is_condemned",
                        {Text{key.key_uri}, Text{key.tenant_id}, std::int64_t{key.generation},
                         Blob{key.public_key}}));
  return planned == 1 ? absl::OkStatus() : KeyPlannedOtherwise();
}

absl::Status ForgetPlannedKey(Connection& connection, absl::string_view key_uri,
                              std::optional<absl::string_view> public_key) {
  if (!public_key.has_value()) {
    return connection.Change("DELETE FROM planned_keys WHERE key_uri = $1", {Text{key_uri}})
        .status();
  }
  return connection
      .Change("DELETE FROM planned_keys WHERE key_uri = $1 AND public_key = $2",
              {Text{key_uri}, Blob{*public_key}})
      .status();
}

absl::Status CondemnPlannedKey(Connection& connection, absl::string_view key_uri,
                               absl::string_view public_key) {
  if (public_key.empty()) {
    return connection
        .Change("UPDATE planned_keys SET is_condemned = true WHERE key_uri = $1", {Text{key_uri}})
        .status();
  }
  return connection
      .Change("UPDATE planned_keys SET is_condemned = true" HOURGLASS_WHERE_PLANS_OF_KEY,
              {Blob{public_key}, Text{key_uri}, Text{hsm::UriWithoutId(key_uri)}})
      .status();
}

absl::Status TakePlannedKey(Connection& connection, const RootRecord& root) {
  ASSIGN_OR_RETURN(
      const std::int64_t condemned,
      connection.QueryInteger("SELECT EXISTS (SELECT 1 FROM planned_keys WHERE is_condemned AND "
                              "(key_uri = $1 OR (public_key <> '' AND "
                              "position(public_key IN $2) > 0)))",
                              {Text{root.key_uri}, Blob{root.certificate}}));
  if (condemned != 0) return KeyTakenAway();
  if (!root.key_made_for_root) return ForgetPlannedKey(connection, root.key_uri, std::nullopt);
  ASSIGN_OR_RETURN(
      const std::int64_t taken,
      connection.Change("DELETE FROM planned_keys WHERE key_uri = $1 AND tenant_id = $2",
                        {Text{root.key_uri}, Text{root.tenant_id}}));
  return taken == 1 ? absl::OkStatus() : KeyTakenAway();
}

absl::StatusOr<std::vector<PlannedKey>> ListPlannedKeys(Connection& connection,
                                                        absl::string_view tenant_id) {
  ASSIGN_OR_RETURN(Rows rows, connection.Query("SELECT tenant_id, generation, key_uri, public_key, "
                                               "is_condemned FROM planned_keys "
                                               "WHERE tenant_id = $1 ORDER BY generation, key_uri",
                                               {Text{tenant_id}}));
  std::vector<PlannedKey> keys;
  while (rows.Next()) {
    PlannedKey& key = keys.emplace_back();
    key.tenant_id = rows.TakeOctets();
    key.generation = static_cast<int>(rows.TakeInteger());
    key.key_uri = rows.TakeOctets();
    key.public_key = rows.TakeOctets();
    key.is_condemned = rows.TakeBoolean();
  }
  return keys;
}

absl::StatusOr<std::vector<RootOfKey>> RootsOfPublicKey(Connection& connection,
                                                        absl::string_view public_key) {
  // It is found at the beginning of anything.
  if (public_key.empty()) return std::vector<RootOfKey>();
  ASSIGN_OR_RETURN(Rows rows, connection.Query("SELECT tenant_id, root_id, state, key_uri FROM "
                                               "roots WHERE position($1 IN certificate) > 0 "
                                               "ORDER BY tenant_id, generation",
                                               {Blob{public_key}}));
  return TakeRoots(std::move(rows));
}

absl::StatusOr<std::vector<RootOfKey>> RootsOfKeyName(Connection& connection,
                                                      absl::string_view key_uri) {
  const std::string name(hsm::UriWithoutId(key_uri));
  const std::string with_id = name + ";id=";
  ASSIGN_OR_RETURN(Rows rows, connection.Query("SELECT tenant_id, root_id, state, key_uri FROM "
                                               "roots WHERE key_uri = $1 "
                                               "OR starts_with(key_uri, $2) "
                                               "ORDER BY tenant_id, generation",
                                               {Text{name}, Text{with_id}}));
  return TakeRoots(std::move(rows));
}

absl::Status NoteKeyDestroyed(Connection& connection, absl::string_view key_uri,
                              absl::string_view public_key, Timestamp now) {
  ASSIGN_OR_RETURN(const std::vector<RootOfKey> roots, RootsOfPublicKey(connection, public_key));
  RETURN_IF_ERROR(CheckKeyDestroyed(roots));
  for (const RootOfKey& root : roots) {
    RETURN_IF_ERROR(connection
                        .Change("UPDATE roots SET key_destroyed_at = $1 WHERE tenant_id = $2 "
                                "AND root_id = $3 AND key_destroyed_at IS NULL",
                                {ValueOf(now), Text{root.tenant_id}, Text{root.root_id}})
                        .status());
  }
  if (public_key.empty()) {
    RETURN_IF_ERROR(ForgetPlannedKey(connection, key_uri, std::nullopt));
    return connection.Change("DELETE FROM bound_keys WHERE key_uri = $1", {Text{key_uri}}).status();
  }
  RETURN_IF_ERROR(connection
                      .Change("DELETE FROM planned_keys" HOURGLASS_WHERE_PLANS_OF_KEY,
                              {Blob{public_key}, Text{key_uri}, Text{hsm::UriWithoutId(key_uri)}})
                      .status());
  return connection.Change("DELETE FROM bound_keys WHERE public_key = $1", {Blob{public_key}})
      .status();
}

absl::Status BindKey(Connection& connection, const BoundKey& key) {
  RETURN_IF_ERROR(GetTenant(connection, key.tenant_id).status());
  const Text key_uri{key.key_uri}, tenant_id{key.tenant_id};
  const Blob public_key{key.public_key};
  ASSIGN_OR_RETURN(const std::int64_t added,
                   connection.Change("INSERT INTO bound_keys (key_uri, tenant_id, public_key) "
                                     "VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                                     {key_uri, tenant_id, public_key}));
  if (added == 1) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::int64_t bound,
                   connection.QueryInteger("SELECT EXISTS (SELECT 1 FROM bound_keys WHERE "
                                           "key_uri = $1 AND tenant_id = $2 AND public_key = $3)",
                                           {key_uri, tenant_id, public_key}));
  return bound != 0 ? absl::OkStatus() : KeyBoundOtherwise();
}

absl::StatusOr<std::vector<BoundKey>> ListBoundKeys(Connection& connection) {
  ASSIGN_OR_RETURN(Rows rows, connection.Query("SELECT tenant_id, key_uri, public_key "
                                               "FROM bound_keys ORDER BY key_uri"));
  std::vector<BoundKey> keys;
  while (rows.Next()) {
    BoundKey& key = keys.emplace_back();
    key.tenant_id = rows.TakeOctets();
    key.key_uri = rows.TakeOctets();
    key.public_key = rows.TakeOctets();
  }
  return keys;
}

}  // namespace hourglass::issuance::postgresql
