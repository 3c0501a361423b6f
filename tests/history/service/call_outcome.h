// What became of a call, as a client's log has it.
#ifndef HOURGLASS_TESTS_HISTORY_SERVICE_CALL_OUTCOME_H_
#define HOURGLASS_TESTS_HISTORY_SERVICE_CALL_OUTCOME_H_

#include <grpcpp/support/status.h>

#include <variant>

#include "hourglass/v1/error.pb.h"
#include "hourglass/v1/issuance.pb.h"
#include "hourglass/v1/roots.pb.h"
#include "tests/history/history.h"

namespace hourglass::history {

using IssueOutcome = decltype(IssueCall::outcome);
using AdministrativeOutcome = decltype(AdministrativeCall::outcome);

// Without an ErrorDetail, UNAVAILABLE, DEADLINE_EXCEEDED and CANCELLED are no answer: gRPC says
// them of calls whose service is gone, slow or given up. Any other error is one.
IssueOutcome OutcomeOf(const grpc::Status& status, const v1::IssueCertificateResponse& response);

// Of a request of a stream, which was answered. What had no answer when its stream ended is for its
// client to record as Unanswered.
IssueOutcome OutcomeOf(const v1::IssueCertificatesResponse& response);

AdministrativeOutcome OutcomeOf(const grpc::Status& status, const v1::Root& root);

}  // namespace hourglass::history

#endif  // HOURGLASS_TESTS_HISTORY_SERVICE_CALL_OUTCOME_H_
