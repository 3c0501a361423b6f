// The eleventh version: of the journal's segments, and not of the main file's own tables.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_ENGINE_SQLITE_SCHEMA_VERSION_11_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_ENGINE_SQLITE_SCHEMA_VERSION_11_H_

#include "absl/strings/string_view.h"

namespace hourglass::issuance::sqlite {

// From this version on segments say by whose word it is known for whom a certificate is
// (AddIdentityColumns in issuance/store/sqlite/segments/segment_records.h), which an older program
// could not write. The file itself has nothing new.
inline constexpr absl::string_view kSchemaVersion11 = "-- nothing";

}  // namespace hourglass::issuance::sqlite

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_ENGINE_SQLITE_SCHEMA_VERSION_11_H_
