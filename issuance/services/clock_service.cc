#include "issuance/services/clock_service.h"

#include <chrono>
#include <cstdint>
#include <optional>

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

void SetDistance(std::chrono::microseconds distance, v1::Clock* clock) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(distance);
  clock->mutable_distance()->set_seconds(seconds.count());
  clock->mutable_distance()->set_nanos(
      static_cast<std::int32_t>((distance - seconds).count() * 1000));
}

v1::Clock ClockAsProto(const ClockReport& report) {
  v1::Clock clock;
  *clock.mutable_now() = ToProto(report.reading.wall);
  clock.set_doubt(DoubtForProto(report.doubt));
  *clock.mutable_newest_known() = ToProto(report.newest);
  SetDistance(report.distance, &clock);
  clock.set_synchronised(report.reading.synchronised);
  return clock;
}

}  // namespace

v1::Clock ClockService::Describe() const {
  v1::Clock clock = ClockAsProto(guard_->Report());
  if (clock.doubt() != v1::Clock::NONE || compared_ == nullptr || !compared_->Differs()) {
    return clock;
  }
  clock.set_doubt(v1::Clock::DIFFERS);
  const std::optional<ClockComparison> found = compared_->LastFound();
  SetDistance(found.has_value() ? found->ahead : std::chrono::microseconds(0), &clock);
  return clock;
}

absl::Status ClockService::GetClock(const Caller&, const v1::GetClockRequest&,
                                    v1::Clock* response) {
  *response = Describe();
  return absl::OkStatus();
}

absl::Status ClockService::AcceptClock(const Caller& caller, const v1::AcceptClockRequest& request,
                                       v1::Clock* response) {
  if (!request.has_time()) return Error(ErrorReason::kFieldMissing, "time", "is required");
  ASSIGN_OR_RETURN(const Timestamp theirs, FromProto(request.time(), "time"));
  RETURN_IF_ERROR(guard_->Accept(theirs, caller.name));
  *response = Describe();
  return absl::OkStatus();
}

}  // namespace hourglass::issuance
