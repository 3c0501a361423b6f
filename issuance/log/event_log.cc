#include "issuance/log/event_log.h"

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "ca/text/visible_text.h"
#include "hsm/base/error.h"
#include "hsm/base/mutex.h"
#include "issuance/log/line_limits.h"
#include "issuance/log/line_writer.h"

namespace hourglass::issuance {
namespace {

// Octets of a field that are written; callers' fields can be as large as a message.
constexpr std::size_t kMaxFieldSize = 1024;
constexpr std::size_t kUsualLineSize = 512;
// Lines a second.
constexpr std::uint64_t kLimit = 1000;
constexpr std::uint64_t kLimitOfAReason = 100;

// By their places in kLogLevels.
enum Level { kDebug, kInfo, kWarning, kError };

void AppendQuoted(absl::string_view text, std::string& out) {
  const bool cut = text.size() > kMaxFieldSize;
  const auto is_plain = [](unsigned char c) {
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
  };
  if (!cut && std::all_of(text.begin(), text.end(), is_plain)) {
    absl::StrAppend(&out, "\"", text, "\"");
    return;
  }
  // A line may be read on a terminal.
  out += ca::VisibleJson(
      nlohmann::json(absl::StrCat(text.substr(0, kMaxFieldSize), cut ? "\xe2\x80\xa6" : ""))
          .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

void AppendMember(absl::string_view name, absl::string_view value, std::string& out) {
  out += ',';
  AppendQuoted(name, out);
  out += ':';
  AppendQuoted(value, out);
}

std::string LineBegin(Level level) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  tm utc{};
  gmtime_r(&now.tv_sec, &utc);
  std::string line;
  line.reserve(kUsualLineSize);
  absl::StrAppendFormat(&line, R"({"time":"%04d-%02d-%02dT%02d:%02d:%02d.%06dZ","level":"%s")",
                        utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
                        utc.tm_sec, now.tv_nsec / 1000, kLogLevels[level]);
  return line;
}

struct Kind {
  // The level's digit, and then what lines of this kind have in common: members as they are
  // written, so that no two kinds have one name.
  std::string name;
  bool has_reason;
};

Kind KindOf(Level level, absl::string_view event, EventLog::Fields fields) {
  Kind kind{absl::StrCat(static_cast<int>(level)), false};
  AppendMember("of", event, kind.name);
  const auto is_reason = [](const auto& field) {
    return field.first == "reason" || field.first == "library";
  };
  if (std::none_of(fields.begin(), fields.end(), is_reason)) return kind;
  kind.has_reason = true;
  for (const auto& [name, value] : fields) {
    if (name == "reason" || name == "caller" || name == "library" || name == "at") {
      AppendMember(name, value, kind.name);
    }
  }
  return kind;
}

bool IsPersonal(absl::string_view field) { return field == "user" || field == "device"; }

// Of lines of kinds beyond those that are told apart.
constexpr absl::string_view kSundry = R"(2,"of":"")";

std::string LeftOutLine(const LineLimits::LeftOut& left_out) {
  const absl::string_view kind = left_out.kind.empty() ? kSundry : left_out.kind;
  std::string line = LineBegin(static_cast<Level>(kind.front() - '0'));
  AppendMember("event", "lines_left_out", line);
  absl::StrAppend(&line, kind.substr(1));
  AppendMember("left_out", absl::StrCat(left_out.lines), line);
  return absl::StrCat(line, "}\n");
}

}  // namespace

class EventLog::Stream {
 public:
  Stream(Level lowest, PersonalData personal_data)
      : lowest_(lowest),
        personal_data_(personal_data),
        writer_(STDERR_FILENO, [this] { return LinesLeftOut(); }) {}

  void Write(Level level, absl::string_view event, Fields fields) {
    if (level < lowest_) return;
    const Kind kind = KindOf(level, event, fields);
    const LineLimits::Decision decision = Count(kind);
    if (!decision.write) return;
    std::string line = LineBegin(level);
    AppendMember("event", event, line);
    for (const auto& [name, value] : fields) {
      if (personal_data_ == PersonalData::kLeftOut && IsPersonal(name)) continue;
      AppendMember(name, value, line);
    }
    if (decision.left_out > 0) AppendMember("left_out", absl::StrCat(decision.left_out), line);
    line += "}\n";
    if (!writer_.Write(line)) TakeBack(kind, decision);
  }

 private:
  // Callers are so many that their refusals may not all be told apart; what the service itself does
  // is not to be lost among them.
  LineLimits& LimitsOf(const Kind& kind) { return kind.has_reason ? refusals_ : events_; }

  LineLimits::Decision Count(const Kind& kind) {
    const MutexLock lock(mutex_);
    return LimitsOf(kind).Count(kind.name, kind.has_reason ? kLimitOfAReason : kLimit);
  }

  void TakeBack(const Kind& kind, const LineLimits::Decision& decision) {
    const MutexLock lock(mutex_);
    LimitsOf(kind).TakeBack(kind.name, decision);
  }

  std::string LinesLeftOut() {
    std::vector<LineLimits::LeftOut> untold;
    {
      const MutexLock lock(mutex_);
      untold = events_.NextPeriod();
      for (LineLimits::LeftOut& left_out : refusals_.NextPeriod()) {
        untold.push_back(std::move(left_out));
      }
    }
    std::string lines;
    for (const LineLimits::LeftOut& left_out : untold) lines += LeftOutLine(left_out);
    return lines;
  }

  const Level lowest_;
  const PersonalData personal_data_;
  Mutex mutex_;
  LineLimits events_ ABSL_GUARDED_BY(mutex_);
  LineLimits refusals_ ABSL_GUARDED_BY(mutex_);
  // The last to be made: its thread uses the others.
  LineWriter writer_;
};

absl::StatusOr<EventLog> EventLog::ToStandardError(absl::string_view level,
                                                   PersonalData personal_data) {
  const auto* const found = std::find(std::begin(kLogLevels), std::end(kLogLevels), level);
  if (found == std::end(kLogLevels)) {
    return Error(ErrorReason::kConfigurationInvalid, "log_level",
                 absl::StrCat("must be one of ", absl::StrJoin(kLogLevels, ", ")));
  }
  return EventLog(
      std::make_shared<Stream>(static_cast<Level>(found - std::begin(kLogLevels)), personal_data));
}

void EventLog::Debug(absl::string_view event, Fields fields) const {
  if (stream_ != nullptr) stream_->Write(kDebug, event, fields);
}

void EventLog::Info(absl::string_view event, Fields fields) const {
  if (stream_ != nullptr) stream_->Write(kInfo, event, fields);
}

void EventLog::Warning(absl::string_view event, Fields fields) const {
  if (stream_ != nullptr) stream_->Write(kWarning, event, fields);
}

void EventLog::Failure(absl::string_view event, Fields fields) const {
  if (stream_ != nullptr) stream_->Write(kError, event, fields);
}

}  // namespace hourglass::issuance
