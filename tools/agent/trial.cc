#include "tools/agent/trial.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tools/agent/call.h"
#include "tools/client/failure.h"
#include "tools/client/wording.h"

namespace hourglass::agent {

void Trial::Succeeded() {
  failures_ = 0;
  trouble_.clear();
}

bool Trial::Failed(const absl::Status& status, Instant now) {
  ++failures_;
  at_ = now + std::max(Backoff(failures_, random_()), Stretched(RetryDelayOf(status), random_()));
  const std::string before = std::exchange(trouble_, client::FailureInWords(status));
  return trouble_ != before;
}

std::string Trial::InWords(Instant now) const {
  return absl::StrCat("trying again in ",
                      client::LengthInWords(absl::Ceil(at_ - now, absl::Seconds(1))),
                      ", then less often, silently while nothing changes");
}

}  // namespace hourglass::agent
