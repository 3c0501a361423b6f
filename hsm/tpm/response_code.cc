#include "hsm/tpm/response_code.h"

#include <tss2/tss2_tpm2_types.h>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"

namespace hourglass::hsm {
namespace {

constexpr char kCodePayload[] = "hourglass/tpm-response-code";

struct CodeRow {
  TSS2_RC code;
  absl::string_view name;
  TpmRemedy remedy;
  ErrorReason reason;
  absl::string_view advice;
};

#define ROW(name, remedy, reason, advice) \
  { TPM2_RC_##name, "TPM_RC_" #name, TpmRemedy::remedy, ErrorReason::reason, advice }

constexpr CodeRow kCodes[] = {
    ROW(INITIALIZE, kNone, kKeyUnavailable,
        "the machine's firmware did not start the TPM: start the machine anew"),
    ROW(FAILURE, kNone, kKeyUnavailable,
        "the TPM is in failure mode: switch the machine off and on, and replace the TPM if that "
        "does not help"),
    ROW(DISABLED, kNone, kKeyUnsupported, ""),
    ROW(AUTH_TYPE, kNone, kKeyUnavailable, ""),
    ROW(AUTH_MISSING, kNone, kKeyUnavailable, ""),
    ROW(POLICY, kNone, kKeyUnavailable, ""),
    ROW(PCR, kNone, kKeyUnavailable, ""),
    ROW(PCR_CHANGED, kNone, kKeyUnavailable, ""),
    ROW(UPGRADE, kNone, kKeyUnavailable, "the TPM waits for the rest of a firmware update"),
    ROW(TOO_MANY_CONTEXTS, kReconnect, kKeyUnavailable, ""),
    ROW(AUTH_UNAVAILABLE, kNone, kKeyUnfit, ""),
    ROW(REBOOT, kNone, kKeyUnavailable, "start the machine anew"),
    ROW(COMMAND_SIZE, kReconnect, kKeyUnavailable, ""),
    ROW(COMMAND_CODE, kNone, kKeyUnsupported, ""),
    ROW(NV_SPACE, kNone, kKeyUnavailable,
        "the TPM has no room for another persistent key: tpm2_evictcontrol takes one out"),
    ROW(NV_DEFINED, kNone, kKeyExists, ""),
    ROW(PARENT, kNone, kKeyUnavailable, ""),
    ROW(SENSITIVE, kNone, kKeyUnavailable, ""),
    ROW(ASYMMETRIC, kNone, kKeyUnsupported, ""),
    ROW(ATTRIBUTES, kNone, kKeyUnavailable, ""),
    ROW(HASH, kNone, kKeyUnsupported, ""),
    ROW(VALUE, kNone, kKeyUnavailable, ""),
    ROW(HIERARCHY, kNone, kKeyUnavailable, "the TPM's owner hierarchy is disabled"),
    ROW(KEY_SIZE, kNone, kKeyUnsupported, ""),
    ROW(MODE, kNone, kKeyUnsupported, ""),
    ROW(TYPE, kNone, kKeyUnavailable, ""),
    ROW(HANDLE, kNone, kKeyUnavailable, ""),
    ROW(KDF, kNone, kKeyUnsupported, ""),
    ROW(RANGE, kNone, kKeyUnavailable, ""),
    ROW(AUTH_FAIL, kNone, kPinRefused, ""),
    ROW(NONCE, kReconnect, kKeyUnavailable, ""),
    ROW(SCHEME, kNone, kKeyUnsupported, ""),
    ROW(SIZE, kNone, kKeyUnavailable, ""),
    ROW(SYMMETRIC, kNone, kKeyUnsupported, ""),
    ROW(TAG, kNone, kKeyUnavailable, ""),
    ROW(SELECTOR, kNone, kKeyUnavailable, ""),
    ROW(INSUFFICIENT, kNone, kKeyUnavailable, ""),
    ROW(KEY, kNone, kKeyUnavailable, ""),
    ROW(POLICY_FAIL, kNone, kKeyUnavailable, ""),
    ROW(INTEGRITY, kNone, kKeyUnavailable, ""),
    ROW(BAD_AUTH, kNone, kPinRefused, ""),
    ROW(POLICY_CC, kNone, kKeyUnavailable, ""),
    ROW(BINDING, kNone, kKeyUnavailable, ""),
    ROW(CURVE, kNone, kKeyUnsupported, ""),
    ROW(ECC_POINT, kNone, kKeyUnavailable, ""),
    ROW(CONTEXT_GAP, kReconnect, kKeyUnavailable, ""),
    ROW(OBJECT_MEMORY, kFlush, kKeyUnavailable, ""),
    ROW(SESSION_MEMORY, kFlush, kKeyUnavailable, ""),
    ROW(MEMORY, kFlush, kKeyUnavailable, ""),
    ROW(SESSION_HANDLES, kFlush, kKeyUnavailable, ""),
    ROW(OBJECT_HANDLES, kFlush, kKeyUnavailable, ""),
    ROW(LOCALITY, kNone, kKeyUnavailable, ""),
    ROW(YIELDED, kRepeat, kKeyUnavailable, ""),
    ROW(CANCELED, kRepeat, kKeyUnavailable, ""),
    ROW(TESTING, kRepeat, kKeyUnavailable, ""),
    ROW(REFERENCE_H0, kReconnect, kKeyUnavailable, ""),
    ROW(REFERENCE_H1, kReconnect, kKeyUnavailable, ""),
    ROW(REFERENCE_S0, kReconnect, kKeyUnavailable, ""),
    ROW(NV_RATE, kRepeat, kKeyUnavailable, ""),
    ROW(LOCKOUT, kNone, kKeyUnavailable,
        "the TPM is locked after too many wrong PINs: wait for its recovery time, or "
        "tpm2_dictionarylockout --clear-lockout"),
    ROW(RETRY, kRepeat, kKeyUnavailable, ""),
    ROW(NV_UNAVAILABLE, kRepeat, kKeyUnavailable, ""),
};

#undef ROW

// The kernel's and tpm2-abrmd's resource managers hand on what the TPM said.
bool IsOfTpm(TSS2_RC code) {
  const TSS2_RC layer = code & TSS2_RC_LAYER_MASK;
  return layer == TSS2_TPM_RC_LAYER || layer == TSS2_RESMGR_TPM_RC_LAYER ||
         layer == TSS2_RESMGR_RC_LAYER;
}

// Without the layer, and without the number of what a format-one code is about (part 2 section
// 6.6.2: bits 8 to 11 and bit 6 of a code with bit 7).
TSS2_RC Plain(TSS2_RC code) {
  code &= ~TSS2_RC_LAYER_MASK;
  return (code & TPM2_RC_FMT1) != 0 ? code & 0x0bfU : code;
}

const CodeRow* RowOf(TSS2_RC code) {
  if (!IsOfTpm(code)) return nullptr;
  for (const CodeRow& row : kCodes) {
    if (row.code == Plain(code)) return &row;
  }
  return nullptr;
}

bool Is(TSS2_RC code, TSS2_RC plain) { return IsOfTpm(code) && Plain(code) == plain; }

}  // namespace

std::string TpmCodeName(TSS2_RC code) {
  if (const CodeRow* const row = RowOf(code)) return std::string(row->name);
  return absl::StrCat(IsOfTpm(code) ? "TPM_RC 0x" : "TSS2_RC 0x", absl::Hex(code));
}

TpmRemedy TpmRemedyOf(TSS2_RC code) {
  if (!IsOfTpm(code)) return TpmRemedy::kReconnect;
  const CodeRow* const row = RowOf(code);
  return row == nullptr ? TpmRemedy::kNone : row->remedy;
}

bool IsWrongPin(TSS2_RC code) { return Is(code, TPM2_RC_AUTH_FAIL) || Is(code, TPM2_RC_BAD_AUTH); }

bool IsPolicyRefusal(TSS2_RC code) {
  return Is(code, TPM2_RC_POLICY_FAIL) || Is(code, TPM2_RC_PCR_CHANGED) || Is(code, TPM2_RC_PCR);
}

bool IsMissingHandle(TSS2_RC code) { return Is(code, TPM2_RC_HANDLE); }

bool NeedsSomebody(TSS2_RC code) {
  return Is(code, TPM2_RC_FAILURE) || Is(code, TPM2_RC_LOCKOUT) || Is(code, TPM2_RC_INITIALIZE) ||
         Is(code, TPM2_RC_REBOOT) || Is(code, TPM2_RC_UPGRADE);
}

absl::Status TpmError(absl::string_view field, absl::string_view function, TSS2_RC code) {
  const CodeRow* const row = RowOf(code);
  const ErrorReason reason = row == nullptr ? ErrorReason::kKeyUnavailable : row->reason;
  std::string message = absl::StrCat(function, ": ", TpmCodeName(code));
  if (row != nullptr && !row->advice.empty()) absl::StrAppend(&message, ": ", row->advice);
  absl::Status status = Error(reason, field, message);
  status.SetPayload(kCodePayload, absl::Cord(absl::StrCat(code)));
  return status;
}

std::optional<TSS2_RC> TpmCodeOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kCodePayload);
  TSS2_RC code = 0;
  if (!payload.has_value() || !absl::SimpleAtoi(std::string(*payload), &code)) return std::nullopt;
  return code;
}

}  // namespace hourglass::hsm
