// What a question to a compliance service must be, and a verdict on it.
#ifndef HOURGLASS_ISSUANCE_COMPLIANCE_QUESTION_H_
#define HOURGLASS_ISSUANCE_COMPLIANCE_QUESTION_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "hourglass/v1/compliance.pb.h"
#include "issuance/base/clock.h"
#include "issuance/base/entropy.h"

namespace hourglass::issuance {

// Whether every field has the form that v1::EvaluateRequest documents. Errors: FIELD_MISSING,
// FIELD_INVALID.
absl::Status CheckQuestion(const v1::EvaluateRequest& request);

// Says in the verdict which question it answers: the nonce, and whom and what it is for. Sets
// nothing else.
void NameQuestion(const v1::EvaluateRequest& request, v1::Verdict* verdict);

// A verdict of this service's own: with an id of 32 hexadecimal digits, as of `now`. A deny for
// these reasons; without any, an allowance. Errors: those of `entropy`.
absl::StatusOr<v1::Verdict> VerdictOn(const v1::EvaluateRequest& request,
                                      absl::string_view policy_version,
                                      absl::Span<const v1::DenyReason> reasons, Timestamp now,
                                      Entropy& entropy);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_COMPLIANCE_QUESTION_H_
