// What of a denial stands whatever it is that is not known. All of it is pure, and safe to call
// from several threads.
#ifndef HOURGLASS_ISSUANCE_ACCESS_LENIENCE_H_
#define HOURGLASS_ISSUANCE_ACCESS_LENIENCE_H_

#include <vector>

#include "issuance/access/evaluation.h"

namespace hourglass::access {

// Facts that may be as good as can be where they are not known.
struct Lenience {
  bool sign_in = false;  // SignInFacts
  bool user = false;     // UserFacts, as a policy's choice of users asks for them
};

// What these results of one evaluation come to together.
Outcome OutcomeOf(const std::vector<PolicyResult>& results, const AccessOptions& options);

// `decision`, which is Evaluate's by `policies`, if each policy that hinges on what is not known
// and may be good applied and were satisfied, each by itself. What is a denial still is one
// whatever these facts are; what is an allowance need not be one. Controls that are not known and
// may be good are satisfied in it. What else is not known denies as before. The result refers to
// `policies`.
Decision Leniently(const PreparedPolicies& policies, Decision decision, const Lenience& lenience);

}  // namespace hourglass::access

#endif  // HOURGLASS_ISSUANCE_ACCESS_LENIENCE_H_
