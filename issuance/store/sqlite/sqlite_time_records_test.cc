#include "issuance/store/sqlite/sqlite_time_records.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>

#include "issuance/store/sqlite/sqlite_store.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

using testing::Optional;

class SqliteTimeRecordsTest : public testing::Test {
 protected:
  SqliteTimeRecordsTest() {
    SqliteStoreOptions options;
    options.segment_intents = 2;
    auto store = OpenSqliteStore(path_, options);
    EXPECT_OK(store);
    store_ = *std::move(store);
    EXPECT_OK(AddSamplePrimary(*store_));
    records_ = Open();
  }

  std::unique_ptr<TimeRecords> Open() {
    auto records = OpenSqliteTimeRecords(path_);
    EXPECT_OK(records);
    return *std::move(records);
  }

  static TimeMark Mark(int second, std::int64_t acceptances = 0) {
    return {SampleTime(second), "boot-1",   std::chrono::microseconds(17), false,
            Timestamp(),        acceptances};
  }

  void Record(const std::string& request_id, int second) {
    Intent intent = SampleIntent(request_id);
    intent.intended_at = SampleTime(second);
    ASSERT_OK(Append(*store_, intent));
  }

  TemporaryDirectory directory_;
  const std::string path_ = directory_.File("store.sqlite");
  std::unique_ptr<Store> store_;
  std::unique_ptr<TimeRecords> records_;
};

TEST_F(SqliteTimeRecordsTest, KeepsAMark) {
  EXPECT_EQ(records_->GetMark().value(), std::nullopt);
  TimeMark mark = Mark(1);
  EXPECT_EQ(records_->KeepMark(mark).value(), mark);
  mark = {SampleTime(2), "boot-2", std::chrono::microseconds(-3), true, SampleTime(9), 0};
  EXPECT_EQ(records_->KeepMark(mark).value(), mark);
  EXPECT_THAT(Open()->GetMark().value(), Optional(mark));
}

TEST_F(SqliteTimeRecordsTest, OnlyAnAcceptanceTurnsTheTimeBack) {
  ASSERT_OK(records_->KeepMark(Mark(100)).status());
  EXPECT_EQ(Open()->KeepMark(Mark(50)).value(), Mark(100));
  EXPECT_EQ(records_->KeepMark(Mark(50, 1)).value(), Mark(50, 1));
  // Of one that has not heard of it nothing is kept.
  EXPECT_EQ(Open()->KeepMark(Mark(101)).value(), Mark(50, 1));
  EXPECT_THAT(records_->GetMark().value(), Optional(Mark(50, 1)));
  EXPECT_EQ(records_->KeepMark(Mark(60, 1)).value(), Mark(60, 1));
}

TEST_F(SqliteTimeRecordsTest, TellsTheNewestIntentOfEverySegment) {
  EXPECT_EQ(records_->NewestIntent().value(), std::nullopt);
  for (int i = 1; i <= 5; ++i) {
    Record("request-" + std::to_string(i), i * 10);
    EXPECT_THAT(records_->NewestIntent().value(), Optional(SampleTime(i * 10))) << i;
  }
  // A clock that was set back; in another segment, and then in the same.
  Record("request-6", 45);
  Record("request-7", 20);
  EXPECT_THAT(records_->NewestIntent().value(), Optional(SampleTime(50)));
}

TEST_F(SqliteTimeRecordsTest, TellsTheNewestReport) {
  EXPECT_EQ(records_->NewestReport().value(), std::nullopt);
  for (const int second : {5, 9, 7}) {
    DeviceRecord device = SampleDevice("laptop-" + std::to_string(second));
    device.reported_at = SampleTime(second);
    ASSERT_OK(store_->PutDevice(device));
  }
  EXPECT_THAT(records_->NewestReport().value(), Optional(SampleTime(9)));
}

TEST_F(SqliteTimeRecordsTest, SaysWhichFileItCannotRead) {
  const auto records = OpenSqliteTimeRecords(directory_.File("absent.sqlite"));
  EXPECT_THAT(records, FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_THAT(std::string(records.status().message()),
              testing::StartsWith(directory_.File("absent.sqlite")));
}

}  // namespace
}  // namespace hourglass::issuance
