// What a write-ahead log of SQLite holds, read without SQLite, which would replay it.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_ENGINE_WAL_FILE_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_ENGINE_WAL_FILE_H_

#include <array>
#include <cstdint>
#include <istream>
#include <optional>
#include <vector>

#include "absl/strings/string_view.h"

namespace hourglass::issuance::sqlite {

// The row of a database that ties it to its write-ahead log: each transaction replaces `id` by a
// random one and keeps the one before.
struct Tie {
  std::array<char, 16> previous{};
  std::array<char, 16> id{};

  bool operator==(const Tie&) const = default;
};

// The row's page in a database: a table leaf with one cell that holds the key 1 and the two blobs
// (https://www.sqlite.org/fileformat2.html section 1.6, 2.1). Nothing for any other page.
std::optional<Tie> TieOfPage(absl::string_view page);

struct WalContent {
  // Whether the file begins with a header that SQLite believes; else it takes the file for empty.
  bool has_header = false;
  // Whether there is anything but zeros behind the place of the header.
  bool has_content = false;
  // Frames that SQLite would replay: up to the last sound one that ends a transaction.
  std::uint64_t frames = 0;
  std::uint64_t transactions = 0;
  // Octets of the file up to the last of them.
  std::uint64_t octets = 0;
  // Whether the file ends there.
  bool is_whole = false;
  // Of the pages of those frames that have one, in order.
  std::vector<Tie> ties;
  // The number of the first such page, from 1; 0 without any.
  std::uint32_t tie_page = 0;

  bool operator==(const WalContent&) const = default;
};

// Reads to the end, in parts of one page at most (section 4 of the above). Any octets are sound
// input.
WalContent ReadWal(std::istream& in);

}  // namespace hourglass::issuance::sqlite

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_ENGINE_WAL_FILE_H_
