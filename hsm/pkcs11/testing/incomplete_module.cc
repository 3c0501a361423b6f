// A PKCS#11 module that lacks what $INCOMPLETE_MODULE names: `C_Sign` (that function), `functions`
// (all of them), or `version` (it is of one that does not exist).
#include <p11-kit/pkcs11.h>

#include <cstdlib>
#include <cstring>

namespace {

template <typename... Arguments>
void Fill(CK_RV (*&function)(Arguments...)) {
  function = [](Arguments...) -> CK_RV { std::abort(); };
}

}  // namespace

extern "C" __attribute__((visibility("default"))) CK_RV C_GetFunctionList(
    CK_FUNCTION_LIST_PTR_PTR list) {
  static CK_FUNCTION_LIST functions;
  const char* lacking = std::getenv("INCOMPLETE_MODULE");
  functions.version = {2, 40};
  Fill(functions.C_Initialize);
  Fill(functions.C_GetInfo);
  Fill(functions.C_GetSlotList);
  Fill(functions.C_GetTokenInfo);
  Fill(functions.C_OpenSession);
  Fill(functions.C_CloseSession);
  Fill(functions.C_GetSessionInfo);
  Fill(functions.C_Login);
  Fill(functions.C_FindObjectsInit);
  Fill(functions.C_FindObjects);
  Fill(functions.C_FindObjectsFinal);
  Fill(functions.C_GetAttributeValue);
  Fill(functions.C_SignInit);
  Fill(functions.C_Sign);
  Fill(functions.C_GenerateKeyPair);
  Fill(functions.C_DestroyObject);
  if (std::strcmp(lacking, "C_Sign") == 0) functions.C_Sign = nullptr;
  if (std::strcmp(lacking, "version") == 0) functions.version = {9, 0};
  *list = std::strcmp(lacking, "functions") == 0 ? nullptr : &functions;
  return CKR_OK;
}
