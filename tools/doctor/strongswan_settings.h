// The settings files of strongSwan: swanctl.conf and strongswan.conf (strongswan.conf(5)).
#ifndef HOURGLASS_TOOLS_DOCTOR_STRONGSWAN_SETTINGS_H_
#define HOURGLASS_TOOLS_DOCTOR_STRONGSWAN_SETTINGS_H_

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hourglass::doctor {

inline constexpr std::size_t kLargestConfiguration = std::size_t{1} << 20;  // octets

struct StrongswanValue {
  std::string name;
  std::string value;
  int line = 0;  // from 1
};

struct StrongswanSection {
  std::string name;
  int line = 0;
  std::vector<StrongswanValue> values;  // the last of a name counts
  std::vector<StrongswanSection> sections;
  std::vector<std::string> references;  // `connections.defaults`, whose values count here, too
  bool includes = false;                // files that were not read

  const StrongswanSection* Section(absl::string_view section) const;
  // The last of this name; null where there is none.
  const StrongswanValue* Value(absl::string_view value) const;
  // Its text, or `fallback`.
  std::string Text(absl::string_view value, absl::string_view fallback) const;
};

struct StrongswanSettings {
  StrongswanSection root;
  std::vector<StrongswanValue> includes;  // files that were not read; the pattern is the value
};

// Sections of one name become one, and what a section refers to is put into it. Errors:
// FIELD_INVALID without a field, with the line: too large, not UTF-8, braces that do not match,
// sections more than 32 deep, more than 5000 settings. Several threads may call it.
absl::StatusOr<StrongswanSettings> ParseStrongswanSettings(absl::string_view text);

}  // namespace hourglass::doctor

#endif  // HOURGLASS_TOOLS_DOCTOR_STRONGSWAN_SETTINGS_H_
