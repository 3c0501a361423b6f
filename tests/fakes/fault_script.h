// What faulty_pkcs11.so is told to do wrong, as README.md describes it. Needs nothing but the
// standard library, so that the module can be loaded into any program.
#ifndef HOURGLASS_TESTS_FAKES_FAULT_SCRIPT_H_
#define HOURGLASS_TESTS_FAKES_FAULT_SCRIPT_H_

#include <p11-kit/pkcs11.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace hourglass {

// Every function of PKCS #11 v2.40, in the order of CK_FUNCTION_LIST.
// clang-format off
#define HOURGLASS_EACH_CRYPTOKI_FUNCTION(X) \
  X(C_Initialize) X(C_Finalize) X(C_GetInfo) X(C_GetFunctionList) X(C_GetSlotList) \
  X(C_GetSlotInfo) X(C_GetTokenInfo) X(C_GetMechanismList) X(C_GetMechanismInfo) X(C_InitToken) \
  X(C_InitPIN) X(C_SetPIN) X(C_OpenSession) X(C_CloseSession) X(C_CloseAllSessions) \
  X(C_GetSessionInfo) X(C_GetOperationState) X(C_SetOperationState) X(C_Login) X(C_Logout) \
  X(C_CreateObject) X(C_CopyObject) X(C_DestroyObject) X(C_GetObjectSize) X(C_GetAttributeValue) \
  X(C_SetAttributeValue) X(C_FindObjectsInit) X(C_FindObjects) X(C_FindObjectsFinal) \
  X(C_EncryptInit) X(C_Encrypt) X(C_EncryptUpdate) X(C_EncryptFinal) X(C_DecryptInit) \
  X(C_Decrypt) X(C_DecryptUpdate) X(C_DecryptFinal) X(C_DigestInit) X(C_Digest) \
  X(C_DigestUpdate) X(C_DigestKey) X(C_DigestFinal) X(C_SignInit) X(C_Sign) X(C_SignUpdate) \
  X(C_SignFinal) X(C_SignRecoverInit) X(C_SignRecover) X(C_VerifyInit) X(C_Verify) \
  X(C_VerifyUpdate) X(C_VerifyFinal) X(C_VerifyRecoverInit) X(C_VerifyRecover) \
  X(C_DigestEncryptUpdate) X(C_DecryptDigestUpdate) X(C_SignEncryptUpdate) \
  X(C_DecryptVerifyUpdate) X(C_GenerateKey) X(C_GenerateKeyPair) X(C_WrapKey) X(C_UnwrapKey) \
  X(C_DeriveKey) X(C_SeedRandom) X(C_GenerateRandom) X(C_GetFunctionStatus) X(C_CancelFunction) \
  X(C_WaitForSlotEvent)
// clang-format on

enum class Function : std::size_t {
#define HOURGLASS_FUNCTION_ENUMERATOR(name) k##name,
  HOURGLASS_EACH_CRYPTOKI_FUNCTION(HOURGLASS_FUNCTION_ENUMERATOR)
#undef HOURGLASS_FUNCTION_ENUMERATOR
      kAny,
};
inline constexpr std::size_t kFunctions = static_cast<std::size_t>(Function::kAny) + 1;

// `C_Sign`; `*` for kAny.
const char* FunctionName(Function function);

// Whether the first argument is a slot, or a session.
constexpr bool TakesSlot(Function function) {
  switch (function) {
    case Function::kC_GetSlotInfo:
    case Function::kC_GetTokenInfo:
    case Function::kC_GetMechanismList:
    case Function::kC_GetMechanismInfo:
    case Function::kC_InitToken:
    case Function::kC_OpenSession:
    case Function::kC_CloseAllSessions:
      return true;
    default:
      return false;
  }
}

constexpr bool TakesSession(Function function) {
  switch (function) {
    case Function::kC_Initialize:
    case Function::kC_Finalize:
    case Function::kC_GetInfo:
    case Function::kC_GetFunctionList:
    case Function::kC_GetSlotList:
    case Function::kC_WaitForSlotEvent:
      return false;
    default:
      return !TakesSlot(function);
  }
}

enum class Verb {
  kReturn,
  kDelay,
  kHang,
  kStall,
  kCrash,
  kForgetLogin,
  kCloseSessions,
  kRenumber,
  kWrongSignature,
  kLength,
};

struct FaultRule {
  Function function;
  std::uint32_t nth;  // 0: every call
  Verb verb;
  std::uint64_t argument;  // a CK_RV, milliseconds, a signal, an offset, a length; else 0
};

struct FaultScript {
  std::string module_path;  // empty: not said
  std::vector<FaultRule> rules;
};

// Reads `text`. False where a line is not understood, with what is wrong in `mistake`.
bool ParseFaultScript(const std::string& text, FaultScript& script, std::string& mistake);

// How often a function was called, by every process that loaded the module: one record a function,
// in the order above, in the file that is mapped.
struct CallCount {
  char name[24];
  std::uint64_t total;
  // The script's generation in the upper half, the calls since in the lower.
  std::uint64_t since_script;
};
static_assert(sizeof(CallCount) == 40);

// Scripts are told apart by when they were written, in steps of 131 microseconds.
inline std::uint32_t ScriptGeneration(std::chrono::nanoseconds modified) {
  return static_cast<std::uint32_t>(static_cast<std::uint64_t>(modified.count()) >> 17);
}

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_FAKES_FAULT_SCRIPT_H_
