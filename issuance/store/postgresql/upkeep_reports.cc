#include "issuance/store/postgresql/upkeep_reports.h"

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"

namespace hourglass::issuance::postgresql {

void UpkeepReports::Report(const std::string& part, const absl::Status& status) {
  if (observer_ == nullptr) return;
  const MutexLock lock(mutex_);
  if (status.ok()) {
    if (failures_.erase(part) > 0 && failures_.empty()) observer_(status);
    return;
  }
  std::string message(status.message());
  std::set<std::string>& told = failures_[part];
  // A server that fails over fails in one way after another, and with several servers in turns.
  if (told.size() == kMostMessages || !told.insert(message).second) return;
  // Every status of a store is made by Error(); of another kind it would be a fault of our own.
  const ErrorReason reason = ReasonOf(status);
  observer_(Error(reason == ErrorReason::kUnspecified ? ErrorReason::kInternalError : reason, "",
                  absl::StrCat(part, ": ", message)));
}

}  // namespace hourglass::issuance::postgresql
