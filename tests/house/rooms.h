// The rooms of the house, folders with a BUILD file, and who stands on whom.
#ifndef HOURGLASS_TESTS_HOUSE_ROOMS_H_
#define HOURGLASS_TESTS_HOUSE_ROOMS_H_

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace hourglass::house {

// A room, `issuance/edge`, and the rooms that something in it depends on. Every room has an entry.
using Arrows = std::map<std::string, std::set<std::string>>;

// From what `bazel query --output=graph --nograph:factored` prints of targets: one line an arrow,
// `"//a:x" -> "//b:y"`. Only packages below `ca`, `hsm` and `issuance` are rooms; those of tests,
// named `testing`, are not.
Arrows ArrowsOf(absl::string_view graph);

// The rooms of which each stands on all others of the same set, through whatever is between; sets
// of one room are left out.
std::vector<std::set<std::string>> Circles(const Arrows& arrows);

// The most rooms that stand one above the other. A circle counts as one room.
int Floors(const Arrows& arrows);

// A line of the table of rooms.
struct TableRow {
  std::string room;
  std::set<std::string> stands_on;
};

// The table of docs/architecture.md that begins with `| room |`: the first name in backticks of the
// first column, and all names in backticks of the third. Empty if there is none.
std::vector<TableRow> TableOf(absl::string_view markdown);

// A line a room with what it stands on, from the top, and one with the sums.
std::string Describe(const Arrows& arrows);

}  // namespace hourglass::house

#endif  // HOURGLASS_TESTS_HOUSE_ROOMS_H_
