// The journal of a SQLite store, read and written in portions, in the order of sequence numbers.
#ifndef HOURGLASS_ISSUANCE_STORE_TRANSFER_SQLITE_JOURNAL_PORTIONS_H_
#define HOURGLASS_ISSUANCE_STORE_TRANSFER_SQLITE_JOURNAL_PORTIONS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "issuance/store/sqlite/engine/sqlite.h"
#include "issuance/store/sqlite/engine/sqlite_store_options.h"
#include "issuance/store/sqlite/segments/segment_catalog.h"
#include "issuance/store/sqlite/segments/segment_file.h"
#include "issuance/store/sqlite/segments/segment_keys.h"
#include "issuance/store/transfer/parts.h"

namespace hourglass::issuance {

// For one thread, of a store that nobody else has open. Errors of all: as sqlite::Connection.
class SqliteJournalPortions {
 public:
  // `main` is the store's main file, and must outlive this object.
  static absl::StatusOr<std::unique_ptr<SqliteJournalPortions>> Open(
      sqlite::Connection* main, const std::string& path, const SqliteStoreOptions& options);

  // Rows of JournalPart(), each with its release, wherever that is.
  absl::StatusOr<std::vector<Row>> Read(std::int64_t after, std::size_t limit);
  // Adds rows of greater numbers than there are. Each is durable when it returns OK, and after an
  // error the first of them may be.
  absl::Status Write(absl::Span<const Row> rows);
  // The greatest number.
  absl::StatusOr<std::optional<std::int64_t>> Last();
  bool IsEmpty() const;
  // When the last leaf ends of which the main file does not know yet, by tenant and root.
  sqlite::LastLeaves LastLeaves() const;

 private:
  SqliteJournalPortions(sqlite::Connection* main, sqlite::JournalFolder folder, const HashKey& key,
                        const SqliteStoreOptions& options)
      : main_(*main), folder_(std::move(folder)), key_(key), options_(options) {}

  // What the catalog says, and what its active segment holds.
  absl::Status Load();
  absl::StatusOr<sqlite::Connection*> FileOf(std::int64_t segment);
  absl::Status AddLateReleases(std::vector<Row>& rows);
  // How many of the first rows go into the active segment; none where it is full.
  std::size_t RoomFor(absl::Span<const Row> rows) const;
  absl::Status StartSegmentAt(std::int64_t sequence);
  absl::Status WriteToActive(absl::Span<const Row> rows);

  sqlite::Connection& main_;
  const sqlite::JournalFolder folder_;
  const HashKey key_;
  const SqliteStoreOptions options_;
  sqlite::Catalog catalog_;
  std::optional<sqlite::SegmentKeys> active_;
  std::int64_t intents_in_active_ = 0;
  std::int64_t open_segment_ = 0;
  std::unique_ptr<sqlite::Connection> file_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_TRANSFER_SQLITE_JOURNAL_PORTIONS_H_
