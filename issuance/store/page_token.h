// Where a page of records ends, as a token that clients hand back.
#ifndef HOURGLASS_ISSUANCE_STORE_PAGE_TOKEN_H_
#define HOURGLASS_ISSUANCE_STORE_PAGE_TOKEN_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/base/clock.h"

namespace hourglass::issuance {

// The last intent of a page: when it was intended and, among those of the same time, which it was.
struct JournalPosition {
  Timestamp intended_at;
  std::int64_t sequence = 0;
};

// The last block of a page, by what blocks are ordered by: as a table has it.
struct BlockPosition {
  std::string kind;  // of letters
  std::string folded_subject;
};

// The last device key of a page, by what they are ordered by.
struct DeviceKeyPosition {
  std::string folded_device_id;
  std::string key_id;  // of letters and digits
};

// Base64url without padding (RFC 4648 section 5). A token says where to go on and nothing else: it
// gives no right, and a forged one reaches nothing that the query beside it does not.
std::string JournalPageToken(const JournalPosition& last);
std::string DevicePageToken(absl::string_view last_device_id);
std::string IntermediatePageToken(std::int64_t last_sequence);
std::string AdministrativePageToken(std::int64_t last_sequence);
std::string PolicyVersionPageToken(std::uint64_t last_revision);
std::string UserPageToken(absl::string_view last_user_id);
std::string RefusalPageToken(std::int64_t last_sequence);
std::string BlockPageToken(const BlockPosition& last);
std::string DeviceKeyPageToken(const DeviceKeyPosition& last);

// The reverse. Errors: FIELD_INVALID with field `page_token` for what the functions above did not
// make.
absl::StatusOr<JournalPosition> ParseJournalPosition(absl::string_view page_token);
absl::StatusOr<std::string> ParseDevicePosition(absl::string_view page_token);
absl::StatusOr<std::int64_t> ParseIntermediatePosition(absl::string_view page_token);
absl::StatusOr<std::int64_t> ParseAdministrativePosition(absl::string_view page_token);
absl::StatusOr<std::int64_t> ParsePolicyVersionPosition(absl::string_view page_token);
absl::StatusOr<std::string> ParseUserPosition(absl::string_view page_token);
absl::StatusOr<std::int64_t> ParseRefusalPosition(absl::string_view page_token);
absl::StatusOr<BlockPosition> ParseBlockPosition(absl::string_view page_token);
absl::StatusOr<DeviceKeyPosition> ParseDeviceKeyPosition(absl::string_view page_token);

// Errors: FIELD_INVALID with field `page_size` unless it is 1 to kMaxPageSize
// (issuance/store/page.h).
absl::Status CheckPageSize(int page_size);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_PAGE_TOKEN_H_
