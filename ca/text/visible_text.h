// Text from strangers, for people to read.
#ifndef HOURGLASS_CA_TEXT_VISIBLE_TEXT_H_
#define HOURGLASS_CA_TEXT_VISIBLE_TEXT_H_

#include <string>

#include "absl/strings/string_view.h"

namespace hourglass::ca {

// `text` with all that is not seen, or steers a terminal or the order of what is shown, escaped:
// control characters (C0, DEL, C1) and octets that are no UTF-8 as `\xNN`, and whatever else
// FaultOfCharacter (ca/text/code_points.h) says no name may have as `\u{202E}`. What is returned is
// UTF-8. Safe to call from several threads.
std::string VisibleText(absl::string_view text);

// The same for a JSON text, whose strings are escaped as JSON does: `\u202e`, and two of them
// beyond U+FFFF. It means the same as before. `json` must be UTF-8.
std::string VisibleJson(std::string json);

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_TEXT_VISIBLE_TEXT_H_
