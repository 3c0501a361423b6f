// What our statements may call beside SQLite's own functions.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_ENGINE_SQLITE_FUNCTIONS_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_ENGINE_SQLITE_FUNCTIONS_H_

struct sqlite3;

namespace hourglass::issuance::sqlite {

// Adds `folded_upn(TEXT)`: ca::FoldedUpn. For statements alone: nothing that a file holds, an index
// or a view, may call it, as it would change with the version of Unicode. Returns SQLite's code.
int AddFunctions(sqlite3* database);

}  // namespace hourglass::issuance::sqlite

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_ENGINE_SQLITE_FUNCTIONS_H_
