#include "issuance/server/journal_retention.h"

#include <gmock/gmock.h>

#include <future>
#include <memory>
#include <string>
#include <utility>

#include "issuance/store/sqlite/sqlite_store.h"
#include "issuance/store/sqlite/sqlite_time_records.h"
#include "issuance/store/testing/forwarding_store.h"
#include "issuance/store/testing/sample_records.h"
#include "issuance/timekeeping/time_guard.h"
#include "tests/support/manual_clock.h"
#include "tests/support/manual_kernel_time.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

// Tells when it has been asked to drop.
class WatchedStore final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;

  absl::Status DropJournalBefore(Timestamp before) override {
    const absl::Status status = ForwardingStore::DropJournalBefore(before);
    dropped_.set_value(before);
    return status;
  }
  Timestamp WaitForDrop() { return dropped_.get_future().get(); }

 private:
  std::promise<Timestamp> dropped_;
};

constexpr std::chrono::hours kDay(24);

class JournalRetentionTest : public testing::Test {
 protected:
  JournalRetentionTest() {
    SqliteStoreOptions options;
    options.segment_intents = 1;
    auto sqlite = OpenSqliteStore(directory_.File("store.sqlite"), options);
    EXPECT_OK(sqlite);
    sqlite_ = *std::move(sqlite);
    EXPECT_OK(AddSamplePrimary(*sqlite_));
    auto records = OpenSqliteTimeRecords(directory_.File("store.sqlite"));
    EXPECT_OK(records);
    records_ = *std::move(records);
  }

  void Record(const std::string& request_id, int days_ago) {
    Intent intent = SampleIntent(request_id);
    intent.intended_at = clock_.Now() - kDay * days_ago;
    intent.not_after =
        std::chrono::floor<std::chrono::seconds>(intent.intended_at) + std::chrono::hours(1);
    ASSERT_OK(Append(*sqlite_, intent));
  }

  // Keeps ten days; the first round alone. When the store was told to drop.
  Timestamp Dropped(const Clock& clock) {
    WatchedStore store(sqlite_.get());
    const JournalRetention retention(kDay * 10, &store, records_.get(), &clock, EventLog::Silent());
    return store.WaitForDrop();
  }

  TemporaryDirectory directory_;
  ManualClock clock_;
  std::unique_ptr<Store> sqlite_;
  std::unique_ptr<TimeRecords> records_;
};

TEST_F(JournalRetentionTest, DropsWhatIsOlderAsSoonAsItStarts) {
  Record("old", 11);
  Record("young", 9);
  Record("new", 0);
  EXPECT_EQ(Dropped(clock_), clock_.Now() - kDay * 10);
  EXPECT_OK(sqlite_->FindByRequestId(kSampleTenant, "young"));
  EXPECT_THAT(sqlite_->FindByRequestId(kSampleTenant, "old"),
              FailsWith(ErrorReason::kCertificateUnknown));
}

TEST_F(JournalRetentionTest, AClockAloneMakesNothingOld) {
  Record("old", 11);
  Record("new", 0);
  clock_.Advance(kDay * 91);
  EXPECT_EQ(Dropped(clock_), clock_.Now() - kDay * (91 + 10));
  EXPECT_OK(sqlite_->FindByRequestId(kSampleTenant, "new"));
  EXPECT_THAT(sqlite_->FindByRequestId(kSampleTenant, "old"),
              FailsWith(ErrorReason::kCertificateUnknown));
}

TEST_F(JournalRetentionTest, NorDoesARecordOfTheFuture) {
  Record("old", 9);
  Record("new", 0);
  Record("future", -91);
  EXPECT_EQ(Dropped(clock_), clock_.Now() - kDay * 10);
  EXPECT_OK(sqlite_->FindByRequestId(kSampleTenant, "old"));
}

// Believed and doubted in turn: what is dropped first was dropped by the clock that is believed.
TEST_F(JournalRetentionTest, AClockThatIsDoubtedDropsNothing) {
  ManualKernelTime machine(&clock_);
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<TimeGuard> guard,
                       TimeGuard::Create(records_.get(), &clock_, &machine, EventLog::Silent()));
  Record("old", 11);
  Record("new", 0);
  machine.Leap(std::chrono::hours(2));
  ASSERT_THAT(guard->TrustedNow(), FailsWith(ErrorReason::kClockUntrusted));
  {
    // Ends without having dropped.
    WatchedStore store(sqlite_.get());
    const JournalRetention retention(kDay * 10, &store, records_.get(), guard.get(),
                                     EventLog::Silent());
  }
  EXPECT_OK(sqlite_->FindByRequestId(kSampleTenant, "old"));
  machine.Leap(-std::chrono::hours(2));
  EXPECT_EQ(Dropped(*guard), clock_.Now() - kDay * 10);
  EXPECT_THAT(sqlite_->FindByRequestId(kSampleTenant, "old"),
              FailsWith(ErrorReason::kCertificateUnknown));
}

}  // namespace
}  // namespace hourglass::issuance
