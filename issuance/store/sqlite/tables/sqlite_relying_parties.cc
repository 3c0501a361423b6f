#include "issuance/store/sqlite/tables/sqlite_relying_parties.h"

#include <cstdint>
#include <string>

#include "hsm/base/status_macros.h"
#include "issuance/store/administrative_actions.h"
#include "issuance/store/sqlite/engine/sqlite_values.h"
#include "issuance/store/sqlite/tables/sqlite_administrative_actions.h"
#include "issuance/store/sqlite/tables/sqlite_tenants.h"
#include "issuance/store/store_rules.h"

namespace hourglass::issuance::sqlite {
namespace {

#define HOURGLASS_SELECT_RELYING_PARTIES                                             \
  "SELECT tenant_id, name, identity, kind, is_manual, fetched_version, fetched_at, " \
  "acknowledged_version, acknowledged_sha256, acknowledged_at, acknowledged_by, "    \
  "registered_at FROM relying_parties WHERE tenant_id = ?"

// Of the tenant ?1 the relying party of the identity ?2, where the version ?3 is news of it. What
// is never true of an empty identity is said for the index.
#define HOURGLASS_WHERE_IT_IS_NEWS                              \
  " WHERE tenant_id = ?1 AND identity = ?2 AND identity <> '' " \
  "AND fetched_version < ?3 "                                   \
  "AND ?3 <= (SELECT revision FROM tenants WHERE tenants.tenant_id = ?1)"

RelyingPartyRecord TakeParty(Rows& rows) {
  RelyingPartyRecord party;
  party.tenant_id = rows.TakeOctets();
  party.name = rows.TakeOctets();
  party.identity = rows.TakeOctets();
  party.kind = rows.TakeOctets();
  party.is_manual = rows.TakeInteger() != 0;
  party.fetched_version = static_cast<std::uint64_t>(rows.TakeInteger());
  party.fetched_at = TakeOptionalTimestamp(rows);
  party.acknowledged_version = static_cast<std::uint64_t>(rows.TakeInteger());
  party.acknowledged_sha256 = rows.TakeOctets();
  party.acknowledged_at = TakeOptionalTimestamp(rows);
  party.acknowledged_by = rows.TakeOctets();
  party.registered_at = TakeTimestamp(rows);
  return party;
}

absl::StatusOr<RelyingPartyRecord> GetRelyingParty(Connection& connection,
                                                   absl::string_view tenant_id,
                                                   absl::string_view name) {
  ASSIGN_OR_RETURN(Rows rows, connection.Query(HOURGLASS_SELECT_RELYING_PARTIES " AND name = ?",
                                               {Text{tenant_id}, Text{name}}));
  ASSIGN_OR_RETURN(const bool found, rows.Next());
  if (!found) return RelyingPartyUnknown();
  return TakeParty(rows);
}

// In the order of the contract.
absl::Status WhyNotAdded(Connection& connection, const RelyingPartyRecord& party) {
  RETURN_IF_ERROR(GetTenant(connection, party.tenant_id).status());
  ASSIGN_OR_RETURN(
      const std::int64_t named,
      connection.QueryInteger(
          "SELECT EXISTS (SELECT 1 FROM relying_parties WHERE tenant_id = ? AND name = ?)",
          {Text{party.tenant_id}, Text{party.name}}));
  return RelyingPartyExists(named != 0 ? "name" : "identity");
}

}  // namespace

absl::Status AddRelyingParty(Connection& connection, const RelyingPartyRecord& party,
                             const ChangeCause& cause) {
  ASSIGN_OR_RETURN(
      const std::int64_t added,
      connection.Change(
          "INSERT INTO relying_parties (tenant_id, name, identity, kind, is_manual, registered_at) "
          "SELECT tenant_id, ?2, ?3, ?4, ?5, ?6 FROM tenants WHERE tenant_id = ?1 "
          "ON CONFLICT DO NOTHING",
          {Text{party.tenant_id}, Text{party.name}, Text{party.identity}, Text{party.kind},
           std::int64_t{party.is_manual}, ValueOf(cause.now)}));
  if (added == 0) return WhyNotAdded(connection, party);
  return RecordAction(connection,
                      ActionOn(party.tenant_id, party.name, "relying_party_registered", cause));
}

absl::StatusOr<RelyingPartyRecord> RemoveRelyingParty(Connection& connection,
                                                      absl::string_view tenant_id,
                                                      absl::string_view name,
                                                      const ChangeCause& cause) {
  ASSIGN_OR_RETURN(RelyingPartyRecord party, GetRelyingParty(connection, tenant_id, name));
  RETURN_IF_ERROR(connection
                      .Change("DELETE FROM relying_parties WHERE tenant_id = ? AND name = ?",
                              {Text{tenant_id}, Text{name}})
                      .status());
  RETURN_IF_ERROR(
      RecordAction(connection, ActionOn(tenant_id, name, "relying_party_removed", cause)));
  return party;
}

absl::StatusOr<std::vector<RelyingPartyRecord>> ListRelyingParties(Connection& connection,
                                                                   absl::string_view tenant_id) {
  ASSIGN_OR_RETURN(Rows rows, connection.Query(HOURGLASS_SELECT_RELYING_PARTIES " ORDER BY name",
                                               {Text{tenant_id}}));
  std::vector<RelyingPartyRecord> parties;
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, rows.Next());
    if (!more) return parties;
    parties.push_back(TakeParty(rows));
  }
}

