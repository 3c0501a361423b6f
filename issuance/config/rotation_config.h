// The section `rotation` of what a tenant issues.
#ifndef HOURGLASS_ISSUANCE_CONFIG_ROTATION_CONFIG_H_
#define HOURGLASS_ISSUANCE_CONFIG_ROTATION_CONFIG_H_

#include <chrono>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "issuance/config/rotation_policy.h"
#include "issuance/yaml/mapping.h"

namespace hourglass::issuance {

// `off`, `dry_run` or `automatic`. Lives as long as the process.
absl::string_view RotationModeName(RotationMode mode);

// `policy` with the fields that `rotation` in `issuing` gives replaced. A mistake of the document
// is a field that is malformed or out of range, and a time that what is given makes too long or too
// short beside another, as RotationPolicy has it. `leaf_lifetime` is that of the certificates,
// which `issuing` may give, too. Safe to call from several threads, each with a document of its
// own.
RotationPolicy ReadRotation(yaml::Mapping issuing, RotationPolicy policy,
                            std::chrono::seconds leaf_lifetime);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_CONFIG_ROTATION_CONFIG_H_
