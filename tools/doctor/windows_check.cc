#include "tools/doctor/windows_check.h"

#include <utility>

#include "tools/doctor/finding_list.h"
#include "tools/doctor/nps_check.h"
#include "tools/doctor/registry_check.h"

namespace hourglass::doctor {
namespace {

void Append(std::vector<Finding>& all, std::vector<Finding> more) {
  for (Finding& finding : more) all.push_back(std::move(finding));
}

}  // namespace

std::vector<Finding> CheckWindows(const std::vector<NamedFile>& nps_exports,
                                  const std::vector<NamedFile>& registry_exports) {
  std::vector<Finding> all;
  bool forwards = false;
  for (const NamedFile& file : nps_exports) {
    Append(all, CheckNpsFile(file.octets, file.name));
    const absl::StatusOr<NpsExport> nps = ReadNpsExport(file.octets);
    forwards = forwards || (nps.ok() && ForwardsVpnRequests(*nps));
  }
  for (const NamedFile& file : registry_exports) {
    Append(all, CheckRegistryFile(file.octets, file.name));
  }
  FindingList together("");
  if (registry_exports.empty()) {
    together.AddNote("reg-not-given", "no registry was given",
                     "whether NPS refuses certificates without a revocation list is not known",
                     "export it: reg export HKLM\\SYSTEM\\CurrentControlSet\\Services\\RasMan "
                     "rasman.reg, and give it with --registry-export");
  } else if (forwards && registry_exports.size() < 2) {
    together.AddWarning("reg-of-one-server-only",
                        "requests go through two servers, and one registry was given",
                        "the switch about revocation is wanted on both; the other may refuse every "
                        "certificate",
                        "export the registry of the other server as well");
  }
  if (nps_exports.empty()) {
    together.AddNote("nps-not-given", "no export of NPS was given", "who gets in is not known",
                     "export it with `netsh nps export filename=\"nps.xml\" exportPSK=YES`, and "
                     "give it with --nps-export");
  }
  Append(all, together.Take());
  return all;
}

}  // namespace hourglass::doctor
