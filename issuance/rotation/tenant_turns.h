// One at a time for each tenant.
#ifndef HOURGLASS_ISSUANCE_ROTATION_TENANT_TURNS_H_
#define HOURGLASS_ISSUANCE_ROTATION_TENANT_TURNS_H_

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "hsm/base/mutex.h"

namespace hourglass::issuance {

// Spares the threads of one process refusals that they would give each other; what another process
// does is for the store to decide. Safe to call from several threads.
class TenantTurns {
 private:
  struct Place {
    std::mutex mutex;  // held by a Turn
    int users = 0;     // guarded by TenantTurns::mutex_
  };
  using Places = std::map<std::string, std::unique_ptr<Place>, std::less<>>;

 public:
  // Ends with its object. Must not outlive the TenantTurns.
  class Turn {
   public:
    ~Turn();
    Turn(Turn&& other) noexcept
        : turns_(std::exchange(other.turns_, nullptr)), place_(other.place_) {}
    Turn& operator=(Turn&&) = delete;

   private:
    friend class TenantTurns;
    Turn(TenantTurns* turns, Places::iterator place) : turns_(turns), place_(place) {}

    TenantTurns* turns_;
    Places::iterator place_;
  };

  // Waits until no other turn of the tenant is there.
  [[nodiscard]] Turn Take(absl::string_view tenant_id);

 private:
  Mutex mutex_;
  Places places_ ABSL_GUARDED_BY(mutex_);  // only of tenants that somebody has or waits for
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_ROTATION_TENANT_TURNS_H_
