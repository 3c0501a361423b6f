// What `reg export` and `regedit` write (.reg files).
#ifndef HOURGLASS_TOOLS_DOCTOR_REGISTRY_EXPORT_H_
#define HOURGLASS_TOOLS_DOCTOR_REGISTRY_EXPORT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hourglass::doctor {

inline constexpr std::size_t kLargestRegistryExport = std::size_t{16} << 20;  // octets

struct RegistryValue {
  enum class Type { kDword, kText, kOctets, kDeleted, kNotUnderstood };

  std::string key;   // as it stands in the file: `HKEY_LOCAL_MACHINE\SYSTEM\…`
  std::string name;  // without quotes and their escapes; "" for the default value
  int line = 0;      // from 1
  Type type = Type::kNotUnderstood;
  std::uint32_t dword = 0;
  bool is_padded = true;  // a dword with its eight digits
  std::string octets;     // of kOctets, as they are decoded from the hexadecimal
  std::string text;       // of kText
};

struct RegistryKey {
  std::string path;
  int line = 0;
  bool deleted = false;  // `[-HKEY_…]`
};

struct RegistryExport {
  bool is_old_form = false;  // the first line is REGEDIT4
  bool is_utf16 = false;
  std::vector<RegistryKey> keys;  // in the file's order
  std::vector<RegistryValue>
      values;  // the same; without those that a later line takes away or sets again
};

// UTF-16 with or without byte order mark, or UTF-8. Errors: FIELD_INVALID without a field: too
// large, another encoding, or no such header. Lines that are not understood are left out. Several
// threads may call it.
absl::StatusOr<RegistryExport> ReadRegistryExport(absl::string_view octets);

// `path` below `HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\`, or a ControlSet001 and its like, in
// small letters; empty where it is elsewhere.
std::optional<std::string> BelowControlSet(absl::string_view path);

}  // namespace hourglass::doctor

#endif  // HOURGLASS_TOOLS_DOCTOR_REGISTRY_EXPORT_H_
