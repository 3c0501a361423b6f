#include "issuance/store/sqlite/segments/segment_records.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/sqlite/engine/sqlite_values.h"

namespace hourglass::issuance::sqlite {
namespace {

NumberedRecord TakeRecord(Rows& rows) {
  NumberedRecord numbered;
  numbered.sequence = rows.TakeInteger();
  JournalRecord& record = numbered.record;
  record.intent = TakeIntent(rows);
  const std::optional<std::int64_t> released_at = rows.TakeOptionalInteger();
  if (!released_at.has_value()) return numbered;
  record.released_at = Timestamp(std::chrono::microseconds(*released_at));
  const bool tbs_inside = rows.TakeInteger() != 0;
  record.certificate = rows.TakeOctets();
  if (tbs_inside) record.certificate += record.intent.tbs_certificate;
  record.certificate += rows.TakeOctets();
  return numbered;
}

}  // namespace

Intent TakeIntent(Rows& rows) {
  Intent intent;
  intent.tenant_id = rows.TakeOctets();
  intent.epoch = static_cast<std::uint64_t>(rows.TakeInteger());
  intent.root_id = rows.TakeOctets();
  intent.request_id = rows.TakeOctets();
  intent.serial_number = rows.TakeOctets();
  intent.intended_at = TakeTimestamp(rows);
  intent.not_before = TakeTime(rows);
  intent.not_after = TakeTime(rows);
  intent.user_upn = rows.TakeOctets();
  intent.device_id = rows.TakeOctets();
  intent.user_id = rows.TakeOctets();
  intent.caller = rows.TakeOctets();
  intent.request_digest = rows.TakeOctets();
  intent.verdict_id = rows.TakeOctets();
  intent.policy_version = rows.TakeOctets();
  intent.verdict_evaluated_at = TakeTimestamp(rows);
  intent.intermediate_serial_number = rows.TakeOctets();
  intent.tbs_certificate = rows.TakeOctets();
  intent.identity = rows.TakeOctets();
  intent.token_issuer = rows.TakeOctets();
  intent.token_id = rows.TakeOctets();
  return intent;
}

absl::Status InsertIntent(Connection& segment, std::int64_t sequence, const Intent& intent) {
  return segment
      .Change(
          "INSERT INTO intents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
          "?, ?)",
          {sequence,
           Text{intent.tenant_id},
           ValueOf(intent.epoch),
           Text{intent.root_id},
           Text{intent.request_id},
           Blob{intent.serial_number},
           ValueOf(intent.intended_at),
           ValueOf(intent.not_before),
           ValueOf(intent.not_after),
           Text{intent.user_upn},
           Text{intent.device_id},
           Text{intent.user_id},
           Text{intent.caller},
           Blob{intent.request_digest},
           Text{intent.verdict_id},
           Text{intent.policy_version},
           ValueOf(intent.verdict_evaluated_at),
           Blob{intent.intermediate_serial_number},
           Blob{intent.tbs_certificate},
           Text{intent.identity},
           Text{intent.token_issuer},
           Text{intent.token_id}})
      .status();
}

absl::StatusOr<bool> InsertRelease(Connection& segment, std::int64_t sequence,
                                   absl::string_view certificate, absl::string_view tbs_certificate,
                                   Timestamp released_at) {
  const std::size_t tbs_at = certificate.find(tbs_certificate);
  const bool tbs_inside = tbs_at != absl::string_view::npos;
  const absl::string_view before = certificate.substr(0, tbs_at);
  const absl::string_view after =
      tbs_inside ? certificate.substr(tbs_at + tbs_certificate.size()) : absl::string_view();
  ASSIGN_OR_RETURN(
      const std::int64_t inserted,
      segment.Change(
          "INSERT INTO releases VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
          {sequence, ValueOf(released_at), std::int64_t{tbs_inside}, Blob{before}, Blob{after}}));
  return inserted == 1;
}

absl::StatusOr<std::optional<RecordedIntent>> ReadIntent(Connection& segment,
                                                         std::int64_t sequence) {
  ASSIGN_OR_RETURN(Rows rows, segment.Query("SELECT tenant_id, epoch, root_id, request_id, "
                                            "serial_number, tbs_certificate FROM intents "
                                            "WHERE sequence = ?",
                                            {sequence}));
  ASSIGN_OR_RETURN(const bool found, rows.Next());
  if (!found) return std::optional<RecordedIntent>();
  RecordedIntent intent;
  intent.tenant_id = rows.TakeOctets();
  intent.epoch = static_cast<std::uint64_t>(rows.TakeInteger());
  intent.root_id = rows.TakeOctets();
  intent.request_id = rows.TakeOctets();
  intent.serial_number = rows.TakeOctets();
  intent.tbs_certificate = rows.TakeOctets();
  return std::make_optional(std::move(intent));
}

absl::StatusOr<bool> HasRelease(Connection& segment, std::int64_t sequence) {
  ASSIGN_OR_RETURN(const std::int64_t there,
                   segment.QueryInteger("SELECT EXISTS (SELECT 1 FROM releases WHERE sequence = ?)",
                                        {sequence}));
  return there != 0;
}

absl::StatusOr<std::optional<NumberedRecord>> ReadRecord(Connection& segment,
                                                         std::int64_t sequence) {
  ASSIGN_OR_RETURN(const bool has_identity, HasIdentity(segment));
  ASSIGN_OR_RETURN(
      Rows rows,
      segment.Query(absl::StrCat(SelectRecords(has_identity), "WHERE sequence = ?"), {sequence}));
  ASSIGN_OR_RETURN(const bool found, rows.Next());
  if (!found) return std::optional<NumberedRecord>();
  return std::make_optional(TakeRecord(rows));
}

absl::StatusOr<bool> HasIdentity(Connection& segment) {
  ASSIGN_OR_RETURN(const std::int64_t there,
                   segment.QueryInteger("SELECT EXISTS (SELECT 1 FROM pragma_table_info('intents') "
                                        "WHERE name = 'token_id')"));
  return there != 0;
}

absl::Status AddIdentityColumns(Connection& segment) {
  ASSIGN_OR_RETURN(bool is_there, HasIdentity(segment));
  if (is_there) return absl::OkStatus();
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(segment));
  // Another process may have been faster.
  ASSIGN_OR_RETURN(is_there, HasIdentity(segment));
  if (is_there) return absl::OkStatus();
  transaction.ChangesTheSchema();
  for (const absl::string_view column : {"identity", "token_issuer", "token_id"}) {
    RETURN_IF_ERROR(segment.Execute(
        absl::StrCat("ALTER TABLE intents ADD COLUMN ", column, " TEXT NOT NULL DEFAULT ''")));
  }
  return transaction.Commit();
}

