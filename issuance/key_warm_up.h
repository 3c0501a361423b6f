// Opens the tenants' keys after the start, before anybody asks for them.
#ifndef HOURGLASS_ISSUANCE_KEY_WARM_UP_H_
#define HOURGLASS_ISSUANCE_KEY_WARM_UP_H_

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "issuance/event_log.h"
#include "issuance/tenants.h"

namespace hourglass::issuance {

// Loads the snapshots of the given tenants, a few at once, so that an outage of a token shows in
// log and metrics before the first request. What fails is tried again, after one second at first
// and at most 30, until it is open. Requests open what they need by themselves meanwhile.
class KeyWarmUp {
 public:
  // Starts. `tenants` must outlive this object.
  KeyWarmUp(std::vector<std::string> tenant_ids, Tenants* tenants, EventLog log);
  // Waits for what is being opened.
  ~KeyWarmUp();
  KeyWarmUp(const KeyWarmUp&) = delete;
  KeyWarmUp& operator=(const KeyWarmUp&) = delete;

 private:
  struct Closed {
    std::string tenant_id;
    std::chrono::milliseconds pause;  // before the next try, if this one fails
    std::string failure;              // that the log has already
  };

  void Run();
  // True where it need not be tried again.
  bool Open(Closed& tenant);

  Tenants* const tenants_;
  const EventLog log_;
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;                                                // guarded by mutex_
  std::multimap<std::chrono::steady_clock::time_point, Closed> closed_;  // guarded by mutex_
  std::vector<std::thread> threads_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_KEY_WARM_UP_H_
