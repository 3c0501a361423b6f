// A journal in a database of the test's own, and what is done to it from outside.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_JOURNAL_TESTING_JOURNAL_TEST_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_JOURNAL_TESTING_JOURNAL_TEST_H_

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/postgresql/engine/connection.h"
#include "issuance/store/postgresql/engine/connection_pool.h"
#include "issuance/store/postgresql/engine/fence.h"
#include "issuance/store/postgresql/journal/postgresql_journal.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/postgresql_cluster.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance::postgresql {

inline constexpr std::chrono::hours kSpan(24);
inline const ServerDemands kNoStandby{.synchronous_standby = false,
                                      .system_identifier = std::nullopt};

class JournalTest : public testing::Test {
 protected:
  // contoso with root-1 as its primary under epoch 1, as SampleIntent has it.
  JournalTest() { AddTenant(kSampleTenant); }

  void AddTenant(absl::string_view tenant_id) {
    const std::string name(tenant_id);
    Do("INSERT INTO tenants (tenant_id, display_name, created_at, epoch, revision, primary_root, "
       "root_name_key) VALUES ('" +
       name + "', '', 0, 1, 2, 'root-1', '" + name + "')");
  }

  // As the owner of the schema.
  void Do(const std::string& sql) { ASSERT_OK(owner_->Execute(sql)) << sql; }
  std::int64_t Count(absl::string_view what) {
    const auto number = owner_->QueryInteger(absl::StrCat("SELECT count(*) FROM ", what));
    return number.ok() ? *number : -1;
  }
  std::int64_t Number(absl::string_view sql) {
    const auto number = owner_->QueryInteger(sql);
    return number.ok() ? *number : -1;
  }

  std::unique_ptr<Connection> ConnectOwner() {
    return *Connection::Open(cluster_.OwnerOf(database_));
  }
  std::unique_ptr<Connection> ConnectService() {
    return *Connection::Open(cluster_.ServiceOf(database_));
  }

  // The status of the write, or of the journal.
  absl::Status Append(const JournalWrite& write) {
    ASSIGN_OR_RETURN(const std::vector<absl::Status> statuses, journal_.AppendToJournal({write}));
    return statuses.at(0);
  }

  // What a promotion does: root-2, epoch 2. The transaction must be open.
  static absl::Status Promote(Connection& connection) {
    RETURN_IF_ERROR(LockForPromotion(connection, kSampleTenant));
    return connection
        .Change("UPDATE tenants SET epoch = 2, primary_root = 'root-2' WHERE tenant_id = $1",
                {Text{kSampleTenant}})
        .status();
  }

  // Until a process of the database waits for a lock of this kind: `locktype` of pg_locks, `mode`.
  void AwaitWaiting(absl::string_view locktype, absl::string_view mode) {
    while (
        Number(absl::StrCat("SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) "
                            "WHERE NOT l.granted AND a.datname = current_database() "
                            "AND l.locktype = '",
                            locktype, "' AND l.mode = '", mode, "'")) == 0) {
      std::this_thread::yield();
    }
  }

  PostgresqlCluster& cluster_ = PostgresqlCluster::Shared();
  const std::string database_ = *cluster_.CreatePreparedDatabase();
  const std::unique_ptr<Connection> owner_ = ConnectOwner();
  const std::unique_ptr<ConnectionPool> pool_ =
      *ConnectionPool::Open(cluster_.ServiceOf(database_), kNoStandby);
  PostgresqlJournal journal_{pool_.get(), kSpan};
};

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_JOURNAL_TESTING_JOURNAL_TEST_H_
