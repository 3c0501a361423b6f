#include "issuance/access/filter_syntax.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "hsm/base/status_macros.h"
#include "issuance/access/filter_tokens.h"

namespace hourglass::access {
namespace {

using Kind = FilterNode::Kind;
using TokenKind = FilterToken::Kind;

struct OperatorRow {
  absl::string_view name;
  FilterOperator op;
  bool negative;
};

constexpr OperatorRow kOperators[] = {
    {"-eq", FilterOperator::kEq, false},
    {"-ne", FilterOperator::kEq, true},
    {"-startsWith", FilterOperator::kStartsWith, false},
    {"-notStartsWith", FilterOperator::kStartsWith, true},
    {"-endsWith", FilterOperator::kEndsWith, false},
    {"-notEndsWith", FilterOperator::kEndsWith, true},
    {"-contains", FilterOperator::kContains, false},
    {"-notContains", FilterOperator::kContains, true},
    {"-in", FilterOperator::kIn, false},
    {"-notIn", FilterOperator::kIn, true},
};

// A word of the grammar, with its hyphen or without.
bool IsWord(const FilterToken& token, absl::string_view word) {
  if (token.kind != TokenKind::kWord) return false;
  return absl::EqualsIgnoreCase(token.text, word) ||
         absl::EqualsIgnoreCase(absl::StrCat("-", token.text), word);
}

bool HasOperator(AttributeForm form, FilterOperator op) {
  switch (form) {
    case AttributeForm::kText:
      return true;
    case AttributeForm::kId:
      return op == FilterOperator::kEq || op == FilterOperator::kIn;
    case AttributeForm::kChoice:
      return op == FilterOperator::kEq;
    case AttributeForm::kCollection:
      return op == FilterOperator::kContains;
  }
  return false;
}

std::string OperatorsOf(DeviceAttribute attribute) {
  std::vector<absl::string_view> names;
  for (const OperatorRow& row : kOperators) {
    if (HasOperator(FormOf(attribute), row.op)) names.push_back(row.name);
  }
  return absl::StrJoin(names, ", ");
}

std::string AttributeNames() {
  std::vector<std::string> names;
  for (std::size_t i = 0; i <= static_cast<std::size_t>(DeviceAttribute::kTrustType); ++i) {
    names.push_back(AttributeName(static_cast<DeviceAttribute>(i)));
  }
  return absl::StrCat(absl::StrJoin(names, ", "), " or extensionAttribute1 to 15");
}

// By recursive descent.
class Parser {
 public:
  explicit Parser(std::vector<FilterToken> tokens) : tokens_(std::move(tokens)) {}

  absl::StatusOr<FilterNode> Whole() {
    ASSIGN_OR_RETURN(FilterNode node, Any(0));
    if (Next().kind != TokenKind::kEnd) return Refuse("-and, -or or the end of the rule");
    return node;
  }

 private:
  const FilterToken& Next() const { return tokens_[place_]; }
  FilterToken Take() { return tokens_[place_++]; }

  bool TakeWord(absl::string_view word) {
    if (!IsWord(Next(), word)) return false;
    ++place_;
    return true;
  }

  bool TakeMark(absl::string_view mark) {
    if (Next().kind != TokenKind::kMark || Next().text != mark) return false;
    ++place_;
    return true;
  }

  absl::Status Refuse(absl::string_view expected) const {
    return FilterMistake(Next().column, expected, Describe(Next()));
  }

  absl::StatusOr<FilterNode> Any(int depth) { return Chain(Kind::kOr, "-or", depth, &Parser::All); }
  absl::StatusOr<FilterNode> All(int depth) {
    return Chain(Kind::kAnd, "-and", depth, &Parser::One);
  }

  absl::StatusOr<FilterNode> Chain(Kind kind, absl::string_view word, int depth,
                                   absl::StatusOr<FilterNode> (Parser::*part)(int)) {
    ASSIGN_OR_RETURN(FilterNode first, (this->*part)(depth));
    if (!IsWord(Next(), word)) return first;
    FilterNode chain;
    chain.kind = kind;
    chain.children.push_back(std::move(first));
    while (TakeWord(word)) {
      ASSIGN_OR_RETURN(FilterNode next, (this->*part)(depth));
      chain.children.push_back(std::move(next));
    }
    return chain;
  }

