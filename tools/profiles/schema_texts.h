// The XML schemas of tools/profiles/schemas, as they are in the repository.
#ifndef HOURGLASS_TOOLS_PROFILES_SCHEMA_TEXTS_H_
#define HOURGLASS_TOOLS_PROFILES_SCHEMA_TEXTS_H_

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace hourglass::profiles {

struct SchemaText {
  absl::string_view file;  // `vpn-profile.xsd`; other schemas name it `hourglass:vpn-profile.xsd`
  absl::string_view text;
};

// All of them, for as long as the process lives.
absl::Span<const SchemaText> SchemaTexts();

}  // namespace hourglass::profiles

#endif  // HOURGLASS_TOOLS_PROFILES_SCHEMA_TEXTS_H_
