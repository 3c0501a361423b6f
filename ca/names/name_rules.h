// The one rule for what becomes part of a name in a certificate or of a key of the journal.
// docs/decisions/0021-one-rule-for-names.md has it with its reasons. It refuses and never changes:
// relying parties compare letter for letter.
#ifndef HOURGLASS_CA_NAMES_NAME_RULES_H_
#define HOURGLASS_CA_NAMES_NAME_RULES_H_

#include <cstddef>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace hourglass::ca {

// Each says what is wrong, naming the character as U+XXXX, or gives nothing for what is sound. All
// are safe to call from several threads.
//
// Common to all: UTF-8 in Normalization Form C without control, format (bidi, zero width, tags),
// ignorable, private-use, unassigned and surrogate code points and non-characters; no mark first;
// no letters of several scripts together (IsOfOneScript, ca/text/code_points.h).

// Of a user principal name, octets.
inline constexpr std::size_t kMinUpnSize = 3;
inline constexpr std::size_t kMaxUpnSize = 256;
// Of a user's id, characters.
inline constexpr std::size_t kMaxUserIdSize = 64;

// A user principal name, `local@domain`: kMinUpnSize to kMaxUpnSize octets with exactly one `@`.
// The domain is what FaultInDomain accepts. The local part (RFC 8265 section 3.4,
// UsernameCasePreserved, narrowed) has letters, digits and marks of one script, and of ASCII beside
// them `! # $ & ' + - . ^ _ ~`; a guest's `#EXT#` is sound. Letters of both cases are.
std::optional<std::string> FaultInUpn(absl::string_view upn);

// An id of a user or a device: printable ASCII but space and `" ( ) * , ; < > \ ` |`. Lengths are
// for the caller to look at.
std::optional<std::string> FaultInId(absl::string_view id);

// A name that people read: also symbols and punctuation, and single spaces (U+0020) that are at
// neither end. Letters of one script in each word. Lengths as above; an empty one is refused.
std::optional<std::string> FaultInDisplayName(absl::string_view name);

// What is the same for user principal names that people take for the same: the local part under
// NFKC_Casefold, the domain as FoldedDomain has it, no white space at the ends. Of any octets, also
// what FaultInUpn refuses.
std::string FoldedUpn(absl::string_view upn);

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_NAMES_NAME_RULES_H_
