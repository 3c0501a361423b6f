#include "tools/doctor/strongswan_settings.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "ca/encoding/file_forms.h"
#include "ca/encoding/utf8.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"

namespace hourglass::doctor {
namespace {

constexpr int kDeepest = 32;
constexpr int kMostReferences = 64;
constexpr int kMostStatements = 5000;

absl::Status Invalid(int line, absl::string_view message) {
  return Error(ErrorReason::kFieldInvalid, "", absl::StrCat("line ", line, ": ", message));
}

class Parser {
 public:
  explicit Parser(absl::string_view text) : text_(text) {}

  absl::StatusOr<StrongswanSettings> Parse() {
    RETURN_IF_ERROR(ParseSection(settings_.root, 0));
    return std::move(settings_);
  }

 private:
  bool AtEnd() const { return at_ >= text_.size(); }
  char Next() const { return text_[at_]; }
  void Skip() {
    if (text_[at_++] == '\n') ++line_;
  }
  void SkipComment() {
    while (!AtEnd() && Next() != '\n') Skip();
  }
  void SkipBlanks(bool lines) {
    while (!AtEnd()) {
      if (Next() == '#') {
        SkipComment();
      } else if (Next() == ' ' || Next() == '\t' || (lines && Next() == '\n')) {
        Skip();
      } else {
        return;
      }
    }
  }

  // Up to one of `ends`, or the end of the line.
  std::string TakeUntil(absl::string_view ends) {
    std::string taken;
    while (!AtEnd() && Next() != '\n' && ends.find(Next()) == absl::string_view::npos) {
      taken.push_back(Next());
      Skip();
    }
    return std::string(absl::StripAsciiWhitespace(taken));
  }

  // Behind the opening quote; a backslash takes what follows as it is.
  std::string TakeQuoted() {
    std::string taken;
    Skip();
    while (!AtEnd() && Next() != '"') {
      if (Next() == '\\') {
        Skip();
        if (AtEnd()) break;
      }
      taken.push_back(Next());
      Skip();
    }
    if (!AtEnd()) Skip();
    return taken;
  }

  absl::Status ParseSection(StrongswanSection& section, int depth);
  absl::Status ParseStatement(StrongswanSection& section, int depth);

  absl::string_view text_;
  std::size_t at_ = 0;
  int line_ = 1;
  int statements_ = 0;
  StrongswanSettings settings_;
};

StrongswanSection& SectionOf(StrongswanSection& parent, const std::string& name, int line) {
  for (StrongswanSection& section : parent.sections) {
    if (section.name == name) return section;
  }
  parent.sections.push_back({name, line, {}, {}, {}, false});
  return parent.sections.back();
}

absl::Status Parser::ParseStatement(StrongswanSection& section, int depth) {
  const int line = line_;
  if (++statements_ > kMostStatements) {
    return Invalid(line, absl::StrCat("it has more than ", kMostStatements, " settings"));
  }
  const std::string name = TakeUntil("{}=:#\"");
  if (absl::StartsWith(name, "include ") || absl::StartsWith(name, "include\t")) {
    section.includes = true;
    settings_.includes.push_back(
        {"include", absl::StrCat(absl::StripLeadingAsciiWhitespace(name.substr(8)), TakeUntil("#")),
         line});
    return absl::OkStatus();
  }
  std::vector<std::string> references;
  if (!AtEnd() && Next() == ':') {
    Skip();
    references = absl::StrSplit(TakeUntil("{#"), absl::ByAnyChar(", "), absl::SkipEmpty());
  }
  // The brace may stand on a line of its own.
  if (!AtEnd() && Next() != '=') SkipBlanks(/*lines=*/true);
  if (name.empty() || AtEnd()) return Invalid(line, "neither a section nor a value stands here");
  if (Next() == '{') {
    Skip();
    StrongswanSection& child = SectionOf(section, name, line);
    child.references.insert(child.references.end(), references.begin(), references.end());
    return ParseSection(child, depth + 1);
  }
  if (Next() != '=') return Invalid(line, "a `{` or `=` is missing");
  Skip();
  SkipBlanks(/*lines=*/false);
  const bool quoted = !AtEnd() && Next() == '"';
  std::string value = quoted ? TakeQuoted() : TakeUntil("#}");
  section.values.push_back({name, std::move(value), line});
  return absl::OkStatus();
}

absl::Status Parser::ParseSection(StrongswanSection& section, int depth) {
  if (depth > kDeepest) {
    return Invalid(line_, absl::StrCat("sections stand more than ", kDeepest, " deep"));
  }
  while (true) {
    SkipBlanks(/*lines=*/true);
    if (AtEnd()) {
      if (depth == 0) return absl::OkStatus();
      return Invalid(section.line, "the section that begins here has no `}`");
    }
    if (Next() == '}') {
      if (depth == 0) return Invalid(line_, "a `}` closes nothing");
      Skip();
      return absl::OkStatus();
    }
    RETURN_IF_ERROR(ParseStatement(section, depth));
  }
}

// Puts into `section` what `other` has and it has not.
void Inherit(StrongswanSection& section, const StrongswanSection& other) {
  for (const StrongswanValue& value : other.values) {
    if (section.Value(value.name) == nullptr) section.values.push_back(value);
  }
  section.includes = section.includes || other.includes;
  for (const StrongswanSection& child : other.sections) {
    Inherit(SectionOf(section, child.name, child.line), child);
  }
}

const StrongswanSection* Find(const StrongswanSection& root, const std::string& path) {
  const StrongswanSection* section = &root;
  for (const absl::string_view name : absl::StrSplit(path, '.')) {
    section = section->Section(name);
    if (section == nullptr) return nullptr;
  }
  return section;
}

// `left` bounds both circles and how much a file may swell.
void Resolve(StrongswanSection& section, const StrongswanSection& original, int& left) {
  for (const std::string& reference : section.references) {
    const StrongswanSection* other = left-- > 0 ? Find(original, reference) : nullptr;
    if (other == nullptr) continue;
    StrongswanSection copy = *other;
    if (!copy.references.empty() && left > 0) Resolve(copy, original, left);
    Inherit(section, copy);
  }
  for (StrongswanSection& child : section.sections) Resolve(child, original, left);
}

}  // namespace

const StrongswanSection* StrongswanSection::Section(absl::string_view section) const {
  for (const StrongswanSection& child : sections) {
    if (child.name == section) return &child;
  }
  return nullptr;
}

const StrongswanValue* StrongswanSection::Value(absl::string_view value) const {
  const StrongswanValue* found = nullptr;
  for (const StrongswanValue& one : values) {
    if (one.name == value) found = &one;
  }
  return found;
}

std::string StrongswanSection::Text(absl::string_view value, absl::string_view fallback) const {
  const StrongswanValue* found = Value(value);
  return found == nullptr ? std::string(fallback) : found->value;
}

absl::StatusOr<StrongswanSettings> ParseStrongswanSettings(absl::string_view octets) {
  if (octets.size() > kLargestConfiguration) return Invalid(1, "it has more than 1 MiB");
  const std::string text = ca::AsText(octets);
  if (!ca::DecodeUtf8(text).has_value()) return Invalid(1, "it is not UTF-8");
  ASSIGN_OR_RETURN(StrongswanSettings settings, Parser(text).Parse());
  const StrongswanSection original = settings.root;
  int left = kMostReferences;
  Resolve(settings.root, original, left);
  return settings;
}

}  // namespace hourglass::doctor
