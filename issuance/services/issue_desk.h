// What a call and a message of a stream have in common, where both ask for a certificate.
#ifndef HOURGLASS_ISSUANCE_SERVICES_ISSUE_DESK_H_
#define HOURGLASS_ISSUANCE_SERVICES_ISSUE_DESK_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>

#include <optional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "issuance/admission/lanes.h"
#include "issuance/admission/request_limits.h"
#include "issuance/base/clock.h"
#include "issuance/calls/call_runner.h"
#include "issuance/calls/issuance_counters.h"
#include "issuance/decisions/refusal_keeper.h"
#include "issuance/log/event_log.h"
#include "issuance/pipeline/issue_task.h"

namespace hourglass::issuance {

// Where requests for certificates are handed in, and their outcomes handed out, counted and logged:
// the same for a call and for a message of a stream. Safe to call from several threads.
class IssueDesk {
 public:
  // All must outlive this object. `clock` is the one of the lanes. `refusals` has what verdicts
  // denied kept, and may be null.
  IssueDesk(CallRunner* calls, RequestLimits* limits, Lanes* lanes, IssuanceCounters* counters,
            const Clock* clock, const EventLog* log, RefusalKeeper* refusals = nullptr)
      : calls_(calls),
        limits_(limits),
        lanes_(lanes),
        counters_(counters),
        clock_(clock),
        log_(log),
        refusals_(refusals) {}

  // Hands the task, complete with its caller, to the lanes, with the deadline of its call: nullopt,
  // and Finished() will be called. Else it is refused, and this is what the caller is told: also
  // REQUESTS_TOO_FREQUENT, before anything of the request is looked at but whose it is. `method` is
  // the name of one of Methods(). Waits for nobody.
  std::optional<grpc::Status> HandIn(IssueTask* task, const grpc::ServerContextBase& context,
                                     absl::string_view method);

  // What the caller is told of a message that is no request for a certificate.
  grpc::Status RefuseMalformed(const Caller* caller, const grpc::ServerContextBase& context,
                               absl::string_view method);

  // What the caller is told of a task that is finished.
  grpc::Status HandOut(const IssueTask& task, const grpc::ServerContextBase& context,
                       absl::string_view method);

 private:
  grpc::Status Refuse(const IssueTask& task, const absl::Status& refusal,
                      const grpc::ServerContextBase& context, absl::string_view method);
  grpc::Status RefuseTooFrequent(const IssueTask& task, RequestLimit limit,
                                 const absl::Status& refusal);

  CallRunner* const calls_;
  RequestLimits* const limits_;
  Lanes* const lanes_;
  IssuanceCounters* const counters_;
  const Clock* const clock_;
  const EventLog* const log_;
  RefusalKeeper* const refusals_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVICES_ISSUE_DESK_H_
