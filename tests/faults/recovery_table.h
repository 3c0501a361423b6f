// What each fault did and how soon it was over, printed at the end of the test program.
#ifndef HOURGLASS_TESTS_FAULTS_RECOVERY_TABLE_H_
#define HOURGLASS_TESTS_FAULTS_RECOVERY_TABLE_H_

#include <string>

#include "tests/faults/signing_load.h"

namespace hourglass {

struct Recovery {
  std::string fault = "";
  std::string what_happened = "";
  // From the fault's end until every answer was good again; for a fault that strikes once, the
  // longest time without a good signature.
  Milliseconds back_after{0};
  int calls_failed = 0;
  // Of the other tokens, before and during the fault; 0 where there was none.
  Milliseconds others_before{0};
  Milliseconds others_during{0};
};

// Adds a row to the table, which is printed in the form of docs/keys.md when all tests have run.
void AddToTable(const Recovery& recovery);

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_FAULTS_RECOVERY_TABLE_H_
