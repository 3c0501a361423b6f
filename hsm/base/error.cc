#include "hsm/base/error.h"

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"

namespace hourglass {
namespace {

constexpr char kReasonPayload[] = "hourglass/reason";
constexpr char kFieldPayload[] = "hourglass/field";

struct ReasonRow {
  ErrorReason reason;
  absl::string_view name;
  absl::StatusCode code;
};

constexpr ReasonRow kReasons[] = {
    {ErrorReason::kUnspecified, "ERROR_REASON_UNSPECIFIED", absl::StatusCode::kUnknown},
    {ErrorReason::kFieldMissing, "FIELD_MISSING", absl::StatusCode::kInvalidArgument},
    {ErrorReason::kFieldInvalid, "FIELD_INVALID", absl::StatusCode::kInvalidArgument},
    {ErrorReason::kRequestMalformed, "REQUEST_MALFORMED", absl::StatusCode::kInvalidArgument},
    {ErrorReason::kRequestSignatureInvalid, "REQUEST_SIGNATURE_INVALID",
     absl::StatusCode::kInvalidArgument},
    {ErrorReason::kKeyUnsupported, "KEY_UNSUPPORTED", absl::StatusCode::kInvalidArgument},
    {ErrorReason::kKeySizeRefused, "KEY_SIZE_REFUSED", absl::StatusCode::kInvalidArgument},
    {ErrorReason::kKeyInvalid, "KEY_INVALID", absl::StatusCode::kInvalidArgument},
    {ErrorReason::kKeyWeak, "KEY_WEAK", absl::StatusCode::kInvalidArgument},
    {ErrorReason::kRequestIdReused, "REQUEST_ID_REUSED", absl::StatusCode::kAlreadyExists},
    {ErrorReason::kUpnNotOfTenant, "UPN_NOT_OF_TENANT", absl::StatusCode::kPermissionDenied},
    {ErrorReason::kSidUnknown, "SID_UNKNOWN", absl::StatusCode::kFailedPrecondition},
    {ErrorReason::kCallerUnknown, "CALLER_UNKNOWN", absl::StatusCode::kUnauthenticated},
    {ErrorReason::kCallerCertificateExpired, "CALLER_CERTIFICATE_EXPIRED",
     absl::StatusCode::kUnauthenticated},
    {ErrorReason::kCallerRefused, "CALLER_REFUSED", absl::StatusCode::kUnauthenticated},
    {ErrorReason::kTokenRefused, "TOKEN_REFUSED", absl::StatusCode::kUnauthenticated},
    {ErrorReason::kTokenNotJudged, "TOKEN_NOT_JUDGED", absl::StatusCode::kUnavailable},
    {ErrorReason::kDeviceProofMissing, "DEVICE_PROOF_MISSING", absl::StatusCode::kUnauthenticated},
    {ErrorReason::kDeviceProofRefused, "DEVICE_PROOF_REFUSED", absl::StatusCode::kUnauthenticated},
    {ErrorReason::kRoleNotPermitted, "ROLE_NOT_PERMITTED", absl::StatusCode::kPermissionDenied},
    {ErrorReason::kTenantNotPermitted, "TENANT_NOT_PERMITTED", absl::StatusCode::kPermissionDenied},
    {ErrorReason::kTenantUnknown, "TENANT_UNKNOWN", absl::StatusCode::kNotFound},
    {ErrorReason::kTenantExists, "TENANT_EXISTS", absl::StatusCode::kAlreadyExists},
    {ErrorReason::kRootUnknown, "ROOT_UNKNOWN", absl::StatusCode::kNotFound},
    {ErrorReason::kRootMoveIllegal, "ROOT_MOVE_ILLEGAL", absl::StatusCode::kFailedPrecondition},
    {ErrorReason::kNoPrimaryRoot, "NO_PRIMARY_ROOT", absl::StatusCode::kFailedPrecondition},
    {ErrorReason::kRootExpiring, "ROOT_EXPIRING", absl::StatusCode::kFailedPrecondition},
    {ErrorReason::kRootNotYetValid, "ROOT_NOT_YET_VALID", absl::StatusCode::kFailedPrecondition},
    {ErrorReason::kPrimaryChanged, "PRIMARY_CHANGED", absl::StatusCode::kAborted},
    {ErrorReason::kSubKeyNotAllowed, "SUB_KEY_NOT_ALLOWED", absl::StatusCode::kFailedPrecondition},
    {ErrorReason::kDisplayNameTaken, "DISPLAY_NAME_TAKEN", absl::StatusCode::kAlreadyExists},
    {ErrorReason::kPromotionBlocked, "PROMOTION_BLOCKED", absl::StatusCode::kFailedPrecondition},
    {ErrorReason::kRelyingPartyUnknown, "RELYING_PARTY_UNKNOWN", absl::StatusCode::kNotFound},
    {ErrorReason::kRelyingPartyExists, "RELYING_PARTY_EXISTS", absl::StatusCode::kAlreadyExists},
    {ErrorReason::kBundleUnknown, "BUNDLE_UNKNOWN", absl::StatusCode::kInvalidArgument},
    {ErrorReason::kBundleOutdated, "BUNDLE_OUTDATED", absl::StatusCode::kFailedPrecondition},
    {ErrorReason::kBundleMismatch, "BUNDLE_MISMATCH", absl::StatusCode::kInvalidArgument},
    {ErrorReason::kBundleInvalid, "BUNDLE_INVALID", absl::StatusCode::kInvalidArgument},
    {ErrorReason::kDeviceNotCompliant, "DEVICE_NOT_COMPLIANT", absl::StatusCode::kPermissionDenied},
    {ErrorReason::kComplianceUnavailable, "COMPLIANCE_UNAVAILABLE", absl::StatusCode::kUnavailable},
    {ErrorReason::kComplianceAnswerInvalid, "COMPLIANCE_ANSWER_INVALID",
     absl::StatusCode::kUnavailable},
    {ErrorReason::kDeviceUnknown, "DEVICE_UNKNOWN", absl::StatusCode::kNotFound},
    {ErrorReason::kPolicyUnknown, "POLICY_UNKNOWN", absl::StatusCode::kNotFound},
    {ErrorReason::kPoliciesChanged, "POLICIES_CHANGED", absl::StatusCode::kAborted},
    {ErrorReason::kUserUnknown, "USER_UNKNOWN", absl::StatusCode::kNotFound},
    {ErrorReason::kUserExists, "USER_EXISTS", absl::StatusCode::kAlreadyExists},
    {ErrorReason::kBlockUnknown, "BLOCK_UNKNOWN", absl::StatusCode::kNotFound},
    {ErrorReason::kDeviceKeyUnknown, "DEVICE_KEY_UNKNOWN", absl::StatusCode::kNotFound},
    {ErrorReason::kDeviceKeyExists, "DEVICE_KEY_EXISTS", absl::StatusCode::kAlreadyExists},
    {ErrorReason::kCursorUnknown, "CURSOR_UNKNOWN", absl::StatusCode::kOutOfRange},
    {ErrorReason::kKeyUriInvalid, "KEY_URI_INVALID", absl::StatusCode::kInvalidArgument},
    {ErrorReason::kKeyNotFound, "KEY_NOT_FOUND", absl::StatusCode::kNotFound},
    {ErrorReason::kKeyExists, "KEY_EXISTS", absl::StatusCode::kAlreadyExists},
    {ErrorReason::kKeyUnavailable, "KEY_UNAVAILABLE", absl::StatusCode::kUnavailable},
    {ErrorReason::kPinRefused, "PIN_REFUSED", absl::StatusCode::kFailedPrecondition},
    {ErrorReason::kKeyMismatch, "KEY_MISMATCH", absl::StatusCode::kFailedPrecondition},
    {ErrorReason::kKeyUnfit, "KEY_UNFIT", absl::StatusCode::kFailedPrecondition},
    {ErrorReason::kKeyInUse, "KEY_IN_USE", absl::StatusCode::kFailedPrecondition},
    {ErrorReason::kKeyNotPermitted, "KEY_NOT_PERMITTED", absl::StatusCode::kPermissionDenied},
    {ErrorReason::kKeyDestroyed, "KEY_DESTROYED", absl::StatusCode::kFailedPrecondition},
    {ErrorReason::kJournalUnavailable, "JOURNAL_UNAVAILABLE", absl::StatusCode::kUnavailable},
    {ErrorReason::kCertificateUnknown, "CERTIFICATE_UNKNOWN", absl::StatusCode::kNotFound},
    {ErrorReason::kOverloaded, "OVERLOADED", absl::StatusCode::kResourceExhausted},
    {ErrorReason::kStopping, "STOPPING", absl::StatusCode::kUnavailable},
    {ErrorReason::kQuotaExceeded, "QUOTA_EXCEEDED", absl::StatusCode::kResourceExhausted},
    {ErrorReason::kClockUntrusted, "CLOCK_UNTRUSTED", absl::StatusCode::kUnavailable},
    {ErrorReason::kRequestsTooFrequent, "REQUESTS_TOO_FREQUENT",
     absl::StatusCode::kResourceExhausted},
    {ErrorReason::kConfigurationInvalid, "CONFIGURATION_INVALID",
     absl::StatusCode::kInvalidArgument},
    {ErrorReason::kInternalError, "INTERNAL_ERROR", absl::StatusCode::kInternal},
};

const ReasonRow& RowOf(ErrorReason reason) {
  for (const ReasonRow& row : kReasons) {
    if (row.reason == reason) return row;
  }
  return kReasons[0];
}

}  // namespace

absl::string_view ErrorReasonName(ErrorReason reason) { return RowOf(reason).name; }

absl::Status Error(ErrorReason reason, absl::string_view field, absl::string_view message) {
  const ReasonRow& row = RowOf(reason);
  absl::Status status(row.code,
                      field.empty() ? std::string(message) : absl::StrCat(field, ": ", message));
  status.SetPayload(kReasonPayload, absl::Cord(row.name));
  if (!field.empty()) status.SetPayload(kFieldPayload, absl::Cord(field));
  return status;
}

ErrorReason ReasonOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kReasonPayload);
  if (!payload.has_value()) return ErrorReason::kUnspecified;
  for (const ReasonRow& row : kReasons) {
    if (*payload == row.name) return row.reason;
  }
  return ErrorReason::kUnspecified;
}

std::string FieldOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kFieldPayload);
  return payload.has_value() ? std::string(*payload) : std::string();
}

}  // namespace hourglass
