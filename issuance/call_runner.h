// What every method of every service does first and last: who calls, a worker, a status with its
// detail.
#ifndef HOURGLASS_ISSUANCE_CALL_RUNNER_H_
#define HOURGLASS_ISSUANCE_CALL_RUNNER_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>
#include <grpcpp/support/status.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "hourglass/v1/error.pb.h"
#include "issuance/caller.h"
#include "issuance/event_log.h"
#include "issuance/worker_pool.h"

namespace hourglass::issuance {

// What the caller of a failed method is told: ToGrpcStatus, with the reasons of a deny, and when to
// come back where a key cannot be used.
grpc::Status FailureOf(const absl::Status& status, absl::Span<const v1::DenyReason> deny_reasons);

// The same for a call that is refused because too many wait.
grpc::Status OverloadedUntil(std::chrono::milliseconds come_back);

// Safe to call from several threads.
class CallRunner {
 public:
  // `method` runs on a worker and may block. It fills the response by itself, and `deny_reasons`
  // where it fails with DEVICE_NOT_COMPLIANT.
  using Method =
      std::function<absl::Status(const Caller& caller, std::vector<v1::DenyReason>& deny_reasons)>;

  // All must outlive this object and every call.
  CallRunner(const CallerDirectory* callers, WorkerPool* workers, const EventLog* log)
      : callers_(callers), workers_(workers), log_(log) {}

  // Identifies the caller by its client certificate, queues `method` and finishes the call with
  // what it returns. Calls that were cancelled (a passed deadline cancels too) when their turn
  // comes are not run. A call that fails is logged with `name`, the caller, and the error. Errors
  // of its own: CALLER_UNKNOWN, OVERLOADED, STOPPING.
  grpc::ServerUnaryReactor* Run(grpc::CallbackServerContext* context, absl::string_view name,
                                Method method);

  // For calls that Run does not run. Such a call counts as under way from a Begin that returned OK
  // until End, which it calls when its answer has been sent, and not only known. Errors: STOPPING.
  absl::Status Begin();
  void End();

  // Who calls, by the client certificate. Errors: CALLER_UNKNOWN.
  absl::StatusOr<const Caller*> Identify(const grpc::ServerContextBase& context) const;

  // `caller` may be null where it is not known.
  void LogFailure(const grpc::ServerContextBase& context, absl::string_view name,
                  const Caller* caller, const absl::Status& status) const;

  // From now on new calls are refused with STOPPING. Returns when every call that was taken before
  // has been answered, or after `grace`.
  void StopTakingCalls(std::chrono::milliseconds grace);

 private:
  class Reactor;

  const CallerDirectory* const callers_;
  WorkerPool* const workers_;
  const EventLog* const log_;
  std::mutex mutex_;
  std::condition_variable ended_;
  int under_way_ = 0;         // guarded by mutex_
  bool taking_calls_ = true;  // guarded by mutex_
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_CALL_RUNNER_H_
