// Rules of "filter for devices", in the syntax of rules for dynamic groups:
// `device.trustType -eq "ServerAD" -and -not (device.displayName -startsWith "KIOSK")`.
#ifndef HOURGLASS_ISSUANCE_ACCESS_FILTER_RULE_H_
#define HOURGLASS_ISSUANCE_ACCESS_FILTER_RULE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/access/device_attributes.h"
#include "issuance/access/device_view.h"
#include "issuance/access/truth.h"

namespace hourglass::access {

inline constexpr std::size_t kMaxFilterRule = 3072;  // characters
inline constexpr int kMaxFilterDepth = 64;           // of parentheses and -not

// Without their negations.
enum class FilterOperator { kEq, kStartsWith, kEndsWith, kContains, kIn };

struct FilterComparison {
  DeviceAttribute attribute = DeviceAttribute::kDeviceId;
  FilterOperator op = FilterOperator::kEq;
  bool negative = false;            // -ne, -notStartsWith, …
  bool with_null = false;           // -eq null or -ne null; there are no values then
  std::vector<std::string> values;  // as written; one, but for -in and -notIn
  std::vector<std::string> folded;  // the same, as they are compared

  bool operator==(const FilterComparison&) const = default;
};

struct FilterNode {
  enum class Kind { kComparison, kNot, kAnd, kOr };

  Kind kind = Kind::kComparison;
  FilterComparison comparison;
  std::vector<FilterNode> children;  // one of kNot, two or more of kAnd and kOr

  bool operator==(const FilterNode&) const = default;
};

// A rule, parsed. Grammar, from what binds weakest:
//
//   rule       = and { "-or" and }
//   and        = not { "-and" not }
//   not        = "-not" not | "(" rule ")" | comparison
//   comparison = "device." attribute operator value
//   value      = text | "true" | "false" | "null" | "[" text { "," text } "]"
//
// A text stands in double quotes, in which ` takes the next character as it is, or in single ones,
// in which two are one. Names, operators and words are known in whatever case, operators also
// without their hyphen. `null` only with -eq and -ne; a list with -in and -notIn, and only there.
//
// Immutable, so safe to read from several threads.
class FilterRule {
 public:
  // Errors: FIELD_INVALID, `column N: expected WHAT, found WHAT`; columns count characters, from 1.
  static absl::StatusOr<FilterRule> Parse(absl::string_view text);

  // Whether the device matches. Case does not count. Of an attribute that is null positive
  // operators never match and negative ones do, also where -not makes them so. Unknown where the
  // facts do not tell; also for a negative operator on an extension attribute that does not count,
  // and for null checks on a device that is not registered: Microsoft's documents leave these open.
  Truth Matches(const DeviceView& device) const { return Evaluate(root_, device, false); }

  // The rule as text that parses to the same.
  std::string Text() const;

  const FilterNode& root() const { return root_; }
  bool operator==(const FilterRule&) const = default;

 private:
  explicit FilterRule(FilterNode root) : root_(std::move(root)) {}

  static Truth Evaluate(const FilterNode& node, const DeviceView& device, bool negated);

  FilterNode root_;
};

// A text as rules compare it: without case, width and what is not seen.
std::string FoldedForFilter(absl::string_view text);

}  // namespace hourglass::access

#endif  // HOURGLASS_ISSUANCE_ACCESS_FILTER_RULE_H_
