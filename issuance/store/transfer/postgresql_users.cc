#include "issuance/store/transfer/postgresql_users.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/replica_directory.h"

namespace hourglass::issuance::postgresql {
namespace {

absl::Status Refuse(absl::string_view why) {
  return Error(ErrorReason::kJournalUnavailable, "", absl::StrCat("database: ", why));
}

// Of what a name begins with `hourglass store `, with the blank, no replica is: ConnectionOf.
constexpr absl::string_view kUsers =
    "SELECT DISTINCT application_name FROM pg_stat_activity WHERE datname = current_database() "
    "AND pid <> pg_backend_pid() AND application_name LIKE 'hourglass%' "
    "AND application_name NOT LIKE 'hourglass store %' "
    "UNION SELECT 'hourglass ' || name FROM replicas WHERE seen_at >= microseconds_now() - $1 "
    "ORDER BY 1";

}  // namespace

absl::Status CheckNobodyServes(Connection& owner) {
  const std::int64_t kept = std::chrono::microseconds(ReplicaDirectory::kNameIsKept).count();
  ASSIGN_OR_RETURN(Rows rows, owner.Query(kUsers, {kept}));
  std::vector<std::string> users;
  while (rows.Next()) users.push_back(rows.TakeOctets());
  if (users.empty()) return absl::OkStatus();
  return Refuse(absl::StrCat("it is in use by ", absl::StrJoin(users, ", "),
                             ": stop them first; one that was killed is forgotten after ",
                             ReplicaDirectory::kNameIsKept.count(), " seconds"));
}

absl::Status CheckIsOwner(Connection& owner) {
  ASSIGN_OR_RETURN(Rows rows,
                   owner.Query("SELECT pg_get_userbyid(nspowner), pg_get_userbyid(nspowner) = "
                               "current_user FROM pg_namespace WHERE nspname = 'hourglass'"));
  const std::string name = rows.Next() ? rows.TakeOctets() : "";
  if (!name.empty() && rows.TakeBoolean()) return absl::OkStatus();
  return Refuse(absl::StrCat("the schema `hourglass` belongs to ", name,
                             ", who alone may move it: --owner ", name));
}

absl::Status TakeTheMove(Connection& owner) {
  // Of the names that two numbers make: fence.cc and schema.cc have the others.
  ASSIGN_OR_RETURN(const std::int64_t is_taken,
                   owner.QueryInteger("SELECT pg_try_advisory_lock(1212632147, 3)"));
  return is_taken != 0 ? absl::OkStatus() : Refuse("another `hourglass store move` is at work");
}

}  // namespace hourglass::issuance::postgresql
