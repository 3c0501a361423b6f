// What a root is, and what to do with it next.
#ifndef HOURGLASS_TOOLS_HOURGLASS_ROOT_DESCRIPTION_H_
#define HOURGLASS_TOOLS_HOURGLASS_ROOT_DESCRIPTION_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "hourglass/v1/roots.pb.h"
#include "tools/client/failure.h"

namespace hourglass::cli {

// `EC_P256` is `ec-p256` wherever people meet it; KEY_TYPE_UNSPECIFIED for words that name none.
std::string KeyTypeInWords(v1::KeyType type);
v1::KeyType KeyTypeFromWords(const std::string& words);

// All that is known of a root. Errors: FIELD_INVALID with field `certificate` where the service's
// answer holds none.
absl::StatusOr<client::Json> RootAsJson(const v1::Root& root);
absl::StatusOr<std::string> RootInWords(const v1::Root& root, absl::Time now);

// What the administrator does with a root in this state; ended by a newline, or empty.
std::string NextStepFor(const v1::Root& root, absl::Time now);

}  // namespace hourglass::cli

#endif  // HOURGLASS_TOOLS_HOURGLASS_ROOT_DESCRIPTION_H_