  absl::StatusOr<FilterNode> One(int depth) {
    const bool goes_deeper =
        IsWord(Next(), "-not") || (Next().kind == TokenKind::kMark && Next().text == "(");
    if (goes_deeper && depth == kMaxFilterDepth) {
      return Refuse(absl::StrCat("at most ", kMaxFilterDepth, " levels of parentheses and -not"));
    }
    if (TakeWord("-not")) {
      ASSIGN_OR_RETURN(FilterNode child, One(depth + 1));
      FilterNode node;
      node.kind = Kind::kNot;
      node.children.push_back(std::move(child));
      return node;
    }
    if (TakeMark("(")) {
      ASSIGN_OR_RETURN(FilterNode node, Any(depth + 1));
      if (!TakeMark(")")) return Refuse("-and, -or or \")\"");
      return node;
    }
    return Comparison();
  }

  absl::StatusOr<FilterNode> Comparison() {
    FilterNode node;
    FilterComparison& comparison = node.comparison;
    if (Next().kind != TokenKind::kWord || !absl::StartsWithIgnoreCase(Next().text, "device.")) {
      return Refuse("device. and an attribute, \"(\" or -not");
    }
    const std::optional<DeviceAttribute> attribute =
        AttributeOfName(absl::string_view(Next().text).substr(7));
    if (!attribute.has_value()) return Refuse(absl::StrCat("device. and ", AttributeNames()));
    comparison.attribute = *attribute;
    Take();
    RETURN_IF_ERROR(Operator(&comparison));
    RETURN_IF_ERROR(comparison.op == FilterOperator::kIn ? List(&comparison) : Single(&comparison));
    for (const std::string& value : comparison.values) {
      comparison.folded.push_back(FoldedForFilter(value));
    }
    return node;
  }

  absl::Status Operator(FilterComparison* comparison) {
    for (const OperatorRow& row : kOperators) {
      if (!HasOperator(FormOf(comparison->attribute), row.op) || !TakeWord(row.name)) continue;
      comparison->op = row.op;
      comparison->negative = row.negative;
      return absl::OkStatus();
    }
    return Refuse(OperatorsOf(comparison->attribute));
  }

  absl::Status List(FilterComparison* comparison) {
    if (!TakeMark("[")) return Refuse("a list, which begins with \"[\"");
    do {
      if (Next().kind != TokenKind::kText) return Refuse("a text in quotes");
      comparison->values.push_back(Take().text);
    } while (TakeMark(","));
    if (!TakeMark("]")) return Refuse("\",\" or \"]\"");
    return absl::OkStatus();
  }

  absl::Status Single(FilterComparison* comparison) {
    const bool is_equality = comparison->op == FilterOperator::kEq;
    if (is_equality && TakeWord("null")) {
      comparison->with_null = true;
      return absl::OkStatus();
    }
    const bool is_truth =
        Next().kind == TokenKind::kWord && (absl::EqualsIgnoreCase(Next().text, "true") ||
                                            absl::EqualsIgnoreCase(Next().text, "false"));
    if (Next().kind != TokenKind::kText && !(is_equality && is_truth)) {
      return Refuse(is_equality ? "a text in quotes, true, false or null" : "a text in quotes");
    }
    // What is not seen folds to nothing, and nothing stands in every text.
    if (!is_equality && FoldedForFilter(Next().text).empty()) {
      return Refuse("a text that is not empty");
    }
    RETURN_IF_ERROR(CheckChoice(comparison->attribute));
    comparison->values.push_back(Take().text);
    return absl::OkStatus();
  }

  absl::Status CheckChoice(DeviceAttribute attribute) const {
    const absl::Span<const absl::string_view> choices = ChoicesOf(attribute);
    for (const absl::string_view choice : choices) {
      if (absl::EqualsIgnoreCase(choice, Next().text)) return absl::OkStatus();
    }
    if (choices.empty()) return absl::OkStatus();
    return Refuse(absl::StrCat("\"", absl::StrJoin(choices, "\" or \""), "\""));
  }

  const std::vector<FilterToken> tokens_;
  std::size_t place_ = 0;
};

}  // namespace

absl::StatusOr<FilterNode> ParseFilter(absl::string_view text) {
  ASSIGN_OR_RETURN(std::vector<FilterToken> tokens, FilterTokens(text));
  return Parser(std::move(tokens)).Whole();
}

absl::string_view OperatorName(FilterOperator op, bool negative) {
  for (const OperatorRow& row : kOperators) {
    if (row.op == op && row.negative == negative) return row.name;
  }
  return "";
}

}  // namespace hourglass::access
