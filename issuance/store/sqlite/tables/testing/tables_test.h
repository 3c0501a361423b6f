// A database with every table, for tests of what is in them.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_TABLES_TESTING_TABLES_TEST_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_TABLES_TESTING_TABLES_TEST_H_

#include <gtest/gtest.h>

#include <chrono>
#include <initializer_list>
#include <memory>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "issuance/store/sqlite/engine/sqlite.h"
#include "issuance/store/sqlite/engine/sqlite_schema.h"
#include "issuance/store/sqlite/tables/sqlite_tenants.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance::sqlite {

class TablesTest : public testing::Test {
 protected:
  // With the newest schema and these tenants, as SampleTenant makes them.
  TablesTest(std::initializer_list<absl::string_view> tenants = {"contoso", "fabrikam"}) {
    EXPECT_OK(Migrate(*connection_, Migrations()));
    for (const absl::string_view tenant : tenants) {
      EXPECT_OK(CreateTenant(*connection_, SampleTenant(tenant)));
    }
  }

  // Calls it in one transaction, which ends as its result says.
  template <typename Statement>
  absl::Status Change(Statement statement) {
    Transaction transaction = Transaction::Begin(*connection_).value();
    const absl::Status status = statement(*connection_);
    return status.ok() ? transaction.Commit() : status;
  }

  const TemporaryDirectory directory_;
  const std::unique_ptr<Connection> connection_ =
      Connection::Open(directory_.Write("database", ""), std::chrono::milliseconds(0)).value();
};

}  // namespace hourglass::issuance::sqlite

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_TABLES_TESTING_TABLES_TEST_H_
