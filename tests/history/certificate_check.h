// Whether recorded certificates are what their records say.
#ifndef HOURGLASS_TESTS_HISTORY_CERTIFICATE_CHECK_H_
#define HOURGLASS_TESTS_HISTORY_CERTIFICATE_CHECK_H_

#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "tests/history/history.h"
#include "tests/history/violation.h"

namespace hourglass::history {

// Adds kRecordContradicts and kSignature, in the order of the records, whatever `threads`, at least
// 1: on so many the signatures are verified, by OpenSSL, some 50 µs each with P-256.
void CheckCertificates(const TenantHistory& tenant, int threads,
                       std::vector<Violation>* violations);

// The root's id by the Name, DER, that its certificates have as their issuer: its own subject and
// those of its intermediates. Lives as long as `tenant`.
absl::flat_hash_map<std::string, absl::string_view> RootsByIssuer(const TenantHistory& tenant);

}  // namespace hourglass::history

#endif  // HOURGLASS_TESTS_HISTORY_CERTIFICATE_CHECK_H_
