// Texts with places to fill.
#ifndef HOURGLASS_TOOLS_GATEWAYS_TEMPLATE_H_
#define HOURGLASS_TOOLS_GATEWAYS_TEMPLATE_H_

#include <initializer_list>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hourglass::gateways {

// `text` with every `{{name}}` replaced by the text that goes with `name`, which must be escaped
// already and is not looked at again. Errors: INTERNAL_ERROR that names a place of `text` which
// nothing was given for, and a name that has no place: a template and its kit do not fit.
absl::StatusOr<std::string> FillTemplate(
    absl::string_view text,
    std::initializer_list<std::pair<absl::string_view, absl::string_view>> places);

}  // namespace hourglass::gateways

#endif  // HOURGLASS_TOOLS_GATEWAYS_TEMPLATE_H_
