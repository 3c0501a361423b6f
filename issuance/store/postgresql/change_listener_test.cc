#include "issuance/store/postgresql/change_listener.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "hsm/base/error.h"
#include "hsm/base/mutex.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/postgresql/tables/postgresql_tenant_notices.h"
#include "issuance/store/postgresql/tables/postgresql_tenants.h"
#include "issuance/store/postgresql/testing/heard.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/postgresql_cluster.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance::postgresql {
namespace {

using testing::Contains;
using testing::ElementsAre;

// For the thread that waits at it.
class Gate {
 public:
  void Pass() {
    MutexLock lock(mutex_);
    ++waiting_;
    moved_.notify_all();
    moved_.wait(lock, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return is_open_; });
  }
  void AwaitSomebody() {
    MutexLock lock(mutex_);
    moved_.wait(lock, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return waiting_ > 0; });
  }
  void Open() {
    const MutexLock lock(mutex_);
    is_open_ = true;
    moved_.notify_all();
  }

 private:
  Mutex mutex_;
  ConditionVariable moved_;
  int waiting_ ABSL_GUARDED_BY(mutex_) = 0;
  bool is_open_ ABSL_GUARDED_BY(mutex_) = false;
};

class ChangeListenerTest : public testing::Test {
 protected:
  explicit ChangeListenerTest(PostgresqlCluster& cluster = PostgresqlCluster::Shared())
      : cluster_(cluster) {
    for (const absl::string_view tenant : {"contoso", "fabrikam"}) {
      EXPECT_OK(Write([&](Connection& c) { return CreateTenant(c, SampleTenant(tenant)); }));
    }
  }

  template <typename Statements>
  absl::Status Write(Statements statements) {
    ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(*other_));
    RETURN_IF_ERROR(statements(*other_));
    return transaction.Commit();
  }
  absl::Status Notify(absl::string_view tenant_id) {
    return Write([&](Connection& c) { return NotifyOfTenant(c, tenant_id); });
  }

  // Ends every connection of the listener's, as a server does that is stopped.
  void EndConnections() {
    const auto superuser = Connection::Open(cluster_.SuperuserOf(database_)).value();
    ASSERT_OK(
        superuser->Execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                           "WHERE datname = current_database() AND application_name = 'listener'"));
  }

  ConnectionParameters Parameters() const {
    ConnectionParameters parameters = cluster_.ServiceOf(database_);
    parameters.application_name = "listener";
    return parameters;
  }

  void Start(ChangeListener::Connect connect, const ListenerTimes& times = {}) {
    ASSERT_OK_AND_ASSIGN(listener_, ChangeListener::Start(
                                        std::move(connect), &changes_,
                                        [this](const absl::Status& status) {
                                          const absl::string_view reason =
                                              ErrorReasonName(ReasonOf(status));
                                          reports_.Add(status.ok() ? "OK" : std::string(reason));
                                        },
                                        times));
  }
  void Start(const ListenerTimes& times = {}) {
    Start([this] { return Connection::Open(Parameters()); }, times);
  }

  PostgresqlCluster& cluster_;
  const std::string database_ = cluster_.CreatePreparedDatabase().value();
  const std::unique_ptr<Connection> other_ =
      Connection::Open(cluster_.ServiceOf(database_)).value();
  Heard news_, reports_;
  TenantChanges changes_;
  const TenantChanges::Subscription subscription_ =
      changes_.Subscribe([this](absl::string_view tenant) { news_.Add(std::string(tenant)); });
  std::unique_ptr<ChangeListener> listener_;
};

TEST_F(ChangeListenerTest, HearsEveryNoticeOnceItListens) {
  Start();
  ASSERT_OK(Notify("contoso"));
  EXPECT_THAT(news_.Await(1), ElementsAre("contoso"));
  ASSERT_OK(Notify("fabrikam"));
  EXPECT_THAT(news_.Await(2), ElementsAre("contoso", "fabrikam"));
}

