// Profiles as they are found: as they are, escaped, in SyncML, in a script, damaged by copying.
#ifndef HOURGLASS_TOOLS_PROFILES_PROFILE_TEXT_H_
#define HOURGLASS_TOOLS_PROFILES_PROFILE_TEXT_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tools/profiles/report.h"
#include "tools/xml/xml_tree.h"

namespace hourglass::profiles {

// What was read. Roots are VPNProfile or EapHostConfig elements, in the order of the file; each
// lives in one of the documents.
struct ProfileDocuments {
  std::vector<std::unique_ptr<xml::Element>> documents;
  std::vector<const xml::Element*> roots;
};

// Reads a file: UTF-8 or UTF-16, with or without byte order mark. Adds to `report` what is wrong
// with the text itself, and mends as much of that as it takes to go on; there is no root where that
// is not enough. Errors: FIELD_INVALID without a field where a file is no profile by its size, its
// depth, its number of elements, its document type or its encoding: nothing in it is looked at.
absl::StatusOr<ProfileDocuments> ReadProfiles(absl::string_view octets, Report& report);

// Adds kOmaUri where `uri` is none of a profile's node.
void CheckOmaUri(absl::string_view uri, int line, Report& report);

}  // namespace hourglass::profiles

#endif  // HOURGLASS_TOOLS_PROFILES_PROFILE_TEXT_H_
