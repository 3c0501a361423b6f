// The statements on one segment: intents and releases by their sequence numbers.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_SEGMENTS_SEGMENT_RECORDS_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_SEGMENTS_SEGMENT_RECORDS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/store/records.h"
#include "issuance/store/sqlite/engine/sqlite.h"
#include "issuance/store/sqlite/key_index/key_hash.h"
#include "issuance/store/sqlite/segments/sqlite_selection.h"

namespace hourglass::issuance::sqlite {

struct NumberedRecord {
  std::int64_t sequence = 0;
  JournalRecord record;
};

// The part of an intent that later writes are checked against.
struct RecordedIntent {
  std::string tenant_id;
  std::uint64_t epoch = 0;
  std::string root_id;
  std::string request_id;
  std::string serial_number;
  std::string tbs_certificate;
};

// What is kept in memory of an intent. The octets are its owner's.
struct IntentKeys {
  std::int64_t sequence = 0;
  absl::string_view tenant_id;
  absl::string_view root_id;
  std::uint64_t request_hash = 0;  // HashOfRequestId
  std::uint64_t serial_hash = 0;   // HashOfSerialNumber
  Timestamp intended_at;
  ca::Time not_after;
};

IntentKeys KeysOf(const HashKey& key, std::int64_t sequence, const Intent& intent);

// Takes HOURGLASS_INTENT_COLUMNS of the current row.
Intent TakeIntent(Rows& rows);

// Needs a transaction of the caller's, and a sequence number that is not there.
absl::Status InsertIntent(Connection& segment, std::int64_t sequence, const Intent& intent);
// False if there is a release already. The certificate is kept without `tbs_certificate` where it
// holds it, and read back octet for octet. Needs a transaction of the caller's.
absl::StatusOr<bool> InsertRelease(Connection& segment, std::int64_t sequence,
                                   absl::string_view certificate, absl::string_view tbs_certificate,
                                   Timestamp released_at);

absl::StatusOr<std::optional<RecordedIntent>> ReadIntent(Connection& segment,
                                                         std::int64_t sequence);
absl::StatusOr<bool> HasRelease(Connection& segment, std::int64_t sequence);
absl::StatusOr<std::optional<NumberedRecord>> ReadRecord(Connection& segment,
                                                         std::int64_t sequence);
// Whether the segment says by whose word it is known for whom a certificate is: those of before
// schema version 11 do not until AddIdentityColumns was there.
absl::StatusOr<bool> HasIdentity(Connection& segment);
// Makes a segment one that InsertIntent can write to, where it is older; what it has says nothing
// of it. To be called before the first InsertIntent, outside of a transaction.
absl::Status AddIdentityColumns(Connection& segment);
// Whether JournalFolder::IndexSegment was here, to its end; a backup may be of before.
absl::StatusOr<bool> HasIndices(Connection& segment);
// As `selection` orders them.
absl::StatusOr<std::vector<NumberedRecord>> ReadRecords(Connection& segment,
                                                        const Selection& selection);
// Calls `take` for each intent after `sequence`, in order.
absl::Status ReadKeysAfter(Connection& segment, const HashKey& key, std::int64_t sequence,
                           const std::function<void(const IntentKeys&)>& take);

}  // namespace hourglass::issuance::sqlite

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_SEGMENTS_SEGMENT_RECORDS_H_
