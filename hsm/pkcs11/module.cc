#include "hsm/pkcs11/module.h"

#include <dlfcn.h>

#include <algorithm>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/mutex.h"
#include "hsm/base/status_macros.h"
#include "hsm/pkcs11/return_code.h"

namespace hourglass::hsm {
namespace {

// Far more than any module has.
constexpr CK_ULONG kMostSlots = 65536;

absl::Status Unavailable(const TokenUri& token, absl::string_view message) {
  return Error(ErrorReason::kKeyUnavailable, FormatToken(token), message);
}

struct LibraryDeleter {
  void operator()(void* library) const { dlclose(library); }
};
using Library = std::unique_ptr<void, LibraryDeleter>;

// Empty, or the name of a function that the module lacks though this room calls it.
absl::string_view MissingFunction(const CK_FUNCTION_LIST& api) {
#define ROW(function) \
  { #function, api.function != nullptr }
  const std::pair<absl::string_view, bool> functions[] = {
      ROW(C_Initialize),       ROW(C_GetInfo),
      ROW(C_GetSlotList),      ROW(C_GetTokenInfo),
      ROW(C_OpenSession),      ROW(C_CloseSession),
      ROW(C_GetSessionInfo),   ROW(C_Login),
      ROW(C_FindObjectsInit),  ROW(C_FindObjects),
      ROW(C_FindObjectsFinal), ROW(C_GetAttributeValue),
      ROW(C_SignInit),         ROW(C_Sign),
      ROW(C_GenerateKeyPair),  ROW(C_DestroyObject),
  };
#undef ROW
  for (const auto& [name, present] : functions) {
    if (!present) return name;
  }
  return "";
}

// What was asked to initialise stays loaded, whatever it answered: it may have threads by then.
absl::StatusOr<const CK_FUNCTION_LIST*> Initialize(const TokenUri& token, Library library) {
  const auto get_function_list =
      reinterpret_cast<CK_C_GetFunctionList>(dlsym(library.get(), "C_GetFunctionList"));
  if (get_function_list == nullptr) {
    return Unavailable(token, absl::StrCat(token.module_path, " is not a PKCS#11 module"));
  }
  CK_FUNCTION_LIST* api = nullptr;
  CK_RV code = get_function_list(&api);
  if (code != CKR_OK) return Pkcs11Error(FormatToken(token), "C_GetFunctionList", code);
  if (api == nullptr) return Unavailable(token, "the module has no functions");
  if (api->version.major != 2 && api->version.major != 3) {
    return Unavailable(token, absl::StrCat("the module is of PKCS #11 version ",
                                           static_cast<int>(api->version.major)));
  }
  const absl::string_view missing = MissingFunction(*api);
  if (!missing.empty()) return Unavailable(token, absl::StrCat("the module has no ", missing));
  CK_C_INITIALIZE_ARGS arguments = {};
  // Without this flag modules take no locks at all.
  arguments.flags = CKF_OS_LOCKING_OK;
  static_cast<void>(library.release());
  code = api->C_Initialize(&arguments);
  // Another library of this process, or this one under another path, has initialised it before.
  if (code != CKR_OK && code != CKR_CRYPTOKI_ALREADY_INITIALIZED) {
    return Pkcs11Error(FormatToken(token), "C_Initialize", code);
  }
  return api;
}

// Token info is padded with spaces (PKCS #11 v2.40 section 3.2), by some modules with NUL.
template <size_t kSize>
absl::string_view Unpadded(const unsigned char (&field)[kSize]) {
  absl::string_view value(reinterpret_cast<const char*>(field), kSize);
  while (!value.empty() && (value.back() == ' ' || value.back() == '\0')) value.remove_suffix(1);
  return value;
}

bool Matches(const CK_TOKEN_INFO& info, const TokenUri& token) {
  return (info.flags & CKF_TOKEN_INITIALIZED) != 0 && Unpadded(info.label) == token.label &&
         (token.serial.empty() || Unpadded(info.serialNumber) == token.serial);
}

absl::StatusOr<std::vector<CK_SLOT_ID>> SlotsWithToken(const CK_FUNCTION_LIST& api,
                                                       const std::string& field) {
  std::vector<CK_SLOT_ID> slots;
  CK_RV code = CKR_BUFFER_TOO_SMALL;
  // A token may be put in between the two calls.
  for (int attempt = 0; attempt < 3 && code == CKR_BUFFER_TOO_SMALL; ++attempt) {
    CK_ULONG count = 0;
    code = api.C_GetSlotList(CK_TRUE, nullptr, &count);
    if (code != CKR_OK) break;
    if (count > kMostSlots) {
      return Error(ErrorReason::kKeyUnavailable, field, "the module has impossibly many slots");
    }
    slots.resize(count);
    if (count == 0) break;
    code = api.C_GetSlotList(CK_TRUE, slots.data(), &count);
    if (code == CKR_OK) slots.resize(std::min<size_t>(count, slots.size()));
  }
  if (code != CKR_OK) return Pkcs11Error(field, "C_GetSlotList", code);
  return slots;
}

}  // namespace

absl::StatusOr<Module*> Module::Load(const TokenUri& token) {
  static Mutex mutex;
  // Never freed: see the class.
  static std::map<std::string, Module*>* const modules ABSL_PT_GUARDED_BY(mutex) =
      new std::map<std::string, Module*>();
  const MutexLock lock(mutex);
  const auto loaded = modules->find(token.module_path);
  if (loaded != modules->end()) return loaded->second;
  Library library(dlopen(token.module_path.c_str(), RTLD_NOW | RTLD_LOCAL));
  if (library == nullptr) {
    const char* cause = dlerror();
    return Unavailable(token, absl::StrCat("cannot load the module: ", cause ? cause : ""));
  }
  ASSIGN_OR_RETURN(const CK_FUNCTION_LIST* api, Initialize(token, std::move(library)));
  return (*modules)[token.module_path] = new Module(api);
}

absl::StatusOr<CK_SLOT_ID> Module::FindSlot(const TokenUri& token) const {
  const std::string field = FormatToken(token);
  ASSIGN_OR_RETURN(const std::vector<CK_SLOT_ID> slots, SlotsWithToken(*api_, field));
  std::vector<CK_SLOT_ID> matching;
  for (const CK_SLOT_ID slot : slots) {
    CK_TOKEN_INFO info = {};
    // A slot that cannot tell what it holds is not the one; another may be.
    if (api_->C_GetTokenInfo(slot, &info) == CKR_OK && Matches(info, token)) {
      matching.push_back(slot);
    }
  }
  if (matching.empty()) return Unavailable(token, "no such token is present");
  if (matching.size() > 1) {
    return Unavailable(token, "several tokens have this label: give the serial number too");
  }
  return matching[0];
}

absl::StatusOr<CustodianFacts> Module::Describe(const TokenUri& token, CK_SLOT_ID slot) const {
  CK_INFO module = {};
  CK_RV code = api_->C_GetInfo(&module);
  if (code != CKR_OK) return Pkcs11Error(FormatToken(token), "C_GetInfo", code);
  CK_TOKEN_INFO info = {};
  code = api_->C_GetTokenInfo(slot, &info);
  if (code != CKR_OK) return Pkcs11Error(FormatToken(token), "C_GetTokenInfo", code);
  CustodianFacts facts;
  facts.manufacturer = std::string(Unpadded(info.manufacturerID));
  facts.model = std::string(Unpadded(info.model));
  if (info.ulMaxSessionCount != CK_UNAVAILABLE_INFORMATION) {
    facts.most_sessions = info.ulMaxSessionCount;
  }
  // As tpm2-pkcs11 and SoftHSM call themselves; the former gives the TPM's name as the token's.
  facts.one_process_only = Unpadded(module.libraryDescription) == "TPM2.0 Cryptoki";
  facts.software = Unpadded(info.manufacturerID) == "SoftHSM project";
  return facts;
}

absl::StatusOr<CK_SESSION_HANDLE> Module::OpenSession(const TokenUri& token, CK_SLOT_ID slot,
                                                      bool writable) {
  const CK_FLAGS flags = CKF_SERIAL_SESSION | (writable ? CKF_RW_SESSION : 0);
  CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
  const std::lock_guard<std::mutex> lock(sessions_mutex_);
  const CK_RV code = api_->C_OpenSession(slot, flags, nullptr, nullptr, &session);
  if (code != CKR_OK) return Pkcs11Error(FormatToken(token), "C_OpenSession", code);
  return session;
}

void Module::CloseSession(CK_SESSION_HANDLE session) {
  const std::lock_guard<std::mutex> lock(sessions_mutex_);
  // Nothing can be done about a session that does not close.
  api_->C_CloseSession(session);
}

}  // namespace hourglass::hsm
