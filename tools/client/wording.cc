#include "tools/client/wording.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "ca/text/visible_text.h"

namespace hourglass::client {

absl::Time TimeOf(const google::protobuf::Timestamp& timestamp) {
  return absl::FromUnixSeconds(timestamp.seconds()) + absl::Microseconds(timestamp.nanos() / 1000);
}

google::protobuf::Timestamp TimestampOf(absl::Time time) {
  google::protobuf::Timestamp timestamp;
  const int64_t microseconds = absl::ToUnixMicros(time);
  // Nanos count forwards, also before 1970.
  const int64_t fraction = ((microseconds % 1'000'000) + 1'000'000) % 1'000'000;
  timestamp.set_seconds((microseconds - fraction) / 1'000'000);
  timestamp.set_nanos(static_cast<int32_t>(fraction * 1000));
  return timestamp;
}

std::string LengthInWords(absl::Duration length) {
  const int64_t seconds = absl::ToInt64Seconds(absl::AbsDuration(length));
  const int64_t minutes = seconds / 60;
  const int64_t hours = minutes / 60;
  const int64_t days = hours / 24;
  if (seconds < 60) return absl::StrCat(seconds, " s");
  if (hours == 0) return absl::StrCat(minutes, " min");
  if (hours < 10 && minutes % 60 != 0) return absl::StrCat(hours, " h ", minutes % 60, " min");
  if (hours < 48) return absl::StrCat(hours, " h");
  return absl::StrCat(days, " days");
}

std::string UtcInWords(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", time, absl::UTCTimeZone());
}

std::string TimeInWords(absl::Time time, absl::Time now) {
  if (absl::AbsDuration(time - now) < absl::Seconds(1)) return UtcInWords(time) + " (now)";
  const std::string length = LengthInWords(time - now);
  return absl::StrCat(UtcInWords(time), time >= now ? " (in " : " (", length,
                      time >= now ? ")" : " ago)");
}

std::string TimeForJson(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

std::string Hex(absl::string_view octets) { return absl::BytesToHexString(octets); }

std::string Printable(absl::string_view text) { return ca::VisibleText(text); }

}  // namespace hourglass::client
