#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "ca/encoding/file_forms.h"
#include "ca/encoding/utf8.h"
#include "hsm/base/error.h"
#include "tools/doctor/openvpn_check.h"
#include "tools/doctor/strongswan_settings.h"

namespace hourglass::doctor {
namespace {

absl::Status Invalid(int line, absl::string_view message) {
  return Error(ErrorReason::kFieldInvalid, "", absl::StrCat("line ", line, ": ", message));
}

// Outside of quotes: begins them, or adds to the word.
void TakeBare(char c, char& quote, std::string& word) {
  if (c == '"' || c == '\'') {
    quote = c;
  } else {
    word.push_back(c);
  }
}

// False outside of quotes; else adds to the word, or ends them.
bool TakeQuoted(char c, char& quote, std::string& word) {
  if (quote == '\0') return false;
  if (c == quote) {
    quote = '\0';
  } else {
    word.push_back(c);
  }
  return true;
}

// The words of a line, as openvpn's own parse_line splits them: in single or double quotes, with
// backslashes outside single ones, up to a comment. Empty where a quote has no end.
std::optional<std::vector<std::string>> WordsOf(absl::string_view line) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = '\0';
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '\\' && quote != '\'' && i + 1 < line.size()) {
      word.push_back(line[++i]);
      in_word = true;
    } else if (TakeQuoted(c, quote, word)) {
      continue;
    } else if (absl::ascii_isspace(static_cast<unsigned char>(c))) {
      if (in_word) words.push_back(std::move(word));
      word.clear();
      in_word = false;
    } else if (!in_word && (c == '#' || c == ';')) {
      break;
    } else {
      in_word = true;
      TakeBare(c, quote, word);
    }
  }
  if (quote != '\0') return std::nullopt;
  if (in_word) words.push_back(std::move(word));
  return words;
}

// `ca` of a line `<ca>`; "" where it is none.
absl::string_view BlockOf(absl::string_view line) {
  if (!absl::ConsumePrefix(&line, "<") || !absl::ConsumeSuffix(&line, ">")) return "";
  return line;
}

}  // namespace

absl::StatusOr<std::vector<OpenvpnOption>> ParseOpenvpn(absl::string_view octets) {
  if (octets.size() > kLargestConfiguration) return Invalid(1, "it has more than 1 MiB");
  const std::string text = ca::AsText(octets);
  if (!ca::DecodeUtf8(text).has_value()) return Invalid(1, "it is not UTF-8");
  std::vector<OpenvpnOption> options;
  int number = 0;
  std::string block;  // its end is looked for
  int block_line = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line);
    if (!block.empty()) {
      if (line == absl::StrCat("</", block, ">")) block.clear();
      continue;
    }
    if (const absl::string_view name = BlockOf(line); !name.empty() && name != "connection") {
      block = std::string(name);
      block_line = number;
      options.push_back({block, {"[inline]"}, number});
      continue;
    }
    const std::optional<std::vector<std::string>> words = WordsOf(line);
    if (!words.has_value()) return Invalid(number, "a quote has no end");
    if (words->empty()) continue;
    absl::string_view name = words->front();
    absl::ConsumePrefix(&name, "--");
    options.push_back({std::string(name), {words->begin() + 1, words->end()}, number});
  }
  if (!block.empty()) return Invalid(block_line, "the block that begins here has no end");
  return options;
}

}  // namespace hourglass::doctor
