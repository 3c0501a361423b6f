#include "issuance/store/postgresql/postgresql_store.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "hsm/base/error.h"
#include "hsm/base/mutex.h"
#include "issuance/store/postgresql/engine/connection.h"
#include "issuance/store/postgresql/testing/heard.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/postgresql_cluster.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

PostgresqlStoreOptions OptionsOf(const PostgresqlCluster& cluster, const std::string& database) {
  PostgresqlStoreOptions options;
  options.connection = cluster.ServiceOf(database);
  options.demands.synchronous_standby = false;
  return options;
}

std::unique_ptr<Store> Open(const PostgresqlStoreOptions& options) {
  absl::StatusOr<std::unique_ptr<Store>> store = OpenPostgresqlStore(options);
  EXPECT_OK(store);
  return *std::move(store);
}

// Until it is OK: a server that was away is not there at once.
template <typename Call>
void Eventually(Call call) {
  for (absl::Status status = call(); !status.ok(); status = call()) {
    ASSERT_THAT(status, FailsWith(ErrorReason::kJournalUnavailable));
  }
}

class PostgresqlStoreTest : public testing::Test {
 protected:
  PostgresqlCluster& cluster_ = PostgresqlCluster::Shared();
  const std::string database_ = cluster_.CreatePreparedDatabase().value();
};

TEST_F(PostgresqlStoreTest, DemandsASynchronousStandbyUnlessToldOtherwise) {
  PostgresqlStoreOptions options = OptionsOf(cluster_, database_);
  options.demands.synchronous_standby = true;
  const auto refused = OpenPostgresqlStore(options);
  EXPECT_THAT(refused, FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("synchronous_standby_names"));
  options.demands.synchronous_standby = false;
  EXPECT_OK(OpenPostgresqlStore(options));
}

TEST_F(PostgresqlStoreTest, NeedsThePreparedSchema) {
  ASSERT_OK_AND_ASSIGN(const std::string empty, cluster_.CreateDatabase());
  const auto refused = OpenPostgresqlStore(OptionsOf(cluster_, empty));
  EXPECT_THAT(refused, FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("hourglass store prepare"));
  EXPECT_OK(OpenPostgresqlStore(OptionsOf(cluster_, database_)));
}

// What becomes of a process that was cut off while the database was changed.
TEST_F(PostgresqlStoreTest, IsNotServedOnAfterItWasUpgradedOrMovedAway) {
  const auto owner = postgresql::Connection::Open(cluster_.OwnerOf(database_)).value();
  const auto superuser = postgresql::Connection::Open(cluster_.SuperuserOf(database_)).value();
  const std::unique_ptr<Store> store = Open(OptionsOf(cluster_, database_));
  const auto cut_off = [&] {
    EXPECT_OK(superuser->Execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'service' AND "
        "datname = current_database()"));
  };
  const auto expect_refused = [&](const std::string& words) {
    const absl::Status refused = store->ListTenants().status();
    EXPECT_THAT(refused, FailsWith(ErrorReason::kJournalUnavailable));
    EXPECT_THAT(std::string(refused.message()), HasSubstr(words));
  };
  ASSERT_OK(
      owner->Execute("INSERT INTO schema_versions (application, version, oldest_program) "
                     "SELECT application, 99, 99 FROM schema_versions LIMIT 1"));
  cut_off();
  expect_refused("run a newer hourglass");
  ASSERT_OK(owner->Execute(
      "DELETE FROM schema_versions WHERE version = 99; "
      "INSERT INTO store_move VALUES (true, true, 'sqlite:/data', 'sqlite:1', 0, 0)"));
  expect_refused("was moved to sqlite:/data");
  ASSERT_OK(owner->Execute("DELETE FROM store_move"));
  EXPECT_OK(store->ListTenants());
}

TEST_F(PostgresqlStoreTest, WorksOverTls) {
  PostgresqlStoreOptions options = OptionsOf(cluster_, database_);
  options.connection = cluster_.TlsServiceOf(database_);
  const std::unique_ptr<Store> store = Open(options);
  Heard heard;
  const TenantChanges::Subscription subscription =
      store->changes().Subscribe([&](absl::string_view tenant) { heard.Add(std::string(tenant)); });
  ASSERT_OK(AddSamplePrimary(*Open(options)));
  heard.AwaitOne(std::string(kSampleTenant));
  EXPECT_OK(Append(*store, SampleIntent("r-1")));
}

TEST_F(PostgresqlStoreTest, HearsOfWhatAnotherStorePromoted) {
  const std::unique_ptr<Store> other = Open(OptionsOf(cluster_, database_));
  ASSERT_OK(AddSamplePrimary(*other));
  ASSERT_OK(AddSamplePrimary(*other, "fabrikam"));
  const std::unique_ptr<Store> store = Open(OptionsOf(cluster_, database_));
  Heard heard;
  const TenantChanges::Subscription subscription =
      store->changes().Subscribe([&](absl::string_view tenant) { heard.Add(std::string(tenant)); });
  ASSERT_OK(SwitchToSecondRoot(*other));
  EXPECT_THAT(heard.AwaitOne("contoso"), Not(Contains("fabrikam")));
}

// Appends of the time to come find their partition.
TEST_F(PostgresqlStoreTest, MakesPartitionsAhead) {
  const std::unique_ptr<Store> store = Open(OptionsOf(cluster_, database_));
  const auto owner = postgresql::Connection::Open(cluster_.OwnerOf(database_)).value();
  constexpr char kPartitionTomorrow[] =
      "SELECT count(*) FROM journal_partitions WHERE "
      "first_at > (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";
  while (owner->QueryInteger(kPartitionTomorrow).value() == 0) continue;
  EXPECT_EQ(owner->QueryInteger(kPartitionTomorrow).value(), 1);
}

