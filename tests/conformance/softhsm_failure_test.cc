// What goes wrong with tokens, done to a real one, each beside a control that works.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <p11-kit/pkcs11.h>

#include <barrier>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "hsm/key/key_uri.h"
#include "hsm/key/signature.h"
#include "hsm/key/software_key.h"
#include "hsm/pkcs11/module.h"
#include "hsm/pkcs11/session_pool.h"
#include "hsm/pkcs11/token_objects.h"
#include "hsm/store/key_store.h"
#include "tests/support/shared_library.h"
#include "tests/support/softhsm_token.h"
#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::hsm {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;

// One process sees the tokens that were there when it loaded the module, so all are made at once;
// those that a test harms are its own.
const SofthsmToken& Softhsm() {
  static const SofthsmToken token({"main", "guarded", "removed", "twin", "twin"});
  return token;
}

std::unique_ptr<KeyStore> StoreOf(const std::string& token_uri, int sessions = 8) {
  KeyStoreOptions options;
  options.tokens = {token_uri};
  options.sessions_per_token = sessions;
  absl::StatusOr<std::unique_ptr<KeyStore>> store = KeyStore::Create(options);
  EXPECT_OK(store);
  return *std::move(store);
}

std::string UriOf(const std::string& object) {
  return absl::StrCat("pkcs11:token=main;object=", object);
}

// Signs and verifies.
absl::Status Works(SigningKey& key) {
  absl::StatusOr<std::string> signature = key.Sign("message");
  if (!signature.ok()) return signature.status();
  return VerifySignature(key.public_key(), key.type(), "message", *signature);
}

// Something of OpenSC's tool, which must succeed, done to the main token.
void Tool(const std::vector<std::string>& arguments) {
  const CommandResult result = Softhsm().Tool(arguments, "main");
  EXPECT_EQ(result.exit_code, 0) << result.output;
}

// Clears CKA_SIGN, which OpenSC's tool cannot.
void ForbidSigning(const std::string& label) {
  ASSERT_OK_AND_ASSIGN(const TokenUri token, ParseTokenUri(Softhsm().Uri("main")));
  SessionPool pool(token, {});
  ASSERT_OK(pool.Use(SessionPool::Access::kWrite, [&](Session& session) -> absl::Status {
    const absl::StatusOr<CK_OBJECT_HANDLE> key = FindPrivateKey(session, {label, ""});
    if (!key.ok()) return key.status();
    CK_BBOOL no = CK_FALSE;
    CK_ATTRIBUTE attribute = {CKA_SIGN, &no, sizeof(no)};
    EXPECT_EQ(session.api.C_SetAttributeValue(session.handle, *key, &attribute, 1), CKR_OK);
    return absl::OkStatus();
  }));
}

// In this process: SoftHSM does not see what another one does to a PIN.
void ChangePin(const std::string& label, std::string old_pin, std::string new_pin) {
  const auto octets = [](std::string& pin) { return reinterpret_cast<unsigned char*>(pin.data()); };
  ASSERT_OK_AND_ASSIGN(const TokenUri token, ParseTokenUri(Softhsm().Uri(label)));
  ASSERT_OK_AND_ASSIGN(Module* const module, Module::Load(token));
  ASSERT_OK_AND_ASSIGN(const CK_SLOT_ID slot, module->FindSlot(token));
  ASSERT_OK_AND_ASSIGN(const CK_SESSION_HANDLE session, module->OpenSession(token, slot, true));
  EXPECT_EQ(module->api().C_SetPIN(session, octets(old_pin), old_pin.size(), octets(new_pin),
                                   new_pin.size()),
            CKR_OK);
  module->CloseSession(session);
}

class SofthsmFailureTest : public testing::Test {
 protected:
  std::unique_ptr<KeyStore> store_ = StoreOf(Softhsm().Uri("main"));
  TemporaryDirectory directory_;
};

TEST_F(SofthsmFailureTest, AWrongPinIsTriedOnce) {
  const std::string pin_file = directory_.Write("pin", "246802\n");
  const std::string token =
      absl::StrReplaceAll(Softhsm().Uri("guarded"), {{Softhsm().pin_file(), pin_file}});
  const std::unique_ptr<KeyStore> store = StoreOf(token);
  const std::string key = "pkcs11:token=guarded;object=k";
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      const absl::Status status = store->Open(key).status();
      EXPECT_THAT(status, FailsWith(ErrorReason::kPinRefused, "pkcs11:token=guarded"));
      EXPECT_THAT(status.ToString(), Not(HasSubstr("246802")));
    });
  }
  for (std::thread& thread : threads) thread.join();
  // Were the token asked again, it would now accept.
  ChangePin("guarded", Softhsm().pin(), "246802");
  EXPECT_THAT(store->Generate(key, KeyType::kEcP256), FailsWith(ErrorReason::kPinRefused));
  EXPECT_THAT(store->Destroy(key), FailsWith(ErrorReason::kPinRefused));
  ChangePin("guarded", "246802", "864200");
  directory_.Write("pin", "864200");
  EXPECT_OK(store->Generate(key, KeyType::kEcP256));
}

