// The time of certificates: whole seconds, UTC, and how RFC 5280 writes it. All of it is safe to
// call from several threads.
#ifndef HOURGLASS_CA_ENCODING_TIME_H_
#define HOURGLASS_CA_ENCODING_TIME_H_

#include <chrono>
#include <optional>
#include <string>

#include "ca/encoding/der.h"

namespace hourglass::ca {

// Seconds since 1970-01-01 UTC, what certificates are dated in.
using Time = std::chrono::sys_seconds;

// The first second that UTCTime can write (RFC 5280 section 4.1.2.5.1): 1950-01-01 00:00:00.
inline constexpr Time kFirstTime = std::chrono::sys_days(std::chrono::year{1950} / 1 / 1);
// The first second that needs GeneralizedTime (RFC 5280 section 4.1.2.5): 2050-01-01 00:00:00.
inline constexpr Time kFirstGeneralizedTime =
    std::chrono::sys_days(std::chrono::year{2050} / 1 / 1);
// The last second that GeneralizedTime can write: 9999-12-31 23:59:59.
inline constexpr Time kLastTime =
    std::chrono::sys_days(std::chrono::year{10000} / 1 / 1) - std::chrono::seconds(1);

// Whether a certificate can say `time`: 1950-01-01 00:00:00 to 9999-12-31 23:59:59.
constexpr bool IsEncodable(Time time) { return time >= kFirstTime && time <= kLastTime; }

// Appends a DER Time (RFC 5280 section 4.1.2.5): UTCTime through 2049, GeneralizedTime from 2050,
// with seconds and `Z`. `time` must be encodable.
void AppendTime(Time time, std::string* out);

// Octets that AppendTime appends, tag and length among them: 15 or 17.
std::size_t EncodedTimeSize(Time time);

// `2026-11-20 09:30:00 UTC`, for messages. `time` must be encodable.
std::string FormatTime(Time time);

// Reads what AppendTime writes, and leaves the reader behind it. Empty where it is written in any
// other way; the reader then stays where it was.
std::optional<Time> ReadTime(der::Reader* reader);

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_ENCODING_TIME_H_