absl::StatusOr<bool> HasIndices(Connection& segment) {
  ASSIGN_OR_RETURN(
      const std::int64_t there,
      segment.QueryInteger(
          "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'intents_by_device')"));
  return there != 0;
}

absl::StatusOr<std::vector<NumberedRecord>> ReadRecords(Connection& segment,
                                                        const Selection& selection) {
  ASSIGN_OR_RETURN(Rows rows, segment.Query(selection.sql, selection.values));
  std::vector<NumberedRecord> records;
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, rows.Next());
    if (!more) return records;
    records.push_back(TakeRecord(rows));
  }
}

IntentKeys KeysOf(const HashKey& key, std::int64_t sequence, const Intent& intent) {
  IntentKeys keys;
  keys.sequence = sequence;
  keys.tenant_id = intent.tenant_id;
  keys.root_id = intent.root_id;
  keys.request_hash = HashOfRequestId(key, intent.tenant_id, intent.request_id);
  keys.serial_hash = HashOfSerialNumber(key, intent.tenant_id, intent.serial_number);
  keys.intended_at = intent.intended_at;
  keys.not_after = intent.not_after;
  return keys;
}

absl::Status ReadKeysAfter(Connection& segment, const HashKey& key, std::int64_t sequence,
                           const std::function<void(const IntentKeys&)>& take) {
  ASSIGN_OR_RETURN(Rows rows,
                   segment.Query("SELECT sequence, tenant_id, root_id, request_id, serial_number, "
                                 "intended_at, not_after FROM intents WHERE sequence > ? "
                                 "ORDER BY sequence",
                                 {sequence}));
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, rows.Next());
    if (!more) return absl::OkStatus();
    Intent intent;
    const std::int64_t next = rows.TakeInteger();
    intent.tenant_id = rows.TakeOctets();
    intent.root_id = rows.TakeOctets();
    intent.request_id = rows.TakeOctets();
    intent.serial_number = rows.TakeOctets();
    intent.intended_at = TakeTimestamp(rows);
    intent.not_after = TakeTime(rows);
    take(KeysOf(key, next, intent));
  }
}

}  // namespace hourglass::issuance::sqlite
