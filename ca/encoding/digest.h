// Hashes of what is at hand, whole.
#ifndef HOURGLASS_CA_ENCODING_DIGEST_H_
#define HOURGLASS_CA_ENCODING_DIGEST_H_

#include <string>

#include "absl/strings/string_view.h"

namespace hourglass::ca {

// 20 octets. For key identifiers (RFC 5280 section 4.2.1.2 method 1) and thumbprints only: nothing
// rests on its strength.
std::string Sha1(absl::string_view octets);

// 32 octets.
std::string Sha256(absl::string_view octets);

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_ENCODING_DIGEST_H_
