#include "issuance/event_log.h"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"

namespace hourglass::issuance {
namespace {

// Octets of a field that are written; callers' fields can be as large as a message.
constexpr std::size_t kMaxFieldSize = 1024;

std::string Quoted(absl::string_view text) {
  const bool cut = text.size() > kMaxFieldSize;
  return nlohmann::json(absl::StrCat(text.substr(0, kMaxFieldSize), cut ? "\xe2\x80\xa6" : ""))
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void Write(spdlog::logger& logger, spdlog::level::level_enum level, absl::string_view event,
           EventLog::Fields fields) {
  if (!logger.should_log(level)) return;
  std::string members = absl::StrCat("\"event\":", Quoted(event));
  for (const auto& [name, value] : fields) {
    absl::StrAppend(&members, ",", Quoted(name), ":", Quoted(value));
  }
  logger.log(level, spdlog::string_view_t(members.data(), members.size()));
}

}  // namespace

absl::StatusOr<EventLog> EventLog::ToStandardError(absl::string_view level) {
  auto logger =
      std::make_shared<spdlog::logger>("", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  if (level == "debug") {
    logger->set_level(spdlog::level::debug);
  } else if (level == "info") {
    logger->set_level(spdlog::level::info);
  } else if (level == "warning") {
    logger->set_level(spdlog::level::warn);
  } else if (level == "error") {
    logger->set_level(spdlog::level::err);
  } else {
    return Error(ErrorReason::kConfigurationInvalid, "log_level",
                 "must be debug, info, warning or error");
  }
  logger->set_formatter(std::make_unique<spdlog::pattern_formatter>(
      R"({"time":"%Y-%m-%dT%H:%M:%S.%fZ","level":"%l",%v})", spdlog::pattern_time_type::utc));
  logger->flush_on(spdlog::level::debug);
  return EventLog(std::move(logger));
}

EventLog EventLog::Silent() {
  return EventLog(
      std::make_shared<spdlog::logger>("", std::make_shared<spdlog::sinks::null_sink_mt>()));
}

void EventLog::Debug(absl::string_view event, Fields fields) const {
  Write(*logger_, spdlog::level::debug, event, fields);
}

void EventLog::Info(absl::string_view event, Fields fields) const {
  Write(*logger_, spdlog::level::info, event, fields);
}

void EventLog::Warning(absl::string_view event, Fields fields) const {
  Write(*logger_, spdlog::level::warn, event, fields);
}

void EventLog::Failure(absl::string_view event, Fields fields) const {
  Write(*logger_, spdlog::level::err, event, fields);
}

}  // namespace hourglass::issuance
