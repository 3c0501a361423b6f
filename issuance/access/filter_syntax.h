// The syntax of filter rules.
#ifndef HOURGLASS_ISSUANCE_ACCESS_FILTER_SYNTAX_H_
#define HOURGLASS_ISSUANCE_ACCESS_FILTER_SYNTAX_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/access/filter_rule.h"

namespace hourglass::access {

// As FilterRule::Parse.
absl::StatusOr<FilterNode> ParseFilter(absl::string_view text);

// `-notStartsWith`.
absl::string_view OperatorName(FilterOperator op, bool negative);

}  // namespace hourglass::access

#endif  // HOURGLASS_ISSUANCE_ACCESS_FILTER_SYNTAX_H_
