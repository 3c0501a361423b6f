// Which errors a client of a healthy service may meet while replicas and their database fail.
#ifndef HOURGLASS_TESTS_HISTORY_EXPECTED_ERRORS_H_
#define HOURGLASS_TESTS_HISTORY_EXPECTED_ERRORS_H_

#include "absl/strings/string_view.h"
#include "tests/history/history.h"

namespace hourglass::history {

// The reason's name where the client asks again under a new request id.
inline constexpr absl::string_view kPrimaryChanged = "PRIMARY_CHANGED";

// Whether an error of issuing goes away when its client asks again: those that hourglass-broker
// asks again after, the reasons with code UNAVAILABLE, OVERLOADED, and kPrimaryChanged. Without a
// reason it does not: that is no answer of the service.
bool IsRetryable(const Refused& refused);

// Whether an administrator may meet it, who does not know what others do meanwhile, or what became
// of the call before: what is retryable, and that the change is not possible or not any more.
bool IsExpectedOfAdministration(const Refused& refused);

}  // namespace hourglass::history

#endif  // HOURGLASS_TESTS_HISTORY_EXPECTED_ERRORS_H_