TEST_F(PostgresqlStoreTest, TellsOfUpkeepThatFails) {
  const auto owner = postgresql::Connection::Open(cluster_.OwnerOf(database_)).value();
  ASSERT_OK(owner->Execute(
      "REVOKE EXECUTE ON FUNCTION make_journal_partition(bigint, bigint) FROM service"));
  Heard heard;
  PostgresqlStoreOptions options = OptionsOf(cluster_, database_);
  options.upkeep_observer = [&](const absl::Status& status) {
    heard.Add(std::string(status.message().substr(0, status.message().find(':'))));
  };
  const std::unique_ptr<Store> store = Open(options);
  EXPECT_THAT(heard.AwaitOne("making partitions of the journal"),
              ElementsAre("making partitions of the journal"));
  EXPECT_OK(store->ListTenants());
}

// The server is this test's own: it is stopped.
class LostServerTest : public testing::Test {
 protected:
  const std::unique_ptr<PostgresqlCluster> cluster_ = PostgresqlCluster::Start().value();
  const std::string database_ = cluster_->CreatePreparedDatabase().value();
  PostgresqlStoreOptions options_ = OptionsOf(*cluster_, database_);
};

TEST_F(LostServerTest, RefusesWithoutTheServerAndGoesOnWithIt) {
  Heard upkeep;
  options_.upkeep_observer = [&](const absl::Status& status) {
    upkeep.Add(status.ok() ? "OK" : "failed");
  };
  const std::unique_ptr<Store> store = Open(options_);
  ASSERT_OK(AddSamplePrimary(*store));
  ASSERT_OK(Append(*store, SampleIntent("before")));
  ASSERT_OK(cluster_->Crash());
  const auto unavailable = FailsWith(ErrorReason::kJournalUnavailable);
  EXPECT_THAT(Append(*store, SampleIntent("while")), unavailable);
  EXPECT_THAT(store->PutDevice(SampleDevice("laptop-1")), unavailable);
  EXPECT_THAT(store->AddRoot(SampleRoot(2)), unavailable);
  EXPECT_THAT(store->AddIntermediate(SampleIntermediate(1)), unavailable);
  EXPECT_THAT(store->GetTenant(kSampleTenant), unavailable);
  EXPECT_THAT(store->ListJournal(kSampleTenant, {}, 10, ""), unavailable);
  upkeep.AwaitOne("failed");
  ASSERT_OK(cluster_->Run());
  EXPECT_OK(Append(*store, ReleaseOf(SampleIntent("before"))));
  EXPECT_OK(Append(*store, SampleIntent("while"))) << "it left no trace";
  EXPECT_OK(store->PutDevice(SampleDevice("laptop-1")));
  EXPECT_OK(store->AddRoot(SampleRoot(2)));
  EXPECT_OK(store->AddIntermediate(SampleIntermediate(1)));
  EXPECT_OK(store->ListJournal(kSampleTenant, {}, 10, ""));
  const std::vector<std::string> said = upkeep.AwaitOne("OK");
  EXPECT_EQ(said.front(), "failed");
  EXPECT_EQ(said.back(), "OK");
}

// Also of AddRoot and ChangeRootStates that fail so: they may have come to be.
TEST_F(LostServerTest, TellsOfAChangeWhoseEndIsUnknown) {
  const std::unique_ptr<Store> store = Open(options_);
  ASSERT_OK(AddSamplePrimary(*store));
  ASSERT_OK(cluster_->Crash());
  std::vector<std::string> told;
  const TenantChanges::Subscription subscription =
      store->changes().Subscribe([&](absl::string_view tenant) { told.emplace_back(tenant); });
  EXPECT_THAT(store->AddRoot(SampleRoot(2)), FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_THAT(told, ElementsAre(kSampleTenant));
  EXPECT_THAT(store->PutDevice(SampleDevice("laptop-1")),
              FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_THAT(told, ElementsAre(kSampleTenant)) << "nothing of a root";
}

TEST_F(LostServerTest, IsToldOfWhatWasChangedWhileTheServerWasAway) {
  const std::unique_ptr<Store> store = Open(options_);
  ASSERT_OK(AddSamplePrimary(*Open(options_)));
  ASSERT_OK(cluster_->Crash());
  Heard heard;
  const TenantChanges::Subscription subscription =
      store->changes().Subscribe([&](absl::string_view tenant) { heard.Add(std::string(tenant)); });
  ASSERT_OK(cluster_->Run());
  ASSERT_OK(SwitchToSecondRoot(*Open(options_)));
  heard.AwaitOne(std::string(kSampleTenant));
}

TEST_F(LostServerTest, AServerThatStandsStillIsAsOneThatIsAway) {
  options_.connection.connect_timeout = std::chrono::seconds(2);
  options_.connection.operation_timeout = std::chrono::seconds(2);
  const std::unique_ptr<Store> store = Open(options_);
  Eventually([&] { return AddSamplePrimary(*store); });
  cluster_->Pause();
  EXPECT_THAT(Append(*store, SampleIntent("while")), FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_THAT(store->GetTenant(kSampleTenant), FailsWith(ErrorReason::kJournalUnavailable));
  cluster_->Resume();
  Eventually([&] { return Append(*store, SampleIntent("after")); });
  // What was sent before the server stood still may have been done.
  Eventually([&] {
    const absl::Status status = Append(*store, SampleIntent("while"));
    return ReasonOf(status) == ErrorReason::kRequestIdReused ? absl::OkStatus() : status;
  });
  Eventually([&] { return Append(*store, ReleaseOf(SampleIntent("while"))); });
}

}  // namespace
}  // namespace hourglass::issuance
