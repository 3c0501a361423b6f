// The words of a filter rule.
#ifndef HOURGLASS_ISSUANCE_ACCESS_FILTER_TOKENS_H_
#define HOURGLASS_ISSUANCE_ACCESS_FILTER_TOKENS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hourglass::access {

struct FilterToken {
  enum class Kind { kWord, kText, kMark, kEnd };

  Kind kind = Kind::kEnd;
  int column = 1;    // in characters, from 1
  std::string text;  // a word or mark as it stands there; of a text what it says
};

// A mistake at a column. FIELD_INVALID.
absl::Status FilterMistake(int column, absl::string_view expected, absl::string_view found);

// What a token is, for messages.
std::string Describe(const FilterToken& token);

// All tokens of a rule, the last one kEnd. Errors: as FilterRule::Parse.
absl::StatusOr<std::vector<FilterToken>> FilterTokens(absl::string_view rule);

}  // namespace hourglass::access

#endif  // HOURGLASS_ISSUANCE_ACCESS_FILTER_TOKENS_H_
