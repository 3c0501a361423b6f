// What values may be, whoever reads the file that they end up in. Each refusal is FIELD_INVALID
// with `name` as its field; none shows the value. All of it is pure.
#ifndef HOURGLASS_TOOLS_GATEWAYS_KIT_VALUES_H_
#define HOURGLASS_TOOLS_GATEWAYS_KIT_VALUES_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tools/gateways/kit.h"

namespace hourglass::gateways {

// The value of `name`; the kit must have it, or the process ends.
const std::string& ValueOf(const Values& values, absl::string_view name);

// One line of UTF-8, 1 to 1024 octets, without controls, no space at either end. Still to be
// escaped: it may have quotes, `;`, `#`, `$`, `%`, backslashes and whatever is not ASCII.
absl::Status CheckLine(const Values& values, absl::string_view name);

// As CheckLine, of 16 to 128 octets: what a RADIUS server and its client share (RFC 2865 section 3
// wants 16 and more). Still to be escaped.
absl::Status CheckRadiusSecret(const Values& values, absl::string_view name);

// As CheckLine, printable ASCII only, and without any octet of `forbidden`: for programs that have
// no way to escape these.
absl::Status CheckPrintable(const Values& values, absl::string_view name,
                            absl::string_view forbidden);

// Letters, digits, `.`, `_` and `-`, not beginning with `-` or `.`; 1 to 64 octets. Goes unescaped
// into anything.
absl::Status CheckWord(const Values& values, absl::string_view name);

// A path from `/`: parts of letters, digits, `.`, `_`, `-`, `+`, `@` and `:`, none of them `..`; at
// most 255 octets. Goes unescaped into anything.
absl::Status CheckPath(const Values& values, absl::string_view name);

// A host's name in ASCII (letters, digits, `-`, `.`; RFC 1123), or an address of IPv4 or IPv6
// without brackets.
absl::Status CheckHost(const Values& values, absl::string_view name);
// An address of IPv4 or IPv6 without brackets and zone.
absl::Status CheckAddress(const Values& values, absl::string_view name);
// `10.0.0.0/8` or `fd00::/8`: an address and the length of its prefix.
absl::Status CheckNetwork(const Values& values, absl::string_view name);
// One or several networks, separated by commas without spaces; at most 1024 octets.
absl::Status CheckNetworks(const Values& values, absl::string_view name);
// One or several addresses, in the same way.
absl::Status CheckAddresses(const Values& values, absl::string_view name);
// An address or a network.
absl::Status CheckAddressOrNetwork(const Values& values, absl::string_view name);
// A decimal number without leading zeros, of `least` to `most`.
absl::Status CheckNumber(const Values& values, absl::string_view name, int least, int most);
// 1 to 65535.
absl::Status CheckPort(const Values& values, absl::string_view name);

}  // namespace hourglass::gateways

#endif  // HOURGLASS_TOOLS_GATEWAYS_KIT_VALUES_H_
