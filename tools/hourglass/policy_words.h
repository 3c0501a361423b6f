// Words of policies, and what a verdict would be.
#ifndef HOURGLASS_TOOLS_HOURGLASS_POLICY_WORDS_H_
#define HOURGLASS_TOOLS_HOURGLASS_POLICY_WORDS_H_

#include <string>

#include "hourglass/v1/policies.pb.h"
#include "tools/client/failure.h"

namespace hourglass::cli {

// `conditional-access`, `named-location`, `device-compliance`; `unknown` for another.
std::string PolicyKindName(v1::PolicyKind kind);
// `enabled`, `disabled`, `report-only`; `unknown` for another.
std::string PolicyStateName(v1::PolicyState state);

// Every policy with what became of it, one a line, and what the device does not meet.
std::string OutcomesInWords(const v1::WhatIfResponse& response);
// The same, as members for a verdict: `policies`, `device_compliance`, `unmet_settings`.
void PutOutcomes(const v1::WhatIfResponse& response, client::Json* json);

}  // namespace hourglass::cli

#endif  // HOURGLASS_TOOLS_HOURGLASS_POLICY_WORDS_H_
