#ifndef HOURGLASS_ISSUANCE_SERVICES_CLOCK_SERVICE_H_
#define HOURGLASS_ISSUANCE_SERVICES_CLOCK_SERVICE_H_

#include "hourglass/v1/clock.grpc.pb.h"
#include "issuance/call_runner.h"
#include "issuance/timekeeping/time_guard.h"

namespace hourglass::issuance {

// v1::ClockService over the time guard.
class ClockService final : public v1::ClockService::CallbackService {
 public:
  // All must outlive this object.
  ClockService(CallRunner* calls, TimeGuard* guard) : calls_(calls), guard_(guard) {}

  grpc::ServerUnaryReactor* GetClock(grpc::CallbackServerContext* context,
                                     const v1::GetClockRequest* request,
                                     v1::Clock* response) override;
  grpc::ServerUnaryReactor* AcceptClock(grpc::CallbackServerContext* context,
                                        const v1::AcceptClockRequest* request,
                                        v1::Clock* response) override;

 private:
  CallRunner* const calls_;
  TimeGuard* const guard_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVICES_CLOCK_SERVICE_H_
