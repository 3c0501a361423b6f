// What policies refer to and nobody supplied.
#ifndef HOURGLASS_ISSUANCE_ACCESS_MISSING_REFERENCES_H_
#define HOURGLASS_ISSUANCE_ACCESS_MISSING_REFERENCES_H_

#include <vector>

#include "issuance/access/evaluation.h"
#include "issuance/access/named_location.h"
#include "issuance/access/policy.h"

namespace hourglass::access {

// The references of a policy that lead nowhere, each with its path: named locations that are not
// among `locations`, the trusted IPs of multifactor authentication while `options` has none, and
// ids of applications while it does not say which is the VPN server. The policy's conditions on
// them are not known, so that it is enforced on more people than its author means: to be told when
// policies are imported, and when the tenant's options or locations change. A pure function.
std::vector<NotUnderstood> MissingReferences(const ConditionalAccessPolicy& policy,
                                             const std::vector<NamedLocation>& locations,
                                             const AccessOptions& options);

}  // namespace hourglass::access

#endif  // HOURGLASS_ISSUANCE_ACCESS_MISSING_REFERENCES_H_