TEST_F(SofthsmFailureTest, AMissingPinFileIsToldAndTriedAgain) {
  const std::string pin_file = directory_.File("pin");
  const std::unique_ptr<KeyStore> store =
      StoreOf(absl::StrReplaceAll(Softhsm().Uri("main"), {{Softhsm().pin_file(), pin_file}}));
  EXPECT_THAT(store->Open(UriOf("none")),
              FailsWith(ErrorReason::kKeyUnavailable, "file:" + pin_file));
  directory_.Write("pin", Softhsm().pin());
  EXPECT_THAT(store->Open(UriOf("none")), FailsWith(ErrorReason::kKeyNotFound));
}

TEST_F(SofthsmFailureTest, WhatIsNoModule) {
  const auto open_with = [](const std::string& module) {
    return StoreOf(
               absl::StrReplaceAll(Softhsm().Uri("main"), {{SofthsmToken::kModulePath, module}}))
        ->Open(UriOf("none"))
        .status();
  };
  EXPECT_THAT(open_with(SofthsmToken::kModulePath), FailsWith(ErrorReason::kKeyNotFound));
  const absl::Status missing = open_with("/nonexistent/module.so");
  EXPECT_THAT(missing, FailsWith(ErrorReason::kKeyUnavailable, "pkcs11:token=main"));
  EXPECT_THAT(std::string(missing.message()), HasSubstr("cannot load the module"));
  const absl::Status text = open_with(directory_.Write("module.so", "not an ELF file"));
  EXPECT_THAT(text, FailsWith(ErrorReason::kKeyUnavailable, "pkcs11:token=main"));
  const absl::Status other = open_with(LibraryPath("libcrypto.so.3"));
  EXPECT_THAT(other, FailsWith(ErrorReason::kKeyUnavailable, "pkcs11:token=main"));
  EXPECT_THAT(std::string(other.message()), HasSubstr("is not a PKCS#11 module"));
}

TEST_F(SofthsmFailureTest, AnAbsentTokenIsNotReplacedByAnother) {
  const std::unique_ptr<KeyStore> store =
      StoreOf(absl::StrReplaceAll(Softhsm().Uri("main"), {{"token=main", "token=absent"}}));
  EXPECT_THAT(store->Generate("pkcs11:token=absent;object=k", KeyType::kEcP256),
              FailsWith(ErrorReason::kKeyUnavailable, "pkcs11:token=absent"));
}

TEST_F(SofthsmFailureTest, TwoTokensOfOneLabelAreToldApartBySerial) {
  EXPECT_THAT(StoreOf(Softhsm().Uri("twin"))->Open("pkcs11:token=twin;object=k"),
              FailsWith(ErrorReason::kKeyUnavailable, "pkcs11:token=twin"));
  // SoftHSM names the folder of a token by a UUID whose last 16 hexadecimal digits are the serial
  // number.
  std::string digits = absl::StrReplaceAll(Softhsm().Folder("twin"), {{"-", ""}});
  const std::string serial = digits.substr(digits.size() - 16);
  const std::string token = absl::StrReplaceAll(
      Softhsm().Uri("twin"), {{"token=twin", absl::StrCat("token=twin;serial=", serial)}});
  const std::unique_ptr<KeyStore> store = StoreOf(token);
  EXPECT_OK(store->Generate("pkcs11:token=twin;object=k", KeyType::kEcP256));
  EXPECT_OK(store->Open(absl::StrCat("pkcs11:token=twin;serial=", serial, ";object=k")));
}

TEST_F(SofthsmFailureTest, ATokenRemovedInServiceIsAnErrorAndNoCrash) {
  const std::unique_ptr<KeyStore> store = StoreOf(Softhsm().Uri("removed"));
  const std::string uri = "pkcs11:token=removed;object=k";
  ASSERT_OK_AND_ASSIGN(const auto key, store->Generate(uri, KeyType::kEcP256));
  ASSERT_OK(Works(*key));
  std::filesystem::remove_all(Softhsm().Folder("removed"));
  const auto unusable =
      AnyOf(FailsWith(ErrorReason::kKeyUnavailable), FailsWith(ErrorReason::kKeyNotFound));
  for (int i = 0; i < 20; ++i) EXPECT_THAT(key->Sign("message"), unusable);
  EXPECT_THAT(store->Open(uri), unusable);
  EXPECT_THAT(store->Destroy(uri), unusable);
}

