// Errors with a reason that callers switch on and the field at fault, carried as payloads of
// absl::Status. All of it is safe to call from several threads.
#ifndef HOURGLASS_HSM_BASE_ERROR_H_
#define HOURGLASS_HSM_BASE_ERROR_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

// All of Hourglass; here itself only what every part of it uses.
namespace hourglass {

// Why something was refused or failed. The same reasons, under the same names, as
// hourglass.v1.ErrorReason, where each is described in full, with its status code.
enum class ErrorReason {
  kUnspecified,               // not of Error(), or no error
  kFieldMissing,              // a required field is empty
  kFieldInvalid,              // a field breaks its documented form
  kRequestMalformed,          // a PKCS#10 request is not DER, or too large
  kRequestSignatureInvalid,   // a PKCS#10 request is not signed by the key in it
  kKeyUnsupported,            // its algorithm or curve is none that is certified
  kKeySizeRefused,            // its size or type is not accepted
  kKeyInvalid,                // its point or its RSA numbers are malformed
  kKeyWeak,                   // well-formed, but its private half can be found
  kRequestIdReused,           // it was used before, and cannot be used again
  kUpnNotOfTenant,            // its domain is none of the tenant's
  kSidUnknown,                // the user's, and the tenant issues nothing without one
  kCallerUnknown,             // his certificate is bound to no caller
  kCallerCertificateExpired,  // or not valid yet
  kCallerRefused,             // his certificate is revoked, or shut out by the configuration
  kTokenRefused,              // an access token that the tenant does not accept
  kTokenNotJudged,            // an access token cannot be judged now
  kDeviceProofMissing,        // the device must prove by its key that it asks
  kDeviceProofRefused,        // it does not prove that the device asks for this now
  kRoleNotPermitted,          // the caller's roles do not include the method
  kTenantNotPermitted,        // the caller is not bound to the tenant
  kTenantUnknown,
  kTenantExists,
  kRootUnknown,
  kRootMoveIllegal,  // the root's state does not allow the move
  kNoPrimaryRoot,
  kRootExpiring,             // the issuer has expired, or would before the certificate
  kRootNotYetValid,          // it is before the issuer's notBefore
  kPrimaryChanged,           // since the request began
  kSubKeyNotAllowed,         // the root has pathLenConstraint 0
  kDisplayNameTaken,         // by another tenant
  kPromotionBlocked,         // relying parties, the key or the time are in the way
  kRelyingPartyUnknown,      // the tenant has none of this name, or of the caller's
  kRelyingPartyExists,       // of this name or identity
  kBundleUnknown,            // the trust bundle never had this version
  kBundleOutdated,           // the version is not the newest any more
  kBundleMismatch,           // the document is not that of the version
  kBundleInvalid,            // a trust bundle is malformed, or nobody trusted has signed it
  kDeviceNotCompliant,       // the compliance service denied
  kComplianceUnavailable,    // no verdict in time
  kComplianceAnswerInvalid,  // no verdict for this request
  kDeviceUnknown,            // no report of it is held
  kPolicyUnknown,            // the tenant has none of this id
  kPoliciesChanged,          // since they were looked at
  kUserUnknown,              // the tenant's directory has none of this id or name
  kUserExists,               // another has this name
  kBlockUnknown,             // the device or user is not blocked
  kDeviceKeyUnknown,         // none of this id is pending or approved
  kDeviceKeyExists,          // it was enrolled before, or the device has another
  kCursorUnknown,            // what followed it is not kept any more
  kKeyUriInvalid,            // malformed, or of a place that is not configured
  kKeyNotFound,              // the key URI names none
  kKeyExists,                // of this name, or more than one answers to the URI
  kKeyUnavailable,           // its module, token or TPM cannot be used now
  kPinRefused,               // by the token; it is not tried again
  kKeyMismatch,              // of another certificate, or a signature does not verify
  kKeyUnfit,                 // it may not sign for a root: extractable, for instance
  kKeyInUse,                 // a root needs it, or another change has it in hand
  kKeyNotPermitted,          // it is not the tenant's
  kKeyDestroyed,             // the root's key, before or while it was made
  kJournalUnavailable,       // nothing can be written, and nothing was released
  kCertificateUnknown,       // the journal has none such
  kOverloaded,               // more waits than the service takes
  kStopping,                 // the service is about to end
  kQuotaExceeded,            // the tenant has as many roots or keys as it may
  kClockUntrusted,           // it leapt, or contradicts the records
  kRequestsTooFrequent,      // of the device, the caller or the tenant
  kConfigurationInvalid,     // an option or a file breaks its documented form
  kInternalError,            // a broken invariant of Hourglass itself
};

// The reason's name in hourglass.v1.ErrorReason: `KEY_INVALID`. Lives as long as the process.
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
