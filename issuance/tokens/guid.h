// How Entra ID writes the ids of directories, users, devices and applications.
#ifndef HOURGLASS_ISSUANCE_TOKENS_GUID_H_
#define HOURGLASS_ISSUANCE_TOKENS_GUID_H_

#include <string>

#include "absl/strings/string_view.h"

namespace hourglass::issuance {

// `8-4-4-4-12` hexadecimal digits (RFC 4122 section 3) in small letters; empty where `text` is no
// GUID in letters of either case, or has braces or white space around it. Safe to call from several
// threads.
std::string CanonicalGuid(absl::string_view text);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_TOKENS_GUID_H_
