// When the broker asks for the next certificate and when the present one goes: pure functions on
// values. Times are those of one clock that never jumps (seconds since the machine started, sleep
// included), so that neither a wrong wall clock nor its correction moves anything; the service's
// times enter as differences to its own server_time.
#ifndef HOURGLASS_TOOLS_BROKER_SCHEDULE_H_
#define HOURGLASS_TOOLS_BROKER_SCHEDULE_H_

#include <optional>
#include <string>
#include <variant>

#include "absl/time/time.h"
#include "tools/agent/instant.h"

namespace hourglass::broker {

using agent::Instant;

// The service answered with a certificate; both lengths as seen from its server_time, and possibly
// negative.
struct Issued {
  absl::Duration until_renewal;
  absl::Duration until_expiry;
};
// The service is away, overloaded, or did not answer in time: whether it signed is unknown, so the
// same request is asked again, which cannot sign a second time.
struct Unavailable {
  std::string why;             // in a word: two troubles with the same one are the same to people
  absl::Duration retry_delay;  // what the service asked for; zero where it did not
};
// Nothing is released under the request id any more, but a new one may do at once.
struct Superseded {};
// The service said no, for `why`.
struct Refused {
  std::string why;
  absl::Duration retry_delay;
};
using Outcome = std::variant<Issued, Unavailable, Superseded, Refused>;

struct Plan {
  Instant ask_at;                     // when to ask (again)
  std::optional<Instant> expires_at;  // when the certificate in the file does, if there is one
  bool new_request_id = true;         // whether to ask under a new id
  bool new_key = true;                // whether to ask for a new key, where keys are made
  int failures = 0;                   // asked in a row without an answer that holds
  std::string trouble;                // why there was no certificate last time, or empty
  bool tell = false;                  // whether the last answer is news for people
};

// The bounds that AfterAnswer keeps beside those of agent::Backoff, jitter included.
inline constexpr absl::Duration kShortestRefusedPause = absl::Seconds(45);
inline constexpr absl::Duration kLongestRefusedPause = absl::Seconds(75);

// Ask at once; `expires_at` is that of a certificate that is there already.
Plan FirstPlan(Instant now, std::optional<Instant> expires_at);

// What to do after an answer that came at `now`. `random` is uniform in [0, 1).
// - Issued: at the renewal time, or at the expiry where that comes first; where the renewal time
// has passed (a
//   certificate issued long ago to the same request, or a service at odds with itself), after a
//   back-off as below. A new request id and a new key next.
// - Unavailable: after a back-off that doubles from 1 s to 60 s, each between half and all of it,
// but not before the
//   service's own retry delay (an hour at most), which is stretched by up to a quarter so that a
//   fleet does not come back together. The same request.
// - Superseded: at once the first time in a row, then as Unavailable. The same key, a new request
// id.
// - Refused: after 45 to 75 s, or the service's retry delay stretched as above. The same key, a new
// request id, for a
//   fresh verdict.
Plan AfterAnswer(const Plan& plan, const Outcome& outcome, Instant now, double random);

struct Ask {};
struct RemoveCertificate {};
struct WaitUntil {
  Instant instant;
};
using Step = std::variant<Ask, RemoveCertificate, WaitUntil>;

// What is due at `now`. An expired certificate goes before anything is asked, which may take long.
Step NextStep(const Plan& plan, Instant now);

// The plan once the certificate is removed.
Plan AfterRemoval(const Plan& plan);

}  // namespace hourglass::broker

#endif  // HOURGLASS_TOOLS_BROKER_SCHEDULE_H_
