// What an asker for a certificate does next.
#ifndef HOURGLASS_TESTS_CHAOS_VERDICT_H_
#define HOURGLASS_TESTS_CHAOS_VERDICT_H_

#include <string>
#include <vector>

#include "tests/history/service/call_outcome.h"

namespace hourglass::chaos {

using history::IssueOutcome;

enum class Verdict {
  kReceived,
  kAskAnew,   // under another request id
  kAskAgain,  // under the same
  kLost       // to ask again would not help
};

// Of all that became of one request, asked of one replica or several at once. Where there is no
// certificate among it, `failure` says for people what came instead.
Verdict VerdictOf(const std::vector<IssueOutcome>& outcomes, std::string& failure);

}  // namespace hourglass::chaos

#endif  // HOURGLASS_TESTS_CHAOS_VERDICT_H_
