#include "ca/names/name.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "ca/encoding/utf8.h"
#include "ca/names/name_rules.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"

namespace hourglass::ca {
namespace {

constexpr std::size_t kMaxSidSize = 109;

absl::Status CheckUpn(absl::string_view upn) {
  if (upn.empty())
    return Error(ErrorReason::kFieldMissing, "user.upn", "a user principal name is needed");
  const std::optional<std::string> fault = FaultInUpn(upn);
  if (!fault.has_value()) return absl::OkStatus();
  return Error(ErrorReason::kFieldInvalid, "user.upn", *fault);
}

absl::Status CheckUserId(absl::string_view user_id) {
  if (user_id.size() > kMaxUserIdSize) {
    return Error(ErrorReason::kFieldInvalid, "user.id",
                 absl::StrCat("has more than ", kMaxUserIdSize, " characters"));
  }
  const std::optional<std::string> fault = FaultInId(user_id);
  if (!fault.has_value()) return absl::OkStatus();
  return Error(ErrorReason::kFieldInvalid, "user.id", *fault);
}

// A number as a SID writes it: decimal, nothing but digits, no leading zero, at most 2^32 - 1.
bool IsSidNumber(absl::string_view text) {
  std::uint32_t value;
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }) &&
         (text.size() == 1 || !absl::StartsWith(text, "0")) && absl::SimpleAtoi(text, &value);
}

// MS-DTYP section 2.4.2.1: `S-1-`, the identifier authority, one to fifteen subauthorities.
// Authorities of 2^32 and above, which are written in hexadecimal, do not occur in a domain.
bool IsSid(absl::string_view sid) {
  if (sid.size() > kMaxSidSize) return false;
  const std::vector<absl::string_view> parts = absl::StrSplit(sid, '-');
  return parts.size() >= 4 && parts.size() <= 18 && parts[0] == "S" && parts[1] == "1" &&
         std::all_of(parts.begin() + 2, parts.end(), IsSidNumber);
}

}  // namespace

absl::StatusOr<Subject> Subject::Create(absl::string_view upn, absl::string_view user_id,
                                        absl::string_view sid) {
  RETURN_IF_ERROR(CheckUpn(upn));
  RETURN_IF_ERROR(CheckUserId(user_id));
  if (!sid.empty() && !IsSid(sid)) {
    return Error(ErrorReason::kFieldInvalid, "user.sid", "is not a SID like S-1-5-21-1-2-3-1105");
  }
  Subject subject;
  subject.upn_fits_common_name_ = DecodeUtf8(upn)->characters <= kMaxCommonNameCharacters;
  if (!subject.upn_fits_common_name_ && user_id.empty()) {
    return Error(
        ErrorReason::kFieldMissing, "user.id",
        "is needed as common name where the user principal name has more than 64 characters");
  }
  subject.upn_ = std::string(upn);
  subject.user_id_ = std::string(user_id);
  subject.sid_ = std::string(sid);
  return subject;
}

const std::string& Subject::common_name() const { return upn_fits_common_name_ ? upn_ : user_id_; }

}  // namespace hourglass::ca
