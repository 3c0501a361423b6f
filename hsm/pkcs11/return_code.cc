#include "hsm/pkcs11/return_code.h"

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"

namespace hourglass::hsm {
namespace {

constexpr char kCodePayload[] = "hourglass/pkcs11-return-code";

struct CodeRow {
  CK_RV code;
  absl::string_view name;
  Remedy remedy;
  ErrorReason reason;
};

#define ROW(code, remedy, reason) \
  { code, #code, Remedy::remedy, ErrorReason::reason }

constexpr CodeRow kCodes[] = {
    ROW(CKR_HOST_MEMORY, kFewerSessions, kKeyUnavailable),
    ROW(CKR_SLOT_ID_INVALID, kFindToken, kKeyUnavailable),
    ROW(CKR_GENERAL_ERROR, kNewModule, kKeyUnavailable),
    ROW(CKR_FUNCTION_FAILED, kNewSession, kKeyUnavailable),
    ROW(CKR_ARGUMENTS_BAD, kNone, kKeyUnavailable),
    ROW(CKR_NEED_TO_CREATE_THREADS, kNone, kKeyUnavailable),
    ROW(CKR_CANT_LOCK, kNone, kKeyUnavailable),
    ROW(CKR_ATTRIBUTE_READ_ONLY, kNone, kKeyUnavailable),
    ROW(CKR_ATTRIBUTE_SENSITIVE, kNone, kKeyUnavailable),
    ROW(CKR_ATTRIBUTE_TYPE_INVALID, kNone, kKeyUnavailable),
    ROW(CKR_ATTRIBUTE_VALUE_INVALID, kNone, kKeyUnavailable),
    ROW(CKR_ACTION_PROHIBITED, kNone, kKeyUnavailable),
    ROW(CKR_DATA_INVALID, kNone, kKeyUnavailable),
    ROW(CKR_DATA_LEN_RANGE, kNone, kKeyUnavailable),
    ROW(CKR_DEVICE_ERROR, kNewSession, kKeyUnavailable),
    ROW(CKR_DEVICE_MEMORY, kFewerSessions, kKeyUnavailable),
    ROW(CKR_DEVICE_REMOVED, kFindToken, kKeyUnavailable),
    ROW(CKR_FUNCTION_CANCELED, kNewSession, kKeyUnavailable),
    ROW(CKR_FUNCTION_NOT_SUPPORTED, kNone, kKeyUnsupported),
    ROW(CKR_KEY_HANDLE_INVALID, kFindAgain, kKeyUnavailable),
    ROW(CKR_KEY_SIZE_RANGE, kNone, kKeyUnsupported),
    ROW(CKR_KEY_TYPE_INCONSISTENT, kNone, kKeyUnsupported),
    ROW(CKR_KEY_FUNCTION_NOT_PERMITTED, kNone, kKeyUnfit),
    ROW(CKR_MECHANISM_INVALID, kNone, kKeyUnsupported),
    ROW(CKR_MECHANISM_PARAM_INVALID, kNone, kKeyUnsupported),
    ROW(CKR_OBJECT_HANDLE_INVALID, kFindAgain, kKeyUnavailable),
    ROW(CKR_OPERATION_ACTIVE, kNewSession, kKeyUnavailable),
    ROW(CKR_OPERATION_NOT_INITIALIZED, kNewSession, kKeyUnavailable),
    ROW(CKR_PIN_INCORRECT, kNone, kPinRefused),
    ROW(CKR_PIN_INVALID, kNone, kPinRefused),
    ROW(CKR_PIN_LEN_RANGE, kNone, kPinRefused),
    ROW(CKR_PIN_EXPIRED, kNone, kPinRefused),
    ROW(CKR_PIN_LOCKED, kNone, kPinRefused),
    ROW(CKR_SESSION_CLOSED, kNewSession, kKeyUnavailable),
    ROW(CKR_SESSION_COUNT, kFewerSessions, kKeyUnavailable),
    ROW(CKR_SESSION_HANDLE_INVALID, kNewSession, kKeyUnavailable),
    ROW(CKR_SESSION_PARALLEL_NOT_SUPPORTED, kNone, kKeyUnavailable),
    ROW(CKR_SESSION_READ_ONLY, kNone, kKeyUnavailable),
    ROW(CKR_SESSION_EXISTS, kNone, kKeyUnavailable),
    ROW(CKR_SESSION_READ_WRITE_SO_EXISTS, kNone, kKeyUnavailable),
    ROW(CKR_TEMPLATE_INCOMPLETE, kNone, kKeyUnavailable),
    ROW(CKR_TEMPLATE_INCONSISTENT, kNone, kKeyUnavailable),
    ROW(CKR_TOKEN_NOT_PRESENT, kFindToken, kKeyUnavailable),
    ROW(CKR_TOKEN_NOT_RECOGNIZED, kFindToken, kKeyUnavailable),
    ROW(CKR_TOKEN_WRITE_PROTECTED, kNone, kKeyUnavailable),
    ROW(CKR_USER_ALREADY_LOGGED_IN, kNone, kKeyUnavailable),
    ROW(CKR_USER_NOT_LOGGED_IN, kNewSession, kKeyUnavailable),
    // There is no PIN yet that another one could be wrong beside.
    ROW(CKR_USER_PIN_NOT_INITIALIZED, kNone, kKeyUnavailable),
    ROW(CKR_USER_TYPE_INVALID, kNone, kKeyUnavailable),
    ROW(CKR_USER_ANOTHER_ALREADY_LOGGED_IN, kNone, kKeyUnavailable),
    ROW(CKR_USER_TOO_MANY_TYPES, kNone, kKeyUnavailable),
    ROW(CKR_RANDOM_NO_RNG, kNone, kKeyUnavailable),
    ROW(CKR_DOMAIN_PARAMS_INVALID, kNone, kKeyUnsupported),
    ROW(CKR_CURVE_NOT_SUPPORTED, kNone, kKeyUnsupported),
    ROW(CKR_BUFFER_TOO_SMALL, kNone, kKeyUnavailable),
    ROW(CKR_CRYPTOKI_NOT_INITIALIZED, kNewModule, kKeyUnavailable),
    ROW(CKR_CRYPTOKI_ALREADY_INITIALIZED, kNone, kKeyUnavailable),
    ROW(CKR_MUTEX_BAD, kNewModule, kKeyUnavailable),
    ROW(CKR_MUTEX_NOT_LOCKED, kNewModule, kKeyUnavailable),
    ROW(CKR_FIPS_SELF_TEST_FAILED, kNewModule, kKeyUnavailable),
    ROW(CKR_LIBRARY_LOAD_FAILED, kNewModule, kKeyUnavailable),
    ROW(CKR_PIN_TOO_WEAK, kNone, kPinRefused),
    ROW(CKR_FUNCTION_REJECTED, kNone, kKeyUnavailable),
    // Of PKCS #11 v3.0, whose modules also answer to the functions of v2.40.
    {0x201, "CKR_TOKEN_RESOURCE_EXCEEDED", Remedy::kFewerSessions, ErrorReason::kKeyUnavailable},
    {0x202, "CKR_OPERATION_CANCEL_FAILED", Remedy::kNewSession, ErrorReason::kKeyUnavailable},
    {0x203, "CKR_KEY_EXHAUSTED", Remedy::kNone, ErrorReason::kKeyUnfit},
};

#undef ROW

const CodeRow* RowOf(CK_RV code) {
  for (const CodeRow& row : kCodes) {
    if (row.code == code) return &row;
  }
  return nullptr;
}

}  // namespace

std::string ReturnCodeName(CK_RV code) {
  const CodeRow* row = RowOf(code);
  return row != nullptr ? std::string(row->name) : absl::StrCat("CKR 0x", absl::Hex(code));
}

Remedy RemedyOf(CK_RV code) {
  const CodeRow* row = RowOf(code);
  return row != nullptr ? row->remedy : Remedy::kNewSession;
}

bool RefusesThePin(CK_RV code) {
  const CodeRow* row = RowOf(code);
  return row != nullptr && row->reason == ErrorReason::kPinRefused;
}

bool IsNamed(CK_RV code) { return RowOf(code) != nullptr; }

bool SessionIsGone(CK_RV code) {
  return code == CKR_SESSION_HANDLE_INVALID || code == CKR_SESSION_CLOSED ||
         code == CKR_DEVICE_REMOVED || code == CKR_TOKEN_NOT_PRESENT ||
         code == CKR_CRYPTOKI_NOT_INITIALIZED;
}

absl::Status Pkcs11Error(absl::string_view field, absl::string_view function, CK_RV code) {
  const CodeRow* row = RowOf(code);
  absl::Status status = Error(row != nullptr ? row->reason : ErrorReason::kKeyUnavailable, field,
                              absl::StrCat(function, ": ", ReturnCodeName(code)));
  status.SetPayload(kCodePayload, absl::Cord(absl::StrCat(code)));
  return status;
}

std::optional<CK_RV> ReturnCodeOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kCodePayload);
  CK_RV code = CKR_OK;
  if (!payload.has_value() || !absl::SimpleAtoi(std::string(*payload), &code)) return std::nullopt;
  return code;
}

}  // namespace hourglass::hsm
