// How the programs say that something was refused or failed.
#ifndef HOURGLASS_TOOLS_CLIENT_FAILURE_H_
#define HOURGLASS_TOOLS_CLIENT_FAILURE_H_

#include <google/protobuf/repeated_ptr_field.h>

#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "hourglass/v1/error.pb.h"

namespace hourglass::client {

using Json = nlohmann::ordered_json;

// Exit codes of the programs.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;  // refused or failed
inline constexpr int kExitUsage = 2;   // wrong usage

// The reason of hourglass.v1.ErrorReason, or the name of the status code where there is none:
// `UNAVAILABLE`.
std::string ReasonInWords(const absl::Status& status);

// What is in the way of a promotion, one a line: `  - NOT_ACKNOWLEDGED gateway-1: message`; below
// them what to do next, one line for each kind. Printable.
std::string ObstaclesInWords(const google::protobuf::RepeatedPtrField<v1::PromotionObstacle>& all);
// [{"kind", "relying_party", "message", "next"}], without the relying party where there is none.
Json ObstaclesAsJson(const google::protobuf::RepeatedPtrField<v1::PromotionObstacle>& all);

// `REASON: message` on one line; below it, where they are known, every deny reason with its
// remediation, the correlation id of the refusal, what is in the way of a promotion, when to try
// again, and what to do next. What is in the way is said there and not in the message as well.
// Ended by a newline, Printable.
std::string FailureInWords(const absl::Status& status);

// {"error": {"reason", "message", "field", "deny_reasons": [{"setting", "message",
// "remediation_url"}], "correlation_id", "retry_after_seconds", "next"}}; members without a value
// are left out.
Json FailureAsJson(const absl::Status& status);

// `json` on lines indented by two spaces, ended by a newline. Octets that are not UTF-8 become
// U+FFFD.
std::string JsonText(const Json& json);
// The same on one line.
std::string JsonLine(const Json& json);

}  // namespace hourglass::client

#endif  // HOURGLASS_TOOLS_CLIENT_FAILURE_H_
