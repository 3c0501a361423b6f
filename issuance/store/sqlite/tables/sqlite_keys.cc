#include "issuance/store/sqlite/tables/sqlite_keys.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "hsm/base/status_macros.h"
#include "hsm/key/key_uri.h"
#include "issuance/store/sqlite/engine/sqlite_values.h"
#include "issuance/store/sqlite/tables/sqlite_roots.h"
#include "issuance/store/sqlite/tables/sqlite_tenants.h"
#include "issuance/store/store_rules.h"

namespace hourglass::issuance::sqlite {
namespace {

// Of a public key, a URI and its name. A plan whose key was never noted is known by its URI only,
// one of before version 6 by a URI without id.
constexpr absl::string_view kPlansOfKey =
    "(public_key = ? OR (key_uri IN (?, ?) AND public_key = x''))";

absl::StatusOr<std::vector<RootOfKey>> TakeRoots(Rows rows) {
  std::vector<RootOfKey> roots;
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, rows.Next());
    if (!more) return roots;
    RootOfKey& root = roots.emplace_back();
    root.tenant_id = rows.TakeOctets();
    root.root_id = rows.TakeOctets();
    ASSIGN_OR_RETURN(root.state, ParseState(rows.TakeOctets()));
    root.key_uri = rows.TakeOctets();
  }
}

}  // namespace

absl::StatusOr<bool> HasRootOfKeyUri(Connection& connection, absl::string_view key_uri) {
  ASSIGN_OR_RETURN(const std::int64_t there,
                   connection.QueryInteger("SELECT EXISTS (SELECT 1 FROM roots WHERE key_uri = ?)",
                                           {Text{key_uri}}));
  return there != 0;
}

absl::Status PlanKey(Connection& connection, const PlannedKey& key) {
  RETURN_IF_ERROR(GetTenant(connection, key.tenant_id).status());
  ASSIGN_OR_RETURN(const bool has_root, HasRootOfKeyUri(connection, key.key_uri));
  if (has_root) return KeyHasRoot();
  ASSIGN_OR_RETURN(
      const std::int64_t planned,
      connection.Change("INSERT INTO planned_keys (key_uri, tenant_id, generation, public_key) "
                        "VALUES (?, ?, ?, ?) ON CONFLICT (key_uri) DO UPDATE "
                        "SET public_key = excluded.public_key "
                        "WHERE tenant_id = excluded.tenant_id AND generation = excluded.generation "
                        "AND public_key IN (x'', excluded.public_key) AND condemned = 0",
                        {Text{key.key_uri}, Text{key.tenant_id}, std::int64_t{key.generation},
                         Blob{key.public_key}}));
  return planned == 1 ? absl::OkStatus() : KeyPlannedOtherwise();
}

absl::Status ForgetPlannedKey(Connection& connection, absl::string_view key_uri,
                              std::optional<absl::string_view> public_key) {
  if (!public_key.has_value()) {
    return connection.Change("DELETE FROM planned_keys WHERE key_uri = ?", {Text{key_uri}})
        .status();
  }
  return connection
      .Change("DELETE FROM planned_keys WHERE key_uri = ? AND public_key = ?",
              {Text{key_uri}, Blob{*public_key}})
      .status();
}

absl::Status CondemnPlannedKey(Connection& connection, absl::string_view key_uri,
                               absl::string_view public_key) {
  if (public_key.empty()) {
    return connection
        .Change("UPDATE planned_keys SET condemned = 1 WHERE key_uri = ?", {Text{key_uri}})
        .status();
  }
  return connection
      .Change("UPDATE planned_keys SET condemned = 1 WHERE " + std::string(kPlansOfKey),
              {Blob{public_key}, Text{key_uri}, Text{hsm::UriWithoutId(key_uri)}})
      .status();
}

absl::Status TakePlannedKey(Connection& connection, const RootRecord& root) {
  ASSIGN_OR_RETURN(
      const std::int64_t condemned,
      connection.QueryInteger("SELECT EXISTS (SELECT 1 FROM planned_keys WHERE condemned = 1 AND "
                              "(key_uri = ? OR (public_key <> x'' AND instr(?, public_key) > 0)))",
                              {Text{root.key_uri}, Blob{root.certificate}}));
  if (condemned != 0) return KeyTakenAway();
  if (!root.key_made_for_root) return ForgetPlannedKey(connection, root.key_uri, std::nullopt);
  ASSIGN_OR_RETURN(const std::int64_t taken,
                   connection.Change("DELETE FROM planned_keys WHERE key_uri = ? AND tenant_id = ?",
                                     {Text{root.key_uri}, Text{root.tenant_id}}));
  return taken == 1 ? absl::OkStatus() : KeyTakenAway();
}

