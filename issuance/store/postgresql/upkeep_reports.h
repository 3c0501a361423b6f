// What the parts of a store's upkeep tell the one who watches it.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_UPKEEP_REPORTS_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_UPKEEP_REPORTS_H_

#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "hsm/base/mutex.h"

namespace hourglass::issuance::postgresql {

// Safe to call from several threads; the observer is called by one at a time.
class UpkeepReports {
 public:
  static constexpr std::size_t kMostMessages = 16;
  using Observer = std::function<void(const absl::Status&)>;

  // `observer` may be null.
  explicit UpkeepReports(Observer observer) : observer_(std::move(observer)) {}

  // How `part`, which is for people, fared. A failure is told of as `PART: MESSAGE`, each message
  // once until the part works again, and no more than kMostMessages of them; OK when nothing fails
  // any more.
  void Report(const std::string& part, const absl::Status& status);

 private:
  const Observer observer_;
  Mutex mutex_;
  // The messages that were told of, by the parts that fail.
  std::map<std::string, std::set<std::string>> failures_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_UPKEEP_REPORTS_H_
