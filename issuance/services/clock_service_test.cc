#include "issuance/services/clock_service.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "issuance/services/testing/service_test.h"
#include "issuance/store/sqlite/sqlite_time_records.h"
#include "issuance/timekeeping/compared_clock.h"
#include "issuance/wire/proto_time.h"
#include "tests/support/manual_clock.h"
#include "tests/support/manual_kernel_time.h"

namespace hourglass::issuance {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class ClockServiceTest : public ServiceTest {
 protected:
  void SetUp() override {
    ServiceTest::SetUp();
    ASSERT_OK(AddSamplePrimary(*store_));
    ASSERT_OK_AND_ASSIGN(records_, OpenSqliteTimeRecords(directory_.File("store.sqlite")));
  }

  // As the service does when it starts, with this for the newest time on record.
  void Start(Timestamp newest) {
    Intent intent = SampleIntent("recorded");
    intent.intended_at = newest;
    intent.not_after = std::chrono::floor<seconds>(newest) + hours(1);
    ASSERT_OK(Append(*store_, intent));
    ASSERT_OK_AND_ASSIGN(guard_, TimeGuard::Create(records_.get(), &wall_, &machine_, *log_.log()));
    service_.emplace(nullptr, guard_.get(), nullptr);
  }

  v1::Clock Get() {
    v1::Clock clock;
    EXPECT_OK(service_->GetClock(administrator_, v1::GetClockRequest(), &clock));
    return clock;
  }

  absl::StatusOr<v1::Clock> Accept(Timestamp theirs) {
    v1::AcceptClockRequest request;
    *request.mutable_time() = ToProto(theirs);
    v1::Clock clock;
    const absl::Status status = service_->AcceptClock(administrator_, request, &clock);
    if (!status.ok()) return status;
    return clock;
  }

