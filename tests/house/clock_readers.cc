#include "tests/house/clock_readers.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"

namespace hourglass::house {
namespace {

constexpr absl::string_view kReadings[] = {
    "::now",          "absl::Now(",    "GetCurrentTimeNanos(", "SystemClock",
    "clock_gettime(", "gettimeofday(", "timespec_get(",        "std::time(",
    "gpr_now(",       "time(nullptr)", "time(NULL)",
};

constexpr absl::string_view kTable = "| reads a clock |";

}  // namespace

bool ReadsAClock(absl::string_view source) {
  const std::vector<absl::string_view> lines = absl::StrSplit(source, '\n');
  return std::any_of(lines.begin(), lines.end(), [](absl::string_view line) {
    const absl::string_view code = line.substr(0, line.find("//"));
    return std::any_of(std::begin(kReadings), std::end(kReadings),
                       [&](absl::string_view way) { return absl::StrContains(code, way); });
  });
}

std::set<std::string> PermittedReaders(absl::string_view markdown) {
  std::set<std::string> permitted;
  const std::size_t begin = markdown.find(kTable);
  if (begin == absl::string_view::npos) return permitted;
  for (const absl::string_view line : absl::StrSplit(markdown.substr(begin), '\n')) {
    if (line.empty() || line.front() != '|') break;
    const std::vector<absl::string_view> parts = absl::StrSplit(line, '`');
    if (parts.size() > 2) permitted.emplace(parts[1]);
  }
  return permitted;
}

}  // namespace hourglass::house