TEST_F(ChangeListenerTest, WhatWasChangedWithoutAConnectionIsToldOfAfterwards) {
  Gate gate;
  bool is_first = true;
  Start([&]() -> absl::StatusOr<std::unique_ptr<Connection>> {
    if (!std::exchange(is_first, false)) gate.Pass();
    return Connection::Open(Parameters());
  });
  EndConnections();
  gate.AwaitSomebody();
  ASSERT_OK(Notify("contoso"));
  gate.Open();
  EXPECT_THAT(news_.Await(2), ElementsAre("contoso", "fabrikam")) << "all, for one is not known";
  EXPECT_THAT(reports_.Await(2), ElementsAre("JOURNAL_UNAVAILABLE", "OK"));
  ASSERT_OK(Notify("fabrikam"));
  EXPECT_THAT(news_.Await(3), ElementsAre("contoso", "fabrikam", "fabrikam"));
  listener_.reset();
}

TEST_F(ChangeListenerTest, GoesOnTryingToConnect) {
  int attempts = 0;
  ListenerTimes times;
  times.first_pause = times.longest_pause = std::chrono::milliseconds(1);
  Start(
      [&]() -> absl::StatusOr<std::unique_ptr<Connection>> {
        const int attempt = ++attempts;
        if (attempt > 1 && attempt < 5) {
          return Error(ErrorReason::kJournalUnavailable, "", "not now");
        }
        return Connection::Open(Parameters());
      },
      times);
  EndConnections();
  EXPECT_THAT(news_.Await(2), ElementsAre("contoso", "fabrikam"));
  const std::string failed = "JOURNAL_UNAVAILABLE";
  EXPECT_THAT(reports_.Await(5), ElementsAre(failed, failed, failed, failed, "OK"));
  listener_.reset();
}

TEST_F(ChangeListenerTest, EndsWithoutWaitingForThePause) {
  ListenerTimes times;
  times.first_pause = times.longest_pause = std::chrono::hours(24);
  Start(times);
  EndConnections();
  EXPECT_THAT(reports_.Await(1), ElementsAre("JOURNAL_UNAVAILABLE"));
  listener_.reset();
}

TEST_F(ChangeListenerTest, EndsWhileNothingComes) {
  ListenerTimes times;
  times.keep_alive = std::chrono::hours(24);
  Start(times);
  listener_.reset();
  EXPECT_OK(Notify("contoso"));
}

TEST_F(ChangeListenerTest, WithoutAServerItDoesNotStart) {
  ConnectionParameters parameters = Parameters();
  parameters.database = "absent";
  EXPECT_THAT(ChangeListener::Start([&] { return Connection::Open(parameters); }, &changes_,
                                    [](const absl::Status&) {}),
              FailsWith(ErrorReason::kJournalUnavailable));
  Start();
}

class PausedServerTest : public ChangeListenerTest {
 protected:
  PausedServerTest() : PausedServerTest(PostgresqlCluster::Start().value()) {}
  ~PausedServerTest() override { listener_.reset(); }

 private:
  explicit PausedServerTest(std::unique_ptr<PostgresqlCluster> cluster)
      : ChangeListenerTest(*cluster), own_cluster_(std::move(cluster)) {}

  const std::unique_ptr<PostgresqlCluster> own_cluster_;
};

TEST_F(PausedServerTest, AServerThatSaysNothingIsNoticed) {
  ListenerTimes times;
  times.keep_alive = std::chrono::milliseconds(20);
  times.first_pause = times.longest_pause = std::chrono::milliseconds(20);
  Start(
      [this] {
        ConnectionParameters parameters = Parameters();
        parameters.operation_timeout = std::chrono::milliseconds(500);
        return Connection::Open(parameters);
      },
      times);
  cluster_.Pause();
  reports_.AwaitOne("JOURNAL_UNAVAILABLE");
  cluster_.Resume();
  reports_.AwaitOne("OK");
  EXPECT_THAT(news_.Await(2), Contains("fabrikam"));
}

}  // namespace
}  // namespace hourglass::issuance::postgresql
