// What to do next about an error.
#ifndef HOURGLASS_TOOLS_CLIENT_ADVICE_H_
#define HOURGLASS_TOOLS_CLIENT_ADVICE_H_

#include "absl/strings/string_view.h"

namespace hourglass::client {

// The next step where reason, field and, of an access token, its fault tell; else empty. Lives as
// long as the process.
absl::string_view AdviceFor(absl::string_view reason, absl::string_view field,
                            absl::string_view token_fault);

}  // namespace hourglass::client

#endif  // HOURGLASS_TOOLS_CLIENT_ADVICE_H_
