#include "tests/chaos/verdict.h"

#include <variant>

#include "absl/strings/str_cat.h"
#include "tests/history/expected_errors.h"

namespace hourglass::chaos {
namespace {

std::string InWords(const history::Refused& refused) {
  return absl::StrCat(refused.code, " ", refused.reason, " ", refused.message);
}

}  // namespace

Verdict VerdictOf(const std::vector<IssueOutcome>& outcomes, std::string& failure) {
  Verdict verdict = Verdict::kAskAgain;
  for (const IssueOutcome& outcome : outcomes) {
    if (std::holds_alternative<history::Received>(outcome)) return Verdict::kReceived;
    const auto* const refused = std::get_if<history::Refused>(&outcome);
    if (refused == nullptr) {
      failure = std::get<history::Unanswered>(outcome).message;
      continue;
    }
    failure = InWords(*refused);
    if (!history::IsRetryable(*refused)) return Verdict::kLost;
    if (refused->reason == history::kPrimaryChanged) verdict = Verdict::kAskAnew;
  }
  return verdict;
}

}  // namespace hourglass::chaos
