#include "issuance/store/page_token.h"

#include <chrono>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "ca/encoding/utf8.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/store.h"

namespace hourglass::issuance {
namespace {

// What each kind of token begins with, so that one is not taken for the other.
constexpr absl::string_view kJournal = "j1:";
constexpr absl::string_view kDevices = "d1:";
constexpr absl::string_view kIntermediates = "i1:";
constexpr absl::string_view kActions = "a1:";
constexpr absl::string_view kPolicyVersions = "p1:";
constexpr absl::string_view kRefusals = "r1:";
constexpr absl::string_view kUsers = "u1:";
constexpr absl::string_view kBlocks = "b1:";
constexpr absl::string_view kDeviceKeys = "k1:";

absl::Status NotOurs() {
  return Error(ErrorReason::kFieldInvalid, "page_token", "was not made by this service");
}

std::string SequenceToken(absl::string_view kind, std::int64_t last_sequence) {
  return absl::WebSafeBase64Escape(absl::StrCat(kind, last_sequence));
}

absl::StatusOr<std::int64_t> ParseSequence(absl::string_view kind, absl::string_view page_token) {
  std::string plain;
  if (!absl::WebSafeBase64Unescape(page_token, &plain)) return NotOurs();
  absl::string_view number = plain;
  std::int64_t sequence;
  if (!absl::ConsumePrefix(&number, kind) || !absl::SimpleAtoi(number, &sequence) ||
      SequenceToken(kind, sequence) != page_token) {
    return NotOurs();
  }
  return sequence;
}

std::string TextToken(absl::string_view kind, absl::string_view last) {
  return absl::WebSafeBase64Escape(absl::StrCat(kind, last));
}

absl::StatusOr<std::string> ParseText(absl::string_view kind, absl::string_view page_token) {
  std::string plain;
  if (!absl::WebSafeBase64Unescape(page_token, &plain)) return NotOurs();
  absl::string_view last = plain;
  if (!absl::ConsumePrefix(&last, kind)) return NotOurs();
  if (TextToken(kind, last) != page_token) return NotOurs();
  if (!ca::DecodeUtf8(last).has_value() || absl::StrContains(last, '\0')) return NotOurs();
  return std::string(last);
}

}  // namespace

std::string JournalPageToken(const JournalPosition& last) {
  return absl::WebSafeBase64Escape(
      absl::StrCat(kJournal, last.intended_at.time_since_epoch().count(), ":", last.sequence));
}

std::string DevicePageToken(absl::string_view last_device_id) {
  return TextToken(kDevices, last_device_id);
}

std::string IntermediatePageToken(std::int64_t last_sequence) {
  return SequenceToken(kIntermediates, last_sequence);
}

std::string AdministrativePageToken(std::int64_t last_sequence) {
  return SequenceToken(kActions, last_sequence);
}

std::string PolicyVersionPageToken(std::uint64_t last_revision) {
  return SequenceToken(kPolicyVersions, static_cast<std::int64_t>(last_revision));
}

std::string RefusalPageToken(std::int64_t last_sequence) {
  return SequenceToken(kRefusals, last_sequence);
}

std::string UserPageToken(absl::string_view last_user_id) {
  return TextToken(kUsers, last_user_id);
}

std::string BlockPageToken(const BlockPosition& last) {
  return TextToken(kBlocks, absl::StrCat(last.kind, ":", last.folded_subject));
}

std::string DeviceKeyPageToken(const DeviceKeyPosition& last) {
  return TextToken(kDeviceKeys, absl::StrCat(last.key_id, ":", last.folded_device_id));
}

absl::StatusOr<JournalPosition> ParseJournalPosition(absl::string_view page_token) {
  std::string plain;
  if (!absl::WebSafeBase64Unescape(page_token, &plain)) return NotOurs();
  absl::string_view rest = plain;
  if (!absl::ConsumePrefix(&rest, kJournal)) return NotOurs();
  const std::pair<absl::string_view, absl::string_view> numbers =
      absl::StrSplit(rest, absl::MaxSplits(':', 1));
  std::int64_t microseconds;
  JournalPosition position;
  if (!absl::SimpleAtoi(numbers.first, &microseconds) ||
      !absl::SimpleAtoi(numbers.second, &position.sequence)) {
    return NotOurs();
  }
  position.intended_at = Timestamp(std::chrono::microseconds(microseconds));
  // The parsers above let spaces, signs and padding pass.
  if (JournalPageToken(position) != page_token) return NotOurs();
  return position;
}

absl::StatusOr<std::string> ParseDevicePosition(absl::string_view page_token) {
  return ParseText(kDevices, page_token);
}

absl::StatusOr<std::int64_t> ParseIntermediatePosition(absl::string_view page_token) {
  return ParseSequence(kIntermediates, page_token);
}

absl::StatusOr<std::int64_t> ParseAdministrativePosition(absl::string_view page_token) {
  return ParseSequence(kActions, page_token);
}

absl::StatusOr<std::int64_t> ParsePolicyVersionPosition(absl::string_view page_token) {
  return ParseSequence(kPolicyVersions, page_token);
}

absl::StatusOr<std::int64_t> ParseRefusalPosition(absl::string_view page_token) {
  return ParseSequence(kRefusals, page_token);
}

absl::StatusOr<std::string> ParseUserPosition(absl::string_view page_token) {
  return ParseText(kUsers, page_token);
}

absl::StatusOr<BlockPosition> ParseBlockPosition(absl::string_view page_token) {
  ASSIGN_OR_RETURN(const std::string last, ParseText(kBlocks, page_token));
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(last, absl::MaxSplits(':', 1));
  if (!absl::StrContains(last, ':')) return NotOurs();
  return BlockPosition{std::string(parts.first), std::string(parts.second)};
}

absl::StatusOr<DeviceKeyPosition> ParseDeviceKeyPosition(absl::string_view page_token) {
  ASSIGN_OR_RETURN(const std::string last, ParseText(kDeviceKeys, page_token));
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(last, absl::MaxSplits(':', 1));
  if (!absl::StrContains(last, ':')) return NotOurs();
  return DeviceKeyPosition{std::string(parts.second), std::string(parts.first)};
}

absl::Status CheckPageSize(int page_size) {
  if (page_size >= 1 && page_size <= kMaxPageSize) return absl::OkStatus();
  return Error(ErrorReason::kFieldInvalid, "page_size",
               absl::StrCat("must be 1 to ", kMaxPageSize));
}

}  // namespace hourglass::issuance
