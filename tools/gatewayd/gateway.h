// Something whose tunnels can be ended.
#ifndef HOURGLASS_TOOLS_GATEWAYD_GATEWAY_H_
#define HOURGLASS_TOOLS_GATEWAYD_GATEWAY_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "tools/gatewayd/concern.h"
#include "tools/gatewayd/patience.h"

namespace hourglass::gatewayd {

// An event to carry out.
struct Task {
  Concern concern;
  absl::Time came;  // when this program was told
  // It was carried out before: only a tunnel that a gateway can tell is of a listed certificate,
  // which came back since, is ended. What has the user's name alone may be in order again.
  bool is_again = false;
};

struct EndedTunnel {
  std::size_t task = 0;  // its place among the tasks
  std::string tunnel;    // in words, Printable
  Match how = Match::kNone;
};

// Something that a gateway cannot be told to end, or cannot say.
struct NotTold {
  std::size_t task = 0;
  std::string why;  // Printable
};

struct Outcome {
  std::vector<EndedTunnel> ended;
  std::vector<NotTold> not_told;
  // OK where every task is carried out; else all are to be tried again: what was ended is not there
  // any more.
  absl::Status status;
};

// For one thread.
class Gateway {
 public:
  virtual ~Gateway() = default;

  // `strongswan /run/charon.vici`.
  virtual const std::string& name() const = 0;
  // Ends the tunnels that MatchOf says, and no others. Takes at most as long as `patience`.
  virtual Outcome End(absl::Span<const Task> tasks, const Patience& patience) = 0;
};

}  // namespace hourglass::gatewayd

#endif  // HOURGLASS_TOOLS_GATEWAYD_GATEWAY_H_
