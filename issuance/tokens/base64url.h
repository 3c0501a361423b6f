// Base64url as JOSE writes it.
#ifndef HOURGLASS_ISSUANCE_TOKENS_BASE64URL_H_
#define HOURGLASS_ISSUANCE_TOKENS_BASE64URL_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace hourglass::issuance {

// The octets of `text` (RFC 4648 section 5, RFC 7515 section 2), which has one form only: no
// padding, no white space, no other characters, and zero in the bits that belong to no octet. Empty
// where it has any other; of "" it is "". Safe to call from several threads.
std::optional<std::string> DecodeBase64Url(absl::string_view text);

// The one text that DecodeBase64Url gives `octets` for. Safe to call from several threads.
std::string EncodeBase64Url(absl::string_view octets);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_TOKENS_BASE64URL_H_
