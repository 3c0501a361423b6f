#include "issuance/server/replica_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "issuance/log/testing/captured_log.h"
#include "issuance/store/testing/memory_replica_directory.h"
#include "issuance/timekeeping/compared_clock.h"
#include "tests/support/manual_clock.h"
#include "tests/support/manual_kernel_time.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

class Believed final : public DoubtfulClock {
 public:
  explicit Believed(const Clock* clock) : clock_(*clock) {}
  Timestamp Now() const override { return clock_.Now(); }
  absl::StatusOr<Timestamp> TrustedNow() const override { return clock_.Now(); }

 private:
  const Clock& clock_;
};

class ReplicaWatchTest : public testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<ReplicaWatch>> Start(const std::string& run_id = "run-1") {
    return ReplicaWatch::Start({.name = "a",
                                .run_id = run_id,
                                .program_version = "1.2.3",
                                .address = "10.0.0.1:8443",
                                .started_at = wall_.Now()},
                               {.directory = &directory_,
                                .clock = &*clock_,
                                .wall = &wall_,
                                .kernel = &machine_,
                                .log = log_.log(),
                                .wait = [this](seconds length) {
                                  waited_ += length;
                                  database_.Advance(length);
                                  wall_.Advance(length);
                                  if (while_waiting_) while_waiting_();
                                }});
  }
  // Another replica, as it is seen now.
  void SetOther(const std::string& name, seconds ahead) {
    directory_.records[name] = {.name = name,
                                .run_id = "run-of-" + name,
                                .address = "10.0.0.2:8443",
                                .seen_at = database_.Now(),
                                .clock_ahead = ahead,
                                .clock_uncertainty = milliseconds(1)};
  }
  std::vector<std::string> LoggedEvents() {
    watch_.reset();
    clock_.reset();
    std::vector<std::string> events;
    for (const LoggedLine& line : log_.Take()) events.push_back(line.at("event"));
    return events;
  }

  ManualClock database_;
  ManualClock wall_;
  ManualKernelTime machine_{&wall_};
  Believed guard_{&wall_};
  CapturedLog log_;
  MemoryReplicaDirectory directory_{[this] { return database_.Now(); }};
  std::optional<ComparedClock> clock_{std::in_place, &guard_, &machine_, seconds(30), *log_.log()};
  seconds waited_{0};
  std::function<void()> while_waiting_;
  std::unique_ptr<ReplicaWatch> watch_;
};

TEST_F(ReplicaWatchTest, AnnouncesWhatItIsAndHowItsClockStands) {
  wall_.Advance(seconds(7));
  ASSERT_OK_AND_ASSIGN(watch_, Start());
  ASSERT_EQ(directory_.records.count("a"), 1u);
  const ReplicaRecord& record = directory_.records["a"];
  EXPECT_EQ(record.run_id, "run-1");
  EXPECT_EQ(record.program_version, "1.2.3");
  EXPECT_EQ(record.address, "10.0.0.1:8443");
  EXPECT_NEAR(std::chrono::duration<double>(record.clock_ahead).count(), 7, 0.5);
  EXPECT_TRUE(clock_->TrustedNow().ok());
  // It frees its name when it ends.
  watch_.reset();
  EXPECT_TRUE(directory_.records.empty());
}

TEST_F(ReplicaWatchTest, StopsServingWhileItsClockDiffersAndServesAgainByItself) {
  ASSERT_OK_AND_ASSIGN(watch_, Start());
  ASSERT_TRUE(clock_->TrustedNow().ok());
  database_.Advance(seconds(40));
  watch_->Look();
  EXPECT_THAT(clock_->TrustedNow(), FailsWith(ErrorReason::kClockUntrusted));
  // It goes on telling, so that the others see why.
  EXPECT_LT(directory_.records["a"].clock_ahead, -seconds(39));
  machine_.Leap(seconds(40));
  watch_->Look();
  EXPECT_TRUE(clock_->TrustedNow().ok());
  EXPECT_THAT(LoggedEvents(), ElementsAre("clock_differs", "clock_agrees"));
}

