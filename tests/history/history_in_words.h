// The records of a history as people read them.
#ifndef HOURGLASS_TESTS_HISTORY_HISTORY_IN_WORDS_H_
#define HOURGLASS_TESTS_HISTORY_HISTORY_IN_WORDS_H_

#include <string>

#include "absl/strings/string_view.h"
#include "tests/history/history.h"

namespace hourglass::history {

// Each one line. Of octets the begin of their SHA-256, of serial numbers hexadecimal digits; times
// of the monotonic clock in seconds, others in microseconds since 1970.
std::string Describe(const IssueCall& call);
std::string Describe(const AdministrativeCall& call);
std::string Describe(const TenantHistory& tenant, const RecordedCertificate& record);
std::string Describe(const TenantHistory& tenant, const RecordedIntermediate& record);
std::string Describe(const TenantHistory& tenant, const RecordedRoot& root);
std::string Describe(const TenantHistory& tenant, const RootAction& action);
std::string Describe(const TenantHistory& tenant);

}  // namespace hourglass::history

#endif  // HOURGLASS_TESTS_HISTORY_HISTORY_IN_WORDS_H_
