// Text as it is compared, and never as it is certified.
#ifndef HOURGLASS_CA_TEXT_TEXT_FOLDING_H_
#define HOURGLASS_CA_TEXT_TEXT_FOLDING_H_

#include <string>

#include "absl/strings/string_view.h"

namespace hourglass::ca {

// The toNFKC_Casefold of Unicode (The Unicode Standard, section 3.13): texts that differ only in
// case, in width or in what is not seen become one. Folding twice changes nothing more. `text` that
// is not UTF-8 is returned as it is.
std::string FoldText(absl::string_view text);

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_TEXT_TEXT_FOLDING_H_
