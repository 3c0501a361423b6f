// Whether a policy's controls are satisfied.
#ifndef HOURGLASS_ISSUANCE_ACCESS_CONTROLS_H_
#define HOURGLASS_ISSUANCE_ACCESS_CONTROLS_H_

#include <optional>

#include "issuance/access/conditions.h"
#include "issuance/access/evaluation.h"
#include "issuance/access/prepared_policy.h"

namespace hourglass::access {

// Sets `satisfaction`, `grants` and `controls` of the result of a policy that may apply.
void ApplyControls(const PreparedPolicy& policy, const Circumstances& circumstances, Timestamp now,
                   PolicyResult* result);

// When the policy's sign-in frequency asks for an authentication again, if it does.
std::optional<Timestamp> AuthenticateAgainAt(const PreparedPolicy& policy,
                                             const SignInFacts& facts);

}  // namespace hourglass::access

#endif  // HOURGLASS_ISSUANCE_ACCESS_CONTROLS_H_
