// What comes next in a rotation, and by which policy, as messages of the public contract.
#ifndef HOURGLASS_ISSUANCE_SERVICES_ROTATION_MAPPER_H_
#define HOURGLASS_ISSUANCE_SERVICES_ROTATION_MAPPER_H_

#include "hourglass/v1/rotation.pb.h"
#include "issuance/config/rotation_policy.h"
#include "issuance/rotation/rotation_planner.h"

namespace hourglass::issuance {

// Without what is in the way of the step, which the contract tells of the promotion that is next.
v1::RotationStep ToProto(const RotationStep& step);
v1::RotationPolicy ToProto(const RotationPolicy& policy);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVICES_ROTATION_MAPPER_H_
