// When something that fails is tried again, and whether its failure is news.
#ifndef HOURGLASS_TOOLS_AGENT_TRIAL_H_
#define HOURGLASS_TOOLS_AGENT_TRIAL_H_

#include <string>

#include "absl/status/status.h"
#include "tools/agent/backoff.h"
#include "tools/agent/instant.h"

namespace hourglass::agent {

// One thing that is tried until it succeeds. `random` must outlive it. For one thread.
class Trial {
 public:
  explicit Trial(const Random& random) : random_(random) {}

  bool Due(Instant now) const { return at_ <= now; }
  // When it is tried next.
  Instant at() const { return at_; }

  void Begin(Instant now) { at_ = now; }
  void Succeeded();
  // Later by Backoff, and not before the service asked for (RetryDelayOf). Whether it failed in
  // another way than the last time.
  bool Failed(const absl::Status& status, Instant now);

  // `trying again in 2 s, then less often, silently while nothing changes`, as seen at `now`.
  std::string InWords(Instant now) const;

 private:
  const Random& random_;
  Instant at_ = absl::ZeroDuration();
  int failures_ = 0;
  std::string trouble_;
};

}  // namespace hourglass::agent

#endif  // HOURGLASS_TOOLS_AGENT_TRIAL_H_
