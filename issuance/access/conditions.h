// Whether a policy's conditions hold.
#ifndef HOURGLASS_ISSUANCE_ACCESS_CONDITIONS_H_
#define HOURGLASS_ISSUANCE_ACCESS_CONDITIONS_H_

#include "issuance/access/device_view.h"
#include "issuance/access/evaluation.h"
#include "issuance/access/prepared_locations.h"
#include "issuance/access/prepared_policy.h"

namespace hourglass::access {

// What a policy is asked with.
struct Circumstances {
  const Facts& facts;
  const AssumedFacts& assumed;
  DeviceView device;
  Whereabouts whereabouts;
};

// Sets `application`, `excluded_by` and `not_known` of the result.
void ApplyConditions(const PreparedPolicy& policy, Circumstances* circumstances,
                     PolicyResult* result);

}  // namespace hourglass::access

#endif  // HOURGLASS_ISSUANCE_ACCESS_CONDITIONS_H_
