// What the operating system says of a file, in words that name the file.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_ENGINE_FILE_ERROR_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_ENGINE_FILE_ERROR_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace hourglass::issuance {

// ` (owned by root, mode 0600; this process runs as hourglass)` where `error_number` is one of
// rights (EACCES, EPERM), else "". Of the nearest folder above where `path` cannot be looked at.
std::string WhoOwns(const std::string& path, int error_number);

// JOURNAL_UNAVAILABLE: `database: WHAT PATH: ERROR`, with WhoOwns. A full disk is said as such.
absl::Status FileError(absl::string_view what, const std::string& path, int error_number);

// Why SQLite cannot use the database `path`: the very file, of the database and what lies beside it
// or its folder, that this process may not use, and the system's words; `path` and those for
// `error_number`, none for 0, where all may be used.
std::string WhyUnusable(const std::string& path, int error_number);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_ENGINE_FILE_ERROR_H_