  ManualClock wall_;
  ManualKernelTime machine_{&wall_};
  std::unique_ptr<TimeRecords> records_;
  std::unique_ptr<TimeGuard> guard_;
  std::optional<ClockService> service_;
};

TEST_F(ClockServiceTest, ABelievedClockSaysWhatItShowsAndWhatIsOnRecord) {
  const Timestamp newest = wall_.Now() - microseconds(1'500'000);
  Start(newest);
  const v1::Clock clock = Get();
  EXPECT_EQ(clock.doubt(), v1::Clock::NONE);
  EXPECT_THAT(clock.now(), IsMessage(ToProto(wall_.Now())));
  EXPECT_FALSE(clock.synchronised());
  machine_.Synchronise(true);
  EXPECT_TRUE(Get().synchronised());
}

TEST_F(ClockServiceTest, ALeapSaysHowFarAndWhereTo) {
  Start(wall_.Now() - hours(1));
  ASSERT_EQ(Get().doubt(), v1::Clock::NONE);
  machine_.Leap(hours(3) + microseconds(250'000));
  v1::Clock clock = Get();
  EXPECT_EQ(clock.doubt(), v1::Clock::LEAPT);
  EXPECT_EQ(clock.distance().seconds(), 3 * 3600);
  EXPECT_EQ(clock.distance().nanos(), 250'000'000);
  machine_.Leap(-hours(5));
  clock = Get();
  EXPECT_EQ(clock.doubt(), v1::Clock::LEAPT);
  // Both parts of a google.protobuf.Duration have one sign.
  EXPECT_EQ(clock.distance().seconds(), -2 * 3600 + 1);
  EXPECT_EQ(clock.distance().nanos(), -750'000'000);
}

TEST_F(ClockServiceTest, AClockBeforeWhatIsOnRecordIsBehind) {
  const Timestamp newest = wall_.Now() + hours(2);
  Start(newest);
  const v1::Clock clock = Get();
  EXPECT_EQ(clock.doubt(), v1::Clock::BEHIND);
  EXPECT_THAT(clock.newest_known(), IsMessage(ToProto(newest)));
  EXPECT_EQ(clock.distance().seconds(), -2 * 3600);
  EXPECT_EQ(clock.distance().nanos(), 0);
}

TEST_F(ClockServiceTest, AClockFarAfterWhatIsOnRecordIsFarAhead) {
  const Timestamp newest = wall_.Now() - hours(24 * 30);
  Start(newest);
  const v1::Clock clock = Get();
  EXPECT_EQ(clock.doubt(), v1::Clock::FAR_AHEAD);
  EXPECT_THAT(clock.newest_known(), IsMessage(ToProto(newest)));
  EXPECT_EQ(clock.distance().seconds(), 30 * 86400);
}

TEST_F(ClockServiceTest, AClockThatDiffersFromOthersSaysByHowMuch) {
  Start(wall_.Now() - hours(1));
  ComparedClock compared(guard_.get(), &machine_, seconds(30), EventLog::Silent());
  service_.emplace(nullptr, guard_.get(), &compared);
  compared.Learn({"a", seconds(2), microseconds(10)}, {}, wall_.Now(), machine_.Uptime());
  EXPECT_EQ(Get().doubt(), v1::Clock::NONE);
  compared.Learn({"a", -microseconds(40'500'000), microseconds(10)}, {}, wall_.Now(),
                 machine_.Uptime());
  EXPECT_EQ(Get().doubt(), v1::Clock::DIFFERS);
  EXPECT_EQ(Get().distance().seconds(), -40);
  EXPECT_EQ(Get().distance().nanos(), -500'000'000);
  // An administrator who accepts it is right about this machine, and not about the others.
  ASSERT_OK_AND_ASSIGN(const v1::Clock accepted, Accept(wall_.Now()));
  EXPECT_EQ(accepted.doubt(), v1::Clock::DIFFERS);
  // What the guard finds goes first: it is this machine's own.
  machine_.Leap(hours(3));
  EXPECT_EQ(Get().doubt(), v1::Clock::LEAPT);
}

TEST_F(ClockServiceTest, AnAcceptedClockIsBelieved) {
  Start(wall_.Now() - hours(1));
  machine_.Leap(hours(3));
  ASSERT_EQ(Get().doubt(), v1::Clock::LEAPT);
  ASSERT_OK_AND_ASSIGN(const v1::Clock accepted, Accept(wall_.Now()));
  EXPECT_EQ(accepted.doubt(), v1::Clock::NONE);
  EXPECT_THAT(accepted, IsMessage(Get()));
  // And it is said by whom.
  service_.reset();
  guard_.reset();
  bool told = false;
  for (const LoggedLine& line : Logged()) {
    if (line.count("caller") != 0) told = line.at("caller") == "cli";
  }
  EXPECT_TRUE(told);
}

TEST_F(ClockServiceTest, OnlyWhoseOwnClockAgreesAcceptsIt) {
  Start(wall_.Now() - hours(1));
  machine_.Leap(hours(3));
  v1::AcceptClockRequest request;
  v1::Clock clock;
  EXPECT_THAT(service_->AcceptClock(administrator_, request, &clock),
              FailsWith(ErrorReason::kFieldMissing, "time"));
  request.mutable_time()->set_nanos(-1);
  EXPECT_THAT(service_->AcceptClock(administrator_, request, &clock),
              FailsWith(ErrorReason::kFieldInvalid, "time"));
  for (const microseconds beyond : {microseconds(1), microseconds(hours(24))}) {
    EXPECT_THAT(Accept(wall_.Now() + minutes(5) + beyond),
                FailsWith(ErrorReason::kFieldInvalid, "time"));
    EXPECT_THAT(Accept(wall_.Now() - minutes(5) - beyond),
                FailsWith(ErrorReason::kFieldInvalid, "time"));
  }
  EXPECT_EQ(Get().doubt(), v1::Clock::LEAPT);
  EXPECT_OK(Accept(wall_.Now() + minutes(5)));
  EXPECT_EQ(Get().doubt(), v1::Clock::NONE);
}

}  // namespace
}  // namespace hourglass::issuance
