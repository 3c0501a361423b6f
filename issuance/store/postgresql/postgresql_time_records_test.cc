#include "issuance/store/postgresql/postgresql_time_records.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>

#include "issuance/store/postgresql/postgresql_store.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/postgresql_cluster.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using postgresql::ConnectionPool;
using testing::Optional;

class PostgresqlTimeRecordsTest : public testing::Test {
 protected:
  PostgresqlTimeRecordsTest() {
    PostgresqlStoreOptions options;
    options.connection = cluster_.ServiceOf(database_);
    options.demands.synchronous_standby = false;
    options.partition_span = std::chrono::hours(1);
    auto store = OpenPostgresqlStore(options);
    EXPECT_OK(store);
    store_ = *std::move(store);
    EXPECT_OK(AddSamplePrimary(*store_));
  }

  std::unique_ptr<TimeRecords> Open(const std::string& machine = "machine-1") {
    return MakePostgresqlTimeRecords(pool_.get(), machine);
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

  PostgresqlCluster& cluster_ = PostgresqlCluster::Shared();
  const std::string database_ = cluster_.CreatePreparedDatabase().value();
  const std::unique_ptr<ConnectionPool> pool_ =
      ConnectionPool::Open(cluster_.ServiceOf(database_), {.synchronous_standby = false}, {1, 1})
          .value();
  std::unique_ptr<Store> store_;
  const std::unique_ptr<TimeRecords> records_ = Open();
};

TEST_F(PostgresqlTimeRecordsTest, KeepsAMark) {
  EXPECT_EQ(records_->GetMark().value(), std::nullopt);
  TimeMark mark = Mark(1);
  EXPECT_EQ(records_->KeepMark(mark).value(), mark);
  mark = {SampleTime(2), "boot-2", std::chrono::microseconds(-3), true, SampleTime(9), 0};
  EXPECT_EQ(records_->KeepMark(mark).value(), mark);
  EXPECT_THAT(Open()->GetMark().value(), Optional(mark));
}

TEST_F(PostgresqlTimeRecordsTest, OnlyAnAcceptanceTurnsTheTimeBack) {
  ASSERT_OK(records_->KeepMark(Mark(100)).status());
  EXPECT_EQ(Open()->KeepMark(Mark(50)).value(), Mark(100));
  EXPECT_EQ(records_->KeepMark(Mark(50, 1)).value(), Mark(50, 1));
  // Of one that has not heard of it nothing is kept.
  EXPECT_EQ(Open()->KeepMark(Mark(101)).value(), Mark(50, 1));
  EXPECT_THAT(records_->GetMark().value(), Optional(Mark(50, 1)));
  EXPECT_EQ(records_->KeepMark(Mark(60, 1)).value(), Mark(60, 1));
}

TEST_F(PostgresqlTimeRecordsTest, EachMachineHasAMarkOfItsOwn) {
  ASSERT_OK(records_->KeepMark(Mark(100, 3)).status());
  EXPECT_EQ(Open("machine-2")->GetMark().value(), std::nullopt);
  EXPECT_EQ(Open("machine-2")->KeepMark(Mark(50)).value(), Mark(50));
  EXPECT_THAT(records_->GetMark().value(), Optional(Mark(100, 3)));
}

TEST_F(PostgresqlTimeRecordsTest, TellsTheNewestIntentOfEveryPartition) {
  EXPECT_EQ(records_->NewestIntent().value(), std::nullopt);
  for (int i = 1; i <= 3; ++i) {
    Record("request-" + std::to_string(i), i * 3600);
    EXPECT_THAT(records_->NewestIntent().value(), Optional(SampleTime(i * 3600))) << i;
  }
  // A clock that was set back; in another partition, and then in the same.
  Record("request-4", 2 * 3600);
  Record("request-5", 3 * 3600 - 1);
  EXPECT_THAT(records_->NewestIntent().value(), Optional(SampleTime(3 * 3600)));
}

TEST_F(PostgresqlTimeRecordsTest, TellsTheNewestReport) {
  EXPECT_EQ(records_->NewestReport().value(), std::nullopt);
  for (const int second : {5, 9, 7}) {
    DeviceRecord device = SampleDevice("laptop-" + std::to_string(second));
    device.reported_at = SampleTime(second);
    ASSERT_OK(store_->PutDevice(device));
  }
  EXPECT_THAT(records_->NewestReport().value(), Optional(SampleTime(9)));
}

}  // namespace
}  // namespace hourglass::issuance
