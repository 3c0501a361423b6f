// The first octets of a TLS connection.
#ifndef HOURGLASS_ISSUANCE_EDGE_CLIENT_HELLO_H_
#define HOURGLASS_ISSUANCE_EDGE_CLIENT_HELLO_H_

#include <cstddef>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace hourglass::issuance {

// Octets up to the end of the ClientHello's random.
inline constexpr std::size_t kHelloPrefixSize = 43;

// The random (32 octets) of a ClientHello that begins with these octets (RFC 8446 section 4.1.2,
// the same in TLS 1.2); nullopt where they are the beginning of something else, or of a record that
// does not hold the random whole, which no TLS library sends. Looks at no more than
// kHelloPrefixSize octets, and needs as many.
std::optional<std::string> ClientRandomOf(absl::string_view octets);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_EDGE_CLIENT_HELLO_H_
