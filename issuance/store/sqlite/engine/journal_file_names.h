// Which names in the journal's folder are the journal's own.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_ENGINE_JOURNAL_FILE_NAMES_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_ENGINE_JOURNAL_FILE_NAMES_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace hourglass::issuance::sqlite {

// What SQLite puts beside a database, by what follows its name; the database itself is last.
inline constexpr const char* kBesideADatabase[] = {"-wal", "-shm", "-journal", ""};

enum class JournalFileKind {
  kForeign,    // none of the journal's
  kSegment,    // `00000007.sqlite`, and with `-wal`, `-shm` or `-journal` behind it
  kKeyRun,     // `00000007.keys`
  kNewKeyRun,  // `new-PID-N.keys`
};

struct JournalFileName {
  JournalFileKind kind = JournalFileKind::kForeign;
  std::int64_t number = 0;  // of a segment or key run: at least 1
};

// Numbers are written as the journal writes them: eight digits, more only where it takes more. What
// was set aside or dropped has a name that is foreign.
JournalFileName ParseJournalFileName(absl::string_view name);

// The names, and what was set aside or dropped: `00000007.sqlite.dropped`.
std::string SegmentName(std::int64_t number);
std::string KeyRunName(std::int64_t number);
inline constexpr absl::string_view kSetAside = ".set-aside";
inline constexpr absl::string_view kDropped = ".dropped";

}  // namespace hourglass::issuance::sqlite

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_ENGINE_JOURNAL_FILE_NAMES_H_
