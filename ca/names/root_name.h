// The names of tenants' roots, by which people and gateways tell them apart.
#ifndef HOURGLASS_CA_NAMES_ROOT_NAME_H_
#define HOURGLASS_CA_NAMES_ROOT_NAME_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace hourglass::ca {

// How much of a display name is part of the name of a root, in characters.
inline constexpr std::size_t kMaxRootNameCharacters = 40;
// A root's name has room for so many digits: seven.
inline constexpr int kMaxGeneration = 9'999'999;

// `DISPLAY_NAME VPN root CA gen GENERATION`, with at most the first kMaxRootNameCharacters of the
// display name, which must be UTF-8, whatever the generation: so names tell tenants apart exactly
// where RootNameKey does. At most 64 characters for a generation up to kMaxGeneration.
std::string RootCommonName(absl::string_view display_name, int generation);

// What no two tenants may share, or their roots' names could be taken for one another's: what
// RootCommonName takes of the display name, folded (ca/text/text_folding.h), without white space at
// the ends and with single spaces within, as names are compared (RFC 4518 section 2, RFC 5280
// section 7.1).
std::string RootNameKey(absl::string_view display_name);

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_NAMES_ROOT_NAME_H_
