#ifndef HOURGLASS_ISSUANCE_YAML_FILE_H_
#define HOURGLASS_ISSUANCE_YAML_FILE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hourglass::yaml {

// The text of a regular file of at most kMaxDocumentSize octets. Errors: CONFIGURATION_INVALID,
// `FILE:1: cannot be read: why`.
absl::StatusOr<std::string> ReadConfigurationFile(absl::string_view file_name);

}  // namespace hourglass::yaml

#endif  // HOURGLASS_ISSUANCE_YAML_FILE_H_
