// Decisions in words that a help desk can read out.
#ifndef HOURGLASS_ISSUANCE_ACCESS_EXPLANATION_H_
#define HOURGLASS_ISSUANCE_ACCESS_EXPLANATION_H_

#include <string>
#include <vector>

#include "issuance/access/evaluation.h"

namespace hourglass::access {

// What a control asks for: `the device must be compliant`.
std::string ControlDemand(const ControlResult& control);

// The same with how it stands: `the device must be compliant: it is not`.
std::string DescribeControl(const ControlResult& control);

// Whether the policy applied and why not, or what it asked for: one line, with the policy's name.
std::string DescribeResult(const PolicyResult& result);

// Why a decision denies, without repeats: what is missing, in the order of ControlKind, each with
// the name of the first policy that asks for it. Where no policy is known to apply, that, and which
// may and by what that is not known. Empty of an allowance.
std::vector<std::string> DenialReasons(const Decision& decision);

}  // namespace hourglass::access

#endif  // HOURGLASS_ISSUANCE_ACCESS_EXPLANATION_H_
