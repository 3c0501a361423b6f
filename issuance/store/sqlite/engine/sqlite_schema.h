// The tables of the SQLite store, and how an older file becomes a current one.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_ENGINE_SQLITE_SCHEMA_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_ENGINE_SQLITE_SCHEMA_H_

#include <cstddef>
#include <cstdint>
#include <limits>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "issuance/store/sqlite/engine/sqlite.h"

namespace hourglass::issuance::sqlite {

// `HGLS` in the file's header (https://www.sqlite.org/fileformat.html section 1.3.17).
inline constexpr std::int64_t kApplicationId = 0x48474c53;

// The SQL that leads from each schema version to the next: element 0 from an empty file to
// version 1. Elements are only ever added; one that was shipped never changes.
absl::Span<const absl::string_view> Migrations();

// The version in which the journal has its catalog, but may have records in the old tables.
inline constexpr std::size_t kVersionWithOldJournal = 4;
// The version since which key runs have their checksums in the catalog.
inline constexpr std::size_t kVersionWithChecksums = 6;

// Changes nothing. Errors: JOURNAL_UNAVAILABLE unless the file is empty or a store of Hourglass
// whose schema is not newer than the last of `migrations` leads to, and which is not marked as half
// moved or moved away (ReadMoveMark).
absl::Status CheckSchema(Connection& connection, absl::Span<const absl::string_view> migrations);

// CheckSchema, then runs the migrations that the file lacks up to version `up_to`, each in its own
// transaction; several processes may do so at once. A migration that fails leaves the file at the
// version before it. Errors: as CheckSchema and Connection.
absl::Status Migrate(Connection& connection, absl::Span<const absl::string_view> migrations,
                     std::size_t up_to = std::numeric_limits<std::size_t>::max());

}  // namespace hourglass::issuance::sqlite

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_ENGINE_SQLITE_SCHEMA_H_
