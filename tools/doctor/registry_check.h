// The mistakes in a Windows registry that make NPS or RRAS refuse certificates without a revocation
// list, or look for no revocation at all.
#ifndef HOURGLASS_TOOLS_DOCTOR_REGISTRY_CHECK_H_
#define HOURGLASS_TOOLS_DOCTOR_REGISTRY_CHECK_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "tools/doctor/finding.h"
#include "tools/doctor/registry_export.h"

namespace hourglass::doctor {

// `file` is the findings' place.
std::vector<Finding> CheckRegistry(const RegistryExport& registry, const std::string& file);

// ReadRegistryExport and CheckRegistry, with a finding `reg-unreadable` where it cannot be read.
std::vector<Finding> CheckRegistryFile(absl::string_view octets, const std::string& file);

}  // namespace hourglass::doctor

#endif  // HOURGLASS_TOOLS_DOCTOR_REGISTRY_CHECK_H_
