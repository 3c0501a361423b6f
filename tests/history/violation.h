// What a history must not show: the rules, and where one is broken.
#ifndef HOURGLASS_TESTS_HISTORY_VIOLATION_H_
#define HOURGLASS_TESTS_HISTORY_VIOLATION_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace hourglass::history {

enum class Rule {
  // Durable before release (promise 3).
  kReceivedMissing,       // what a client received is in the journal, released
  kReceivedDiffers,       // with the same octets
  kRequestAnsweredTwice,  // one request id gets one certificate, of every replica, by every client
  kRequestRecordedTwice,  // and has one record
  kRecordedUnasked,       // each record has a client that asked; where all logs are whole
  kSerialNumberTwice,     // no serial number twice under a root, received or recorded
  // Only what was checked is signed (promise 4).
  kRecordContradicts,  // a record agrees with itself: octets, serial number, release
  kSignature,          // a certificate verifies under the root that the record names
  // One primary (promise 1).
  kMoveIllegal,              // each administrative action is a move that root_states.h allows
  kTwoPrimaries,             // no root is promoted beside a primary
  kTenantContradictsItself,  // epoch, revision and states of roots are what the actions lead to
  kChangeMissing,            // what an administrator was answered is among the actions
  kPromotionsReordered,      // a promotion that was answered comes before one that was sent later
  // A switch is a fence (promise 6).
  kEpochOfAnotherRoot,       // a record's root was primary in its epoch
  kOutsidePrimacy,           // and the record committed while it was
  kReleasedAfterSuccessor,   // no old certificate for a call sent after the answer to a promotion
  kRepeatedAfterSuccessor,   // nor a second time: a repeat passes the fence again (decision 3)
  kReleasedBeforePromotion,  // no certificate of a root before its promotion was asked for
  // Errors.
  kErrorNotRetryable,  // an error goes away when the client asks again
  kPrimaryNotChanged,  // PRIMARY_CHANGED is only said where the primary changed
};

// All of them, in the order above.
const std::vector<Rule>& AllRules();

// `received_missing` and so on: the enumerator in small letters. Lives as long as the process.
absl::string_view RuleName(Rule rule);

struct Violation {
  Rule rule;
  std::string what;    // what is wrong, a sentence
  std::string record;  // the record at fault, as history_in_words.h has it
  std::string other;   // the one that it contradicts; empty where it is one that is not there
};

// `rule: what`, and the records on lines of their own, indented. Ended by a newline.
std::string InWords(const Violation& violation);

}  // namespace hourglass::history

#endif  // HOURGLASS_TESTS_HISTORY_VIOLATION_H_
