// Lets tenants' rotation policies be carried out.
#ifndef HOURGLASS_ISSUANCE_SERVER_TIMED_ROTATION_H_
#define HOURGLASS_ISSUANCE_SERVER_TIMED_ROTATION_H_

#include "issuance/base/recurring.h"
#include "issuance/config/config.h"
#include "issuance/rotation/rotation_executor.h"

namespace hourglass::issuance {

// Whether the policy of any tenant wants the service to do or say something.
bool AnyRotationPolicy(const Config& config);

// Passes over all tenants (RotationExecutor::Pass) at once, and every minute from then on.
class TimedRotation {
 public:
  // Starts. All must outlive this object.
  TimedRotation(Store* store, RootAdministration* roots, const Tenants* tenants, const Clock* clock,
                const EventLog* log);
  // Waits for the tenant that a pass is at: for as long as its token takes to make a key.
  ~TimedRotation() { executor_.Stop(); }
  TimedRotation(const TimedRotation&) = delete;
  TimedRotation& operator=(const TimedRotation&) = delete;

 private:
  RotationExecutor executor_;
  const Recurring passing_;  // the last: it uses what is above
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVER_TIMED_ROTATION_H_
