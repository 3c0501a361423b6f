// Which sources read a clock by themselves, and which of them may.
#ifndef HOURGLASS_TESTS_HOUSE_CLOCK_READERS_H_
#define HOURGLASS_TESTS_HOUSE_CLOCK_READERS_H_

#include <set>
#include <string>

#include "absl/strings/string_view.h"

namespace hourglass::house {

// Whether a C++ source names one of the ways to ask the machine for the time: a clock's `now` (also
// to hand it on), SystemClock, or a function of POSIX, abseil or gRPC. Comments do not count. Goes
// by the text alone.
bool ReadsAClock(absl::string_view source);

// The table of docs/architecture.md that begins with `| reads a clock |`: the first name in
// backticks of each line. Empty if there is none.
std::set<std::string> PermittedReaders(absl::string_view markdown);

}  // namespace hourglass::house

#endif  // HOURGLASS_TESTS_HOUSE_CLOCK_READERS_H_
