#include <chrono>
#include <memory>

#include "issuance/store/sqlite/sqlite_store.h"
#include "tests/conformance/store_conformance.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

class SqliteFile final : public StorePlace {
 public:
  explicit SqliteFile(const SqliteStoreOptions& options) : options_(options) {}

  absl::StatusOr<std::unique_ptr<Store>> Open() override {
    return OpenSqliteStore(directory_.File("hourglass.db"), options_);
  }

 private:
  const SqliteStoreOptions options_;
  const TemporaryDirectory directory_;
};

// Nobody is refused because others had the lock for long: with many threads on a busy machine that
// says nothing of the contract.
SqliteStoreOptions Patient() {
  SqliteStoreOptions options;
  options.busy_timeout = std::chrono::minutes(10);
  return options;
}

std::unique_ptr<StorePlace> MakeSqliteFile() { return std::make_unique<SqliteFile>(Patient()); }

// So that every test has records in several files of the journal, in each of their states.
std::unique_ptr<StorePlace> MakeSqliteFileOfSmallSegments() {
  SqliteStoreOptions options = Patient();
  options.segment_intents = 2;
  return std::make_unique<SqliteFile>(options);
}

HOURGLASS_INSTANTIATE_STORE_CONFORMANCE(Sqlite, &MakeSqliteFile);
HOURGLASS_INSTANTIATE_STORE_CONFORMANCE(SqliteOfSmallSegments, &MakeSqliteFileOfSmallSegments);

}  // namespace
}  // namespace hourglass::issuance
