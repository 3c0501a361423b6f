// The exports of one or more Windows servers together.
#ifndef HOURGLASS_TOOLS_DOCTOR_WINDOWS_CHECK_H_
#define HOURGLASS_TOOLS_DOCTOR_WINDOWS_CHECK_H_

#include <string>
#include <vector>

#include "tools/doctor/finding.h"

namespace hourglass::doctor {

// A file as it was given and what it holds.
struct NamedFile {
  std::string name;
  std::string octets;
};

// CheckNpsFile and CheckRegistryFile of each, and what only both together show: a server that hands
// requests to another, of which there is no export, and a registry that was not given at all.
std::vector<Finding> CheckWindows(const std::vector<NamedFile>& nps_exports,
                                  const std::vector<NamedFile>& registry_exports);

}  // namespace hourglass::doctor

#endif  // HOURGLASS_TOOLS_DOCTOR_WINDOWS_CHECK_H_
