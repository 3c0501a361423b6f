// Handles that become another key's, and objects that cannot be read.
#include "hsm/pkcs11/key_handles.h"

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hsm/key/key_type.h"
#include "hsm/key/signature.h"
#include "hsm/pkcs11/pkcs11_custodian.h"
#include "hsm/pkcs11/session_pool.h"
#include "hsm/pkcs11/token_objects.h"
#include "tests/fakes/faulty_pkcs11.h"
#include "tests/support/softhsm_token.h"
#include "tests/support/status_matchers.h"

namespace hourglass::hsm {
namespace {

using testing::ElementsAre;
using testing::Pair;

// SoftHSM sees no token that is added later; each test has a token of its own.
const SofthsmToken& Softhsm() {
  static const SofthsmToken softhsm({"private", "unused", "public", "wrong", "unread"});
  return softhsm;
}

std::string OddModule() { return std::filesystem::absolute("hsm/pkcs11/testing/odd_module.so"); }

using SwapFunction = void(CK_OBJECT_HANDLE, CK_OBJECT_HANDLE);

void SwapObjects(CK_OBJECT_HANDLE one, CK_OBJECT_HANDLE other) {
  void* const module = dlopen(OddModule().c_str(), RTLD_NOW | RTLD_NOLOAD);
  ASSERT_NE(module, nullptr);
  reinterpret_cast<SwapFunction*>(dlsym(module, "SwapObjects"))(one, other);
  dlclose(module);
}

// Six keys in a token that is reached through a module whose handles can be exchanged.
class Renumbered {
 public:
  explicit Renumbered(const std::string& label) : faulty_(OddModule()) {
    TokenUri token = *ParseTokenUri(Softhsm().Uri(label));
    token.module_path = faulty_.module_path();
    pool_ = std::make_unique<SessionPool>(token, SessionPool::Options());
    custodian_ = CreatePkcs11Custodian(token, {});
    EXPECT_OK(custodian_->Greet());
    SwapObjects(CK_INVALID_HANDLE, CK_INVALID_HANDLE);
    for (int i = 0; i < 6; ++i) {
      const KeySelector selector = {absl::StrCat("key-", i), "\x01"};
      keys_.push_back(*custodian_->Generate(selector, KeyType::kEcP256));
    }
  }

  absl::Status Works(int i) {
    const CustodialKey& key = keys_[i];
    const absl::StatusOr<std::string> signature =
        custodian_->SignDigest(key, *Digest(key.type, "message"));
    if (!signature.ok()) return signature.status();
    return VerifySignature(key.public_key, key.type, "message", *signature);
  }

  // Exchanges the handles of the halves of that class.
  void Swap(int one, int other, CK_OBJECT_CLASS kind) {
    std::vector<CK_OBJECT_HANDLE> handles;
    ASSERT_OK(pool_->Use(SessionPool::Access::kRead, [&](Session& session) -> absl::Status {
      for (const int i : {one, other}) {
        const auto found = FindObjects(session, kind, keys_[i].selector);
        if (!found.ok()) return found.status();
        handles.push_back(found->at(0));
      }
      return absl::OkStatus();
    }));
    SwapObjects(handles[0], handles[1]);
  }

  FaultyPkcs11& faulty() { return faulty_; }
  CustodianStatus Status() const { return custodian_->Status(); }

 private:
  FaultyPkcs11 faulty_;
  std::unique_ptr<SessionPool> pool_;
  std::unique_ptr<KeyCustodian> custodian_;
  std::vector<CustodialKey> keys_;
};

// Or the caller would take a sound key out of service, since it was another one that signed.
TEST(KeyHandlesTest, AHandleThatBecameAnotherKeysIsLookedUpAgainAfterALoss) {
  Renumbered token("private");
  ASSERT_OK(token.Works(0));
  ASSERT_OK(token.Works(1));
  token.Swap(0, 1, CKO_PRIVATE_KEY);
  token.faulty().Set({"C_SignInit 1 return CKR_DEVICE_ERROR"});
  EXPECT_OK(token.Works(0));
  EXPECT_OK(token.Works(1));  // which met no loss of its own
  EXPECT_THAT(token.Status().errors, ElementsAre(Pair("CKR_DEVICE_ERROR", 1)));
}

TEST(KeyHandlesTest, WhatWasReadOfAllButNotUsedYetMayHaveBecomeAnotherKeys) {
  Renumbered token("unused");
  for (int i = 0; i < 4; ++i) ASSERT_OK(token.Works(i));
  token.Swap(4, 5, CKO_PRIVATE_KEY);
  EXPECT_OK(token.Works(4));
  EXPECT_OK(token.Works(5));
}

TEST(KeyHandlesTest, SoMayPublicHalves) {
  Renumbered token("public");
  for (int i = 0; i < 4; ++i) ASSERT_OK(token.Works(i));
  token.Swap(4, 5, CKO_PUBLIC_KEY);
  EXPECT_OK(token.Works(4));
  EXPECT_OK(token.Works(5));
}

// What the very key signs is for the caller to judge, who takes it out of service.
TEST(KeyHandlesTest, AWrongSignatureOfTheRightKeyIsNotHidden) {
  Renumbered token("wrong");
  token.faulty().Set({"C_Sign 1 wrong-signature"});
  EXPECT_THAT(token.Works(0), FailsWith(ErrorReason::kKeyMismatch, "signature"));
  EXPECT_OK(token.Works(0));
}

TEST(KeyHandlesTest, AnObjectThatCannotBeReadKeepsNoKeyFromSigning) {
  Renumbered token("unread");
  for (int i = 0; i < 3; ++i) ASSERT_OK(token.Works(i));
  for (int i = 3; i < 6; ++i) {
    // The first reading is of all that there is; that is tried twice.
    if (i < 5) token.faulty().Set({"C_GetAttributeValue 1 return CKR_GENERAL_ERROR"});
    EXPECT_OK(token.Works(i)) << i;
    token.faulty().Clear();
  }
}

}  // namespace
}  // namespace hourglass::hsm
