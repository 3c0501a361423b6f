#include "issuance/store/sqlite_journal.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/page_token.h"
#include "issuance/store/sqlite_selection.h"
#include "issuance/store/sqlite_tenants.h"
#include "issuance/store/sqlite_values.h"

namespace hourglass::issuance::sqlite {
namespace {

// Whether nothing stands between the root and the leaf, or an intermediate that was released: the
// statement itself keeps what is not recorded from issuing.
#define HOURGLASS_ISSUER_IS_RECORDED(tenant, root, serial)       \
  "(" serial                                                     \
  " = x'' OR EXISTS (SELECT 1 FROM intermediates AS above "      \
  "WHERE above.tenant_id = " tenant " AND above.root_id = " root \
  " AND above.serial_number = " serial " AND above.certificate IS NOT NULL))"

struct NumberedRecord {
  std::int64_t sequence;
  JournalRecord record;
};

NumberedRecord TakeRecord(Rows& rows) {
  NumberedRecord numbered;
  numbered.sequence = rows.TakeInteger();
  Intent& intent = numbered.record.intent;
  intent.tenant_id = rows.TakeOctets();
  intent.epoch = static_cast<std::uint64_t>(rows.TakeInteger());
  intent.root_id = rows.TakeOctets();
  intent.request_id = rows.TakeOctets();
  intent.request_digest = rows.TakeOctets();
  intent.caller = rows.TakeOctets();
  intent.user_id = rows.TakeOctets();
  intent.user_upn = rows.TakeOctets();
  intent.device_id = rows.TakeOctets();
  intent.verdict_id = rows.TakeOctets();
  intent.policy_version = rows.TakeOctets();
  intent.verdict_evaluated_at = TakeTimestamp(rows);
  intent.serial_number = rows.TakeOctets();
  intent.not_before = TakeTime(rows);
  intent.not_after = TakeTime(rows);
  intent.tbs_certificate = rows.TakeOctets();
  intent.intended_at = TakeTimestamp(rows);
  intent.intermediate_serial_number = rows.TakeOctets();
  numbered.record.certificate = rows.TakeOctets();
  if (const std::optional<std::int64_t> microseconds = rows.TakeOptionalInteger()) {
    numbered.record.released_at = Timestamp(std::chrono::microseconds(*microseconds));
  }
  return numbered;
}

// Why an insert of `intent` inserted nothing.
absl::StatusOr<absl::Status> RefusalOf(Connection& connection, const Intent& intent) {
  ASSIGN_OR_RETURN(
      Rows rows,
      connection.Query(
          "SELECT EXISTS (SELECT 1 FROM tenants JOIN roots USING (tenant_id) WHERE tenant_id = ?1 "
          "AND epoch = ?2 AND root_id = ?3 AND state = 'PRIMARY'), "
          "EXISTS (SELECT 1 FROM intents WHERE tenant_id = ?1 AND request_id = "
          "?4), " HOURGLASS_ISSUER_IS_RECORDED("?1", "?3",
                                               "?5") " FROM tenants WHERE tenant_id = ?1",
          {Text{intent.tenant_id}, ValueOf(intent.epoch), Text{intent.root_id},
           Text{intent.request_id}, Blob{intent.intermediate_serial_number}}));
  ASSIGN_OR_RETURN(const bool tenant_exists, rows.Next());
  if (!tenant_exists) return TenantUnknown();
  const bool inside_the_fence = rows.TakeInteger() != 0;
  const bool request_id_used = rows.TakeInteger() != 0;
  const bool issuer_is_recorded = rows.TakeInteger() != 0;
  if (!inside_the_fence) return PrimaryChanged();
  if (request_id_used) {
    return Error(ErrorReason::kRequestIdReused, "request_id", "was used before");
  }
  if (!issuer_is_recorded) {
    return Error(ErrorReason::kInternalError, "intermediate_serial_number",
                 "the root has no intermediate of this serial number that was released");
  }
  return Error(ErrorReason::kInternalError, "serial_number",
               "the root has a certificate of this serial number already");
}

// The outer status is an error where the database fails, the inner one where the write is refused.
absl::StatusOr<absl::Status> Append(Connection& connection, const Intent& intent) {
  // The fence (promise 6) is part of the statement: no row is inserted unless the epoch is the
  // tenant's and the root its primary.
  ASSIGN_OR_RETURN(
      const std::int64_t inserted,
      connection.Change(
          "INSERT INTO intents (" HOURGLASS_INTENT_COLUMNS
          ") SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, "
          "?18 "
          "FROM tenants JOIN roots USING (tenant_id) WHERE tenant_id = ?1 AND epoch = ?2 "
          "AND root_id = ?3 AND state = 'PRIMARY' AND " HOURGLASS_ISSUER_IS_RECORDED(
              "?1", "?3", "?18") " ON CONFLICT DO NOTHING",
          {Text{intent.tenant_id}, ValueOf(intent.epoch), Text{intent.root_id},
           Text{intent.request_id}, Blob{intent.request_digest}, Text{intent.caller},
           Text{intent.user_id}, Text{intent.user_upn}, Text{intent.device_id},
           Text{intent.verdict_id}, Text{intent.policy_version},
           ValueOf(intent.verdict_evaluated_at), Blob{intent.serial_number},
           ValueOf(intent.not_before), ValueOf(intent.not_after), Blob{intent.tbs_certificate},
           ValueOf(intent.intended_at), Blob{intent.intermediate_serial_number}}));
  if (inserted == 0) return RefusalOf(connection, intent);
  // A root may only be retired once all that it was ever meant to sign has expired.
  RETURN_IF_ERROR(
      connection
          .Change("UPDATE roots SET last_leaf_not_after = ?3 WHERE tenant_id = ?1 AND root_id = ?2 "
                  "AND (last_leaf_not_after IS NULL OR last_leaf_not_after < ?3)",
                  {Text{intent.tenant_id}, Text{intent.root_id}, ValueOf(intent.not_after)})
          .status());
  return absl::OkStatus();
}

// Why an insert of `release` inserted nothing.
absl::StatusOr<absl::Status> RefusalOf(Connection& connection, const Release& release) {
  ASSIGN_OR_RETURN(
      Rows rows, connection.Query(
                     "SELECT intents.epoch = ?3 AND tenants.epoch = ?3 FROM intents "
                     "JOIN tenants USING (tenant_id) WHERE tenant_id = ?1 AND request_id = ?2",
                     {Text{release.tenant_id}, Text{release.request_id}, ValueOf(release.epoch)}));
  ASSIGN_OR_RETURN(const bool intended, rows.Next());
  if (!intended) {
    return Error(ErrorReason::kCertificateUnknown, "request_id",
                 "the journal holds no intent of this request id");
  }
  if (rows.TakeInteger() == 0) return PrimaryChanged();
  return Error(ErrorReason::kRequestIdReused, "request_id", "was released before");
}

absl::StatusOr<absl::Status> Append(Connection& connection, const Release& release) {
  // The same fence.
  ASSIGN_OR_RETURN(
      const std::int64_t inserted,
      connection.Change(
          "INSERT INTO releases (sequence, certificate, released_at) SELECT sequence, ?4, ?5 "
          "FROM intents JOIN tenants USING (tenant_id) WHERE tenant_id = ?1 AND request_id = ?2 "
          "AND intents.epoch = ?3 AND tenants.epoch = ?3 ON CONFLICT DO NOTHING",
          {Text{release.tenant_id}, Text{release.request_id}, ValueOf(release.epoch),
           Blob{release.certificate}, ValueOf(release.released_at)}));
  if (inserted == 1) return absl::OkStatus();
  return RefusalOf(connection, release);
}

absl::StatusOr<JournalRecord> TakeOnly(absl::StatusOr<Rows> found) {
  ASSIGN_OR_RETURN(Rows rows, std::move(found));
  ASSIGN_OR_RETURN(const bool there, rows.Next());
  if (!there) {
    return Error(ErrorReason::kCertificateUnknown, "", "the journal holds no such certificate");
  }
  return std::move(TakeRecord(rows).record);
}

}  // namespace

absl::StatusOr<std::vector<absl::Status>> AppendToJournal(Connection& connection,
                                                          absl::Span<const JournalWrite> writes) {
  std::vector<absl::Status> statuses;
  for (const JournalWrite& write : writes) {
    ASSIGN_OR_RETURN(
        absl::Status status,
        std::visit([&connection](const auto& record) { return Append(connection, record); },
                   write));
    statuses.push_back(std::move(status));
  }
  return statuses;
}

absl::StatusOr<JournalRecord> FindByRequestId(Connection& connection, absl::string_view tenant_id,
                                              absl::string_view request_id) {
  return TakeOnly(
      connection.Query(HOURGLASS_SELECT_RECORDS("") "WHERE tenant_id = ? AND request_id = ?",
                       {Text{tenant_id}, Text{request_id}}));
}

absl::StatusOr<JournalRecord> FindBySerialNumber(Connection& connection,
                                                 absl::string_view tenant_id,
                                                 absl::string_view serial_number) {
  return TakeOnly(connection.Query(
      HOURGLASS_SELECT_RECORDS(
          "INDEXED BY intents_by_serial_number") "WHERE tenant_id = ? AND serial_number = ? ORDER "
                                                 "BY intended_at DESC, sequence DESC LIMIT 1",
      {Text{tenant_id}, Blob{serial_number}}));
}

absl::StatusOr<Page<JournalRecord>> ListJournal(Connection& connection, absl::string_view tenant_id,
                                                const JournalFilter& filter, int page_size,
                                                absl::string_view page_token) {
  RETURN_IF_ERROR(CheckPageSize(page_size));
  // One more than asked for tells whether there is another page.
  ASSIGN_OR_RETURN(const Selection selection,
                   SelectJournal(tenant_id, filter, page_token, std::int64_t{page_size} + 1));
  ASSIGN_OR_RETURN(Rows rows, connection.Query(selection.sql, selection.values));
  Page<JournalRecord> page;
  JournalPosition last;
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, rows.Next());
    if (!more) return page;
    if (page.records.size() == static_cast<std::size_t>(page_size)) {
      page.next_page_token = JournalPageToken(last);
      return page;
    }
    NumberedRecord numbered = TakeRecord(rows);
    last = {numbered.record.intent.intended_at, numbered.sequence};
    page.records.push_back(std::move(numbered.record));
  }
}

}  // namespace hourglass::issuance::sqlite