absl::StatusOr<RelyingPartyRecord> Acknowledge(Connection& connection,
                                               const Acknowledgement& acknowledgement,
                                               const ChangeCause& cause) {
  const std::string& tenant_id = acknowledgement.tenant_id;
  ASSIGN_OR_RETURN(const TenantRecord tenant, GetTenant(connection, tenant_id));
  ASSIGN_OR_RETURN(RelyingPartyRecord party,
                   GetRelyingParty(connection, tenant_id, acknowledgement.name));
  RETURN_IF_ERROR(CheckAcknowledgement(party, tenant.revision, acknowledgement));
  if (party.acknowledged_version == acknowledgement.version) return party;
  party.acknowledged_version = acknowledgement.version;
  party.acknowledged_sha256 = acknowledgement.document_sha256;
  party.acknowledged_at = cause.now;
  party.acknowledged_by = cause.caller;
  RETURN_IF_ERROR(connection
                      .Change("UPDATE relying_parties SET acknowledged_version = ?, "
                              "acknowledged_sha256 = ?, acknowledged_at = ?, acknowledged_by = ? "
                              "WHERE tenant_id = ? AND name = ?",
                              {ValueOf(party.acknowledged_version), Blob{party.acknowledged_sha256},
                               ValueOf(party.acknowledged_at), Text{party.acknowledged_by},
                               Text{tenant_id}, Text{party.name}})
                      .status());
  if (!party.is_manual) return party;
  RETURN_IF_ERROR(
      RecordAction(connection, ActionOn(tenant_id, party.name, "relying_party_attested", cause)));
  return party;
}

absl::StatusOr<bool> IsNewlyFetched(Connection& connection, absl::string_view tenant_id,
                                    absl::string_view identity, std::uint64_t version) {
  RETURN_IF_ERROR(CheckFetcher(identity));
  ASSIGN_OR_RETURN(
      const std::int64_t is_news,
      connection.QueryInteger(
          "SELECT EXISTS (SELECT 1 FROM relying_parties" HOURGLASS_WHERE_IT_IS_NEWS ")",
          {Text{tenant_id}, Text{identity}, ValueOf(version)}));
  return is_news != 0;
}

absl::Status NoteFetched(Connection& connection, absl::string_view tenant_id,
                         absl::string_view identity, std::uint64_t version, Timestamp now) {
  RETURN_IF_ERROR(CheckFetcher(identity));
  return connection
      .Change(
          "UPDATE relying_parties SET fetched_version = ?3, "
          "fetched_at = ?4" HOURGLASS_WHERE_IT_IS_NEWS,
          {Text{tenant_id}, Text{identity}, ValueOf(version), ValueOf(now)})
      .status();
}

}  // namespace hourglass::issuance::sqlite
