// What OpenVPN says on its management interface (management-notes.txt of OpenVPN): pure functions
// on lines.
#ifndef HOURGLASS_TOOLS_GATEWAYD_OPENVPN_LINES_H_
#define HOURGLASS_TOOLS_GATEWAYD_OPENVPN_LINES_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace hourglass::gatewayd {

// More is no answer: 100 000 clients.
inline constexpr std::size_t kMaxOpenvpnAnswer = 32 * 1024 * 1024;

// A connected client. One whose handshake is not done yet is none.
struct OpenvpnClient {
  std::string common_name;  // what --x509-username-field says, with OpenVPN's replacements
  std::uint64_t client_id = 0;
  absl::Time connected_since;
};

// Whether a line comes between answers by itself (`>INFO:…`, `>CLIENT:…`).
bool IsOpenvpnNotice(absl::string_view line);

// The clients in the answer to `status 3`: lines without their ends, notices left out, the last is
// `END`. Columns are found by their names in the line `HEADER`. Errors: FIELD_INVALID without a
// field where it is none.
absl::StatusOr<std::vector<OpenvpnClient>> ParseOpenvpnStatus(
    const std::vector<absl::string_view>& lines);

// The command that tells a client that its tunnel has ended, and ends it 5 seconds later, whatever
// the client does. With `halt` it is told not to come back by itself, else to come back.
std::string OpenvpnKillCommand(std::uint64_t client_id, bool halt);
// The command that ends all tunnels of a common name at once and tells no client; in quotes where
// the name needs them. nullopt where it has what OpenVPN reads as something else even so.
std::optional<std::string> OpenvpnKillCommand(absl::string_view common_name);

// OK where it begins with `SUCCESS:`. Errors: ABORTED with what it says.
absl::Status OpenvpnOutcome(absl::string_view line);

// What a common name says. OpenVPN makes one of `--x509-username-field CN serialNumber`:
// `alice@contoso.example_0x4DE6…`, or of either alone.
struct OpenvpnName {
  std::string user;  // without what is the serial number; empty where there is nothing else
  std::string serial_number;  // lower-case hexadecimal, two digits an octet, without octets of zero
                              // before it; empty where the name has none
};
OpenvpnName ParseOpenvpnName(absl::string_view common_name);

// Whether this user, and no other, has this name in OpenVPN: since 2.5 it makes `_` of control
// characters alone, so that a name with one may be several users'.
bool IsOpenvpnNameOf(absl::string_view user, absl::string_view user_upn);

}  // namespace hourglass::gatewayd

#endif  // HOURGLASS_TOOLS_GATEWAYD_OPENVPN_LINES_H_
