#include "issuance/access/filter_tokens.h"

#include <cstddef>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "ca/encoding/utf8.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/access/filter_rule.h"

namespace hourglass::access {
namespace {

constexpr absl::string_view kPart = "a comparison, \"(\" or -not";

bool IsOfWord(char c) { return absl::ascii_isalnum(c) || c == '.' || c == '-' || c == '_'; }

// What is no token at all. Copied from a page of text, a rule often has these.
std::string DescribeCharacter(absl::string_view rest) {
  const absl::string_view character = ca::FirstCharacters(rest, 1);
  if (character == "\u2013" || character == "\u2014") return "a dash, which is no hyphen";
  if (character == "\u201c" || character == "\u201d" || character == "\u2018" ||
      character == "\u2019") {
    return "a typographic quotation mark";
  }
  if (character.size() == 1 && absl::ascii_isprint(character[0])) {
    return absl::StrCat("'", character, "'");
  }
  const std::optional<std::u32string> points = ca::CodePointsOf(character);
  return absl::StrFormat(
      "U+%04X", points.has_value() && !points->empty() ? static_cast<unsigned>((*points)[0]) : 0U);
}

// Cuts a rule, which is UTF-8, into tokens.
class Tokenizer {
 public:
  explicit Tokenizer(absl::string_view rest) : rest_(rest) {}

  absl::StatusOr<FilterToken> Next() {
    while (!rest_.empty() && absl::ascii_isspace(rest_[0])) Take(1);
    FilterToken token;
    token.column = column_;
    if (rest_.empty()) return token;
    const char first = rest_[0];
    if (first == '"' || first == '\'') {
      RETURN_IF_ERROR(TakeText(&token));
    } else if (absl::string_view("()[],").find(first) != absl::string_view::npos) {
      token.kind = FilterToken::Kind::kMark;
      token.text = std::string(Take(1));
    } else if (IsOfWord(first)) {
      token.kind = FilterToken::Kind::kWord;
      std::size_t size = 0;
      while (size < rest_.size() && IsOfWord(rest_[size])) ++size;
      token.text = std::string(Take(size));
    } else {
      return FilterMistake(column_, kPart, DescribeCharacter(rest_));
    }
    return token;
  }

 private:
  // `size` octets, which are whole characters.
  absl::string_view Take(std::size_t size) {
    const absl::string_view taken = rest_.substr(0, size);
    for (const char c : taken) column_ += (static_cast<unsigned char>(c) & 0xc0) != 0x80 ? 1 : 0;
    rest_.remove_prefix(size);
    return taken;
  }

  absl::Status TakeText(FilterToken* token) {
    token->kind = FilterToken::Kind::kText;
    const char quote = Take(1)[0];
    while (!rest_.empty()) {
      const char c = rest_[0];
      const bool is_doubled = quote == '\'' && c == quote && rest_.size() > 1 && rest_[1] == quote;
      if (is_doubled || (quote == '"' && c == '`')) {
        Take(1);
      } else if (c == quote) {
        Take(1);
        return absl::OkStatus();
      }
      if (rest_.empty()) break;
      absl::StrAppend(&token->text, Take(ca::FirstCharacters(rest_, 1).size()));
    }
    return FilterMistake(
        column_, absl::StrCat("the quotation mark that ends the text of column ", token->column),
        "the end of the rule");
  }

  absl::string_view rest_;
  int column_ = 1;
};

}  // namespace

absl::Status FilterMistake(int column, absl::string_view expected, absl::string_view found) {
  return Error(ErrorReason::kFieldInvalid, "rule",
               absl::StrCat("column ", column, ": expected ", expected, ", found ", found));
}

std::string Describe(const FilterToken& token) {
  switch (token.kind) {
    case FilterToken::Kind::kEnd:
      return "the end of the rule";
    case FilterToken::Kind::kText:
      return "a text in quotes";
    default:
      return absl::StrCat("'", token.text, "'");
  }
}

absl::StatusOr<std::vector<FilterToken>> FilterTokens(absl::string_view rule) {
  const std::optional<ca::Utf8Text> decoded = ca::DecodeUtf8(rule);
  if (!decoded.has_value()) return FilterMistake(1, "UTF-8", "other octets");
  if (decoded->characters > kMaxFilterRule) {
    return FilterMistake(static_cast<int>(kMaxFilterRule) + 1,
                         absl::StrCat("at most ", kMaxFilterRule, " characters"),
                         absl::StrCat(decoded->characters));
  }
  Tokenizer tokenizer(rule);
  std::vector<FilterToken> tokens;
  do {
    ASSIGN_OR_RETURN(FilterToken token, tokenizer.Next());
    tokens.push_back(std::move(token));
  } while (tokens.back().kind != FilterToken::Kind::kEnd);
  return tokens;
}

}  // namespace hourglass::access
