// How the programs word times, octets and names, for people and in JSON.
#ifndef HOURGLASS_TOOLS_CLIENT_WORDING_H_
#define HOURGLASS_TOOLS_CLIENT_WORDING_H_

#include <google/protobuf/timestamp.pb.h>

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace hourglass::client {

// Microseconds are kept, what is finer is dropped.
absl::Time TimeOf(const google::protobuf::Timestamp& timestamp);
google::protobuf::Timestamp TimestampOf(absl::Time time);

// A length without sign, in the two largest units that matter, cut, not rounded: `0 s`, `59 s`, `42
// min`, `1 h 5 min`, `3 days`, `364 days`.
std::string LengthInWords(absl::Duration length);

// `2026-11-20 10:42:07 UTC`.
std::string UtcInWords(absl::Time time);

// `2026-11-20 10:42:07 UTC (in 42 min)`, or `(3 h 5 min ago)` or `(now)`, as seen at `now`.
std::string TimeInWords(absl::Time time, absl::Time now);

// RFC 3339 with whole seconds: `2026-11-20T10:42:07Z`.
std::string TimeForJson(absl::Time time);

// Two lower-case digits an octet, nothing between them: how serial numbers are written.
std::string Hex(absl::string_view octets);

// ca::VisibleText (ca/text/visible_text.h): what is not seen or steers the terminal is shown as
// `\xNN` or
// `\u{202E}`, so that a name from elsewhere cannot forge a line or pass for another.
std::string Printable(absl::string_view text);

}  // namespace hourglass::client

#endif  // HOURGLASS_TOOLS_CLIENT_WORDING_H_
