// The service's log: one JSON object a line.
#ifndef HOURGLASS_ISSUANCE_EVENT_LOG_H_
#define HOURGLASS_ISSUANCE_EVENT_LOG_H_

#include <initializer_list>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace spdlog {
class logger;
}

namespace hourglass::issuance {

// Safe to call from several threads. Every line has `time` (UTC, RFC 3339, microseconds), `level`
// and `event`, a constant name in snake_case; what varies is in fields. Values are JSON strings, so
// that nothing in them can make up a line; octets that are no UTF-8 become U+FFFD, and what is
// longer than 1024 octets is cut and ends in U+2026. Secrets have no business in a field.
class EventLog {
 public:
  using Fields = std::initializer_list<std::pair<absl::string_view, absl::string_view>>;

  // To standard error. `level`: debug, info, warning or error. Errors: CONFIGURATION_INVALID with
  // field `log_level`.
  static absl::StatusOr<EventLog> ToStandardError(absl::string_view level);
  // Writes nothing.
  static EventLog Silent();

  void Debug(absl::string_view event, Fields fields) const;
  void Info(absl::string_view event, Fields fields) const;
  void Warning(absl::string_view event, Fields fields) const;
  void Failure(absl::string_view event, Fields fields) const;

 private:
  explicit EventLog(std::shared_ptr<spdlog::logger> logger) : logger_(std::move(logger)) {}

  std::shared_ptr<spdlog::logger> logger_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_EVENT_LOG_H_
