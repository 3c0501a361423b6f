// A history of a few calls that a test knows by name, to be spoiled.
#ifndef HOURGLASS_TESTS_HISTORY_TESTING_SMALL_HISTORY_H_
#define HOURGLASS_TESTS_HISTORY_TESTING_SMALL_HISTORY_H_

#include <string>

#include "absl/strings/string_view.h"
#include "tests/history/history.h"

namespace hourglass::history {

// In seconds since the machine's start:
//
//    1 to  2  administrator: CreateRoot r1        3 to  4  PromoteRoot r1
//   10 to 12  broker-1: request `old`, of r1     13 to 14  broker-2: `unreleased`, no answer
//   20 to 21  administrator: CreateRoot r2       22 to 24  PromoteRoot r2
//   30 to 32  broker-1: request `new`, of r2     33 to 35  broker-2: the same again
//   36 to 37  broker-2: request `old`, PRIMARY_CHANGED
//
// Each is done half a second before its answer, `unreleased` but for its release. All logs are
// whole.
struct SmallHistory {
  explicit SmallHistory(bool sub_keys = false);

  TenantHistory& tenant() { return history.tenants[0]; }
  // Each ends the process where there is none. Of several calls the first.
  IssueCall& CallOf(absl::string_view request_id);
  RecordedCertificate& RecordOf(absl::string_view request_id);
  AdministrativeCall& ChangeOf(AdministrativeMethod method, absl::string_view root_id);
  RootAction& ActionOf(absl::string_view action, absl::string_view root_id);

  History history;
};

// What a client has who received something.
std::string& CertificateOf(IssueCall& call);

// The same octets but for a bit of the last one, which is of the signature.
std::string Damaged(std::string certificate);

}  // namespace hourglass::history

#endif  // HOURGLASS_TESTS_HISTORY_TESTING_SMALL_HISTORY_H_
