// Lets go of the journal's old records.
#ifndef HOURGLASS_ISSUANCE_JOURNAL_RETENTION_H_
#define HOURGLASS_ISSUANCE_JOURNAL_RETENTION_H_

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "issuance/clock.h"
#include "issuance/event_log.h"
#include "issuance/store/store.h"

namespace hourglass::issuance {

// Has the store drop what was intended longer than `keep` ago: at once, and every hour from then
// on. What fails is logged as `journal_retention_failed`, and tried again an hour later.
class JournalRetention {
 public:
  // Starts. `store` and `clock` must outlive this object.
  JournalRetention(std::chrono::seconds keep, Store* store, const Clock* clock, EventLog log);
  // Waits for what is being dropped.
  ~JournalRetention();
  JournalRetention(const JournalRetention&) = delete;
  JournalRetention& operator=(const JournalRetention&) = delete;

 private:
  void Run();

  const std::chrono::seconds keep_;
  Store& store_;
  const Clock& clock_;
  const EventLog log_;
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_JOURNAL_RETENTION_H_
