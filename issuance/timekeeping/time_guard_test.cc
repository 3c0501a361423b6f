#include "issuance/timekeeping/time_guard.h"

#include <gmock/gmock.h>

#include <memory>
#include <optional>
#include <string>

#include "hsm/base/error.h"
#include "issuance/store/sqlite/sqlite_store.h"
#include "issuance/store/sqlite/sqlite_time_records.h"
#include "issuance/store/testing/sample_records.h"
#include "issuance/timekeeping/kernel_time.h"
#include "tests/support/manual_clock.h"
#include "tests/support/manual_kernel_time.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// Counts what is written, and fails when told to.
class WatchedRecords final : public TimeRecords {
 public:
  explicit WatchedRecords(TimeRecords* records) : records_(*records) {}
  absl::StatusOr<std::optional<TimeMark>> GetMark() override { return records_.GetMark(); }
  absl::StatusOr<TimeMark> KeepMark(const TimeMark& mark) override {
    ++writes;
    if (fails) return Error(ErrorReason::kJournalUnavailable, "", "disk full");
    return records_.KeepMark(mark);
  }
  absl::StatusOr<std::optional<Timestamp>> NewestIntent() override {
    return records_.NewestIntent();
  }
  absl::StatusOr<std::optional<Timestamp>> NewestReport() override {
    return records_.NewestReport();
  }
  int writes = 0;
  bool fails = false;

 private:
  TimeRecords& records_;
};

class TimeGuardTest : public testing::Test {
 protected:
  TimeGuardTest() {
    auto store = OpenSqliteStore(directory_.File("store.sqlite"));
    EXPECT_OK(store);
    store_ = *std::move(store);
    EXPECT_OK(AddSamplePrimary(*store_));
    auto records = OpenSqliteTimeRecords(directory_.File("store.sqlite"));
    EXPECT_OK(records);
    sqlite_records_ = *std::move(records);
    records_ = std::make_unique<WatchedRecords>(sqlite_records_.get());
  }

  // As the service does when it starts.
  std::unique_ptr<TimeGuard> Guard() {
    auto guard = TimeGuard::Create(records_.get(), &clock_, &machine_, EventLog::Silent());
    EXPECT_OK(guard);
    return *std::move(guard);
  }

  void ExpectTrust(TimeGuard& guard) {
    ASSERT_OK_AND_ASSIGN(const Timestamp now, guard.TrustedNow());
    EXPECT_EQ(now, clock_.Now());
    guard.Look();
    EXPECT_OK(guard.TrustedNow().status());
    EXPECT_EQ(guard.Report().doubt, ClockDoubt::kNone);
  }

  void ExpectDoubt(TimeGuard& guard, ClockDoubt doubt) {
    EXPECT_THAT(guard.TrustedNow(), FailsWith(ErrorReason::kClockUntrusted));
    guard.Look();
    EXPECT_THAT(guard.TrustedNow(), FailsWith(ErrorReason::kClockUntrusted));
    EXPECT_EQ(guard.Report().doubt, doubt);
    EXPECT_EQ(guard.Now(), clock_.Now());
  }

  void Record(Timestamp intended_at) {
    Intent intent = SampleIntent("recorded");
    intent.intended_at = intended_at;
    intent.not_after = std::chrono::floor<seconds>(intended_at) + hours(1);
    ASSERT_OK(Append(*store_, intent));
  }

  TemporaryDirectory directory_;
  ManualClock clock_;
  ManualKernelTime machine_{&clock_};
  std::unique_ptr<Store> store_;
  std::unique_ptr<TimeRecords> sqlite_records_;
  std::unique_ptr<WatchedRecords> records_;
};

TEST_F(TimeGuardTest, BelievesAClockThatGoesWithTheUptime) {
  const auto guard = Guard();
  ExpectTrust(*guard);
  for (int day = 0; day < 200; ++day) {
    clock_.Advance(hours(24));
    ExpectTrust(*guard);
  }
  EXPECT_EQ(guard->Doubts(ClockDoubt::kLeapt), 0U);
}

