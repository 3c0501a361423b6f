#include "tests/support/postgresql_programs.h"

#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "tests/support/as_account.h"

namespace hourglass {
namespace {

constexpr char kFolder[] = "/usr/lib/postgresql/15/bin/";

}  // namespace

absl::Status CheckPostgresqlPrograms() {
  if (access(absl::StrCat(kFolder, "initdb").c_str(), X_OK) == 0) return absl::OkStatus();
  return Error(ErrorReason::kInternalError, "",
               "PostgreSQL 15 is not installed: tools/install-packages test");
}

std::vector<std::string> PostgresqlCommand(const std::string& program,
                                           const std::vector<std::string>& arguments) {
  std::vector<std::string> whole = {"setpriv", "--pdeathsig=QUIT"};
  if (IsRoot()) {
    whole.insert(whole.end(), {absl::StrCat("--reuid=", kNobody), absl::StrCat("--regid=", kNobody),
                               "--clear-groups"});
  }
  whole.push_back(absl::StrCat(kFolder, program));
  whole.insert(whole.end(), arguments.begin(), arguments.end());
  return whole;
}

}  // namespace hourglass
