// The forms that ids in requests must have.
#ifndef HOURGLASS_ISSUANCE_WIRE_REQUEST_FIELDS_H_
#define HOURGLASS_ISSUANCE_WIRE_REQUEST_FIELDS_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ca/names/name_rules.h"

namespace hourglass::issuance {

inline constexpr std::size_t kMaxDeviceIdSize = 128;
inline constexpr std::size_t kMaxRequestIdSize = 64;
inline constexpr std::size_t kMaxRootIdSize = 63;
inline constexpr std::size_t kMaxUserIdSize = ca::kMaxUserIdSize;
inline constexpr std::size_t kMaxRelyingPartyNameSize = 64;
inline constexpr std::size_t kMaxCallerNameSize = 64;  // in characters
inline constexpr std::size_t kMaxReasonSize = 256;

// 1 to `max_size` characters of printable ASCII without space. Errors: FIELD_MISSING, FIELD_INVALID
// with `field`.
absl::Status CheckId(absl::string_view id, std::size_t max_size, absl::string_view field);

// A device id that is to be recorded: CheckId, and what ca::FaultInId (ca/names/name_rules.h)
// accepts. One that is only looked for is as CheckId has it, so that what is on record from before
// is found. Errors as CheckId, with field `device_id`.
absl::Status CheckNewDeviceId(absl::string_view id);

// At most ca::kMaxUpnSize octets of UTF-8 without control characters, or nothing: what a user
// principal name may be that is only looked for. One that is to be certified is a ca::Subject.
// Errors: FIELD_INVALID with `field`.
absl::Status CheckUpnText(absl::string_view upn, absl::string_view field);

// Why an administrator does something: 1 to kMaxReasonSize octets of UTF-8 without control
// characters. Errors: FIELD_MISSING, FIELD_INVALID with `field`.
absl::Status CheckReason(absl::string_view reason, absl::string_view field);

// A name that a caller of the configuration may have: 1 to kMaxCallerNameSize characters of UTF-8
// without control characters. Errors as CheckReason.
absl::Status CheckCallerName(absl::string_view name, absl::string_view field);

// A page size as requests give it: 0 is 100, 1000 is the most. Errors: FIELD_INVALID with field
// `page_size`.
absl::StatusOr<int> PageSize(std::uint32_t requested);

// What IsTenantId accepts. Errors: FIELD_MISSING, FIELD_INVALID with field `tenant_id`.
absl::Status CheckTenantId(absl::string_view id);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_WIRE_REQUEST_FIELDS_H_
