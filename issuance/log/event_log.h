// The service's log: one JSON object a line.
#ifndef HOURGLASS_ISSUANCE_LOG_EVENT_LOG_H_
#define HOURGLASS_ISSUANCE_LOG_EVENT_LOG_H_

#include <initializer_list>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hourglass::issuance {

// From the most to the least that is written.
inline constexpr absl::string_view kLogLevels[] = {"debug", "info", "warning", "error"};

// Safe to call from several threads. Every line has `time` (UTC, RFC 3339, microseconds), `level`
// and `event`, a constant name in snake_case; what varies is in fields. Values are JSON strings, so
// that nothing in them can make up a line, with what is not seen or steers a terminal escaped
// (ca::VisibleJson); octets that are no UTF-8 become U+FFFD, and what is longer than 1024 octets is
// cut and ends in U+2026. Secrets have no business in a field.
//
// Whoever logs does not wait: a thread writes, at once where there was nothing to write before,
// else within some ten milliseconds, and all that is left when the last copy of this object goes,
// which takes five seconds at most where nobody reads. A process that is killed loses what was not
// written yet, at most a megabyte.
//
// Nor can lines flood: of the lines of an event that say no `reason` the first 1 000 of about a
// second are written, and then every hundredth; of those that do, for each caller and reason, the
// first 100, and so of those that say a `library`, for each place `at` in it. Each written line has
// as `left_out` how many of its kind were not since the last; what remains is told after that
// second by a line `lines_left_out` with the event as `of`. So are lines that nobody read from
// standard error.
class EventLog {
 public:
  using Fields = std::initializer_list<std::pair<absl::string_view, absl::string_view>>;

  // Whether fields that name a person or what is theirs (`user`, `device`) are written.
  enum class PersonalData { kWritten, kLeftOut };

  // To what standard error is now. `level`: one of kLogLevels. Errors:
  // CONFIGURATION_INVALID with field `log_level`.
  static absl::StatusOr<EventLog> ToStandardError(
      absl::string_view level, PersonalData personal_data = PersonalData::kWritten);
  // Writes nothing.
  static EventLog Silent() { return EventLog(nullptr); }

  void Debug(absl::string_view event, Fields fields) const;
  void Info(absl::string_view event, Fields fields) const;
  void Warning(absl::string_view event, Fields fields) const;
  void Failure(absl::string_view event, Fields fields) const;

 private:
  class Stream;

  explicit EventLog(std::shared_ptr<Stream> stream) : stream_(std::move(stream)) {}

  // Null: silent.
  std::shared_ptr<Stream> stream_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_LOG_EVENT_LOG_H_
