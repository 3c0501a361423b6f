// What a question to a compliance service must be.
#ifndef HOURGLASS_ISSUANCE_COMPLIANCE_QUESTION_H_
#define HOURGLASS_ISSUANCE_COMPLIANCE_QUESTION_H_

#include "absl/status/status.h"
#include "hourglass/v1/compliance.pb.h"

namespace hourglass::issuance {

// Whether every field has the form that v1::EvaluateRequest documents. Errors: FIELD_MISSING,
// FIELD_INVALID.
absl::Status CheckQuestion(const v1::EvaluateRequest& request);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_COMPLIANCE_QUESTION_H_
