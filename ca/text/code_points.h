// What Unicode says of the characters of a name. By ICU, so of the version of Unicode that it
// knows.
#ifndef HOURGLASS_CA_TEXT_CODE_POINTS_H_
#define HOURGLASS_CA_TEXT_CODE_POINTS_H_

#include <string>

#include "absl/strings/string_view.h"

namespace hourglass::ca {

// All of these are safe to call from several threads.

// `U+202E`: at least four digits, upper case.
std::string CodePointInWords(char32_t character);

// Why no name may have `character`, as what it is: control, format (writing direction, zero width,
// tags), not seen for another reason (Default_Ignorable_Code_Point), private use, surrogate,
// non-character, not assigned, white space other than U+0020. Empty where a name may.
absl::string_view FaultOfCharacter(char32_t character);

// The same for a `character` beyond ASCII in a name that machines compare: empty for letters,
// digits and marks that are not compatibility forms of others (RFC 8264 section 4.2,
// IdentifierClass, with the exceptions of RFC 5892 section 2.6).
absl::string_view FaultOfIdentifierCharacter(char32_t character);

// A combining mark (general category M), which joins whatever stands before it.
bool IsMark(char32_t character);

// A letter, a mark or a digit.
bool IsOfWord(char32_t character);

// Whether `text`, which must be UTF-8, is in Normalization Form C.
bool IsNormalized(absl::string_view text);

// Whether all of `text` can be of one script, or of those that Chinese, Japanese and Korean write
// together with Latin (UTS 39 section 5.2, "highly restrictive").
bool IsOfOneScript(const std::u32string& text);

// RFC 5893 section 2, for text that has a character written from right to left; true for other
// text.
bool KeepsBidiRule(const std::u32string& text);

// RFC 5892 appendix A.3 to A.9: characters that are allowed beside some others only, such as the
// middle dot between two l. Stricter than A.4 to A.7: the character of the script that they ask for
// must be alphabetic, so no punctuation. The joiners of A.1 and A.2 are never.
bool KeepsContextRules(const std::u32string& text);

// NFKC_Casefold (Unicode section 5.18): what differs in case, width or form only becomes the same,
// and what is not seen goes. `text` must be UTF-8.
std::string CaseFolded(absl::string_view text);

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_TEXT_CODE_POINTS_H_
