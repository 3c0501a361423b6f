#include "issuance/services/clock_service.h"

#include <chrono>
#include <cstdint>
#include <vector>

#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/wire/proto_time.h"

namespace hourglass::issuance {
namespace {

absl::Status AuthorizeForClock(const Caller& caller, bool may) {
  if (!may) {
    return Error(ErrorReason::kRoleNotPermitted, "",
                 "the clock takes the role administrator; auditors may look at it");
  }
  if (!caller.all_tenants) {
    return Error(ErrorReason::kTenantNotPermitted, "",
                 "the clock takes a caller bound to every tenant: it is shared by all");
  }
  return absl::OkStatus();
}

v1::Clock::Doubt DoubtForProto(ClockDoubt doubt) {
  switch (doubt) {
    case ClockDoubt::kNone:
      return v1::Clock::NONE;
    case ClockDoubt::kLeapt:
      return v1::Clock::LEAPT;
    case ClockDoubt::kBehind:
      return v1::Clock::BEHIND;
    case ClockDoubt::kFarAhead:
      return v1::Clock::FAR_AHEAD;
  }
  return v1::Clock::NONE;
}

v1::Clock ClockAsProto(const ClockReport& report) {
  v1::Clock clock;
  *clock.mutable_now() = ToProto(report.reading.wall);
  clock.set_doubt(DoubtForProto(report.doubt));
  *clock.mutable_newest_known() = ToProto(report.newest);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(report.distance);
  clock.mutable_distance()->set_seconds(seconds.count());
  clock.mutable_distance()->set_nanos(
      static_cast<std::int32_t>((report.distance - seconds).count() * 1000));
  clock.set_synchronised(report.reading.synchronised);
  return clock;
}

}  // namespace

grpc::ServerUnaryReactor* ClockService::GetClock(const CallContext& context,
                                                 const v1::GetClockRequest* request,
                                                 v1::Clock* response) {
  return calls_->Run(context, "GetClock",
                     [=, this](const Caller& caller, std::vector<v1::DenyReason>&) -> absl::Status {
                       static_cast<void>(request);
                       RETURN_IF_ERROR(AuthorizeForClock(
                           caller, caller.Has(Role::kAdministrator) || caller.Has(Role::kAuditor)));
                       *response = ClockAsProto(guard_->Report());
                       return absl::OkStatus();
                     });
}

grpc::ServerUnaryReactor* ClockService::AcceptClock(const CallContext& context,
                                                    const v1::AcceptClockRequest* request,
                                                    v1::Clock* response) {
  return calls_->Run(context, "AcceptClock",
                     [=, this](const Caller& caller, std::vector<v1::DenyReason>&) -> absl::Status {
                       RETURN_IF_ERROR(AuthorizeForClock(caller, caller.Has(Role::kAdministrator)));
                       if (!request->has_time())
                         return Error(ErrorReason::kFieldMissing, "time", "is required");
                       ASSIGN_OR_RETURN(const Timestamp theirs, FromProto(request->time(), "time"));
                       RETURN_IF_ERROR(guard_->Accept(theirs, caller.name));
                       *response = ClockAsProto(guard_->Report());
                       return absl::OkStatus();
                     });
}

}  // namespace hourglass::issuance
