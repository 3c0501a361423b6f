// What is answered to octets that are no message.
#ifndef HOURGLASS_ISSUANCE_CALLS_MALFORMED_MESSAGE_H_
#define HOURGLASS_ISSUANCE_CALLS_MALFORMED_MESSAGE_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace hourglass::issuance {

// FIELD_INVALID for octets that are no message of this type of the contract (`GetRootRequest`).
absl::Status MalformedMessage(absl::string_view type);

// Where the method stands in its service, as the generated code counts them. Ends the process where
// there is none.
int IndexOfMethod(absl::string_view service, absl::string_view method);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_CALLS_MALFORMED_MESSAGE_H_
