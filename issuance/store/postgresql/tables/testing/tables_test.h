// A database of the server with every table, for tests of what is in them.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_TABLES_TESTING_TABLES_TEST_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_TABLES_TESTING_TABLES_TEST_H_

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <future>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "issuance/store/postgresql/engine/connection.h"
#include "issuance/store/postgresql/engine/fence.h"
#include "issuance/store/postgresql/tables/postgresql_tenants.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/postgresql_cluster.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance::postgresql {

// Calls `statement(Connection&)`, which returns a Status, in one transaction, which ends as the
// result says.
template <typename Statement>
absl::Status Write(Connection& connection, Statement statement) {
  Transaction transaction = Transaction::Begin(connection).value();
  const absl::Status status = statement(connection);
  return status.ok() ? transaction.Commit() : status;
}

// The same as an administrator, as ConnectionPool::Administer does.
template <typename Statement>
absl::Status Administer(Connection& connection, Statement statement) {
  return Write(connection, [&](Connection& c) {
    const absl::Status locked = LockForAdministration(c);
    return locked.ok() ? statement(c) : locked;
  });
}

class TablesTest : public testing::Test {
 protected:
  // With these tenants, as SampleTenant makes them.
  TablesTest(std::initializer_list<absl::string_view> tenants = {"contoso", "fabrikam"}) {
    for (const absl::string_view tenant : tenants) {
      EXPECT_OK(Change([&](Connection& c) { return CreateTenant(c, SampleTenant(tenant)); }));
    }
  }

  // As the service connects: with the rights that it has.
  std::unique_ptr<Connection> Connect() const {
    return Connection::Open(PostgresqlCluster::Shared().ServiceOf(database_)).value();
  }
  // For what the service has no right to do.
  std::unique_ptr<Connection> ConnectAsOwner() const {
    return Connection::Open(PostgresqlCluster::Shared().OwnerOf(database_)).value();
  }

  template <typename Statement>
  absl::Status Change(Statement statement) {
    return Administer(*connection_, std::move(statement));
  }

  // Whether `meanwhile`, which runs on another thread, waits for a lock in this database. Returns
  // when it does, or when it has ended without.
  bool Waits(const std::future<absl::Status>& meanwhile) const {
    const std::unique_ptr<Connection> observer = Connect();
    while (meanwhile.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
      const absl::StatusOr<std::int64_t> waiting = observer->QueryInteger(
          "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) "
          "WHERE NOT granted AND datname = current_database()");
      if (!waiting.ok() || *waiting > 0) return waiting.ok();
    }
    return false;
  }

  const std::string database_ = PostgresqlCluster::Shared().CreatePreparedDatabase().value();
  const std::unique_ptr<Connection> connection_ = Connect();
};

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_TABLES_TESTING_TABLES_TEST_H_
