// The tables of the SQLite store, and how an older file becomes a current one.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_SCHEMA_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_SCHEMA_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "issuance/store/sqlite.h"

namespace hourglass::issuance::sqlite {

// The SQL that leads from each schema version to the next: element 0 from an empty file to
// version 1. Elements are only ever added; one that was shipped never changes.
absl::Span<const absl::string_view> Migrations();

// Changes nothing. Errors: JOURNAL_UNAVAILABLE unless the file is empty or a store of Hourglass
// whose schema is not newer than the last of `migrations` leads to.
absl::Status CheckSchema(Connection& connection, absl::Span<const absl::string_view> migrations);

// CheckSchema, then runs the migrations that the file lacks, each in its own transaction; several
// processes may do so at once. A migration that fails leaves the file at the version before it.
// Errors: as CheckSchema and Connection.
absl::Status Migrate(Connection& connection, absl::Span<const absl::string_view> migrations);

}  // namespace hourglass::issuance::sqlite

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_SCHEMA_H_
