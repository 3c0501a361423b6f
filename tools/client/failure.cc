#include "tools/client/failure.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "ca/text/visible_text.h"
#include "hsm/base/error.h"
#include "tools/client/advice.h"
#include "tools/client/connection.h"
#include "tools/client/wording.h"

namespace hourglass::client {
namespace {

// What to do about what is in the way of a promotion.
absl::string_view NextFor(v1::PromotionObstacle::Kind kind) {
  switch (kind) {
    case v1::PromotionObstacle::NOT_ACKNOWLEDGED:
      return "have it follow the trust bundle (hourglass-bundle sync); of a manual one, install "
             "the "
             "roots and say so (hourglass relying-parties attest); one that is gone for good is "
             "removed (hourglass relying-parties remove). Or cut it off: roots promote --override "
             "REASON";
    case v1::PromotionObstacle::NO_RELYING_PARTY:
      return "register who checks the certificates (hourglass relying-parties register); or, where "
             "you know yourself that every gateway trusts the root already: roots promote --yes";
    case v1::PromotionObstacle::KEY_CANNOT_SIGN:
      return "see how the key and its place fare: hourglass keys list; a key that is lost takes "
             "another root: hourglass roots create";
    case v1::PromotionObstacle::ENDS_TOO_SOON:
      return "make a root that lasts longer: hourglass roots create";
    case v1::PromotionObstacle::NOT_YET_VALID:
      return "check the clock of the service's machine: hourglass clock show";
    default:
      return "";
  }
}

std::string NextForConnection(const absl::Status& status) {
  if (status.code() == absl::StatusCode::kDeadlineExceeded) {
    return "raise `timeout` in the configuration if the service is only slow";
  }
  if (status.code() != absl::StatusCode::kUnavailable) return "";
  const absl::string_view message = status.message();
  if (absl::StrContains(message, "handshake") || absl::StrContains(message, "SSL") ||
      absl::StrContains(message, "Peer name") || absl::StrContains(message, "Socket closed")) {
    return "check that `tls.trusted_roots` is what the service's certificate chains to, that "
           "`server_name` is a name in "
           "it, and that the service trusts the issuer of `tls.certificate`, which must be for "
           "clientAuth";
  }
  return "check that hourglassd runs and listens where `server` says";
}

std::string NextStep(const absl::Status& status) {
  const v1::ErrorDetail detail = DetailOf(status);
  // Then each of them says what to do.
  if (!detail.obstacles().empty()) return "";
  const absl::string_view advice =
      AdviceFor(ReasonInWords(status), FieldOf(status), detail.token_fault());
  if (!advice.empty()) return std::string(advice);
  return ReasonOf(status) == ErrorReason::kUnspecified ? NextForConnection(status) : "";
}

// The message up to what is in the way of a promotion, which it lists too, for programs that do not
// know of obstacles.
absl::string_view WithoutObstacles(absl::string_view message, const v1::ErrorDetail& detail) {
  if (detail.obstacles().empty()) return message;
  const std::string& first = detail.obstacles(0).message();
  const std::size_t begin = first.empty() ? absl::string_view::npos : message.find(first);
  if (begin == absl::string_view::npos) return message;
  message = absl::StripTrailingAsciiWhitespace(message.substr(0, begin));
  absl::ConsumeSuffix(&message, ":");
  return message;
}

// A configuration's mistakes come one a line, and only from this program itself.
std::string MessageInWords(const absl::Status& status) {
  if (ReasonOf(status) != ErrorReason::kConfigurationInvalid) {
    return Printable(WithoutObstacles(status.message(), DetailOf(status)));
  }
  std::vector<std::string> lines;
  for (const absl::string_view line : absl::StrSplit(status.message(), '\n')) {
    lines.push_back(Printable(line));
  }
  return absl::StrJoin(lines, "\n  ");
}

absl::Duration RetryDelay(const v1::ErrorDetail& detail) {
  return absl::Seconds(detail.retry_delay().seconds()) +
         absl::Nanoseconds(detail.retry_delay().nanos());
}

}  // namespace

std::string ReasonInWords(const absl::Status& status) {
  const ErrorReason reason = ReasonOf(status);
  if (reason != ErrorReason::kUnspecified) return std::string(ErrorReasonName(reason));
  // A newer service may have reasons that this program's absl names lack, but not its proto.
  const v1::ErrorDetail detail = DetailOf(status);
  if (v1::ErrorReason_IsValid(detail.reason()) && detail.reason() != v1::ERROR_REASON_UNSPECIFIED) {
    return v1::ErrorReason_Name(detail.reason());
  }
  return absl::StatusCodeToString(status.code());
}

std::string ObstaclesInWords(const google::protobuf::RepeatedPtrField<v1::PromotionObstacle>& all) {
  std::string text;
  std::vector<absl::string_view> advice;
  for (const v1::PromotionObstacle& obstacle : all) {
    absl::StrAppend(&text, "  - ", v1::PromotionObstacle::Kind_Name(obstacle.kind()),
                    obstacle.relying_party().empty() ? "" : " ",
                    Printable(obstacle.relying_party()), ": ", Printable(obstacle.message()), "\n");
    const absl::string_view next = NextFor(obstacle.kind());
    if (!next.empty() && std::find(advice.begin(), advice.end(), next) == advice.end()) {
      advice.push_back(next);
    }
  }
  for (const absl::string_view next : advice) absl::StrAppend(&text, "  next: ", next, "\n");
  return text;
}

Json ObstaclesAsJson(const google::protobuf::RepeatedPtrField<v1::PromotionObstacle>& all) {
  Json json = Json::array();
  for (const v1::PromotionObstacle& obstacle : all) {
    Json one = {{"kind", v1::PromotionObstacle::Kind_Name(obstacle.kind())}};
    if (!obstacle.relying_party().empty()) one["relying_party"] = obstacle.relying_party();
    one["message"] = obstacle.message();
    const absl::string_view next = NextFor(obstacle.kind());
    if (!next.empty()) one["next"] = std::string(next);
    json.push_back(std::move(one));
  }
  return json;
}

std::string FailureInWords(const absl::Status& status) {
  const v1::ErrorDetail detail = DetailOf(status);
  std::string text = absl::StrCat(ReasonInWords(status), ": ", MessageInWords(status), "\n");
  for (const v1::DenyReason& reason : detail.deny_reasons()) {
    absl::StrAppend(&text, "  - ", Printable(reason.setting()), ": ", Printable(reason.message()),
                    "\n");
    if (!reason.remediation_url().empty()) {
      absl::StrAppend(&text, "    how to mend it: ", Printable(reason.remediation_url()), "\n");
    }
  }
  if (!detail.correlation_id().empty()) {
    absl::StrAppend(&text, "  for the help desk: correlation id ",
                    Printable(detail.correlation_id()), "\n");
  }
  text += ObstaclesInWords(detail.obstacles());
  if (detail.has_retry_delay()) {
    absl::StrAppend(&text, "  try again in ",
                    LengthInWords(absl::Ceil(RetryDelay(detail), absl::Seconds(1))), "\n");
  }
  const std::string next = NextStep(status);
  if (!next.empty()) absl::StrAppend(&text, "  next: ", next, "\n");
  return text;
}

Json FailureAsJson(const absl::Status& status) {
  const v1::ErrorDetail detail = DetailOf(status);
  Json error = {{"reason", ReasonInWords(status)}, {"message", std::string(status.message())}};
  const std::string field = FieldOf(status);
  if (!field.empty()) error["field"] = field;
  for (const v1::DenyReason& reason : detail.deny_reasons()) {
    error["deny_reasons"].push_back({{"setting", reason.setting()},
                                     {"message", reason.message()},
                                     {"remediation_url", reason.remediation_url()}});
  }
  if (!detail.correlation_id().empty()) error["correlation_id"] = detail.correlation_id();
  if (!detail.obstacles().empty()) error["obstacles"] = ObstaclesAsJson(detail.obstacles());
  if (detail.has_retry_delay()) {
    error["retry_after_seconds"] = absl::ToDoubleSeconds(RetryDelay(detail));
  }
  const std::string next = NextStep(status);
  if (!next.empty()) error["next"] = next;
  return {{"error", error}};
}

std::string JsonText(const Json& json) {
  return ca::VisibleJson(json.dump(2, ' ', false, Json::error_handler_t::replace)) + "\n";
}

std::string JsonLine(const Json& json) {
  return ca::VisibleJson(json.dump(-1, ' ', false, Json::error_handler_t::replace)) + "\n";
}

}  // namespace hourglass::client
