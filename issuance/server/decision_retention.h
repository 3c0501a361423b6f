// Lets go of old refusals and events.
#ifndef HOURGLASS_ISSUANCE_SERVER_DECISION_RETENTION_H_
#define HOURGLASS_ISSUANCE_SERVER_DECISION_RETENTION_H_

#include <chrono>

#include "absl/status/status.h"
#include "issuance/base/clock.h"
#include "issuance/base/recurring.h"
#include "issuance/log/event_log.h"
#include "issuance/store/decision_store.h"

namespace hourglass::issuance {

// Has the store drop what is older than `keep`: at once, and every hour from then on, but not while
// the clock is doubted (promise 10). What fails is logged as `decision_retention_failed`, and tried
// again an hour later.
class DecisionRetention {
 public:
  // Starts. All must outlive this object.
  DecisionRetention(std::chrono::seconds keep, DecisionStore* store, const Clock* clock,
                    EventLog log);
  // Waits for what is being dropped.
  ~DecisionRetention() = default;
  DecisionRetention(const DecisionRetention&) = delete;
  DecisionRetention& operator=(const DecisionRetention&) = delete;

 private:
  absl::Status Drop() const;
  void DropAndSay() const;

  const std::chrono::seconds keep_;
  DecisionStore& store_;
  const Clock& clock_;
  const EventLog log_;
  const Recurring dropping_;  // the last: it uses what is above
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVER_DECISION_RETENTION_H_