TEST_F(TimeGuardTest, DoubtsALeapAtOnceUntilItIsTakenBack) {
  const auto guard = Guard();
  for (const auto leap : {hours(24 * 91), -hours(2), hours(1)}) {
    machine_.Leap(leap);
    ExpectDoubt(*guard, ClockDoubt::kLeapt);
    EXPECT_EQ(guard->Report().distance, leap);
    // Time alone explains nothing.
    clock_.Advance(hours(300));
    ExpectDoubt(*guard, ClockDoubt::kLeapt);
    machine_.Leap(-leap);
    ExpectTrust(*guard);
  }
  EXPECT_EQ(guard->Doubts(ClockDoubt::kLeapt), 3U);
}

TEST_F(TimeGuardTest, ALeapInSmallStepsIsOneToo) {
  const auto guard = Guard();
  int minutes_believed = 0;
  while (minutes_believed < 1000 && guard->TrustedNow().ok()) {
    guard->Look();
    clock_.Advance(minutes(1));
    machine_.Leap(seconds(10));
    ++minutes_believed;
  }
  // Ten seconds more a minute, one of which is followed.
  EXPECT_EQ(minutes_believed, 7);
}

TEST_F(TimeGuardTest, ARestartExplainsNothingWhileTheMachineRuns) {
  Guard();
  machine_.Leap(hours(24 * 91));
  {
    const auto guard = Guard();
    ExpectDoubt(*guard, ClockDoubt::kLeapt);
  }
  {
    const auto guard = Guard();
    ExpectDoubt(*guard, ClockDoubt::kLeapt);
    machine_.Leap(-hours(24 * 91));
    ExpectTrust(*guard);
  }
  clock_.Advance(hours(24 * 91));
  ExpectTrust(*Guard());
}

TEST_F(TimeGuardTest, AfterAnotherStartOfTheMachineTheClockMayNotBeBeforeTheRecords) {
  Guard();
  machine_.Reboot();
  machine_.Leap(-hours(1));
  const auto guard = Guard();
  ExpectDoubt(*guard, ClockDoubt::kBehind);
  EXPECT_EQ(guard->Report().distance, -hours(1));
  // A time service sets it: forward, with nothing to compare with but the records.
  machine_.Leap(hours(3));
  guard->Look();
  ExpectTrust(*guard);
  EXPECT_EQ(guard->Doubts(ClockDoubt::kBehind), 1U);
  machine_.Leap(hours(1));
  ExpectDoubt(*guard, ClockDoubt::kLeapt);
}

TEST_F(TimeGuardTest, AMachineThatWasOffForLongNeedsATimeServiceOrAPerson) {
  Guard();
  machine_.Reboot();
  machine_.Leap(hours(24 * 7));
  ExpectTrust(*Guard());
  machine_.Reboot();
  machine_.Leap(hours(24 * 8));
  const auto guard = Guard();
  ExpectDoubt(*guard, ClockDoubt::kFarAhead);
  machine_.Synchronise(true);
  guard->Look();
  ExpectTrust(*guard);
}

TEST_F(TimeGuardTest, WhatATimeServiceSetsFirstIsBelieved) {
  Guard();
  machine_.Reboot();
  const auto guard = Guard();
  ExpectTrust(*guard);
  machine_.Leap(hours(60));
  ExpectDoubt(*guard, ClockDoubt::kLeapt);
  machine_.Synchronise(true);
  guard->Look();
  ExpectTrust(*guard);
  machine_.Leap(hours(60));
  ExpectDoubt(*guard, ClockDoubt::kLeapt);
}

TEST_F(TimeGuardTest, TheRecordsThemselvesTellTheTime) {
  Record(clock_.Now() + hours(5));
  const auto guard = Guard();
  ExpectDoubt(*guard, ClockDoubt::kBehind);
  EXPECT_EQ(guard->Report().newest, clock_.Now() + hours(5));
  machine_.Leap(hours(5));
  guard->Look();
  ExpectTrust(*guard);
}

TEST_F(TimeGuardTest, AReportTellsTheTimeToo) {
  DeviceRecord device{std::string(kSampleTenant), "laptop-1", "", clock_.Now() + hours(5), "test"};
  ASSERT_OK(store_->PutDevice(device));
  ExpectDoubt(*Guard(), ClockDoubt::kBehind);
  device.reported_at = clock_.Now();
  ASSERT_OK(store_->PutDevice(device));
  ExpectTrust(*Guard());
}

