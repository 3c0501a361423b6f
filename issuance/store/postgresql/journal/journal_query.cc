#include "issuance/store/postgresql/journal/journal_query.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "ca/names/name_rules.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/page_token.h"
#include "issuance/store/postgresql/engine/postgresql_values.h"
#include "issuance/store/postgresql/journal/journal_statements.h"
#include "issuance/store/store_rules.h"

namespace hourglass::issuance::postgresql {
namespace {

JournalRecord TakeRecord(Rows& rows, std::int64_t& sequence) {
  JournalRecord record;
  Intent& intent = record.intent;
  sequence = rows.TakeInteger();
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
  intent.intermediate_serial_number = rows.TakeOctets();
  intent.intended_at = TakeTimestamp(rows);
  record.certificate = rows.TakeOctets();
  record.released_at = TakeOptionalTimestamp(rows);
  intent.identity = rows.TakeOctets();
  intent.token_issuer = rows.TakeOctets();
  intent.token_id = rows.TakeOctets();
  return record;
}

absl::StatusOr<JournalRecord> FindOne(Connection& connection, absl::string_view sql,
                                      absl::Span<const Value> values) {
  ASSIGN_OR_RETURN(Rows rows, connection.Query(sql, values));
  if (!rows.Next()) return CertificateUnknown();
  std::int64_t sequence = 0;
  return TakeRecord(rows, sequence);
}

}  // namespace

absl::StatusOr<JournalRecord> FindByRequestId(Connection& connection, absl::string_view tenant_id,
                                              absl::string_view request_id) {
  return FindOne(connection, kSelectByRequestId, {Text{tenant_id}, Text{request_id}});
}

absl::StatusOr<JournalRecord> FindBySerialNumber(Connection& connection,
                                                 absl::string_view tenant_id,
                                                 absl::string_view serial_number) {
  return FindOne(connection, kSelectBySerialNumber, {Text{tenant_id}, Blob{serial_number}});
}

absl::StatusOr<Page<JournalRecord>> ListJournal(Connection& connection, absl::string_view tenant_id,
                                                const JournalFilter& asked, int page_size,
                                                absl::string_view page_token) {
  RETURN_IF_ERROR(CheckPageSize(page_size));
  std::optional<JournalPosition> after;
  if (!page_token.empty()) {
    ASSIGN_OR_RETURN(after, ParseJournalPosition(page_token));
  }
  JournalFilter filter = asked;
  filter.user_upn = ca::FoldedUpn(asked.user_upn);
  Page<JournalRecord> page;
  // Who is nobody is not everybody.
  if (filter.user_upn.empty() && !asked.user_upn.empty()) return page;
  // One more than asked for tells whether there is another page.
  const Selection selection = SelectJournal(tenant_id, filter, after, page_size + 1);
  ASSIGN_OR_RETURN(Rows rows, connection.Query(selection.sql, selection.values));
  std::int64_t sequence = 0;
  while (rows.Next()) {
    if (page.records.size() == static_cast<std::size_t>(page_size)) {
      page.next_page_token = JournalPageToken({page.records.back().intent.intended_at, sequence});
      break;
    }
    page.records.push_back(TakeRecord(rows, sequence));
  }
  return page;
}

absl::StatusOr<std::optional<Timestamp>> NewestIntent(Connection& connection) {
  ASSIGN_OR_RETURN(Rows rows, connection.Query(kSelectNewestIntent));
  return rows.Next() ? TakeOptionalTimestamp(rows) : std::nullopt;
}

}  // namespace hourglass::issuance::postgresql
