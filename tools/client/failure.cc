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
#include "tools/client/connection.h"
#include "tools/client/wording.h"

namespace hourglass::client {
namespace {

struct Advice {
  absl::string_view reason;
  absl::string_view next;
  // Only for errors whose field begins so.
  absl::string_view field = "";
};

constexpr absl::string_view kPinSourceAdvice =
    "put the PIN where pin-source= says; a file must be one that only the account of hourglassd "
    "may use: chmod 600";

// What the next step is where reason and field tell; the first that fits.
constexpr Advice kAdvice[] = {
    {"CALLER_UNKNOWN",
     "bind this client certificate to a caller under `callers` in hourglassd.yaml"},
    {"ROLE_NOT_PERMITTED",
     "use credentials of a caller that has the role, or add it under `callers` in hourglassd.yaml"},
    {"TENANT_NOT_PERMITTED",
     "check the tenant's id; the tenants of a caller are under `callers` in hourglassd.yaml"},
    {"TENANT_UNKNOWN", "see the tenants there are: hourglass tenants list"},
    {"TENANT_EXISTS", "look at it: hourglass tenants show TENANT"},
    {"ROOT_UNKNOWN", "see the tenant's roots: hourglass roots list --tenant TENANT"},
    {"ROOT_MOVE_ILLEGAL", "see the states of the roots: hourglass roots list --tenant TENANT"},
    {"NO_PRIMARY_ROOT",
     "an administrator makes one: hourglass roots promote --tenant TENANT ROOT, or hourglass roots "
     "create … --primary"},
    {"ROOT_EXPIRING",
     "an administrator creates the next root, has relying parties trust it, and promotes it: "
     "hourglass roots create …"},
    {"SUB_KEY_NOT_ALLOWED",
     "create a root with --issuing-sub-keys, have relying parties trust it, and promote it; or "
     "turn "
     "issuing.sub_key off in hourglassd.yaml"},
    {"ROOT_NOT_YET_VALID", "check the clock of the service's machine"},
    {"PROMOTION_BLOCKED",
     "see where the rotation stands: hourglass rotation status --tenant TENANT"},
    {"RELYING_PARTY_UNKNOWN",
     "see the relying parties there are: hourglass relying-parties list --tenant TENANT"},
    {"RELYING_PARTY_EXISTS",
     "see the relying parties there are (hourglass relying-parties list --tenant TENANT), and name "
     "another; one that is to change is removed first"},
    {"BUNDLE_UNKNOWN",
     "see the version of now: hourglass rotation status --tenant TENANT; that of a file was said "
     "by "
     "hourglass roots export --all"},
    {"BUNDLE_OUTDATED",
     "the roots changed meanwhile: fetch them again (hourglass roots export --tenant TENANT "
     "--all), "
     "install them, and say it of the version of now"},
    {"BUNDLE_MISMATCH",
     "fetch the trust bundle again; if that does not help, somebody changed it on its way"},
    {"BUNDLE_INVALID",
     "what was trusted before is kept; see what an administrator sees: hourglass rotation status "
     "--tenant TENANT"},
    {"REQUEST_ID_REUSED", "leave --request-id out, or give another"},
    {"PRIMARY_CHANGED", "ask again"},
    {"COMPLIANCE_UNAVAILABLE",
     "check the compliance service that hourglassd.yaml names under `compliance`; of the embedded "
     "one, whether the service can read the tenant's policy: its log says why not"},
    {"COMPLIANCE_ANSWER_INVALID",
     "check the compliance service that hourglassd.yaml names under `compliance`"},
    {"DEVICE_UNKNOWN", "see the devices there are: hourglass devices list --tenant TENANT"},
    {"BLOCK_UNKNOWN", "see what is blocked: hourglass blocks list --tenant TENANT"},
    {"DEVICE_KEY_UNKNOWN", "see the keys there are: hourglass device-keys list --tenant TENANT"},
    {"DEVICE_KEY_EXISTS",
     "have the device make another key; to approve one in place of the device's: hourglass "
     "device-keys approve --replace"},
    {"DEVICE_PROOF_MISSING",
     "have the device sign, as docs/device-keys.md says; the keys it has: hourglass device-keys "
     "list --tenant TENANT --device DEVICE"},
    {"DEVICE_PROOF_REFUSED",
     "have the device sign anew, for just what is asked; the keys it has: hourglass device-keys "
     "list --tenant TENANT --device DEVICE"},
    {"USER_UNKNOWN", "see the users there are: hourglass users list --tenant TENANT"},
    {"USER_EXISTS",
     "remove who has the name (hourglass users remove), or bring all users: hourglass users import "
     "--whole"},
    {"KEY_UNAVAILABLE",
     "name the PKCS#11 library that came with the token; what it has: hourglass keys probe "
     "--module FILE",
     "module-path"},
    {"KEY_UNAVAILABLE", kPinSourceAdvice, "file:"},
    {"KEY_UNAVAILABLE", kPinSourceAdvice, "env:"},
    {"KEY_UNAVAILABLE", kPinSourceAdvice, "credential:"},
    {"KEY_UNAVAILABLE",
     "check that the TPM is there and that this account may use it (group tss); how it is reached "
     "is said by ?tcti= in the URI, for the service by keys.tpm.tcti in hourglassd.yaml",
     "tpm:"},
    {"KEY_UNAVAILABLE",
     "check that the token is there (hourglass keys probe --module MODULE), and that the account "
     "of hourglassd may use it; SoftHSM finds its tokens by $SOFTHSM2_CONF"},
    {"KEY_URI_INVALID",
     "see docs/cli.md for the forms; for the service, a place that `keys` in hourglassd.yaml has"},
    {"KEY_EXISTS", "name a file that is not there yet", "--recovery-code-out"},
    {"KEY_EXISTS", "see the keys there are (hourglass keys list), and name another"},
    {"KEY_NOT_FOUND", "see the keys there are: hourglass keys list"},
    {"KEY_UNFIT",
     "registers that were changed on purpose: hourglass keys reseal --key URI --recovery-code-file "
     "FILE; without a code only their earlier state opens the key. A changed file: restore it",
     "tpm:sealed="},
    {"KEY_UNFIT",
     "see what is wrong with it, and the command that makes a fit one: hourglass keys probe --key "
     "URI"},
    {"KEY_IN_USE", "retire or discard the root first, if it is to go: hourglass roots list"},
    {"KEY_NOT_PERMITTED",
     "name a key that begins with hourglass-TENANT-, or ask an administrator of every tenant"},
    {"KEY_DESTROYED", "nothing is left to do; what has the key's name now is another key"},
    {"PIN_REFUSED",
     "give the recovery code as it was written down; of a PIN, put the right one where its source "
     "says. Each wrong one that the TPM is asked counts against its lock",
     "tpm:"},
    {"PIN_REFUSED",
     "put the right PIN where its source says; each wrong try brings the token nearer to its lock, "
     "so hourglassd tries again only once the source gives another"},
    {"JOURNAL_UNAVAILABLE",
     "check the disk of the service's data directory: full, read-only or damaged"},
    {"CLOCK_UNTRUSTED",
     "an administrator of every tenant looks at the service's clock (hourglass clock show), and "
     "sets it right or accepts it"},
    {"CERTIFICATE_UNKNOWN", "look for it: hourglass certificates list --tenant TENANT"},
    {"INTERNAL_ERROR", "the service's log has more"},
};

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
  const std::string reason = ReasonInWords(status);
  const std::string field = FieldOf(status);
  // Then each of them says what to do.
  if (!DetailOf(status).obstacles().empty()) return "";
  for (const Advice& advice : kAdvice) {
    if (advice.reason == reason && absl::StartsWith(field, advice.field)) {
      return std::string(advice.next);
    }
  }
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
