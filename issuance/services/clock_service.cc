#include "issuance/services/clock_service.h"

#include <chrono>
#include <cstdint>

#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/wire/proto_time.h"

namespace hourglass::issuance {
namespace {

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

absl::Status ClockService::GetClock(const Caller&, const v1::GetClockRequest&,
                                    v1::Clock* response) {
  *response = ClockAsProto(guard_->Report());
  return absl::OkStatus();
}

absl::Status ClockService::AcceptClock(const Caller& caller, const v1::AcceptClockRequest& request,
                                       v1::Clock* response) {
  if (!request.has_time()) return Error(ErrorReason::kFieldMissing, "time", "is required");
  ASSIGN_OR_RETURN(const Timestamp theirs, FromProto(request.time(), "time"));
  RETURN_IF_ERROR(guard_->Accept(theirs, caller.name));
  *response = ClockAsProto(guard_->Report());
  return absl::OkStatus();
}

}  // namespace hourglass::issuance
