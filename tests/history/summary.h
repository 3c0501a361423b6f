// A history and its violations in numbers.
#ifndef HOURGLASS_TESTS_HISTORY_SUMMARY_H_
#define HOURGLASS_TESTS_HISTORY_SUMMARY_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/history/history.h"
#include "tests/history/violation.h"

namespace hourglass::history {

// Counts. What a history that shows nothing wrong is worth: one without certificates, promotions
// and failures shows nothing at all.
struct Summary {
  std::int64_t clients = 0;  // that made a call
  std::int64_t torn_lines = 0;
  bool logs_are_whole = false;
  std::int64_t calls = 0;                       // for certificates
  std::int64_t received = 0;                    // of these, answered with one
  std::int64_t received_again = 0;              // of these, under a request id that had one before
  std::map<std::string, std::int64_t> refused;  // by reason, or code without one
  std::map<std::string, std::int64_t> unanswered;  // by code
  std::map<std::string, std::int64_t> received_by_replica;
  // By method, and its outcome: `PromoteRoot done`, `PromoteRoot ROOT_MOVE_ILLEGAL`.
  std::map<std::string, std::int64_t> administration;
  std::int64_t tenants = 0;
  std::int64_t recorded = 0;
  std::int64_t released = 0;    // of the recorded
  std::int64_t promotions = 0;  // recorded, and roll backs
  std::map<Rule, std::int64_t> violations;
};

Summary Summarize(const History& history, const std::vector<Violation>& violations);

// Some lines for people, with every rule, and the sum at the end.
std::string InWords(const Summary& summary);

}  // namespace hourglass::history

#endif  // HOURGLASS_TESTS_HISTORY_SUMMARY_H_
