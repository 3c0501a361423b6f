// The conditional-access OID in texts that people typed.
#ifndef HOURGLASS_TOOLS_DOCTOR_OBJECT_IDENTIFIER_H_
#define HOURGLASS_TOOLS_DOCTOR_OBJECT_IDENTIFIER_H_

#include <string>

#include "absl/strings/string_view.h"

namespace hourglass::doctor {

inline constexpr absl::string_view kConditionalAccessOid = "1.3.6.1.4.1.311.87";

// Dotted decimal with at least four arcs: `1.3.6.1`.
bool IsDottedOid(absl::string_view text);

// Whether `text` is kConditionalAccessOid or was probably meant to be: cut short or long by an arc
// or a digit, with blanks, dots or a letter in between.
bool IsNearConditionalAccessOid(absl::string_view text);

// How `text`, of which the former holds, differs; "" where it is the OID: `it ends with a dot`.
std::string FaultOfOid(absl::string_view text);

}  // namespace hourglass::doctor

#endif  // HOURGLASS_TOOLS_DOCTOR_OBJECT_IDENTIFIER_H_
