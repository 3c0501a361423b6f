#include "issuance/store/sqlite_store.h"
#include "tests/conformance/store_conformance.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

class SqliteFile final : public StorePlace {
 public:
  absl::StatusOr<std::unique_ptr<Store>> Open() override {
    return OpenSqliteStore(directory_.File("hourglass.db"));
  }

 private:
  const TemporaryDirectory directory_;
};

std::unique_ptr<StorePlace> MakeSqliteFile() { return std::make_unique<SqliteFile>(); }

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreConformance, testing::Values(&MakeSqliteFile));

}  // namespace
}  // namespace hourglass::issuance
