// Errors with a reason that callers switch on and the field at fault, carried as payloads of
// absl::Status.
#ifndef HOURGLASS_HSM_BASE_ERROR_H_
#define HOURGLASS_HSM_BASE_ERROR_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace hourglass {

// The same reasons, under the same names, as hourglass.v1.ErrorReason, where each is described with
// its status code.
enum class ErrorReason {
  kUnspecified,
  kFieldMissing,
  kFieldInvalid,
  kRequestMalformed,
  kRequestSignatureInvalid,
  kKeyUnsupported,
  kKeySizeRefused,
  kKeyInvalid,
  kKeyWeak,
  kRequestIdReused,
  kUpnNotOfTenant,
  kCallerUnknown,
  kCallerCertificateExpired,
  kCallerRefused,
  kRoleNotPermitted,
  kTenantNotPermitted,
  kTenantUnknown,
  kTenantExists,
  kRootUnknown,
  kRootMoveIllegal,
  kNoPrimaryRoot,
  kRootExpiring,
  kRootNotYetValid,
  kPrimaryChanged,
  kSubKeyNotAllowed,
  kDisplayNameTaken,
  kDeviceNotCompliant,
  kComplianceUnavailable,
  kComplianceAnswerInvalid,
  kDeviceUnknown,
  kKeyUriInvalid,
  kKeyNotFound,
  kKeyExists,
  kKeyUnavailable,
  kPinRefused,
  kKeyMismatch,
  kKeyUnfit,
  kKeyInUse,
  kKeyNotPermitted,
  kKeyDestroyed,
  kJournalUnavailable,
  kCertificateUnknown,
  kOverloaded,
  kStopping,
  kQuotaExceeded,
  kClockUntrusted,
  kConfigurationInvalid,
  kInternalError,
};

// The reason's name in hourglass.v1.ErrorReason: `KEY_INVALID`.
absl::string_view ErrorReasonName(ErrorReason reason);

// A status with the reason's own code (see hourglass.v1.ErrorReason) and the message `FIELD:
// MESSAGE`, or just MESSAGE where `field` is empty. `field` is a proto path (`user.upn`), a
// configuration path, or a key URI without its PIN; neither may hold a secret. `reason` must not be
// kUnspecified.
absl::Status Error(ErrorReason reason, absl::string_view field, absl::string_view message);

// The reason that Error() put into `status`; kUnspecified for other statuses and for OK.
ErrorReason ReasonOf(const absl::Status& status);

// The field that Error() put into `status`, or "".
std::string FieldOf(const absl::Status& status);

}  // namespace hourglass

#endif  // HOURGLASS_HSM_BASE_ERROR_H_
