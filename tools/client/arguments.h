// What people type for durations, times and serial numbers.
#ifndef HOURGLASS_TOOLS_CLIENT_ARGUMENTS_H_
#define HOURGLASS_TOOLS_CLIENT_ARGUMENTS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace hourglass::client {

// A whole number followed by its unit: `30s`, `10min`, `8h`, `90d`, `2y`; a year is 365 days. More
// than zero, at most 100 years. Errors: FIELD_INVALID without a field.
absl::StatusOr<absl::Duration> ParseLength(absl::string_view text);

// A UTC time `2026-11-20`, which is its first moment, `2026-11-20T10:42:07Z` or `2026-11-20
// 10:42:07 UTC`. Errors: FIELD_INVALID without a field.
absl::StatusOr<absl::Time> ParseTime(absl::string_view text);

// A UTC time `2026-11-20`, `2026-11-20T10:42:07Z` or `2026-11-20 10:42:07 UTC`, or a length before
// `now`: `2h`; `now`. Errors: FIELD_INVALID without a field.
absl::StatusOr<absl::Time> ParsePastTime(absl::string_view text, absl::Time now);

// A serial number in hexadecimal, in any form of ca::PastedHexadecimal: 16 octets, big-endian.
// Errors: FIELD_INVALID without a field.
absl::StatusOr<std::string> ParseSerialNumber(absl::string_view text);

}  // namespace hourglass::client

#endif  // HOURGLASS_TOOLS_CLIENT_ARGUMENTS_H_
