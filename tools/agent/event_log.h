// What an agent says while it runs: a line an event.
#ifndef HOURGLASS_TOOLS_AGENT_EVENT_LOG_H_
#define HOURGLASS_TOOLS_AGENT_EVENT_LOG_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tools/client/failure.h"

namespace hourglass::agent {

// One line for each event on standard output, flushed: `TIME  what happened`, or a JSON object with
// `time`, `event` and more. For one thread.
class EventLog {
 public:
  // Where failures are told in words; JSON is on standard output always.
  enum class Failures { kOnStandardOutput, kOnStandardError };

  explicit EventLog(bool json, Failures failures = Failures::kOnStandardOutput)
      : json_(json), failures_(failures) {}

  // `details` are members of the JSON object; people read `words`.
  void Tell(absl::string_view event, absl::string_view words,
            const client::Json& details = client::Json::object()) const;

  // The same of an error: its reason, message, deny reasons and remediation, followed by `then`.
  void TellFailure(absl::string_view event, const absl::Status& status,
                   absl::string_view then) const;

 private:
  const bool json_;
  const Failures failures_;
};

}  // namespace hourglass::agent

#endif  // HOURGLASS_TOOLS_AGENT_EVENT_LOG_H_
