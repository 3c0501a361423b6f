// One reader for each kind of object.
#ifndef HOURGLASS_ISSUANCE_ACCESS_GRAPH_READERS_H_
#define HOURGLASS_ISSUANCE_ACCESS_GRAPH_READERS_H_

#include <vector>

#include "issuance/access/graph/graph_export.h"
#include "issuance/access/graph/members.h"

namespace hourglass::access {

// All add what is wrong to the mistakes of `members`, and what is to be told to `notices`.
ConditionalAccessPolicy ReadPolicy(Members members, std::vector<Notice>* notices);
NamedLocation ReadLocation(Members members, std::vector<Notice>* notices);
CompliancePolicy ReadCompliancePolicy(Members members, std::vector<Notice>* notices);

// And back.
Json PolicyJson(const ConditionalAccessPolicy& policy);
Json LocationJson(const NamedLocation& location);
Json CompliancePolicyJson(const CompliancePolicy& policy);

// Adds members that ReadX had left as they are.
void PutBack(const OtherMembers& members, Json* object);

}  // namespace hourglass::access

#endif  // HOURGLASS_ISSUANCE_ACCESS_GRAPH_READERS_H_
