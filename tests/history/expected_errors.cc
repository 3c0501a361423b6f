#include "tests/history/expected_errors.h"

#include <algorithm>
#include <iterator>

#include "hsm/base/error.h"

namespace hourglass::history {
namespace {

constexpr ErrorReason kRetryable[] = {
    ErrorReason::kPrimaryChanged,
    ErrorReason::kComplianceUnavailable,
    ErrorReason::kComplianceAnswerInvalid,
    ErrorReason::kKeyUnavailable,
    ErrorReason::kJournalUnavailable,
    ErrorReason::kOverloaded,
    ErrorReason::kStopping,
    ErrorReason::kClockUntrusted,
    ErrorReason::kTokenNotJudged,
};

constexpr ErrorReason kOfAdministration[] = {
    ErrorReason::kRootMoveIllegal, ErrorReason::kPromotionBlocked, ErrorReason::kKeyInUse,
    ErrorReason::kKeyDestroyed,    ErrorReason::kQuotaExceeded,
};

template <std::size_t kSize>
bool Names(const ErrorReason (&reasons)[kSize], absl::string_view name) {
  return std::any_of(std::begin(reasons), std::end(reasons),
                     [name](ErrorReason reason) { return ErrorReasonName(reason) == name; });
}

}  // namespace

bool IsRetryable(const Refused& refused) { return Names(kRetryable, refused.reason); }

bool IsExpectedOfAdministration(const Refused& refused) {
  return IsRetryable(refused) || Names(kOfAdministration, refused.reason);
}

}  // namespace hourglass::history
