#include "tools/agent/event_log.h"

#include <iostream>
#include <ostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tools/client/wording.h"

namespace hourglass::agent {
namespace {

using client::Json;

void WriteJson(absl::string_view event, const Json& details, absl::Time now) {
  Json line = {{"time", client::TimeForJson(now)}, {"event", std::string(event)}};
  line.update(details);
  std::cout << client::JsonLine(line) << std::flush;
}

void WriteWords(std::ostream& out, absl::string_view words, absl::Time now) {
  out << client::UtcInWords(now) << "  " << client::Printable(words) << "\n" << std::flush;
}

}  // namespace

void EventLog::Tell(absl::string_view event, absl::string_view words, const Json& details) const {
  if (json_) return WriteJson(event, details, absl::Now());
  WriteWords(std::cout, words, absl::Now());
}

void EventLog::TellFailure(absl::string_view event, const absl::Status& status,
                           absl::string_view then) const {
  if (json_) return WriteJson(event, client::FailureAsJson(status), absl::Now());
  // Log readers work by line.
  const std::string failure = client::FailureInWords(status);
  const std::string line = absl::StrReplaceAll(
      absl::StripSuffix(failure, "\n"), {{"\n  - ", "; "}, {"\n    ", ", "}, {"\n  ", "; "}});
  WriteWords(failures_ == Failures::kOnStandardError ? std::cerr : std::cout,
             absl::StrCat(line, "; ", then), absl::Now());
}

}  // namespace hourglass::agent
