// Keys from a server of the issuer, fetched where nobody waits for them.
#ifndef HOURGLASS_ISSUANCE_TOKENS_FETCHED_KEY_SET_H_
#define HOURGLASS_ISSUANCE_TOKENS_FETCHED_KEY_SET_H_

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "hsm/base/mutex.h"
#include "issuance/base/clock.h"
#include "issuance/base/recurring.h"
#include "issuance/tokens/https_fetch.h"
#include "issuance/tokens/kept_key_set.h"
#include "issuance/tokens/key_set_source.h"
#include "issuance/tokens/refresh_schedule.h"

namespace hourglass::issuance {

// Safe to use from several threads.
class FetchedKeySet final : public KeySetSource {
 public:
  using Time = RefreshSchedule::Time;

  // Fetches nothing yet. `clock` dates what is read and must outlive this object; `now` paces the
  // attempts. `news` may be null.
  FetchedKeySet(HttpsRequest request, const RefreshPace& pace, const Clock* clock,
                std::function<Time()> now, KeySetNews news);
  // Ends a fetch that is under way, within about a second.
  ~FetchedKeySet() override;

  // Begins a thread that calls FetchIfDue each second. Once at most.
  void Start();

  // Fetches where an attempt is due and none is under way; whether it did.
  bool FetchIfDue();

  std::shared_ptr<const KeySet> Get() override { return kept_.keys(); }
  void KeyIsUnknown() override;
  KeySetHealth Health() const override { return kept_.health(); }

 private:
  const HttpsRequest request_;
  const Clock* const clock_;
  const std::function<Time()> now_;
  KeptKeySet kept_;
  std::atomic<bool> stop_ = false;
  Mutex mutex_;
  bool fetching_ ABSL_GUARDED_BY(mutex_) = false;
  RefreshSchedule schedule_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<Recurring> thread_;  // the last: it uses what is above
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_TOKENS_FETCHED_KEY_SET_H_
