// A store in SQLite, as it is moved.
#ifndef HOURGLASS_ISSUANCE_STORE_TRANSFER_SQLITE_MOVABLE_H_
#define HOURGLASS_ISSUANCE_STORE_TRANSFER_SQLITE_MOVABLE_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "issuance/store/sqlite/engine/sqlite_store_options.h"
#include "issuance/store/transfer/movable_store.h"

namespace hourglass::issuance {

// The store of a data directory, to be read. Nobody else can open it until this object is gone.
// Looks at every octet first (CheckSqliteStore), which takes some seconds a segment. Errors:
// JOURNAL_UNAVAILABLE: there is none; a process has it open (which one); damaged (what, in which
// file); of a newer schema, or of an older one, which a start of the service brings up to date. One
// that is marked is opened, unlooked at: MoveStore decides.
absl::StatusOr<std::unique_ptr<MovableStore>> OpenSqliteSource(const std::string& data_directory);

// The same, to be filled; it need not be there, the folder must. Nothing is made before Begin. The
// journal's segments end as `options` says. Run by root, files are given to the folder's owner.
// Errors: JOURNAL_UNAVAILABLE: a process has it open; another program's; of another schema.
absl::StatusOr<std::unique_ptr<MovableStore>> OpenSqliteTarget(
    const std::string& data_directory, const SqliteStoreOptions& options = {});

// Takes the mark of a store away that was moved elsewhere: it may be served again, with what it
// had. Errors: JOURNAL_UNAVAILABLE: a process has it open; it is not marked as moved away.
absl::Status ReopenSqliteStore(const std::string& data_directory);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_TRANSFER_SQLITE_MOVABLE_H_
