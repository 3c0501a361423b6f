// The one feed of news that a tenant is not what it was.
#ifndef HOURGLASS_ISSUANCE_STORE_TENANT_CHANGES_H_
#define HOURGLASS_ISSUANCE_STORE_TENANT_CHANGES_H_

#include <functional>
#include <memory>
#include <vector>

#include "absl/strings/string_view.h"
#include "hsm/base/mutex.h"

namespace hourglass::issuance {

// Whoever remembers something of a tenant subscribes, and forgets it when told. News may come
// twice, for nothing, or not at all (from another process): it makes memory fresh early, and proves
// nothing. What is right is for the store to decide. Safe to call from several threads.
class TenantChanges {
  struct Place;

 public:
  // Called on the thread that caused the news, by one thread at a time. Must be quick. It may
  // subscribe others and end subscriptions, its own too, but not publish.
  using Listener = std::function<void(absl::string_view tenant_id)>;

  // Ends with its object: once that is gone, the listener is not called any more, nor running but
  // where it ended itself. So it must not end while its thread holds what the listener waits for.
  // May outlive the TenantChanges.
  class Subscription {
   public:
    ~Subscription();
    Subscription(Subscription&&) noexcept = default;
    Subscription& operator=(Subscription&&) = delete;

   private:
    friend class TenantChanges;
    explicit Subscription(std::shared_ptr<Place> place);

    std::shared_ptr<Place> place_;
  };

  TenantChanges() = default;
  TenantChanges(const TenantChanges&) = delete;
  TenantChanges& operator=(const TenantChanges&) = delete;

  [[nodiscard]] Subscription Subscribe(Listener listener);

  // Tells all who listened before, and returns when they have been told.
  void Publish(absl::string_view tenant_id) const;

 private:
  mutable Mutex mutex_;  // not held while a listener is called
  std::vector<std::weak_ptr<Place>> places_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_TENANT_CHANGES_H_
