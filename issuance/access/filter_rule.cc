#include "issuance/access/filter_rule.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "ca/text/text_folding.h"
#include "issuance/access/filter_syntax.h"

namespace hourglass::access {
namespace {

using Kind = AttributeState::Kind;

bool MatchesText(const FilterComparison& comparison, const std::string& attribute) {
  const auto is_equal = [&attribute](const std::string& value) { return value == attribute; };
  switch (comparison.op) {
    case FilterOperator::kEq:
      return is_equal(comparison.folded[0]);
    case FilterOperator::kStartsWith:
      return absl::StartsWith(attribute, comparison.folded[0]);
    case FilterOperator::kEndsWith:
      return absl::EndsWith(attribute, comparison.folded[0]);
    case FilterOperator::kContains:
      return FormOf(comparison.attribute) == AttributeForm::kCollection
                 ? is_equal(comparison.folded[0])
                 : absl::StrContains(attribute, comparison.folded[0]);
    case FilterOperator::kIn:
      return std::any_of(comparison.folded.begin(), comparison.folded.end(), is_equal);
  }
  return false;
}

// `negative`: whether the operator is, with the -not before it.
Truth Compare(const FilterComparison& comparison, const AttributeState& state, bool negative) {
  if (state.kind == Kind::kUnknown) return Truth::kUnknown;
  if (comparison.with_null) {
    if (state.kind == Kind::kUnregistered || state.kind == Kind::kNotCounted) {
      return Truth::kUnknown;
    }
    return Known((state.kind == Kind::kNull) != negative);
  }
  if (state.kind == Kind::kNotCounted) return negative ? Truth::kUnknown : Truth::kNo;
  if (state.kind != Kind::kValues) return Known(negative);
  const bool matches = std::any_of(state.values.begin(), state.values.end(),
                                   [&comparison](const std::string& value) {
                                     return MatchesText(comparison, FoldedForFilter(value));
                                   });
  return Known(matches != negative);
}

std::string ValueText(const std::string& value) {
  return absl::StrCat("\"", absl::StrReplaceAll(value, {{"`", "``"}, {"\"", "`\""}}), "\"");
}

std::string TextOf(const FilterComparison& comparison) {
  std::vector<std::string> values;
  for (const std::string& value : comparison.values) values.push_back(ValueText(value));
  const std::string joined = absl::StrJoin(values, ", ");
  return absl::StrCat("device.", AttributeName(comparison.attribute), " ",
                      OperatorName(comparison.op, comparison.negative), " ",
                      comparison.with_null                   ? "null"
                      : comparison.op == FilterOperator::kIn ? absl::StrCat("[", joined, "]")
                                                             : joined);
}

std::string TextOf(const FilterNode& node) {
  if (node.kind == FilterNode::Kind::kComparison) return TextOf(node.comparison);
  std::vector<std::string> parts;
  for (const FilterNode& child : node.children) {
    const bool single = child.kind == FilterNode::Kind::kComparison;
    parts.push_back(single ? TextOf(child) : absl::StrCat("(", TextOf(child), ")"));
  }
  if (node.kind == FilterNode::Kind::kNot) return absl::StrCat("-not ", parts[0]);
  return absl::StrJoin(parts, node.kind == FilterNode::Kind::kAnd ? " -and " : " -or ");
}

}  // namespace

std::string FoldedForFilter(absl::string_view text) {
  const bool ascii = std::all_of(text.begin(), text.end(), absl::ascii_isascii);
  return ascii ? absl::AsciiStrToLower(text) : ca::FoldText(text);
}

absl::StatusOr<FilterRule> FilterRule::Parse(absl::string_view text) {
  absl::StatusOr<FilterNode> root = ParseFilter(text);
  if (!root.ok()) return std::move(root).status();
  return FilterRule(*std::move(root));
}

// -not goes down to the comparisons, since what is null has an answer for each sign there.
Truth FilterRule::Evaluate(const FilterNode& node, const DeviceView& device, bool negated) {
  switch (node.kind) {
    case FilterNode::Kind::kComparison:
      return Compare(node.comparison, device.Attribute(node.comparison.attribute),
                     node.comparison.negative != negated);
    case FilterNode::Kind::kNot:
      return Evaluate(node.children[0], device, !negated);
    case FilterNode::Kind::kAnd:
    case FilterNode::Kind::kOr:
      break;
  }
  const bool all = (node.kind == FilterNode::Kind::kAnd) != negated;
  Truth truth = Known(all);
  for (const FilterNode& child : node.children) {
    const Truth one = Evaluate(child, device, negated);
    truth = all ? And(truth, one) : Or(truth, one);
  }
  return truth;
}

std::string FilterRule::Text() const { return TextOf(root_); }

}  // namespace hourglass::access
