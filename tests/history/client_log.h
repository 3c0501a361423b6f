// The log of one client process: lines of JSON, the first of which says whose it is.
//
//   {"client_log":1,"client":"broker-1","boot_id":"7c1f…"}
//   {"call":"IssueCertificate","tenant":"contoso","replica":"127.0.0.1:8443","sent":…,"answered":…,
//    "sent_at":…,"request":"r-1","certificate":"MIIC…"}
//   {"call":"PromoteRoot",…,"root":"r2","state":"PRIMARY","since":…}
//   {"closed":true}
//
// Instead of what was received, `"refused":{"code","reason","message"}` or
// `"unanswered":{"code","message"}`. Times are microseconds, `sent` and `answered` since the
// machine's start, the others since 1970; octets are base64.
#ifndef HOURGLASS_TESTS_HISTORY_CLIENT_LOG_H_
#define HOURGLASS_TESTS_HISTORY_CLIENT_LOG_H_

#include <istream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tests/history/history.h"

namespace hourglass::history {

// Lines, without their ends.
std::string FirstLineOfLog(absl::string_view client, absl::string_view boot_id);
std::string LogLine(const IssueCall& call);
std::string LogLine(const AdministrativeCall& call);
std::string LastLineOfLog();

struct ClientLog {
  std::string client;   // empty where not even the first line was written
  std::string boot_id;  // of the machine's start, as the times are
  std::vector<IssueCall> issuing;
  std::vector<AdministrativeCall> administration;
  // The last line is there: every call of the client is.
  bool is_whole = false;
  // The client was killed while it wrote its last line, which has no end and is left out.
  bool is_torn = false;
};

// Errors: FIELD_INVALID with field `NAME:LINE` for any line, but one without an end, that is none
// of the above, comes after the last one, or says that it was answered before it was sent.
absl::StatusOr<ClientLog> ReadClientLog(std::istream& text, absl::string_view name);

}  // namespace hourglass::history

#endif  // HOURGLASS_TESTS_HISTORY_CLIENT_LOG_H_
