#include "issuance/wire/proto_time.h"

#include <gtest/gtest.h>

#include <chrono>

#include "google/protobuf/util/time_util.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using google::protobuf::util::TimeUtil;

google::protobuf::Timestamp Proto(std::int64_t seconds, std::int32_t nanos) {
  google::protobuf::Timestamp time;
  time.set_seconds(seconds);
  time.set_nanos(nanos);
  return time;
}

TEST(ProtoTimeTest, AgreesWithProtobufsOwnTextForm) {
  const Timestamp time =
      std::chrono::sys_days(std::chrono::year(2026) / 11 / 20) + std::chrono::microseconds(1500);
  EXPECT_EQ(TimeUtil::ToString(ToProto(time)), "2026-11-20T00:00:00.001500Z");
  ASSERT_OK_AND_ASSIGN(const Timestamp back, FromProto(ToProto(time), "t"));
  EXPECT_EQ(back, time);
}

TEST(ProtoTimeTest, TimesBefore1970KeepPositiveNanoseconds) {
  const Timestamp time(std::chrono::microseconds(-1));
  EXPECT_EQ(TimeUtil::ToString(ToProto(time)), "1969-12-31T23:59:59.999999Z");
}

TEST(ProtoTimeTest, RefusesWhatIsNoTimestamp) {
  EXPECT_OK(FromProto(Proto(TimeUtil::kTimestampMaxSeconds, 999'999'999), "t"));
  EXPECT_OK(FromProto(Proto(TimeUtil::kTimestampMinSeconds, 0), "t"));
  for (const auto& time :
       {Proto(TimeUtil::kTimestampMaxSeconds + 1, 0), Proto(TimeUtil::kTimestampMinSeconds - 1, 0),
        Proto(0, -1), Proto(0, 1'000'000'000)}) {
    EXPECT_THAT(FromProto(time, "t"), FailsWith(ErrorReason::kFieldInvalid, "t"));
  }
}

}  // namespace
}  // namespace hourglass::issuance
