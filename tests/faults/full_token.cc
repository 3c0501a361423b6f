#include "tests/faults/full_token.h"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <p11-kit/pkcs11.h>

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace hourglass {

void MakeKeys(const SofthsmToken& softhsm, absl::string_view token, int first, int last) {
  void* library = dlopen(SofthsmToken::kModulePath, RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(library, nullptr) << dlerror();
  CK_FUNCTION_LIST* api = nullptr;
  ASSERT_EQ(reinterpret_cast<CK_C_GetFunctionList>(dlsym(library, "C_GetFunctionList"))(&api),
            CKR_OK);
  ASSERT_EQ(api->C_Initialize(nullptr), CKR_OK);
  CK_SLOT_ID slots[8];
  CK_ULONG count = 8;
  ASSERT_EQ(api->C_GetSlotList(CK_TRUE, slots, &count), CKR_OK);
  CK_TOKEN_INFO info = {};
  CK_ULONG slot = 0;
  while (slot < count && api->C_GetTokenInfo(slots[slot], &info) == CKR_OK &&
         !absl::StartsWith(reinterpret_cast<const char*>(info.label), token)) {
    ++slot;
  }
  ASSERT_LT(slot, count);
  CK_SESSION_HANDLE session = 0;
  ASSERT_EQ(api->C_OpenSession(slots[slot], CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr,
                               &session),
            CKR_OK);
  std::string pin = softhsm.pin();
  ASSERT_EQ(api->C_Login(session, CKU_USER, reinterpret_cast<CK_BYTE*>(pin.data()), pin.size()),
            CKR_OK);
  CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
  // prime256v1, an OBJECT IDENTIFIER in DER.
  CK_BYTE curve[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
  for (int i = first; i <= last; ++i) {
    std::string name = absl::StrCat("key-", i);
    CK_ATTRIBUTE public_key[] = {{CKA_TOKEN, &yes, sizeof(yes)},
                                 {CKA_EC_PARAMS, curve, sizeof(curve)},
                                 {CKA_LABEL, name.data(), name.size()},
                                 {CKA_ID, name.data(), name.size()}};
    CK_ATTRIBUTE private_key[] = {
        {CKA_TOKEN, &yes, sizeof(yes)},     {CKA_PRIVATE, &yes, sizeof(yes)},
        {CKA_SENSITIVE, &yes, sizeof(yes)}, {CKA_EXTRACTABLE, &no, sizeof(no)},
        {CKA_SIGN, &yes, sizeof(yes)},      {CKA_LABEL, name.data(), name.size()},
        {CKA_ID, name.data(), name.size()}};
    CK_MECHANISM mechanism = {CKM_EC_KEY_PAIR_GEN, nullptr, 0};
    CK_OBJECT_HANDLE halves[2];
    ASSERT_EQ(api->C_GenerateKeyPair(session, &mechanism, public_key, 4, private_key, 7, &halves[0],
                                     &halves[1]),
              CKR_OK);
  }
  ASSERT_EQ(api->C_Finalize(nullptr), CKR_OK);
}

}  // namespace hourglass
