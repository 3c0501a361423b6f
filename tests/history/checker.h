// The history checker: whether what clients experienced, and what the database says afterwards,
// could have come from a certificate authority that kept its promises, however many replicas it
// has and whatever was done to them.
#ifndef HOURGLASS_TESTS_HISTORY_CHECKER_H_
#define HOURGLASS_TESTS_HISTORY_CHECKER_H_

#include <chrono>
#include <vector>

#include "tests/history/history.h"
#include "tests/history/violation.h"

namespace hourglass::history {

struct CheckOptions {
  // For the signatures; at least 1.
  int threads = 2;
  // After an answer to a promotion, how long other replicas may not know of it yet: a minute by
  // which they look, and as much for one that stood still.
  std::chrono::seconds news_delay{120};
};

// Every place where a rule (violation.h) is broken; empty where all are kept, which says nothing of
// a history in which nothing happened. Decides by its arguments alone; the same history gives the
// same violations in the same order. Takes time in proportion to the records, most of it to verify
// signatures. Calls of tenants that the history has no records of received what is missing.
std::vector<Violation> Check(const History& history, const CheckOptions& options = {});

}  // namespace hourglass::history

#endif  // HOURGLASS_TESTS_HISTORY_CHECKER_H_
