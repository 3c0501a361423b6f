// What every method of every service does first and last: who calls, a worker, a status with its
// detail.
#ifndef HOURGLASS_ISSUANCE_CALLS_CALL_RUNNER_H_
#define HOURGLASS_ISSUANCE_CALLS_CALL_RUNNER_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>
#include <grpcpp/support/status.h>

#include <chrono>
#include <functional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "hourglass/v1/error.pb.h"
#include "issuance/calls/call_bounds.h"
#include "issuance/calls/call_context.h"
#include "issuance/calls/call_lines.h"
#include "issuance/calls/call_pool.h"
#include "issuance/calls/issuance_counters.h"
#include "issuance/edge/transport/open_calls.h"
#include "issuance/identity/caller.h"
#include "issuance/identity/methods.h"
#include "issuance/log/event_log.h"

namespace hourglass::issuance {

// What the caller of a failed method is told: ToGrpcStatus, with the reasons of a deny and the id
// of its verdict, what is wrong with an access token, and when to come back where a key cannot be
// used, the compliance service is not asked for a while, or the service has more to do than it
// takes.
grpc::Status FailureOf(const absl::Status& status, absl::Span<const v1::DenyReason> deny_reasons,
                       absl::string_view correlation_id = "");

// The same for a call that is refused because too many wait.
grpc::Status OverloadedUntil(std::chrono::milliseconds come_back);

// Safe to call from several threads.
class CallRunner {
 public:
  // Runs on a thread of the pool and may block. Fills the response by itself.
  using Answer = std::function<absl::Status(const Caller& caller)>;

  // All must outlive this object and every call.
  // `failures` counts calls and messages of streams that failed, by reason.
  CallRunner(const CallerDirectory* callers, CallPool* pool, const CallLimits& limits,
             OpenCalls* open_calls, IssuanceCounters* failures, const EventLog* log)
      : callers_(callers),
        pool_(pool),
        open_calls_(open_calls),
        failures_(failures),
        log_(log),
        bounds_(limits) {}

  // Identifies the caller by its client certificate, queues the call in the line that is for the
  // caller and the kind of the method, and finishes it with what `answer` returns. A call that was
  // cancelled (a passed deadline cancels too) when its turn comes is not answered, nor one that its
  // caller may not make. `tenant_id` is the one that the request names, empty where it names none,
  // and lives as long as the call; `method` is one of Methods(). A call that fails is logged with
  // the method, the caller, and the error, and counted. Errors of its own: those of Identify and
  // Permit, OVERLOADED, STOPPING.
  grpc::ServerUnaryReactor* Run(const CallContext& context, const Method& method,
                                absl::string_view tenant_id, Answer answer);

  // Answers the call with this error, or with CALLER_UNKNOWN, and logs and counts it as Run does;
  // but a call that was given up before its message came is only answered.
  grpc::ServerUnaryReactor* Refuse(const CallContext& context, absl::string_view name,
                                   const absl::Status& refusal);

  // What each call keeps until gRPC has done with it.
  OpenCalls::Call Follow(const grpc::ServerContextBase& context) const {
    return open_calls_->Follow(context.peer());
  }

  // For calls that Run does not run: what they hold. A ticket goes when the answer has been sent,
  // and not only known.
  CallBounds& bounds() { return bounds_; }

  // For calls that Run does not run: what may block, or must not be done on gRPC's threads, waits
  // for a thread of the pool in the line that is for the caller and the kind of the method, which
  // is not kIssuing. False, and `call` is not run, where no more may wait.
  bool Queue(const Caller& caller, const Method& method, CallLines::Call call) {
    return pool_->Submit(caller.name, method.kind, std::move(call));
  }

  // Who calls, by the client certificate. Errors: CALLER_UNKNOWN, CALLER_CERTIFICATE_EXPIRED,
  // CALLER_REFUSED. `certificate_sha256` as CallerDirectory::Identify has it.
  absl::StatusOr<const Caller*> Identify(const grpc::ServerContextBase& context,
                                         std::string* certificate_sha256 = nullptr) const;

  // Counts the failure, too. `caller` may be null where it is not known.
  void LogFailure(const grpc::ServerContextBase& context, absl::string_view name,
                  const Caller* caller, const absl::Status& status);

  // The same for what is refused too often to be logged.
  void CountFailure(const absl::Status& status) { failures_->Count(status); }

  // From now on new calls are refused with STOPPING. Returns when every call that was taken before
  // has been answered, or after `grace`.
  void StopTakingCalls(std::chrono::milliseconds grace) { bounds_.Stop(grace); }

 private:
  class Reactor;

  struct Call;

  absl::Status Answered(const Call& call);
  void RunInTurn(const Call& call, Reactor* reactor);

  const CallerDirectory* const callers_;
  CallPool* const pool_;
  OpenCalls* const open_calls_;
  IssuanceCounters* const failures_;
  const EventLog* const log_;
  CallBounds bounds_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_CALLS_CALL_RUNNER_H_
