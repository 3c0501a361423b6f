// Domain names of users.
#ifndef HOURGLASS_CA_NAMES_DOMAIN_NAME_H_
#define HOURGLASS_CA_NAMES_DOMAIN_NAME_H_

#include <cstddef>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace hourglass::ca {

// Of a domain name without the dot at its end, in octets (RFC 1035 section 2.3.4).
inline constexpr std::size_t kMaxDomainSize = 253;

// What is wrong with `domain`, in words that follow "the domain"; empty where it is sound: labels
// of 1 to 63 octets, kMaxDomainSize in all, each of letters, digits and inner hyphens (RFC 5890
// section 2.3.1) in any case, with hyphens in the third and fourth place of A-labels only; or a
// U-label in the one form that IDNA gives it, but for case, of letters, digits and marks of one
// script (ca/text/code_points.h), from right to left as RFC 5893 wants it; or the A-label of such a
// one. By UTS 46, not transitional. No dot at the end. Safe to call from several threads.
std::optional<std::string> FaultInDomain(absl::string_view domain);

// What is the same for two domains that are: A-labels, lower case. Of what is no domain, the text
// case folded and without white space at its ends. Safe to call from several threads.
std::string FoldedDomain(absl::string_view domain);

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_NAMES_DOMAIN_NAME_H_
