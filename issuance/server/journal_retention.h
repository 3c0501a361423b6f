// Lets go of the journal's old records.
#ifndef HOURGLASS_ISSUANCE_SERVER_JOURNAL_RETENTION_H_
#define HOURGLASS_ISSUANCE_SERVER_JOURNAL_RETENTION_H_

#include <chrono>

#include "absl/status/status.h"
#include "issuance/base/clock.h"
#include "issuance/base/recurring.h"
#include "issuance/log/event_log.h"
#include "issuance/store/journal_store.h"
#include "issuance/store/time_records.h"

namespace hourglass::issuance {

// Has the store drop what was intended longer than `keep` before the newest intent, and before now:
// at once, and every hour from then on. So a clock alone, however wrong, makes nothing old; and
// while it is doubted nothing is dropped (promise 10). What was dropped is deleted a day
// later. What fails is logged as `journal_retention_failed`, and tried again an hour later.
class JournalRetention {
 public:
  // Starts. All must outlive this object.
  JournalRetention(std::chrono::seconds keep, JournalStore* store, TimeRecords* records,
                   const Clock* clock, EventLog log);
  // Waits for what is being dropped.
  ~JournalRetention() = default;
  JournalRetention(const JournalRetention&) = delete;
  JournalRetention& operator=(const JournalRetention&) = delete;

 private:
  void DropAndSay() const;
  absl::Status Drop() const;

  const std::chrono::seconds keep_;
  JournalStore& store_;
  TimeRecords& records_;
  const Clock& clock_;
  const EventLog log_;
  const Recurring dropping_;  // the last: it uses what is above
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVER_JOURNAL_RETENTION_H_
