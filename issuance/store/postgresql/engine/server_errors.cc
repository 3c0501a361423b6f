#include "issuance/store/postgresql/engine/server_errors.h"

#include <libpq-fe.h>

#include <algorithm>
#include <iterator>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace hourglass::issuance::postgresql {
namespace {

// PostgreSQL's manual, appendix A: lost connections; a transaction that may not write or has
// failed; rolled back because of others; no disk, memory or connections; a lock that was not had;
// limits of configuration; ended by an operator; the system; broken inside.
constexpr absl::string_view kClassesOfState[] = {"08", "25", "40", "53", "55", "57", "58", "XX"};
constexpr absl::string_view kClassOfValues = "22";
constexpr absl::string_view kReadOnlyTransaction = "25006";

absl::string_view FieldOf(const pg_result* result, int field) {
  const char* const value = PQresultErrorField(result, field);
  return value == nullptr ? "" : value;
}

}  // namespace

ErrorReason ReasonOfSqlState(absl::string_view sqlstate) {
  const bool is_of_state =
      std::any_of(std::begin(kClassesOfState), std::end(kClassesOfState),
                  [&](absl::string_view of_state) { return absl::StartsWith(sqlstate, of_state); });
  return sqlstate.empty() || is_of_state ? ErrorReason::kJournalUnavailable
                                         : ErrorReason::kInternalError;
}

absl::Status ErrorOfResult(const pg_result* result) {
  const absl::string_view sqlstate = FieldOf(result, PG_DIAG_SQLSTATE);
  const ErrorReason reason = ReasonOfSqlState(sqlstate);
  if (sqlstate.empty()) {
    return Error(reason, "", absl::StrCat("database: ", OneLine(PQresultErrorMessage(result))));
  }
  if (absl::StartsWith(sqlstate, kClassOfValues)) {
    return Error(reason, "", absl::StrCat("database: a value does not fit (", sqlstate, ")"));
  }
  return Error(reason, "",
               absl::StrCat("database: ", OneLine(FieldOf(result, PG_DIAG_MESSAGE_PRIMARY)), " (",
                            sqlstate, ")"));
}

bool EndsTheConnection(const pg_result* result) {
  const absl::string_view sqlstate = FieldOf(result, PG_DIAG_SQLSTATE);
  const absl::string_view severity = FieldOf(result, PG_DIAG_SEVERITY_NONLOCALIZED);
  return sqlstate.empty() || sqlstate == kReadOnlyTransaction || severity == "FATAL" ||
         severity == "PANIC";
}

bool IsWarning(const pg_result* notice) {
  return FieldOf(notice, PG_DIAG_SEVERITY_NONLOCALIZED) == "WARNING";
}

bool SaysReplicationWaitGivenUp(const pg_result* notice) {
  // src/backend/replication/syncrep.c, which has no other warning.
  const absl::string_view words = FieldOf(notice, PG_DIAG_MESSAGE_PRIMARY);
  return IsWarning(notice) && (FieldOf(notice, PG_DIAG_SOURCE_FUNCTION) == "SyncRepWaitForLSN" ||
                               (absl::StartsWith(words, "canceling ") &&
                                absl::StrContains(words, "wait for synchronous replication")));
}

std::string OneLine(absl::string_view message) {
  std::vector<absl::string_view> lines;
  for (const absl::string_view line : absl::StrSplit(message, '\n')) {
    // Advice is indented.
    if (!line.empty() && line.front() != '\t') lines.push_back(absl::StripAsciiWhitespace(line));
  }
  return absl::StrJoin(lines, "; ");
}

}  // namespace hourglass::issuance::postgresql
