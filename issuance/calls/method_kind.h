// What a method does, for the lines of the CallPool.
#ifndef HOURGLASS_ISSUANCE_CALLS_METHOD_KIND_H_
#define HOURGLASS_ISSUANCE_CALLS_METHOD_KIND_H_

#include <optional>

#include "absl/strings/string_view.h"

namespace hourglass::issuance {

enum class MethodKind {
  kIssuing,    // has lanes of its own
  kPromotion,  // the switch that an emergency takes
  kChange,
  kListing,  // only reads
};

// Of a method by its name without its service's (`PromoteRoot`): the one place that says so.
// Nullopt where there is no such method.
std::optional<MethodKind> KindOfMethod(absl::string_view name);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_CALLS_METHOD_KIND_H_
