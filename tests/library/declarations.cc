#include "tests/library/declarations.h"

#include <cstddef>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace hourglass::library {
namespace {

// Without comments and lines of the preprocessor.
std::string Code(absl::string_view header) {
  std::string code;
  for (const absl::string_view line : absl::StrSplit(header, '\n')) {
    if (absl::StartsWith(line, "#")) continue;
    bool quoted = false;
    std::size_t end = 0;
    while (end < line.size() && (quoted || !absl::StartsWith(line.substr(end), "//"))) {
      if (line[end] == '"') quoted = !quoted;
      ++end;
    }
    absl::StrAppend(&code, line.substr(0, end), "\n");
  }
  return code;
}

std::string Tidy(std::string statement) {
  absl::RemoveExtraAsciiWhitespace(&statement);
  return absl::StrReplaceAll(statement, {{"( ", "("}});
}

// Without the initialisers of a constructor. Values stay: whoever relies on a default would see it
// change.
std::string WithoutInitialisers(const std::string& statement) {
  int depth = 0;
  for (std::size_t i = 0; i < statement.size(); ++i) {
    if (statement[i] == '(') ++depth;
    if (statement[i] == ')') --depth;
    if (depth == 0 && absl::StartsWith(absl::string_view(statement).substr(i), ") : ")) {
      return statement.substr(0, i + 1);
    }
  }
  return statement;
}

class Reader {
 public:
  explicit Reader(std::string code) : code_(std::move(code)) {}

  std::vector<std::string> Read() {
    while (next_ < code_.size()) Take(code_[next_++]);
    return std::move(declarations_);
  }

 private:
  struct Scope {
    std::string name;
    bool is_enum;
    bool is_public;  // what is read now
  };

  void Take(char c) {
    if (c == '(') ++parentheses_;
    if (c == ')') --parentheses_;
    if (c == '{' && parentheses_ == 0) {
      Open();
    } else if (c == '}' && parentheses_ == 0) {
      Close();
    } else if (c == ';' && parentheses_ == 0) {
      Declare();
    } else if (c == ':' && IsAccess()) {
      scopes_.back().is_public = Tidy(statement_) != "private";
      statement_.clear();
    } else {
      statement_ += c;
    }
  }

  bool IsAccess() const {
    const std::string word = Tidy(statement_);
    return !scopes_.empty() && (word == "public" || word == "protected" || word == "private");
  }

  void Open() {
    const std::string head = Tidy(statement_);
    absl::string_view rest = head;
    if (absl::ConsumePrefix(&rest, "namespace ")) {
      scopes_.push_back({std::string(rest), false, true});
    } else if (absl::StartsWith(head, "enum ") || absl::StartsWith(head, "class ") ||
               absl::StartsWith(head, "struct ")) {
      Declare();
      const std::vector<std::string> words = absl::StrSplit(head, ' ');
      const bool is_enum = words[0] == "enum";
      const std::size_t name = is_enum && (words[1] == "class" || words[1] == "struct") ? 2 : 1;
      scopes_.push_back({words[name], is_enum, words[0] != "class"});
    } else {
      const std::size_t begin = next_ - 1;
      SkipBraces();
      // The body of a function ends its declaration; the braces of a value are part of it.
      if (absl::StrContains(head, '(') && !absl::EndsWith(head, "=")) {
        Declare();
      } else {
        statement_ += code_.substr(begin, next_ - begin);
      }
      return;
    }
    statement_.clear();
  }

  void Close() {
    if (!scopes_.empty() && scopes_.back().is_enum) Declare();
    statement_.clear();
    if (!scopes_.empty()) scopes_.pop_back();
  }

  void SkipBraces() {
    for (int depth = 1; depth > 0 && next_ < code_.size(); ++next_) {
      if (code_[next_] == '{') ++depth;
      if (code_[next_] == '}') --depth;
    }
  }

  void Declare() {
    const std::string declaration = WithoutInitialisers(Tidy(std::exchange(statement_, "")));
    std::string within;
    for (const Scope& scope : scopes_) {
      if (!scope.is_public) return;
      absl::StrAppend(&within, within.empty() ? "" : "::", scope.name);
    }
    if (!declaration.empty()) declarations_.push_back(absl::StrCat(within, " | ", declaration));
  }

  const std::string code_;
  std::size_t next_ = 0;
  int parentheses_ = 0;
  std::string statement_;
  std::vector<Scope> scopes_;
  std::vector<std::string> declarations_;
};

}  // namespace

std::vector<std::string> DeclarationsOf(absl::string_view header) {
  return Reader(Code(header)).Read();
}

}  // namespace hourglass::library
