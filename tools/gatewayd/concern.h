// Whose tunnels an event ends: pure functions on values.
#ifndef HOURGLASS_TOOLS_GATEWAYD_CONCERN_H_
#define HOURGLASS_TOOLS_GATEWAYD_CONCERN_H_

#include <map>
#include <set>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "hourglass/v1/decisions.pb.h"

namespace hourglass::gatewayd {

// A commit takes its time. The service lists certificates by the same half minute.
inline constexpr absl::Duration kSlack = absl::Seconds(30);
// By how much the clock of a gateway may differ from the service's. Certificates are backdated by
// as much: with one that differs more nobody gets in.
inline constexpr absl::Duration kClockDifference = absl::Minutes(5);

// A user as gateways may name him.
struct ConcernedUser {
  std::string upn;          // as the service has it
  std::string common_name;  // of his certificates

  auto operator<=>(const ConcernedUser&) const = default;
};

// What of an event matters to a gateway.
struct Concern {
  std::string cursor;
  std::string words;  // `DEVICE_BLOCKED device laptop-1, user alice@contoso.example`, Printable
  absl::Time at;
  // Tunnels that begin later, by the gateway's clock, are not ended by their users' names. It is
  // when the event came, where that is about when it happened; else kSlack after that.
  absl::Time until;
  // The live certificates: the serial number as SerialText has it, and the end.
  std::map<std::string, absl::Time> certificates;
  std::set<ConcernedUser> users;  // empty where nobody knows
  // Whether a tunnel whose certificate is known and is none of these is ended by its user's name:
  // the event is about the user on all devices, or there may be more certificates.
  bool also_others_of_user = false;
};

// `came`: when this program was told of it.
Concern ConcernOf(const v1::DecisionEvent& event, absl::Time came);

// Lower-case hexadecimal, two digits an octet, without octets of zero before it.
std::string SerialText(absl::string_view octets);

// Whether one of its certificates counts still.
bool IsLive(const Concern& concern, absl::Time now);

// No certificate lives longer: what an event concerned has ended by then.
inline constexpr absl::Duration kLongestLife = absl::Hours(24);
bool IsOver(const Concern& concern, absl::Time now);

// What a gateway knows of a tunnel.
struct Tunnel {
  std::string serial_number;  // as SerialText; empty where the gateway does not know
  absl::Time since = absl::InfinitePast();
};

enum class Match { kNone, kByCertificate, kByName };

// Whether the event ends the tunnel: of a listed certificate always; else by the user's name, where
// it began until Concern::until and its certificate is not known, or not the only thing that
// counts (Concern::also_others_of_user). `is_of_user`: that the tunnel is one of concern.users, and
// of nobody else, the gateway says.
Match MatchOf(const Concern& concern, const Tunnel& tunnel, bool is_of_user);

}  // namespace hourglass::gatewayd

#endif  // HOURGLASS_TOOLS_GATEWAYD_CONCERN_H_
