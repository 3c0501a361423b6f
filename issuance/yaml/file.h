// Reading the text of a configuration file.
#ifndef HOURGLASS_ISSUANCE_YAML_FILE_H_
#define HOURGLASS_ISSUANCE_YAML_FILE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hourglass::yaml {

// The text of a regular file of at most kMaxDocumentSize octets. Errors: CONFIGURATION_INVALID for
// a file that is none or is larger, which it stays until somebody changes it; UNAVAILABLE without a
// reason where it could not be read, which may pass by itself. Messages: `FILE:1: cannot be read:
// why`.
absl::StatusOr<std::string> ReadDocument(absl::string_view file_name);

// The same, with every error CONFIGURATION_INVALID: for whoever reads once.
absl::StatusOr<std::string> ReadConfigurationFile(absl::string_view file_name);

}  // namespace hourglass::yaml

#endif  // HOURGLASS_ISSUANCE_YAML_FILE_H_
