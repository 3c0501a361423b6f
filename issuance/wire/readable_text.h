// Texts of others in messages of our own.
#ifndef HOURGLASS_ISSUANCE_WIRE_READABLE_TEXT_H_
#define HOURGLASS_ISSUANCE_WIRE_READABLE_TEXT_H_

#include <string>

#include "absl/strings/string_view.h"

namespace hourglass::issuance {

// `text` where it is UTF-8; else with `?` for each octet beyond ASCII. What another service or a
// token said may be quoted in a message, and may be any octets; but one that is no UTF-8 would make
// the whole answer unreadable. Safe to call from several threads.
std::string AsUtf8(absl::string_view text);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_WIRE_READABLE_TEXT_H_
