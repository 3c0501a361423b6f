// One bad token among ten, and a token with very many keys.
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <p11-kit/pkcs11.h>

#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/faults/fault_world.h"
#include "tests/support/status_matchers.h"

namespace hourglass {
namespace {

using testing::Each;

// A dead token may take neither threads nor time from the others. The bound is wide because two
// cores serve ten tokens and whatever else the machine does; the figures are in the table.
void ExpectUnmoved(const Recovery& recovery) {
  EXPECT_LT(recovery.others_during.count(), 3 * recovery.others_before.count() + 50);
}

TEST(TenTokensTest, OneHangs) {
  TokenWorld world(9);
  const FaultWorld::Outcome outcome =
      world.Undergo({"one of ten tokens hangs", [&] { world.faulty().Set({"* * hang"}); },
                     std::chrono::seconds(5), [&] { world.faulty().Clear(); }});
  EXPECT_THAT(outcome.reasons, Each(ErrorReason::kKeyUnavailable));
  ExpectUnmoved(outcome.recovery);
}

TEST(TenTokensTest, OneCrashes) {
  TokenWorld world(9);
  const FaultWorld::Outcome outcome = world.Undergo(
      {"one of ten tokens crashes", [&] { world.faulty().Set({"* * crash SIGSEGV"}); },
       std::chrono::seconds(5), [&] { world.faulty().Clear(); }});
  EXPECT_THAT(outcome.reasons, Each(ErrorReason::kKeyUnavailable));
  ExpectUnmoved(outcome.recovery);
}

// Makes keys `key-FIRST` to `key-LAST`, fit as those that we make, by nothing but
// C_GenerateKeyPair: KeyStore::Generate looks each time whether the name is taken, which takes
// SoftHSM 12 us a key.
void MakeKeys(const SofthsmToken& softhsm, const std::string& token, int first, int last) {
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

TEST(ManyKeysTest, AThousandInOneToken) {
  TokenWorld world;
  constexpr int kKeys = 1000;
  ASSERT_NO_FATAL_FAILURE(MakeKeys(world.softhsm(), "harmed", 1, kKeys - 1));
  const SteadyTime begun = std::chrono::steady_clock::now();
  ASSERT_OK_AND_ASSIGN(
      const auto last,
      world.store().Open(TokenWorld::HarmedKeyUri(absl::StrCat("key-", kKeys - 1))));
  ASSERT_OK(last->Sign("message"));
  const Milliseconds opened = std::chrono::steady_clock::now() - begun;
  std::printf("opening one of %d keys took %.1f ms\n", kKeys, opened.count());

  std::set<std::string> listed;
  for (const hsm::KeyStore::Place& place : world.store().List()) {
    ASSERT_OK(place.status);
    for (const hsm::KeyStore::StoredKey& key : place.keys) listed.insert(key.public_key);
  }
  EXPECT_EQ(listed.size(), kKeys + 1u);  // and that of the other token
  EXPECT_EQ(listed.count(last->public_key()), 1u);

  const FaultWorld::Outcome outcome = world.Undergo(
      {"workers of a token with 1 000 keys killed", [&] { world.KillWorkers(); }, {}, nullptr});
  EXPECT_THAT(outcome.reasons, testing::IsEmpty());
}

}  // namespace
}  // namespace hourglass