TEST_F(SofthsmFailureTest, AKeyDeletedElsewhereIsNotFoundAndOthersSign) {
  ASSERT_OK_AND_ASSIGN(const auto doomed, store_->Generate(UriOf("doomed"), KeyType::kEcP256));
  ASSERT_OK_AND_ASSIGN(const auto other, store_->Generate(UriOf("other"), KeyType::kEcP256));
  ASSERT_OK(Works(*doomed));
  Tool({"--delete-object", "--type", "privkey", "--label", "doomed"});
  EXPECT_THAT(doomed->Sign("message"), FailsWith(ErrorReason::kKeyNotFound));
  EXPECT_THAT(store_->Open(UriOf("doomed")), FailsWith(ErrorReason::kKeyNotFound));
  EXPECT_OK(Works(*other));
}

TEST_F(SofthsmFailureTest, TwoKeysOfOneLabelAreToldApartById) {
  for (const char* id : {"01", "02"}) {
    Tool({"--keypairgen", "--key-type", "EC:prime256v1", "--label", "double", "--id", id,
          "--usage-sign"});
  }
  EXPECT_THAT(store_->Open(UriOf("double")), FailsWith(ErrorReason::kKeyExists));
  EXPECT_THAT(store_->Destroy(UriOf("double")), FailsWith(ErrorReason::kKeyExists));
  ASSERT_OK_AND_ASSIGN(const auto first, store_->Open(UriOf("double;id=%01")));
  ASSERT_OK_AND_ASSIGN(const auto second, store_->Open(UriOf("double;id=%02")));
  EXPECT_NE(first->public_key(), second->public_key());
  ASSERT_OK(store_->Destroy(UriOf("double;id=%01")));
  EXPECT_THAT(first->Sign("message"), FailsWith(ErrorReason::kKeyNotFound));
  EXPECT_OK(Works(*second));
  EXPECT_OK(store_->Open(UriOf("double")));
}

// A second key of the name, told apart by its id, would make the first one's URI name two.
TEST_F(SofthsmFailureTest, ANewKeyNeverMakesTheUriOfAnotherAmbiguous) {
  ASSERT_OK(store_->Generate(UriOf("alone"), KeyType::kEcP256));
  EXPECT_THAT(store_->Generate(UriOf("alone;id=%02"), KeyType::kEcP256),
              FailsWith(ErrorReason::kKeyExists));
  EXPECT_OK(store_->Open(UriOf("alone")));
  EXPECT_OK(store_->Generate(UriOf("another;id=%02"), KeyType::kEcP256));
}

TEST_F(SofthsmFailureTest, KeysThatAreUnfitAreRefusedButCanBeDestroyed) {
  const auto generate = [](const std::string& label, std::vector<std::string> options) {
    options.insert(options.begin(),
                   {"--keypairgen", "--key-type", "EC:prime256v1", "--label", label, "--id", "0a"});
    Tool(options);
  };
  generate("fit", {"--usage-sign"});
  EXPECT_OK(store_->Open(UriOf("fit")));

  generate("extractable", {"--usage-sign", "--extractable"});
  generate("every-time", {"--usage-sign", "--always-auth"});
  ASSERT_OK(store_->Generate(UriOf("not-signing"), KeyType::kEcP256));
  ForbidSigning("not-signing");
  ASSERT_OK_AND_ASSIGN(const std::string pem, GenerateSoftwareKeyPem(KeyType::kEcP256));
  const CommandResult imported =
      RunCommand({"softhsm2-util", "--import", directory_.Write("pem", pem), "--token", "main",
                  "--label", "imported", "--id", "0b", "--pin", Softhsm().pin()});
  ASSERT_EQ(imported.exit_code, 0) << imported.output;
  for (const auto& [label, attribute] :
       {std::pair<std::string, std::string>{"extractable", "CKA_EXTRACTABLE"},
        {"every-time", "CKA_ALWAYS_AUTHENTICATE"},
        {"not-signing", "CKA_SIGN"},
        {"imported", "CKA_ALWAYS_SENSITIVE"}}) {
    const absl::Status status = store_->Open(UriOf(label)).status();
    EXPECT_THAT(status, FailsWith(ErrorReason::kKeyUnfit)) << label;
    EXPECT_THAT(std::string(status.message()), HasSubstr(attribute)) << label;
    EXPECT_OK(store_->Destroy(UriOf(label))) << label;
    EXPECT_THAT(store_->Open(UriOf(label)), FailsWith(ErrorReason::kKeyNotFound)) << label;
  }
}

