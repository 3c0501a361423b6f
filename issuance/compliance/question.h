// What a question to a compliance service must be, and what its verdict repeats.
#ifndef HOURGLASS_ISSUANCE_COMPLIANCE_QUESTION_H_
#define HOURGLASS_ISSUANCE_COMPLIANCE_QUESTION_H_

#include "absl/status/status.h"
#include "hourglass/v1/compliance.pb.h"

namespace hourglass::issuance {

// Whether every field has the form that v1::EvaluateRequest documents. Errors: FIELD_MISSING,
// FIELD_INVALID.
absl::Status CheckQuestion(const v1::EvaluateRequest& request);

// Says in the verdict which question it answers: the nonce, and whom and what it is for. Sets
// nothing else.
void NameQuestion(const v1::EvaluateRequest& request, v1::Verdict* verdict);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_COMPLIANCE_QUESTION_H_
