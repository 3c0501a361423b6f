#include "tests/history/violation.h"

#include "absl/strings/str_cat.h"

namespace hourglass::history {
namespace {

struct RuleRow {
  Rule rule;
  absl::string_view name;
};

constexpr RuleRow kRules[] = {
    {Rule::kReceivedMissing, "received_missing"},
    {Rule::kReceivedDiffers, "received_differs"},
    {Rule::kRequestAnsweredTwice, "request_answered_twice"},
    {Rule::kRequestRecordedTwice, "request_recorded_twice"},
    {Rule::kRecordedUnasked, "recorded_unasked"},
    {Rule::kSerialNumberTwice, "serial_number_twice"},
    {Rule::kRecordContradicts, "record_contradicts"},
    {Rule::kSignature, "signature"},
    {Rule::kMoveIllegal, "move_illegal"},
    {Rule::kTwoPrimaries, "two_primaries"},
    {Rule::kTenantContradictsItself, "tenant_contradicts_itself"},
    {Rule::kChangeMissing, "change_missing"},
    {Rule::kPromotionsReordered, "promotions_reordered"},
    {Rule::kEpochOfAnotherRoot, "epoch_of_another_root"},
    {Rule::kOutsidePrimacy, "outside_primacy"},
    {Rule::kReleasedAfterSuccessor, "released_after_successor"},
    {Rule::kRepeatedAfterSuccessor, "repeated_after_successor"},
    {Rule::kReleasedBeforePromotion, "released_before_promotion"},
    {Rule::kErrorNotRetryable, "error_not_retryable"},
    {Rule::kPrimaryNotChanged, "primary_not_changed"},
};

}  // namespace

const std::vector<Rule>& AllRules() {
  static const std::vector<Rule> rules = [] {
    std::vector<Rule> all;
    for (const RuleRow& row : kRules) all.push_back(row.rule);
    return all;
  }();
  return rules;
}

absl::string_view RuleName(Rule rule) {
  for (const RuleRow& row : kRules) {
    if (row.rule == rule) return row.name;
  }
  return "unknown";
}

std::string InWords(const Violation& violation) {
  std::string text = absl::StrCat(RuleName(violation.rule), ": ", violation.what, "\n");
  for (const std::string* record : {&violation.record, &violation.other}) {
    if (!record->empty()) absl::StrAppend(&text, "    ", *record, "\n");
  }
  return text;
}

}  // namespace hourglass::history
