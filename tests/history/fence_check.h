// Whether the switch of a primary was a fence: by epochs, by times of commit, and by what clients
// saw in real time.
#ifndef HOURGLASS_TESTS_HISTORY_FENCE_CHECK_H_
#define HOURGLASS_TESTS_HISTORY_FENCE_CHECK_H_

#include <vector>

#include "absl/types/span.h"
#include "tests/history/delivery_check.h"
#include "tests/history/history.h"
#include "tests/history/primacy.h"
#include "tests/history/violation.h"

namespace hourglass::history {

// Every record, released or not, is of the root that was primary in its epoch, and committed, where
// that is known, between the promotions at both ends of it. Adds kEpochOfAnotherRoot and
// kOutsidePrimacy.
void CheckEpochs(const TenantHistory& tenant, const Primacy& primacy,
                 std::vector<Violation>* violations);

// `calls` are all of one tenant. Those who received what is recorded were not given it by a root
// that was no primary at any time between their asking and their answer. Adds
// kReleasedAfterSuccessor, kRepeatedAfterSuccessor (where it had been received before its root was
// known to have a successor) and kReleasedBeforePromotion.
void CheckRealTime(absl::Span<const IssueCall* const> calls, const RecordsByRequest& records,
                   const Primacy& primacy, std::vector<Violation>* violations);

}  // namespace hourglass::history

#endif  // HOURGLASS_TESTS_HISTORY_FENCE_CHECK_H_
