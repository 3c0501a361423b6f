// Whether clients met only errors that they may meet.
#ifndef HOURGLASS_TESTS_HISTORY_ERROR_CHECK_H_
#define HOURGLASS_TESTS_HISTORY_ERROR_CHECK_H_

#include <vector>

#include "absl/types/span.h"
#include "tests/history/delivery_check.h"
#include "tests/history/history.h"
#include "tests/history/primacy.h"
#include "tests/history/violation.h"

namespace hourglass::history {

// Adds kErrorNotRetryable.
void CheckErrors(absl::Span<const IssueCall* const> calls, std::vector<Violation>* violations);
void CheckErrors(absl::Span<const AdministrativeCall* const> calls,
                 std::vector<Violation>* violations);

// `calls` are all of one tenant. Adds kPrimaryNotChanged for each PRIMARY_CHANGED of a request for
// which no change of the primary can have been made between its first sending, less `news_delay`,
// and this answer: a promotion may be held against those that it met, and against nobody else. What
// was to be signed by an intermediate that is gone is refused with the same reason.
void CheckPrimaryChanged(absl::Span<const IssueCall* const> calls, const RecordsByRequest& records,
                         const Primacy& primacy, Uptime news_delay,
                         std::vector<Violation>* violations);

}  // namespace hourglass::history

#endif  // HOURGLASS_TESTS_HISTORY_ERROR_CHECK_H_