TEST_F(TimeGuardTest, AnAdministratorMayAcceptWhatTheOwnClockSaysToo) {
  const auto guard = Guard();
  Record(clock_.Now());
  for (const auto leap : {hours(24 * 91), -hours(24 * 365)}) {
    machine_.Leap(leap);
    ExpectDoubt(*guard, ClockDoubt::kLeapt);
    EXPECT_THAT(guard->Accept(clock_.Now() - minutes(6), "root"),
                FailsWith(ErrorReason::kFieldInvalid, "time"));
    EXPECT_THAT(guard->Accept(clock_.Now() + minutes(6), "root"),
                FailsWith(ErrorReason::kFieldInvalid, "time"));
    ExpectDoubt(*guard, ClockDoubt::kLeapt);
    ASSERT_OK(guard->Accept(clock_.Now() + minutes(5), "root"));
    ExpectTrust(*guard);
    // Nor do records of the wrong time bring the doubt back.
    ExpectTrust(*Guard());
    machine_.Reboot();
    ExpectTrust(*Guard());
  }
}

TEST_F(TimeGuardTest, AnAcceptanceThatIsNotKeptIsNone) {
  const auto guard = Guard();
  machine_.Leap(hours(2));
  records_->fails = true;
  EXPECT_THAT(guard->Accept(clock_.Now(), "root"), FailsWith(ErrorReason::kJournalUnavailable));
  ExpectDoubt(*guard, ClockDoubt::kLeapt);
}

TEST_F(TimeGuardTest, AnotherProcessLearnsThatTheClockWasAccepted) {
  const auto one = Guard();
  const auto other = Guard();
  for (const auto leap : {hours(24), -hours(48)}) {
    machine_.Leap(leap);
    ExpectDoubt(*one, ClockDoubt::kLeapt);
    ExpectDoubt(*other, ClockDoubt::kLeapt);
    ASSERT_OK(one->Accept(clock_.Now(), "root"));
    ExpectTrust(*one);
    other->Look();
    ExpectTrust(*other);
  }
}

TEST_F(TimeGuardTest, WritesOnceAMinuteAndAtTheEnd) {
  auto guard = Guard();
  EXPECT_EQ(records_->writes, 1);
  for (int i = 0; i < 300; ++i) {
    clock_.Advance(seconds(1));
    guard->Look();
  }
  EXPECT_EQ(records_->writes, 6);
  clock_.Advance(seconds(30));
  guard.reset();
  EXPECT_EQ(records_->writes, 7);
  ASSERT_OK_AND_ASSIGN(const std::optional<TimeMark> mark, records_->GetMark());
  ASSERT_TRUE(mark.has_value());
  EXPECT_EQ(mark->newest_at, clock_.Now());
}

TEST_F(TimeGuardTest, WritesNothingThatItDoubts) {
  auto guard = Guard();
  ASSERT_OK_AND_ASSIGN(const std::optional<TimeMark> before, records_->GetMark());
  machine_.Leap(hours(24 * 91));
  clock_.Advance(minutes(10));
  guard->Look();
  guard.reset();
  ASSERT_OK_AND_ASSIGN(const std::optional<TimeMark> after, records_->GetMark());
  EXPECT_EQ(before, after);
}

TEST_F(TimeGuardTest, AStoreThatDoesNotWriteMakesNoDoubt) {
  const auto guard = Guard();
  records_->fails = true;
  clock_.Advance(minutes(2));
  ExpectTrust(*guard);
  machine_.Leap(hours(1));
  ExpectDoubt(*guard, ClockDoubt::kLeapt);
}

TEST(LinuxKernelTimeTest, KnowsThisMachine) {
  const LinuxKernelTime kernel;
  EXPECT_GT(kernel.Uptime(), std::chrono::microseconds(0));
  EXPECT_GE(kernel.Uptime(), kernel.Uptime() - kernel.Uptime());
  EXPECT_EQ(kernel.BootId().size(), 36U);
  EXPECT_EQ(kernel.BootId(), LinuxKernelTime().BootId());
  // Whatever it is, it is told.
  static_cast<void>(kernel.IsSynchronised());
}

}  // namespace
}  // namespace hourglass::issuance
