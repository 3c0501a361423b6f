// What a store holds, as rows that every database writes and reads alike.
#ifndef HOURGLASS_ISSUANCE_STORE_TRANSFER_PARTS_H_
#define HOURGLASS_ISSUANCE_STORE_TRANSFER_PARTS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace hourglass::issuance {

// monostate is nothing (NULL); texts and octets are strings, booleans 0 and 1.
using Cell = std::variant<std::monostate, std::int64_t, std::string>;
// A cell for each column of its part.
using Row = std::vector<Cell>;

enum class CellKind { kInteger, kBoolean, kText, kOctets };

struct Column {
  absl::string_view name;
  CellKind kind;
  bool may_be_nothing = false;
  absl::string_view sqlite_name = "";  // where it is another than `name`
};

// One kind of record.
struct Part {
  absl::string_view name;  // as people read it: `relying parties`
  // The table; `journal` is in more than one, which each database knows.
  absl::string_view postgresql_table;
  absl::string_view sqlite_table;
  // The first `key_size` are the key, by which rows are ordered: texts by their octets.
  std::size_t key_size;
  std::vector<Column> columns;
};

// All that is moved: in an order in which what a row refers to comes before it. Not moved are what
// was dropped from the journal, and which replicas run. Lives as long as the process.
absl::Span<const Part> Parts();
// Those of them that are in more than one table, or in another one for each machine.
const Part& JournalPart();
const Part& TimeMarkPart();

// Of the journal's columns, what a database looks at: their places.
inline constexpr std::size_t kJournalSequence = 0, kJournalUser = 8, kJournalIntendedAt = 18,
                             kJournalCertificate = 19, kJournalReleasedAt = 20;
// Of the roots' columns: the tenant, the root, and when its last leaf ends.
inline constexpr std::size_t kRootTenant = 0, kRootId = 1, kRootLastLeaf = 16;

// `devices contoso/laptop-1`: the part and the key, escaped where it is not to be seen.
std::string NameOf(const Part& part, const Row& row);

// The row as octets: no two rows of a part have the same.
std::string CanonicalOctets(const Row& row);

// Whether every database can hold the row. Errors: JOURNAL_UNAVAILABLE with the row and the column:
// a text that is not UTF-8 or has a NUL; an intent of before 1970 or of beyond the year 287000.
absl::Status CheckMovable(const Part& part, const Row& row);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_TRANSFER_PARTS_H_
