#include "issuance/store/postgresql/tables/postgresql_intermediates.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/key_type.h"
#include "issuance/store/page_token.h"
#include "issuance/store/postgresql/engine/fence.h"
#include "issuance/store/postgresql/engine/postgresql_values.h"
#include "issuance/store/store_rules.h"

namespace hourglass::issuance::postgresql {
namespace {

#define HOURGLASS_SELECT_INTERMEDIATES                                                \
  "SELECT sequence, tenant_id, epoch, root_id, serial_number, key_type, not_before, " \
  "not_after, tbs_certificate, intended_at, certificate, released_at FROM intermediates "

struct NumberedRecord {
  std::int64_t sequence;
  IntermediateRecord record;
};

absl::StatusOr<NumberedRecord> TakeRecord(Rows& rows) {
  NumberedRecord numbered;
  numbered.sequence = rows.TakeInteger();
  IntermediateRecord& record = numbered.record;
  record.tenant_id = rows.TakeOctets();
  record.epoch = static_cast<std::uint64_t>(rows.TakeInteger());
  record.root_id = rows.TakeOctets();
  record.serial_number = rows.TakeOctets();
  const absl::StatusOr<hsm::KeyType> key_type = hsm::ParseKeyType(rows.TakeOctets());
  if (!key_type.ok()) {
    return Error(ErrorReason::kJournalUnavailable, "",
                 "database: a table is damaged: unknown key type of an intermediate");
  }
  record.key_type = *key_type;
  record.not_before = TakeTime(rows);
  record.not_after = TakeTime(rows);
  record.tbs_certificate = rows.TakeOctets();
  record.intended_at = TakeTimestamp(rows);
  record.certificate = rows.TakeOctets();
  record.released_at = TakeOptionalTimestamp(rows);
  return numbered;
}

bool IsPrimary(const FencedTenant& tenant, absl::string_view root_id) {
  return !tenant.primary_root.empty() && tenant.primary_root == root_id;
}

}  // namespace

absl::Status AddIntermediate(Connection& connection, const IntermediateRecord& intermediate) {
  RETURN_IF_ERROR(CheckNewIntermediate(intermediate));
  ASSIGN_OR_RETURN(const std::optional<FencedTenant> tenant,
                   HoldTenant(connection, intermediate.tenant_id));
  if (!tenant.has_value()) return TenantUnknown();
  if (tenant->epoch != intermediate.epoch || !IsPrimary(*tenant, intermediate.root_id)) {
    return PrimaryChanged();
  }
  ASSIGN_OR_RETURN(
      const std::int64_t added,
      connection.Change(
          "INSERT INTO intermediates (tenant_id, root_id, epoch, serial_number, key_type, "
          "not_before, not_after, tbs_certificate, intended_at) "
          "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
          {Text{intermediate.tenant_id}, Text{intermediate.root_id}, ValueOf(intermediate.epoch),
           Blob{intermediate.serial_number}, Text{hsm::KeyTypeName(intermediate.key_type)},
           ValueOf(intermediate.not_before), ValueOf(intermediate.not_after),
           Blob{intermediate.tbs_certificate}, ValueOf(intermediate.intended_at)}));
  return added == 1 ? absl::OkStatus() : IntermediateCollides();
}

absl::Status ReleaseIntermediate(Connection& connection, absl::string_view tenant_id,
                                 absl::string_view root_id, absl::string_view serial_number,
                                 absl::string_view certificate, Timestamp released_at) {
  ASSIGN_OR_RETURN(const std::optional<FencedTenant> tenant, HoldTenant(connection, tenant_id));
  if (tenant.has_value() && IsPrimary(*tenant, root_id)) {
    ASSIGN_OR_RETURN(
        const std::int64_t released,
        connection.Change("UPDATE intermediates SET certificate = $4, released_at = $5 "
                          "WHERE tenant_id = $1 AND root_id = $2 AND serial_number = $3 "
                          "AND epoch = $6 AND certificate IS NULL",
                          {Text{tenant_id}, Text{root_id}, Blob{serial_number}, Blob{certificate},
                           ValueOf(released_at), ValueOf(tenant->epoch)}));
    if (released == 1) return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const IntermediateRecord there,
                   GetIntermediate(connection, tenant_id, root_id, serial_number));
  return there.released_at.has_value() ? IntermediateReleasedBefore() : PrimaryChanged();
}

absl::StatusOr<IntermediateRecord> GetIntermediate(Connection& connection,
                                                   absl::string_view tenant_id,
                                                   absl::string_view root_id,
                                                   absl::string_view serial_number) {
  ASSIGN_OR_RETURN(Rows rows,
                   connection.Query(HOURGLASS_SELECT_INTERMEDIATES
                                    "WHERE tenant_id = $1 AND root_id = $2 AND serial_number = $3",
                                    {Text{tenant_id}, Text{root_id}, Blob{serial_number}}));
  if (!rows.Next()) return IntermediateUnknown();
  ASSIGN_OR_RETURN(NumberedRecord numbered, TakeRecord(rows));
  return std::move(numbered.record);
}

absl::StatusOr<Page<IntermediateRecord>> ListIntermediates(Connection& connection,
                                                           absl::string_view tenant_id,
                                                           absl::string_view root_id, int page_size,
                                                           absl::string_view page_token) {
  RETURN_IF_ERROR(CheckPageSize(page_size));
  std::int64_t before = std::numeric_limits<std::int64_t>::max();
  if (!page_token.empty()) {
    ASSIGN_OR_RETURN(before, ParseIntermediatePosition(page_token));
  }
  ASSIGN_OR_RETURN(
      Rows rows,
      connection.Query(HOURGLASS_SELECT_INTERMEDIATES
                       "WHERE tenant_id = $1 AND root_id = $2 AND sequence < $3 "
                       "ORDER BY sequence DESC LIMIT $4",
                       {Text{tenant_id}, Text{root_id}, before, std::int64_t{page_size} + 1}));
  Page<IntermediateRecord> page;
  std::int64_t last = 0;
  while (rows.Next()) {
    if (page.records.size() == static_cast<std::size_t>(page_size)) {
      page.next_page_token = IntermediatePageToken(last);
      break;
    }
    ASSIGN_OR_RETURN(NumberedRecord numbered, TakeRecord(rows));
    last = numbered.sequence;
    page.records.push_back(std::move(numbered.record));
  }
  return page;
}

}  // namespace hourglass::issuance::postgresql
