// strongSwan, through its control interface (vici).
#ifndef HOURGLASS_TOOLS_GATEWAYD_STRONGSWAN_H_
#define HOURGLASS_TOOLS_GATEWAYD_STRONGSWAN_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "tools/gatewayd/gateway.h"
#include "tools/gatewayd/vici_message.h"

namespace hourglass::gatewayd {

struct StrongswanConfig {
  std::string socket;                    // path of the Unix socket, or `ADDRESS:PORT`
  std::vector<std::string> connections;  // names in swanctl.conf; empty: all
};

// An IKE_SA of the answer to `list-sas`.
struct IkeSa {
  std::string unique_id;  // digits
  std::string peer;       // whom the gateway has authenticated: the EAP identity, or the IKE one
  absl::Time since;       // since it is established; now where it is not yet
};

// The IKE_SAs in an event `list-sa`, seen at `now`, of these connections. One without a unique id
// is none.
std::vector<IkeSa> IkeSasIn(const ViciSection& event, const std::vector<std::string>& connections,
                            absl::Time now);

// Whether strongSwan calls this user so, and no other: his name, or `CN=` and the common name of
// his certificates. It writes `?` for what is not printable ASCII, so that other names may be
// several users'.
bool IsStrongswanNameOf(absl::string_view peer, const ConcernedUser& user);

// Ends IKE_SAs by their unique ids, at once: a peer that does not answer keeps none. Which
// certificate a peer had strongSwan does not say, so all of a user's are ended, on all devices.
std::unique_ptr<Gateway> MakeStrongswan(StrongswanConfig config);

}  // namespace hourglass::gatewayd

#endif  // HOURGLASS_TOOLS_GATEWAYD_STRONGSWAN_H_
