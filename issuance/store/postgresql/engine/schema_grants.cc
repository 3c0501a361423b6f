#include "issuance/store/postgresql/engine/schema_grants.h"

#include <algorithm>
#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/postgresql/engine/journal_functions.h"

namespace hourglass::issuance::postgresql {
namespace {

struct Grant {
  absl::string_view name;
  absl::string_view privileges;
};

// Journals and versions of policies are read and added to, keys of devices never deleted.
// Partitions have no row: who may ask a table may ask them through it.
constexpr Grant kTables[] = {
    {"schema_versions", "SELECT"},
    {"tenants", "SELECT, INSERT, UPDATE"},
    {"roots", "SELECT, INSERT, UPDATE"},
    {"planned_keys", "SELECT, INSERT, UPDATE, DELETE"},
    {"bound_keys", "SELECT, INSERT, UPDATE, DELETE"},
    {"intermediates", "SELECT, INSERT, UPDATE"},
    {"devices", "SELECT, INSERT, UPDATE, DELETE"},
    {"relying_parties", "SELECT, INSERT, UPDATE, DELETE"},
    {"administrative_actions", "SELECT, INSERT"},
    {"policy_versions", "SELECT, INSERT"},
    {"policies", "SELECT, INSERT, UPDATE, DELETE"},
    {"directory_users", "SELECT, INSERT, UPDATE, DELETE"},
    {"blocks", "SELECT, INSERT, UPDATE, DELETE"},
    {"refusals", "SELECT, INSERT, DELETE"},
    {"newest_decision_events", "SELECT, INSERT, UPDATE"},
    {"decision_events", "SELECT, INSERT, DELETE"},
    {"device_keys", "SELECT, INSERT, UPDATE"},
    {"journal_keys", "SELECT, INSERT"},
    {"intents", "SELECT, INSERT"},
    {"releases", "SELECT, INSERT"},
    {"last_leaves", "SELECT, INSERT, UPDATE"},
    {"journal_partitions", "SELECT"},
    {"dropped_partitions", "SELECT"},
    {"journal_settings", "SELECT"},
    {"time_marks", "SELECT, INSERT, UPDATE, DELETE"},
    {"store_move", "SELECT"},
    {"replicas", "SELECT, INSERT, UPDATE, DELETE"},
};
constexpr absl::string_view kSequences[] = {"intent_sequence", "writer_sequence"};

constexpr absl::string_view kWhatIsThere = R"sql(
SELECT 'SEQUENCE', relname::text FROM pg_class
  WHERE relnamespace = 'hourglass'::regnamespace AND relkind = 'S'
UNION ALL
SELECT 'TABLE', relname::text FROM pg_class
  WHERE relnamespace = 'hourglass'::regnamespace AND relkind IN ('r', 'p')
UNION ALL
SELECT 'ROUTINE', proname::text FROM pg_proc WHERE pronamespace = 'hourglass'::regnamespace
)sql";

std::string Quoted(absl::string_view name) {
  return absl::StrCat("\"", absl::StrReplaceAll(name, {{"\"", "\"\""}}), "\"");
}

// Empty where the service needs none.
absl::string_view PrivilegesFor(absl::string_view kind, absl::string_view name) {
  if (kind == "SEQUENCE") {
    return std::find(std::begin(kSequences), std::end(kSequences), name) == std::end(kSequences)
               ? ""
               : "USAGE";
  }
  if (kind == "ROUTINE") {
    const absl::Span<const absl::string_view> functions = JournalFunctionsOfService();
    return std::find(functions.begin(), functions.end(), name) == functions.end() ? "" : "EXECUTE";
  }
  const Grant* const grant = std::find_if(std::begin(kTables), std::end(kTables),
                                          [&](const Grant& one) { return one.name == name; });
  return grant == std::end(kTables) ? "" : grant->privileges;
}

}  // namespace

absl::Status GrantToService(Connection& owner, absl::string_view service_role) {
  const std::string role = Quoted(service_role);
  std::string sql;
  for (const absl::string_view kind : {"TABLES", "SEQUENCES", "ROUTINES"}) {
    absl::StrAppend(&sql, "REVOKE ALL ON ALL ", kind, " IN SCHEMA hourglass FROM PUBLIC, ", role,
                    ";");
  }
  absl::StrAppend(&sql, "REVOKE ALL ON SCHEMA hourglass FROM PUBLIC, ", role,
                  "; GRANT USAGE ON SCHEMA hourglass TO ", role, ";");
  ASSIGN_OR_RETURN(Rows rows, owner.Query(kWhatIsThere));
  while (rows.Next()) {
    const std::string kind = rows.TakeOctets();
    const std::string name = rows.TakeOctets();
    const absl::string_view privileges = PrivilegesFor(kind, name);
    if (privileges.empty()) continue;
    absl::StrAppend(&sql, "GRANT ", privileges, " ON ", kind, " hourglass.", Quoted(name), " TO ",
                    role, ";");
  }
  return owner.Execute(sql);
}

}  // namespace hourglass::issuance::postgresql
