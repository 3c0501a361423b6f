// How the programs say that something was refused or failed.
#ifndef HOURGLASS_TOOLS_CLIENT_FAILURE_H_
#define HOURGLASS_TOOLS_CLIENT_FAILURE_H_

#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace hourglass::client {

using Json = nlohmann::ordered_json;

// Exit codes of the programs.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;  // refused or failed
inline constexpr int kExitUsage = 2;   // wrong usage

// The reason of hourglass.v1.ErrorReason, or the name of the status code where there is none:
// `UNAVAILABLE`.
std::string ReasonInWords(const absl::Status& status);

// `REASON: message` on one line; below it, where they are known, every deny reason with its
// remediation, when to try again, and what to do next. Ended by a newline, Printable.
std::string FailureInWords(const absl::Status& status);

// {"error": {"reason", "message", "field", "deny_reasons": [{"setting", "message",
// "remediation_url"}], "retry_after_seconds", "next"}}; members without a value are left out.
Json FailureAsJson(const absl::Status& status);

// `json` on lines indented by two spaces, ended by a newline. Octets that are not UTF-8 become
// U+FFFD.
std::string JsonText(const Json& json);
// The same on one line.
std::string JsonLine(const Json& json);

}  // namespace hourglass::client

#endif  // HOURGLASS_TOOLS_CLIENT_FAILURE_H_
