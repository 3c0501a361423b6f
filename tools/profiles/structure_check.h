// Whether elements stand where the schemas have them, with values that they may have.
#ifndef HOURGLASS_TOOLS_PROFILES_STRUCTURE_CHECK_H_
#define HOURGLASS_TOOLS_PROFILES_STRUCTURE_CHECK_H_

#include "tools/profiles/report.h"
#include "tools/xml/xml_tree.h"

namespace hourglass::profiles {

// `root` is a VPNProfile or an EapHostConfig, in whatever namespace. Where it adds nothing for a
// VPNProfile, and thumbprints have their form, the profile is valid by the schemas, too.
void CheckStructure(const xml::Element& root, Report& report);

}  // namespace hourglass::profiles

#endif  // HOURGLASS_TOOLS_PROFILES_STRUCTURE_CHECK_H_