absl::StatusOr<std::vector<PlannedKey>> ListPlannedKeys(Connection& connection,
                                                        absl::string_view tenant_id) {
  ASSIGN_OR_RETURN(Rows rows,
                   connection.Query("SELECT tenant_id, generation, key_uri, public_key, condemned "
                                    "FROM planned_keys WHERE tenant_id = ? "
                                    "ORDER BY generation, key_uri",
                                    {Text{tenant_id}}));
  std::vector<PlannedKey> keys;
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, rows.Next());
    if (!more) return keys;
    PlannedKey& key = keys.emplace_back();
    key.tenant_id = rows.TakeOctets();
    key.generation = static_cast<int>(rows.TakeInteger());
    key.key_uri = rows.TakeOctets();
    key.public_key = rows.TakeOctets();
    key.is_condemned = rows.TakeInteger() != 0;
  }
}

absl::StatusOr<std::vector<RootOfKey>> RootsOfPublicKey(Connection& connection,
                                                        absl::string_view public_key) {
  // instr finds nothing anywhere.
  if (public_key.empty()) return std::vector<RootOfKey>();
  ASSIGN_OR_RETURN(Rows rows, connection.Query("SELECT tenant_id, root_id, state, key_uri FROM "
                                               "roots WHERE instr(certificate, ?) > 0 "
                                               "ORDER BY tenant_id, generation",
                                               {Blob{public_key}}));
  return TakeRoots(std::move(rows));
}

absl::StatusOr<std::vector<RootOfKey>> RootsOfKeyName(Connection& connection,
                                                      absl::string_view key_uri) {
  const std::string name(hsm::UriWithoutId(key_uri));
  const std::string with_id = name + ";id=";
  ASSIGN_OR_RETURN(Rows rows,
                   connection.Query("SELECT tenant_id, root_id, state, key_uri FROM roots "
                                    "WHERE key_uri = ? OR substr(key_uri, 1, length(?)) = ? "
                                    "ORDER BY tenant_id, generation",
                                    {Text{name}, Text{with_id}, Text{with_id}}));
  return TakeRoots(std::move(rows));
}

absl::Status NoteKeyDestroyed(Connection& connection, absl::string_view key_uri,
                              absl::string_view public_key, Timestamp now) {
  ASSIGN_OR_RETURN(const std::vector<RootOfKey> roots, RootsOfPublicKey(connection, public_key));
  RETURN_IF_ERROR(CheckKeyDestroyed(roots));
  for (const RootOfKey& root : roots) {
    RETURN_IF_ERROR(
        connection
            .Change("UPDATE roots SET key_destroyed_at = ? WHERE tenant_id = ? AND root_id = ? "
                    "AND key_destroyed_at IS NULL",
                    {ValueOf(now), Text{root.tenant_id}, Text{root.root_id}})
            .status());
  }
  if (public_key.empty()) {
    RETURN_IF_ERROR(ForgetPlannedKey(connection, key_uri, std::nullopt));
    return connection.Change("DELETE FROM bound_keys WHERE key_uri = ?", {Text{key_uri}}).status();
  }
  RETURN_IF_ERROR(connection
                      .Change("DELETE FROM planned_keys WHERE " + std::string(kPlansOfKey),
                              {Blob{public_key}, Text{key_uri}, Text{hsm::UriWithoutId(key_uri)}})
                      .status());
  return connection.Change("DELETE FROM bound_keys WHERE public_key = ?", {Blob{public_key}})
      .status();
}

absl::Status BindKey(Connection& connection, const BoundKey& key) {
  RETURN_IF_ERROR(GetTenant(connection, key.tenant_id).status());
  RETURN_IF_ERROR(
      connection
          .Change("INSERT INTO bound_keys (key_uri, tenant_id, public_key) VALUES (?, ?, ?) "
                  "ON CONFLICT DO NOTHING",
                  {Text{key.key_uri}, Text{key.tenant_id}, Blob{key.public_key}})
          .status());
  ASSIGN_OR_RETURN(
      const std::int64_t bound,
      connection.QueryInteger("SELECT count(*) FROM bound_keys WHERE key_uri = ? AND tenant_id = ? "
                              "AND public_key = ?",
                              {Text{key.key_uri}, Text{key.tenant_id}, Blob{key.public_key}}));
  return bound == 1 ? absl::OkStatus() : KeyBoundOtherwise();
}

absl::StatusOr<std::vector<BoundKey>> ListBoundKeys(Connection& connection) {
  ASSIGN_OR_RETURN(Rows rows, connection.Query("SELECT tenant_id, key_uri, public_key "
                                               "FROM bound_keys ORDER BY key_uri"));
  std::vector<BoundKey> keys;
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, rows.Next());
    if (!more) return keys;
    BoundKey& key = keys.emplace_back();
    key.tenant_id = rows.TakeOctets();
    key.key_uri = rows.TakeOctets();
    key.public_key = rows.TakeOctets();
  }
}

}  // namespace hourglass::issuance::sqlite
