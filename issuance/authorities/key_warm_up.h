// Opens the tenants' keys after the start, before anybody asks for them.
#ifndef HOURGLASS_ISSUANCE_AUTHORITIES_KEY_WARM_UP_H_
#define HOURGLASS_ISSUANCE_AUTHORITIES_KEY_WARM_UP_H_

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "hsm/base/mutex.h"
#include "hsm/store/key_store.h"
#include "issuance/authorities/tenants.h"
#include "issuance/log/event_log.h"

namespace hourglass::issuance {

// Loads the snapshots of the first kMostTenants of the given tenants, a few at once, so that an
// outage of a token shows in log and metrics before the first request. Where there are more, their
// keys wait for requests, which open what they need by themselves, and every token and the TPM of
// the configuration is made ready instead: so a start costs the same with any number of tenants.
// What fails is tried again, after one second at first and at most 30, until it is open.
class KeyWarmUp {
 public:
  static constexpr std::size_t kMostTenants = 64;

  // Starts. `tenants` and `keys` must outlive this object.
  KeyWarmUp(const std::vector<std::string>& tenant_ids, Tenants* tenants, hsm::KeyStore* keys,
            EventLog log);
  // Waits for what is being opened.
  ~KeyWarmUp();
  KeyWarmUp(const KeyWarmUp&) = delete;
  KeyWarmUp& operator=(const KeyWarmUp&) = delete;

 private:
  struct Closed {
    std::function<absl::Status()> open;
    std::string kind;  // `tenant` or `token`
    std::string name;
    std::chrono::milliseconds pause;  // before the next try, if this one fails
    std::string failure;              // that the log has already
  };

  void Add(std::function<absl::Status()> open, absl::string_view kind, const std::string& name)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Run();
  // True where it need not be tried again.
  bool Open(Closed& closed) const;

  const EventLog log_;
  Mutex mutex_;
  ConditionVariable stop_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::multimap<std::chrono::steady_clock::time_point, Closed> closed_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_AUTHORITIES_KEY_WARM_UP_H_
