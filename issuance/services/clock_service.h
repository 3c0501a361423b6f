// The gRPC methods of the clock.
#ifndef HOURGLASS_ISSUANCE_SERVICES_CLOCK_SERVICE_H_
#define HOURGLASS_ISSUANCE_SERVICES_CLOCK_SERVICE_H_

#include "hourglass/v1/clock.grpc.pb.h"
#include "issuance/calls/call_runner.h"
#include "issuance/calls/unary_service.h"
#include "issuance/timekeeping/compared_clock.h"
#include "issuance/timekeeping/time_guard.h"

namespace hourglass::issuance {

// v1::ClockService over the time guard, and what it is compared with.
class ClockService final : public UnaryService<v1::ClockService> {
 public:
  // All must outlive this object. `compared` is null where there is nobody to compare with.
  ClockService(CallRunner* calls, TimeGuard* guard, const ComparedClock* compared)
      : guard_(guard), compared_(compared) {
    Serve(calls, this, "GetClock", &ClockService::GetClock);
    Serve(calls, this, "AcceptClock", &ClockService::AcceptClock);
  }

  absl::Status GetClock(const Caller& caller, const v1::GetClockRequest& request,
                        v1::Clock* response);
  absl::Status AcceptClock(const Caller& caller, const v1::AcceptClockRequest& request,
                           v1::Clock* response);

 private:
  v1::Clock Describe() const;

  TimeGuard* const guard_;
  const ComparedClock* const compared_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVICES_CLOCK_SERVICE_H_
