#include "issuance/store/sqlite/engine/journal_file_names.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"

namespace hourglass::issuance::sqlite {
namespace {

bool IsDigits(absl::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return absl::ascii_isdigit(c); });
}

// 0 if it is none.
std::int64_t NumberOf(absl::string_view digits) {
  std::int64_t number = 0;
  if (!IsDigits(digits) || !absl::SimpleAtoi(digits, &number)) return 0;
  return absl::StrFormat("%08d", number) == digits ? number : 0;
}

bool IsNewKeyRun(absl::string_view name) {
  if (!absl::ConsumePrefix(&name, "new-") || !absl::ConsumeSuffix(&name, ".keys")) return false;
  const std::size_t dash = name.find('-');
  return dash != absl::string_view::npos && IsDigits(name.substr(0, dash)) &&
         IsDigits(name.substr(dash + 1));
}

}  // namespace

JournalFileName ParseJournalFileName(absl::string_view name) {
  if (IsNewKeyRun(name)) return {JournalFileKind::kNewKeyRun, 0};
  const std::size_t dot = name.find('.');
  if (dot == absl::string_view::npos) return {};
  const std::int64_t number = NumberOf(name.substr(0, dot));
  if (number == 0) return {};
  const absl::string_view rest = name.substr(dot);
  if (rest == ".keys") return {JournalFileKind::kKeyRun, number};
  for (const char* suffix : kBesideADatabase) {
    if (rest == absl::StrCat(".sqlite", suffix)) return {JournalFileKind::kSegment, number};
  }
  return {};
}

std::string SegmentName(std::int64_t number) { return absl::StrFormat("%08d.sqlite", number); }

std::string KeyRunName(std::int64_t number) { return absl::StrFormat("%08d.keys", number); }

}  // namespace hourglass::issuance::sqlite