TEST_F(ReplicaWatchTest, IsComparedWithReplicasThatWereSeenWithinAMinute) {
  wall_.Advance(seconds(25));
  SetOther("b", -seconds(20));
  ASSERT_OK_AND_ASSIGN(watch_, Start());
  EXPECT_THAT(clock_->TrustedNow(), FailsWith(ErrorReason::kClockUntrusted));
  database_.Advance(seconds(59));
  wall_.Advance(seconds(59));
  watch_->Look();
  EXPECT_FALSE(clock_->TrustedNow().ok());
  database_.Advance(seconds(2));
  wall_.Advance(seconds(2));
  watch_->Look();
  EXPECT_TRUE(clock_->TrustedNow().ok()) << "b is gone";
}

TEST_F(ReplicaWatchTest, ANameIsOfOneReplicaThatRuns) {
  SetOther("a", seconds(0));
  // It tells of itself again, as every few seconds.
  while_waiting_ = [this] { SetOther("a", seconds(0)); };
  const auto started = Start();
  EXPECT_THAT(started, FailsWith(ErrorReason::kConfigurationInvalid, "store.postgresql.replica"));
  EXPECT_THAT(std::string(started.status().message()), HasSubstr("10.0.0.2:8443"));
  EXPECT_EQ(directory_.records["a"].run_id, "run-of-a");
  EXPECT_EQ(waited_, seconds(1));
}

TEST_F(ReplicaWatchTest, ARunThatWasKilledLosesItsNameAfterAWhile) {
  SetOther("a", seconds(0));
  database_.Advance(seconds(5));
  wall_.Advance(seconds(5));
  ASSERT_OK_AND_ASSIGN(watch_, Start());
  EXPECT_EQ(directory_.records["a"].run_id, "run-1");
  EXPECT_GE(waited_, seconds(10));
  EXPECT_LE(waited_, seconds(12));
}

TEST_F(ReplicaWatchTest, ARunThatWasPausedTakesItsNameFromNobody) {
  ASSERT_OK_AND_ASSIGN(watch_, Start());
  SetOther("a", seconds(0));
  watch_->Look();
  EXPECT_EQ(directory_.records["a"].run_id, "run-of-a");
  watch_->Look();
  database_.Advance(minutes(1));
  wall_.Advance(minutes(1));
  watch_->Look();
  EXPECT_EQ(directory_.records["a"].run_id, "run-1");
  EXPECT_THAT(LoggedEvents(), ElementsAre("replica_name_taken", "replica_announced"));
}

TEST_F(ReplicaWatchTest, DoesNotTakeTheNameOfAnotherWithItself) {
  ASSERT_OK_AND_ASSIGN(watch_, Start());
  SetOther("a", seconds(0));
  watch_->Look();
  watch_.reset();
  EXPECT_EQ(directory_.records["a"].run_id, "run-of-a");
}

TEST_F(ReplicaWatchTest, ADatabaseThatIsAwayIsToldOnceAndChangesNothing) {
  directory_.is_away = true;
  EXPECT_THAT(Start(), FailsWith(ErrorReason::kJournalUnavailable));
  directory_.is_away = false;
  ASSERT_OK_AND_ASSIGN(watch_, Start());
  directory_.is_away = true;
  watch_->Look();
  watch_->Look();
  EXPECT_TRUE(watch_->IsCutOff());
  EXPECT_TRUE(clock_->TrustedNow().ok());
  directory_.is_away = false;
  watch_->Look();
  EXPECT_FALSE(watch_->IsCutOff());
  EXPECT_THAT(LoggedEvents(), ElementsAre("replica_not_announced", "replica_announced"));
}

}  // namespace
}  // namespace hourglass::issuance
