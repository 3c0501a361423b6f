// Whether what clients received is what the journal holds, once.
#ifndef HOURGLASS_TESTS_HISTORY_DELIVERY_CHECK_H_
#define HOURGLASS_TESTS_HISTORY_DELIVERY_CHECK_H_

#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "tests/history/history.h"
#include "tests/history/violation.h"

namespace hourglass::history {

// The first record of each request id of a tenant, in which it points.
using RecordsByRequest = absl::flat_hash_map<absl::string_view, const RecordedCertificate*>;

// Adds kRequestRecordedTwice.
RecordsByRequest IndexRecords(const TenantHistory& tenant, std::vector<Violation>* violations);

// Whether this very certificate is the one that was released for its request.
bool IsRecorded(const IssueCall& call, const Received& received, const RecordsByRequest& records);

// `calls` are all of this tenant. Adds kReceivedMissing, kReceivedDiffers and
// kRequestAnsweredTwice.
void CheckReceived(const TenantHistory& tenant, absl::Span<const IssueCall* const> calls,
                   const RecordsByRequest& records, std::vector<Violation>* violations);

// `calls` are all of this tenant that were ever made. Adds kRecordedUnasked.
void CheckAsked(const TenantHistory& tenant, absl::Span<const IssueCall* const> calls,
                std::vector<Violation>* violations);

// Of all that was recorded, and what was received and is not recorded. Adds kSerialNumberTwice.
void CheckSerialNumbers(const TenantHistory& tenant, absl::Span<const IssueCall* const> calls,
                        const RecordsByRequest& records, std::vector<Violation>* violations);

}  // namespace hourglass::history

#endif  // HOURGLASS_TESTS_HISTORY_DELIVERY_CHECK_H_
