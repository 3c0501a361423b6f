// A PKCS#11 module that hands every call to another and, where a script says so, does it wrong. See
// README.md.
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

#include "tests/fakes/fault_plan.h"

namespace hourglass {
namespace {

std::string OwnPath() {
  Dl_info info = {};
  dladdr(reinterpret_cast<void*>(&OwnPath), &info);
  return info.dli_fname != nullptr ? info.dli_fname : "";
}

// Never destroyed: threads may still sign while the process ends.
FaultPlan& Plan() {
  static FaultPlan& plan = [&]() -> FaultPlan& {
    const char* script = std::getenv("FAULTY_PKCS11_SCRIPT");
    return *new FaultPlan(script != nullptr ? script : OwnPath() + ".script");
  }();
  return plan;
}

CK_FUNCTION_LIST* LoadRealModule() {
  std::string path = Plan().module_path();
  const char* from_environment = std::getenv("FAULTY_PKCS11_MODULE");
  if (path.empty() && from_environment != nullptr) path = from_environment;
  void* library = dlopen(path.empty() ? "no module is given" : path.c_str(), RTLD_NOW | RTLD_LOCAL);
  void* symbol = library != nullptr ? dlsym(library, "C_GetFunctionList") : nullptr;
  CK_FUNCTION_LIST* list = nullptr;
  if (symbol == nullptr || reinterpret_cast<CK_C_GetFunctionList>(symbol)(&list) != CKR_OK) {
    std::fprintf(stderr, "faulty_pkcs11: cannot load the real module: %s\n", dlerror());
    return nullptr;
  }
  return list;
}

// Null where it cannot be loaded.
const CK_FUNCTION_LIST* Real() {
  static const CK_FUNCTION_LIST* const list = LoadRealModule();
  return list;
}

// What is added to the real module's slot numbers.
std::atomic<CK_SLOT_ID> slot_offset = 0;

[[noreturn]] void Crash(int signal_number) {
  // Past the handlers of sanitizers, which would exit instead.
  signal(signal_number, SIG_DFL);
  raise(signal_number);
  _exit(99);
}

void Sleep(std::uint64_t milliseconds) {
  timespec left = {static_cast<time_t>(milliseconds / 1000),
                   static_cast<long>(milliseconds % 1000 * 1'000'000)};
  while (nanosleep(&left, &left) != 0) {
  }
}

// What befalls a call of `kFunction`, whose first argument is `handle`, before the real module sees
// it.
template <Function kFunction>
void Befall(const FaultRule& rule, CK_ULONG handle) {
  switch (rule.verb) {
    case Verb::kDelay:
      return Sleep(rule.argument);
    case Verb::kHang:
      Plan().Hang();
    case Verb::kStall:
      return Plan().WaitForAnotherScript();
    case Verb::kCrash:
      Crash(static_cast<int>(rule.argument));
    case Verb::kRenumber:
      slot_offset = rule.argument;
      return;
    case Verb::kForgetLogin:
      if (TakesSession(kFunction)) Real()->C_Logout(handle);
      return;
    case Verb::kCloseSessions: {
      CK_SESSION_INFO info = {};
      if (TakesSlot(kFunction)) {
        Real()->C_CloseAllSessions(handle - slot_offset);
      } else if (TakesSession(kFunction) && Real()->C_GetSessionInfo(handle, &info) == CKR_OK) {
        Real()->C_CloseAllSessions(info.slotID);
      }
      return;
    }
    case Verb::kReturn:
    case Verb::kWrongSignature:
    case Verb::kLength:
      return;
  }
}

// An error other than CKR_BUFFER_TOO_SMALL ends the operation (PKCS #11 v2.40 section 5.2), so the
// real one is ended too, with its result thrown away.
void EndSigning(CK_SESSION_HANDLE session, CK_BYTE* data, CK_ULONG data_size) {
  std::vector<CK_BYTE> result(8192);
  CK_ULONG size = result.size();
  Real()->C_Sign(session, data, data_size, result.data(), &size);
}

void ShowSlots(CK_SLOT_ID* slots, const CK_ULONG* count) {
  if (slots == nullptr) return;
  for (CK_ULONG i = 0; i < *count; ++i) slots[i] += slot_offset;
}

// Slot numbers as the caller knows them, in what the real module answered.
template <Function kFunction, typename Arguments>
void Renumber(const Arguments& arguments) {
  if constexpr (kFunction == Function::kC_GetSlotList) {
    ShowSlots(std::get<1>(arguments), std::get<2>(arguments));
  } else if constexpr (kFunction == Function::kC_GetSessionInfo) {
    std::get<1>(arguments)->slotID += slot_offset;
  } else if constexpr (kFunction == Function::kC_WaitForSlotEvent) {
    *std::get<1>(arguments) += slot_offset;
  }
}

template <Function kFunction, typename Arguments>
void SetLength(const Arguments& arguments, CK_ULONG length) {
  if constexpr (kFunction == Function::kC_Sign) {
    *std::get<4>(arguments) = length;
  } else if constexpr (kFunction == Function::kC_GetSlotList) {
    *std::get<2>(arguments) = length;
  } else if constexpr (kFunction == Function::kC_FindObjects) {
    *std::get<3>(arguments) = length;
  } else if constexpr (kFunction == Function::kC_GetAttributeValue) {
    for (CK_ULONG i = 0; i < std::get<3>(arguments); ++i) {
      std::get<2>(arguments)[i].ulValueLen = length;
    }
  }
}

// What is done to the results of a call that went well.
template <Function kFunction, typename Arguments>
void Falsify(const FaultRule& rule, const Arguments& arguments) {
  if (rule.verb == Verb::kLength) SetLength<kFunction>(arguments, rule.argument);
  if constexpr (kFunction == Function::kC_Sign) {
    CK_BYTE* signature = std::get<3>(arguments);
    if (rule.verb == Verb::kWrongSignature && signature != nullptr) {
      signature[*std::get<4>(arguments) - 1] ^= 1;
    }
  }
}

template <Function kFunction, auto kMember, typename... Types>
CK_RV Call(Types... given) {
  auto arguments = std::make_tuple(given...);
  CK_ULONG handle = 0;
  if constexpr (TakesSlot(kFunction) || TakesSession(kFunction)) handle = std::get<0>(arguments);
  const std::vector<FaultRule> rules = Plan().Call(kFunction);
  for (const FaultRule& rule : rules) Befall<kFunction>(rule, handle);
  for (const FaultRule& rule : rules) {
    if (rule.verb != Verb::kReturn) continue;
    if constexpr (kFunction == Function::kC_Sign) {
      if (std::get<3>(arguments) != nullptr && rule.argument != CKR_BUFFER_TOO_SMALL) {
        EndSigning(handle, std::get<1>(arguments), std::get<2>(arguments));
      }
    }
    return rule.argument;
  }
  if constexpr (TakesSlot(kFunction)) std::get<0>(arguments) -= slot_offset;
  const CK_RV code = std::apply(Real()->*kMember, arguments);
  if (code != CKR_OK) return code;
  Renumber<kFunction>(arguments);
  for (const FaultRule& rule : rules) Falsify<kFunction>(rule, arguments);
  return code;
}

// The address of Call with the argument types of a member of CK_FUNCTION_LIST.
template <Function kFunction, auto kMember, typename... Types>
constexpr auto Wrapped(CK_RV (*CK_FUNCTION_LIST::*)(Types...)) {
  return &Call<kFunction, kMember, Types...>;
}

CK_RV GetFunctionList(CK_FUNCTION_LIST** list) {
  static CK_FUNCTION_LIST own = [] {
    CK_FUNCTION_LIST made = {};
#define HOURGLASS_WRAP(name) \
  made.name = Wrapped<Function::k##name, &CK_FUNCTION_LIST::name>(&CK_FUNCTION_LIST::name);
    HOURGLASS_EACH_CRYPTOKI_FUNCTION(HOURGLASS_WRAP)
#undef HOURGLASS_WRAP
    made.version = {2, 40};
    made.C_GetFunctionList = &GetFunctionList;
    return made;
  }();
  for (const FaultRule& rule : Plan().Call(Function::kC_GetFunctionList)) {
    if (rule.verb == Verb::kReturn) return rule.argument;
    Befall<Function::kC_GetFunctionList>(rule, 0);
  }
  if (list == nullptr) return CKR_ARGUMENTS_BAD;
  if (Real() == nullptr) return CKR_GENERAL_ERROR;
  *list = &own;
  return CKR_OK;
}

}  // namespace
}  // namespace hourglass

extern "C" __attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST** list) {
  return hourglass::GetFunctionList(list);
}
