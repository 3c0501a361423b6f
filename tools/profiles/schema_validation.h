// Whether a profile is valid by the schemas, in libxml2's judgement.
#ifndef HOURGLASS_TOOLS_PROFILES_SCHEMA_VALIDATION_H_
#define HOURGLASS_TOOLS_PROFILES_SCHEMA_VALIDATION_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace hourglass::profiles {

// What libxml2 finds in `xml`, `line N: message` each; empty where it is valid. `xml` must be UTF-8
// and small: of our own writing, or read by xml::Read before. From the first call on libxml2 opens
// nothing in this process but the embedded schemas, whoever asks it to: no file, no address.
// Several threads may call it.
std::vector<std::string> SchemaFaults(absl::string_view xml);

}  // namespace hourglass::profiles

#endif  // HOURGLASS_TOOLS_PROFILES_SCHEMA_VALIDATION_H_
