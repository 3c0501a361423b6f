// SoftHSM, with the handles of two objects exchanged once SwapObjects is called, without a word, as
// modules do that connect anew; and with another word for a wrong PIN once CallWrongPin is called.
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>

#include <atomic>
#include <cstdlib>

namespace {

std::atomic<CK_OBJECT_HANDLE> one = CK_INVALID_HANDLE;
std::atomic<CK_OBJECT_HANDLE> other = CK_INVALID_HANDLE;
std::atomic<CK_RV> wrong_pin = CKR_PIN_INCORRECT;
CK_FUNCTION_LIST* real = nullptr;

CK_OBJECT_HANDLE Swapped(CK_OBJECT_HANDLE object) {
  if (object == one) return other;
  return object == other ? one.load() : object;
}

CK_RV FindObjects(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE* objects, CK_ULONG most,
                  CK_ULONG* count) {
  const CK_RV code = real->C_FindObjects(session, objects, most, count);
  for (CK_ULONG i = 0; code == CKR_OK && i < *count; ++i) objects[i] = Swapped(objects[i]);
  return code;
}

CK_RV GetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE* values,
                        CK_ULONG count) {
  return real->C_GetAttributeValue(session, Swapped(object), values, count);
}

CK_RV SignInit(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE object) {
  return real->C_SignInit(session, mechanism, Swapped(object));
}

CK_RV Login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_BYTE* pin, CK_ULONG size) {
  const CK_RV code = real->C_Login(session, user, pin, size);
  return code == CKR_PIN_INCORRECT ? wrong_pin.load() : code;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) void CallWrongPin(CK_RV code) {
  wrong_pin = code;
}

extern "C" __attribute__((visibility("default"))) void SwapObjects(CK_OBJECT_HANDLE a,
                                                                   CK_OBJECT_HANDLE b) {
  one = a;
  other = b;
}

extern "C" __attribute__((visibility("default"))) CK_RV C_GetFunctionList(
    CK_FUNCTION_LIST_PTR_PTR list) {
  static CK_FUNCTION_LIST functions;
  void* const library = dlopen("/usr/lib/softhsm/libsofthsm2.so", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) std::abort();
  const auto get = reinterpret_cast<CK_C_GetFunctionList>(dlsym(library, "C_GetFunctionList"));
  if (get(&real) != CKR_OK) std::abort();
  functions = *real;
  functions.C_FindObjects = FindObjects;
  functions.C_GetAttributeValue = GetAttributeValue;
  functions.C_SignInit = SignInit;
  functions.C_Login = Login;
  *list = &functions;
  return CKR_OK;
}
