// What is logged while a test runs.
#ifndef HOURGLASS_ISSUANCE_LOG_TESTING_CAPTURED_LOG_H_
#define HOURGLASS_ISSUANCE_LOG_TESTING_CAPTURED_LOG_H_

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "issuance/log/event_log.h"

namespace hourglass::issuance {

// A line of the log, its fields by name.
using LoggedLine = std::map<std::string, std::string>;

// Takes the process's standard error for as long as it lives: one at a time.
class CapturedLog {
 public:
  CapturedLog() { Begin(); }
  ~CapturedLog() {
    log_ = EventLog::Silent();
    testing::internal::GetCapturedStderr();
  }
  CapturedLog(const CapturedLog&) = delete;
  CapturedLog& operator=(const CapturedLog&) = delete;

  // Lives as long as this object.
  const EventLog* log() const { return &log_; }

  // The lines since the last Take, in order, without their times. Nobody logs meanwhile.
  std::vector<LoggedLine> Take() {
    // The last copy of it writes what is left.
    log_ = EventLog::Silent();
    const std::string text = testing::internal::GetCapturedStderr();
    Begin();
    std::vector<LoggedLine> lines;
    for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
      const nlohmann::json fields = nlohmann::json::parse(line.begin(), line.end());
      LoggedLine& logged = lines.emplace_back();
      for (const auto& [name, value] : fields.items()) {
        if (name == "time") continue;
        logged[name] = value.is_string() ? value.get<std::string>() : value.dump();
      }
    }
    return lines;
  }

 private:
  void Begin() {
    testing::internal::CaptureStderr();
    log_ = EventLog::ToStandardError("debug").value();
  }

  EventLog log_ = EventLog::Silent();
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_LOG_TESTING_CAPTURED_LOG_H_