TEST_F(SofthsmFailureTest, APublicObjectOfAnotherKeyIsAMismatch) {
  ASSERT_OK(store_->Generate(UriOf("swapped;id=%0c"), KeyType::kEcP256));
  ASSERT_OK(store_->Open(UriOf("swapped")));
  ASSERT_OK_AND_ASSIGN(const auto stranger, GenerateSoftwareKey(KeyType::kEcP256));
  Tool({"--delete-object", "--type", "pubkey", "--label", "swapped"});
  EXPECT_THAT(store_->Open(UriOf("swapped")), FailsWith(ErrorReason::kKeyUnfit));
  Tool({"--write-object", directory_.Write("spki", stranger->public_key()), "--type", "pubkey",
        "--label", "swapped", "--id", "0c", "--usage-sign"});
  EXPECT_THAT(store_->Open(UriOf("swapped")), FailsWith(ErrorReason::kKeyMismatch));
}

TEST_F(SofthsmFailureTest, OtherKindsOfKeysAreUnsupported) {
  Tool({"--keypairgen", "--key-type", "EC:secp521r1", "--label", "p521", "--usage-sign"});
  EXPECT_THAT(store_->Open(UriOf("p521")), FailsWith(ErrorReason::kKeyUnsupported));
  Tool({"--keypairgen", "--key-type", "rsa:1024", "--label", "rsa1024", "--usage-sign"});
  EXPECT_THAT(store_->Open(UriOf("rsa1024")), FailsWith(ErrorReason::kKeyUnsupported));
}

// The module as another part of the process sees it.
struct Accomplice {
  Accomplice() {
    const absl::StatusOr<TokenUri> token = ParseTokenUri(Softhsm().Uri("main"));
    EXPECT_OK(token);
    module = *Module::Load(*token);
    slot = *module->FindSlot(*token);
  }
  Module* module;
  CK_SLOT_ID slot;
};

TEST_F(SofthsmFailureTest, SessionsClosedUnderneathHeal) {
  ASSERT_OK_AND_ASSIGN(const auto key, store_->Generate(UriOf("healing"), KeyType::kEcP256));
  const Accomplice accomplice;
  for (int round = 0; round < 3; ++round) {
    ASSERT_EQ(accomplice.module->api().C_CloseAllSessions(accomplice.slot), CKR_OK);
    EXPECT_OK(Works(*key));
    ASSERT_EQ(accomplice.module->api().C_CloseAllSessions(accomplice.slot), CKR_OK);
    EXPECT_OK(store_->Open(UriOf("healing")));
  }
}

TEST_F(SofthsmFailureTest, ALogoutUnderneathHeals) {
  ASSERT_OK_AND_ASSIGN(const auto key, store_->Generate(UriOf("logged-out"), KeyType::kEcP256));
  const Accomplice accomplice;
  ASSERT_OK_AND_ASSIGN(const TokenUri token, ParseTokenUri(Softhsm().Uri("main")));
  ASSERT_OK_AND_ASSIGN(const CK_SESSION_HANDLE session,
                       accomplice.module->OpenSession(token, accomplice.slot, false));
  ASSERT_EQ(accomplice.module->api().C_Logout(session), CKR_OK);
  EXPECT_OK(Works(*key));
  ASSERT_EQ(accomplice.module->api().C_Logout(session), CKR_OK);
  EXPECT_OK(store_->Open(UriOf("logged-out")));
  accomplice.module->CloseSession(session);
}

// SoftHSM crashes if a session is closed in the midst of its C_Sign, so the threads pause
// meanwhile.
TEST_F(SofthsmFailureTest, SeveralThreadsHealTheSameLoss) {
  const std::unique_ptr<KeyStore> store = StoreOf(Softhsm().Uri("main"), 3);
  ASSERT_OK_AND_ASSIGN(const auto key, store->Generate(UriOf("stormy"), KeyType::kEcP256));
  const Accomplice accomplice;
  constexpr int kThreads = 4;
  constexpr int kRounds = 20;
  std::barrier<> pause(kThreads + 1);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < kRounds; ++round) {
        pause.arrive_and_wait();
        for (int j = 0; j < 5; ++j) EXPECT_OK(Works(*key));
        pause.arrive_and_wait();
      }
    });
  }
  for (int round = 0; round < kRounds; ++round) {
    EXPECT_EQ(accomplice.module->api().C_CloseAllSessions(accomplice.slot), CKR_OK);
    pause.arrive_and_wait();
    pause.arrive_and_wait();
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace hourglass::hsm
