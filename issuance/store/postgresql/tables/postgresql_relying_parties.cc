#include "issuance/store/postgresql/tables/postgresql_relying_parties.h"

#include <string>

#include "hsm/base/status_macros.h"
#include "issuance/store/administrative_actions.h"
#include "issuance/store/postgresql/engine/postgresql_values.h"
#include "issuance/store/postgresql/tables/postgresql_administrative_actions.h"
#include "issuance/store/postgresql/tables/postgresql_tenants.h"
#include "issuance/store/store_rules.h"

namespace hourglass::issuance::postgresql {
namespace {

#define HOURGLASS_RELYING_PARTY_COLUMNS                                       \
  "tenant_id, name, identity, kind, is_manual, fetched_version, fetched_at, " \
  "acknowledged_version, acknowledged_sha256, acknowledged_at, acknowledged_by, registered_at"

RelyingPartyRecord TakeParty(Rows& rows) {
  RelyingPartyRecord party;
  party.tenant_id = rows.TakeOctets();
  party.name = rows.TakeOctets();
  party.identity = rows.TakeOctets();
  party.kind = rows.TakeOctets();
  party.is_manual = rows.TakeBoolean();
  party.fetched_version = static_cast<std::uint64_t>(rows.TakeInteger());
  party.fetched_at = TakeOptionalTimestamp(rows);
  party.acknowledged_version = static_cast<std::uint64_t>(rows.TakeInteger());
  party.acknowledged_sha256 = rows.TakeOctets();
  party.acknowledged_at = TakeOptionalTimestamp(rows);
  party.acknowledged_by = rows.TakeOctets();
  party.registered_at = TakeTimestamp(rows);
  return party;
}

absl::StatusOr<RelyingPartyRecord> TakeOneParty(absl::StatusOr<Rows> rows) {
  RETURN_IF_ERROR(rows.status());
  if (!rows->Next()) return RelyingPartyUnknown();
  return TakeParty(*rows);
}

// In the order of the contract.
absl::Status WhyNotAdded(Connection& connection, const RelyingPartyRecord& party) {
  RETURN_IF_ERROR(GetTenant(connection, party.tenant_id).status());
  ASSIGN_OR_RETURN(
      const std::int64_t named,
      connection.QueryInteger(
          "SELECT EXISTS (SELECT 1 FROM relying_parties WHERE tenant_id = $1 AND name = $2)",
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
          "SELECT tenant_id, $2, $3, $4, $5, $6 FROM tenants WHERE tenant_id = $1 "
          "ON CONFLICT DO NOTHING",
          {Text{party.tenant_id}, Text{party.name}, Text{party.identity}, Text{party.kind},
           party.is_manual, ValueOf(cause.now)}));
  if (added == 0) return WhyNotAdded(connection, party);
  return RecordAction(connection,
                      ActionOn(party.tenant_id, party.name, "relying_party_registered", cause));
}

absl::StatusOr<RelyingPartyRecord> RemoveRelyingParty(Connection& connection,
                                                      absl::string_view tenant_id,
                                                      absl::string_view name,
                                                      const ChangeCause& cause) {
  ASSIGN_OR_RETURN(RelyingPartyRecord party,
                   TakeOneParty(connection.Query(
                       "DELETE FROM relying_parties WHERE tenant_id = $1 AND name = $2 "
                       "RETURNING " HOURGLASS_RELYING_PARTY_COLUMNS,
                       {Text{tenant_id}, Text{name}})));
  RETURN_IF_ERROR(
      RecordAction(connection, ActionOn(tenant_id, name, "relying_party_removed", cause)));
  return party;
}

absl::StatusOr<std::vector<RelyingPartyRecord>> ListRelyingParties(Connection& connection,
                                                                   absl::string_view tenant_id) {
  ASSIGN_OR_RETURN(Rows rows,
                   connection.Query("SELECT " HOURGLASS_RELYING_PARTY_COLUMNS
                                    " FROM relying_parties WHERE tenant_id = $1 ORDER BY name",
                                    {Text{tenant_id}}));
  std::vector<RelyingPartyRecord> parties;
  while (rows.Next()) parties.push_back(TakeParty(rows));
  return parties;
}

absl::StatusOr<RelyingPartyRecord> Acknowledge(Connection& connection,
                                               const Acknowledgement& acknowledgement,
                                               const ChangeCause& cause) {
  const std::string& tenant_id = acknowledgement.tenant_id;
  ASSIGN_OR_RETURN(const TenantRecord tenant, GetTenant(connection, tenant_id));
  ASSIGN_OR_RETURN(
      RelyingPartyRecord party,
      TakeOneParty(connection.Query("SELECT " HOURGLASS_RELYING_PARTY_COLUMNS
                                    " FROM relying_parties WHERE tenant_id = $1 AND name = $2",
                                    {Text{tenant_id}, Text{acknowledgement.name}})));
  RETURN_IF_ERROR(CheckAcknowledgement(party, tenant.revision, acknowledgement));
  if (party.acknowledged_version == acknowledgement.version) return party;
  ASSIGN_OR_RETURN(
      party, TakeOneParty(connection.Query(
                 "UPDATE relying_parties SET acknowledged_version = $1, acknowledged_sha256 = $2, "
                 "acknowledged_at = $3, acknowledged_by = $4 WHERE tenant_id = $5 AND name = $6 "
                 "RETURNING " HOURGLASS_RELYING_PARTY_COLUMNS,
                 {ValueOf(acknowledgement.version), Blob{acknowledgement.document_sha256},
                  ValueOf(cause.now), Text{cause.caller}, Text{tenant_id}, Text{party.name}})));
  if (!party.is_manual) return party;
  RETURN_IF_ERROR(
      RecordAction(connection, ActionOn(tenant_id, party.name, "relying_party_attested", cause)));
  return party;
}

absl::Status NoteFetched(Connection& connection, absl::string_view tenant_id,
                         absl::string_view identity, std::uint64_t version, Timestamp now) {
  RETURN_IF_ERROR(CheckFetcher(identity));
  // What is never true of an empty identity is said for the index.
  return connection
      .Change(
          "UPDATE relying_parties SET fetched_version = $3, fetched_at = $4 "
          "WHERE tenant_id = $1 AND identity = $2 AND identity <> '' AND fetched_version < $3 "
          "AND $3 <= (SELECT revision FROM tenants WHERE tenants.tenant_id = $1)",
          {Text{tenant_id}, Text{identity}, ValueOf(version), ValueOf(now)})
      .status();
}

}  // namespace hourglass::issuance::postgresql
