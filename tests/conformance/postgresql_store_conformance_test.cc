#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "issuance/store/postgresql/engine/connection.h"
#include "issuance/store/postgresql/postgresql_store.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/conformance/store_conformance.h"
#include "tests/support/postgresql_cluster.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using postgresql::Connection;

// Databases that are copies of one that is prepared, which takes less time.
class PostgresqlDatabase final : public StorePlace {
 public:
  explicit PostgresqlDatabase(const std::string& model)
      : database_(absl::StrCat("conformance", ++databases_)) {
    Do(absl::StrCat("CREATE DATABASE ", database_, " TEMPLATE ", model, " OWNER owner"));
  }
  ~PostgresqlDatabase() override { Do(absl::StrCat("DROP DATABASE ", database_, " WITH (FORCE)")); }

  absl::StatusOr<std::unique_ptr<Store>> Open() override {
    PostgresqlStoreOptions options;
    options.connection = PostgresqlCluster::Shared().ServiceOf(database_);
    options.demands.synchronous_standby = false;
    // What is old to the suite is days older than what is not.
    options.partition_span = std::chrono::hours(24);
    return OpenPostgresqlStore(options);
  }

 private:
  static void Do(const std::string& sql) {
    const auto superuser =
        Connection::Open(PostgresqlCluster::Shared().SuperuserOf("postgres")).value();
    EXPECT_OK(superuser->Execute(sql));
  }

  static inline std::atomic<int> databases_ = 0;
  const std::string database_;
};

std::string Prepare() { return PostgresqlCluster::Shared().CreatePreparedDatabase().value(); }

std::unique_ptr<StorePlace> MakeDatabase() {
  static const std::string model = Prepare();
  return std::make_unique<PostgresqlDatabase>(model);
}

// The journal has partitions of a second each around SampleTime(), of which the service itself
// makes none so small: where a test's records have several times they are in several.
std::string PrepareWithTinyPartitions() {
  constexpr int kFirst = -2, kEnd = 8;  // seconds after SampleTime()
  const std::string model = Prepare();
  const auto owner = Connection::Open(PostgresqlCluster::Shared().OwnerOf(model)).value();
  for (int second = kFirst; second < kEnd; ++second) {
    const std::string from = absl::StrCat(SampleTime(second).time_since_epoch().count());
    const std::string to = absl::StrCat(SampleTime(second + 1).time_since_epoch().count());
    const std::string number =
        absl::StrCat(owner
                         ->QueryInteger(absl::StrCat(
                             "INSERT INTO journal_partitions (first_at, end_at) VALUES (", from,
                             ", ", to, ") RETURNING number"))
                         .value());
    for (const std::string parent : {"intents", "releases"}) {
      EXPECT_OK(
          owner->Execute(absl::StrCat("CREATE TABLE ", parent, "_", number, " PARTITION OF ",
                                      parent, " FOR VALUES FROM (", from, ") TO (", to, ")")));
    }
  }
  return model;
}

std::unique_ptr<StorePlace> MakeDatabaseOfTinyPartitions() {
  static const std::string model = PrepareWithTinyPartitions();
  return std::make_unique<PostgresqlDatabase>(model);
}

HOURGLASS_INSTANTIATE_STORE_CONFORMANCE(Postgresql, &MakeDatabase);
// For what partitions make a difference to.
INSTANTIATE_TEST_SUITE_P(PostgresqlOfTinyPartitions, JournalStoreConformance,
                         testing::Values(&MakeDatabaseOfTinyPartitions));
INSTANTIATE_TEST_SUITE_P(PostgresqlOfTinyPartitions, StoreReplicasConformance,
                         testing::Values(&MakeDatabaseOfTinyPartitions));

}  // namespace
}  // namespace hourglass::issuance
