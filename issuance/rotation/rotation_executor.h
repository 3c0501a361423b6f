// Does what tenants' policies say of the rotation of their roots.
#ifndef HOURGLASS_ISSUANCE_ROTATION_ROTATION_EXECUTOR_H_
#define HOURGLASS_ISSUANCE_ROTATION_ROTATION_EXECUTOR_H_

#include <atomic>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/authorities/tenants.h"
#include "issuance/base/clock.h"
#include "issuance/log/event_log.h"
#include "issuance/rotation/root_administration.h"
#include "issuance/rotation/rotation_planner.h"
#include "issuance/store/store.h"

namespace hourglass::issuance {

// Who the administrative journal says did it.
inline constexpr absl::string_view kRotationCaller = "hourglassd";

// The request id of the root that the policy has made where the tenant has had `roots` roots, ended
// ones among them: the same for whoever looks at the same roots, so that a creation that is begun
// twice makes one root; and never that of another, since each root adds to their number.
std::string RotationRequestId(std::size_t roots);

// Each step is one call of RootAdministration, which is one transaction of the store; what it does
// is decided anew each time by what the store has. So nothing is kept here that a crash could lose
// (docs/decisions/0031-the-planner-is-pure-and-each-step-is-one-transaction.md).
class RotationExecutor {
 public:
  // All must outlive this object. The policy of a tenant is `rotation` of Tenants::Issuing.
  RotationExecutor(Store* store, RootAdministration* roots, const Tenants* tenants,
                   const Clock* clock, const EventLog* log)
      : store_(store), roots_(roots), tenants_(tenants), clock_(clock), log_(*log) {}

  // Looks at every tenant once. Where the policy is AUTOMATIC, does the step that is due
  // (NextStep), one a tenant and pass, which is logged as `rotation_step_done`; the key of a root
  // that is retired is kept. Where it is DRY_RUN, logs the step as `rotation_step_due`, once. What
  // is in the way of a promotion that is due is logged as `rotation_blocked`, and again when it is
  // something else. What another process did first is no failure. What fails is logged as
  // `rotation_failed`, and tried again in the next pass; it holds up no other tenant. While the
  // clock may not decide, nothing is done (promise 10). May take as long as tokens take to make
  // keys. For one thread at a time.
  void Pass();

  // A pass that is under way, and any that is begun later, ends with the tenant that it is at. Safe
  // to call from any thread.
  void Stop() { stopping_ = true; }

 private:
  struct DueStep {
    RotationFacts facts;
    RotationStep step;
  };

  void LookAt(const std::string& tenant_id);
  absl::StatusOr<std::optional<DueStep>> FindDueStep(const std::string& tenant_id) const;
  absl::Status Do(const std::string& tenant_id, const DueStep& due);
  // Whether the step failed because another process has done it.
  bool IsDone(const std::string& tenant_id, const RotationStep& step,
              const absl::Status& failure) const;
  // After a promotion that failed: one whose key is lost keeps no other successor away.
  void PromoteAnother(const std::string& tenant_id, DueStep due);
  absl::Status Stage(const std::string& tenant_id, const RotationFacts& facts);
  void SayBlocked(const std::string& tenant_id, const RotationStep& step, const std::string& by);
  // Whether this is another text than the last for the tenant.
  bool IsNew(const std::string& tenant_id, std::string said);
  void SayFailed(absl::string_view tenant_id, const absl::Status& status) const;

  Store* const store_;
  RootAdministration* const roots_;
  const Tenants* const tenants_;
  const Clock* const clock_;
  const EventLog& log_;
  std::atomic<bool> stopping_ = false;
  // By tenant: what was said last of the step that is due.
  absl::flat_hash_map<std::string, std::string> said_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_ROTATION_ROTATION_EXECUTOR_H_
