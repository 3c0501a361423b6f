// What modules answer that SoftHSM never does, each beside the same call without it.
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "hsm/key/key_type.h"
#include "hsm/key/signature.h"
#include "hsm/pkcs11/module.h"
#include "hsm/pkcs11/pkcs11_custodian.h"
#include "hsm/pkcs11/return_code.h"
#include "hsm/pkcs11/session_pool.h"
#include "tests/fakes/faulty_pkcs11.h"
#include "tests/support/softhsm_token.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::hsm {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Pair;
using Access = SessionPool::Access;
using State = CustodianStatus::State;

const SofthsmToken& Softhsm() {
  static const SofthsmToken softhsm({"main", "counted", "away"});
  return softhsm;
}

FaultyPkcs11& Faulty() {
  static FaultyPkcs11 faulty;
  return faulty;
}

TokenUri Token() { return *ParseTokenUri(Faulty().Through(Softhsm().Uri())); }

absl::Status Works(KeyCustodian& custodian, const CustodialKey& key) {
  const absl::StatusOr<std::string> signature =
      custodian.SignDigest(key, *Digest(key.type, "message"));
  if (!signature.ok()) return signature.status();
  return VerifySignature(key.public_key, key.type, "message", *signature);
}

class Pkcs11FaultsTest : public testing::Test {
 protected:
  void SetUp() override {
    Softhsm();
    Faulty().Clear();
    custodian_ = CreatePkcs11Custodian(Token(), {});
    absl::StatusOr<CustodialKey> key = custodian_->Generate({"k", "\x01"}, KeyType::kEcP256);
    ASSERT_OK(key);
    key_ = *std::move(key);
    ASSERT_OK(Works(*custodian_, key_));
  }
  void TearDown() override { Faulty().Clear(); }

  std::unique_ptr<KeyCustodian> custodian_;
  CustodialKey key_;
};

TEST_F(Pkcs11FaultsTest, EveryLossThatThisProcessCanMendHealsWithinTheCall) {
  for (const std::string code :
       {"CKR_SESSION_HANDLE_INVALID", "CKR_SESSION_CLOSED", "CKR_OPERATION_ACTIVE",
        "CKR_OPERATION_NOT_INITIALIZED", "CKR_USER_NOT_LOGGED_IN", "CKR_DEVICE_ERROR",
        "CKR_FUNCTION_FAILED", "CKR_KEY_HANDLE_INVALID", "CKR_OBJECT_HANDLE_INVALID",
        "CKR_DEVICE_REMOVED", "CKR_TOKEN_NOT_PRESENT", "CKR_TOKEN_NOT_RECOGNIZED",
        "CKR_SESSION_COUNT", "CKR_DEVICE_MEMORY", "CKR_HOST_MEMORY", "0x80000042"}) {
    for (const std::string function : {"C_SignInit", "C_Sign"}) {
      const auto custodian = CreatePkcs11Custodian(Token(), {});
      ASSERT_OK(Works(*custodian, key_));
      Faulty().Set({absl::StrCat(function, " 1 return ", code)});
      EXPECT_OK(Works(*custodian, key_)) << function << " " << code;
      Faulty().Clear();
      const CustodianStatus status = custodian->Status();
      EXPECT_EQ(status.state, State::kHealthy) << code;
      const std::string name = code[0] == '0' ? "CKR " + code : code;
      EXPECT_THAT(status.errors, testing::ElementsAre(Pair(name, 1))) << function;
      EXPECT_OK(Works(*custodian, key_)) << function << " " << code;
    }
  }
}

TEST_F(Pkcs11FaultsTest, WhatComesAgainNeedsANewCustodian) {
  const struct {
    std::string code;
    int tries;
    bool needs_new;
  } kRows[] = {
      {"CKR_SESSION_HANDLE_INVALID", 2, true},   {"CKR_OPERATION_ACTIVE", 2, true},
      {"CKR_USER_NOT_LOGGED_IN", 2, true},       {"CKR_DEVICE_ERROR", 2, true},
      {"CKR_FUNCTION_FAILED", 2, true},          {"CKR_KEY_HANDLE_INVALID", 2, true},
      {"CKR_TOKEN_NOT_PRESENT", 2, true},        {"CKR_GENERAL_ERROR", 1, true},
      {"CKR_CRYPTOKI_NOT_INITIALIZED", 1, true}, {"CKR_DEVICE_MEMORY", 2, false},
      {"CKR_ARGUMENTS_BAD", 1, false},           {"CKR_DATA_LEN_RANGE", 1, false},
  };
  for (const auto& row : kRows) {
    const auto custodian = CreatePkcs11Custodian(Token(), {});
    ASSERT_OK(Works(*custodian, key_));
    Faulty().Set({absl::StrCat("C_SignInit * return ", row.code)});
    const auto before = Faulty().Count("C_SignInit");
    const absl::Status status = Works(*custodian, key_);
    EXPECT_THAT(status, FailsWith(ErrorReason::kKeyUnavailable, "pkcs11:token=main"));
    EXPECT_EQ(NeedsNewCustodian(status), row.needs_new) << row.code;
    EXPECT_EQ(Faulty().Count("C_SignInit") - before, row.tries) << row.code;
    const CustodianStatus fared = custodian->Status();
    EXPECT_EQ(fared.state, row.needs_new ? State::kFailed : State::kRecovering) << row.code;
    EXPECT_THAT(fared.message, HasSubstr(row.code));
    EXPECT_THAT(fared.errors, Contains(Pair(row.code, row.tries)));
    Faulty().Clear();
    EXPECT_OK(Works(*custodian, key_)) << row.code;
    EXPECT_EQ(custodian->Status().state, State::kHealthy) << row.code;
  }
}

TEST_F(Pkcs11FaultsTest, SlotsThatGetOtherNumbersHeal) {
  // SoftHSM's sessions stand, but no new one can be opened under the old number.
  const auto custodian = CreatePkcs11Custodian(Token(), {.sessions = 1});
  ASSERT_OK(Works(*custodian, key_));
  Faulty().Set({"* * renumber 7", "C_Sign 1 return CKR_DEVICE_REMOVED"});
  EXPECT_OK(Works(*custodian, key_));
  Faulty().Set({"* * renumber 0", "C_Sign 1 return CKR_SESSION_CLOSED"});
  EXPECT_OK(Works(*custodian, key_));
  EXPECT_EQ(custodian->Status().state, State::kHealthy);
}

TEST_F(Pkcs11FaultsTest, AForgottenLoginAndClosedSessionsHeal) {
  for (const std::string fault : {"C_SignInit 1 forget-login", "C_SignInit 1 close-sessions",
                                  "C_Sign 1 forget-login", "C_OpenSession 1 close-sessions"}) {
    Faulty().Set({fault});
    EXPECT_OK(Works(*custodian_, key_)) << fault;
    EXPECT_OK(custodian_->Open(key_.selector)) << fault;
    Faulty().Clear();
    EXPECT_OK(Works(*custodian_, key_)) << fault;
  }
}

TEST_F(Pkcs11FaultsTest, SignaturesOfTheWrongLengthAreNoSignatures) {
  for (const std::string length : {"0", "1", "63", "65", "128", "4000000000"}) {
    Faulty().Set({absl::StrCat("C_Sign 1 length ", length)});
    EXPECT_THAT(Works(*custodian_, key_), FailsWith(ErrorReason::kKeyMismatch)) << length;
    EXPECT_OK(Works(*custodian_, key_));
  }
  Faulty().Set({"C_Sign 1 return CKR_BUFFER_TOO_SMALL"});
  EXPECT_THAT(Works(*custodian_, key_), FailsWith(ErrorReason::kKeyMismatch));
  EXPECT_OK(Works(*custodian_, key_));
}

TEST_F(Pkcs11FaultsTest, AbsurdLengthsAndCountsAreErrors) {
  for (const std::string fault :
       {"C_FindObjects * length 99999", "C_FindObjects * length 18446744073709551615",
        "C_FindObjects * length 16", "C_GetAttributeValue * length 9999999999"}) {
    Faulty().Set({fault});
    EXPECT_THAT(custodian_->Open(key_.selector), FailsWith(ErrorReason::kKeyUnavailable)) << fault;
    EXPECT_THAT(custodian_->List(), FailsWith(ErrorReason::kKeyUnavailable)) << fault;
    Faulty().Clear();
    EXPECT_OK(custodian_->Open(key_.selector)) << fault;
  }
  // Lengths that are less absurd, but not those of the attributes.
  for (const std::string length : {"0", "1", "8", "60", "65535", "18446744073709551615"}) {
    Faulty().Set({absl::StrCat("C_GetAttributeValue * length ", length)});
    EXPECT_FALSE(custodian_->Open(key_.selector).ok()) << length;
    static_cast<void>(custodian_->List());
    Faulty().Clear();
    EXPECT_OK(custodian_->Open(key_.selector)) << length;
  }
}

TEST_F(Pkcs11FaultsTest, AModuleThatDoesNotStartNeedsANewCustodian) {
  for (const std::string fault :
       {"C_GetSlotList * return CKR_GENERAL_ERROR", "C_GetSlotList * length 0",
        "C_GetSlotList * length 18446744073709551615", "C_GetTokenInfo * return CKR_DEVICE_ERROR",
        "C_OpenSession * return CKR_DEVICE_ERROR", "C_Login * return CKR_DEVICE_ERROR",
        "C_Login * return CKR_GENERAL_ERROR"}) {
    const auto custodian = CreatePkcs11Custodian(Token(), {});
    Faulty().Set({fault});
    const absl::Status status = custodian->Greet().status();
    EXPECT_THAT(status, FailsWith(ErrorReason::kKeyUnavailable, "pkcs11:token=main")) << fault;
    EXPECT_TRUE(NeedsNewCustodian(status)) << fault;
    EXPECT_EQ(custodian->Status().state, State::kFailed) << fault;
    Faulty().Clear();
    EXPECT_OK(Works(*custodian, key_)) << fault;
  }
  FaultyPkcs11 fresh;
  const auto custodian = CreatePkcs11Custodian(*ParseTokenUri(fresh.Through(Softhsm().Uri())), {});
  fresh.Set({"C_Initialize 1 return CKR_GENERAL_ERROR"});
  const absl::Status status = custodian->Greet().status();
  EXPECT_THAT(status, FailsWith(ErrorReason::kKeyUnavailable));
  EXPECT_TRUE(NeedsNewCustodian(status));
  EXPECT_OK(Works(*custodian, key_));
}

TEST_F(Pkcs11FaultsTest, ARefusedPinIsTriedOnceUntilItsSourceGivesAnother) {
  const TemporaryDirectory directory;
  for (const std::string code : {"CKR_PIN_INCORRECT", "CKR_PIN_LOCKED", "CKR_PIN_EXPIRED",
                                 "CKR_PIN_LEN_RANGE", "0x80000042"}) {
    TokenUri token = Token();
    token.pin_source.name = directory.Write("pin", Softhsm().pin() + "\n");
    const auto custodian = CreatePkcs11Custodian(token, {});
    Faulty().Set({absl::StrCat("C_Login * return ", code)});
    const auto before = Faulty().Count("C_Login");
    for (int i = 0; i < 5; ++i) {
      const absl::Status status = custodian->Greet().status();
      EXPECT_THAT(status, FailsWith(ErrorReason::kPinRefused, "pkcs11:token=main")) << code;
      EXPECT_FALSE(NeedsNewCustodian(status)) << code;
    }
    EXPECT_EQ(Faulty().Count("C_Login") - before, 1) << code;
    const CustodianStatus fared = custodian->Status();
    EXPECT_EQ(fared.state, State::kFailed);
    EXPECT_THAT(fared.message, HasSubstr("put the right PIN into file:" + token.pin_source.name));
    // The token would take it now, but it is the PIN that was refused.
    Faulty().Clear();
    EXPECT_THAT(custodian->Greet(), FailsWith(ErrorReason::kPinRefused)) << code;
    EXPECT_EQ(Faulty().Count("C_Login") - before, 1) << code;
    Faulty().Set({absl::StrCat("C_Login * return ", code)});
    directory.Write("pin", "246802");
    EXPECT_THAT(custodian->Greet(), FailsWith(ErrorReason::kPinRefused)) << code;
    EXPECT_EQ(Faulty().Count("C_Login") - before, 2) << code;
    Faulty().Clear();
    directory.Write("pin", Softhsm().pin());
    EXPECT_OK(Works(*custodian, key_)) << code;
    EXPECT_EQ(custodian->Status().state, State::kHealthy);
  }
}

// Whatever the module calls it, a wrong PIN shows in the token's flags.
TEST_F(Pkcs11FaultsTest, APinThatTheTokenCountedIsRefused) {
  const std::string odd = std::filesystem::absolute("hsm/pkcs11/testing/odd_module.so");
  FaultyPkcs11 counting(odd);
  const TemporaryDirectory directory;
  TokenUri token = *ParseTokenUri(Softhsm().Uri("counted"));
  token.module_path = counting.module_path();
  ASSERT_OK(Module::Load(token));
  void* const module = dlopen(odd.c_str(), RTLD_NOW | RTLD_NOLOAD);
  ASSERT_NE(module, nullptr);
  const auto call_wrong_pin = reinterpret_cast<void (*)(CK_RV)>(dlsym(module, "CallWrongPin"));
  for (const CK_RV code : {CKR_GENERAL_ERROR, CKR_FUNCTION_FAILED}) {
    call_wrong_pin(code);
    token.pin_source.name = directory.Write("pin", "246802");
    const auto custodian = CreatePkcs11Custodian(token, {});
    const auto before = counting.Count("C_Login");
    for (int i = 0; i < 3; ++i) {
      const absl::Status status = custodian->Greet().status();
      EXPECT_THAT(status, FailsWith(ErrorReason::kPinRefused)) << ReturnCodeName(code);
      EXPECT_FALSE(NeedsNewCustodian(status));
    }
    EXPECT_EQ(counting.Count("C_Login") - before, 1) << ReturnCodeName(code);
    directory.Write("pin", Softhsm().pin());
    EXPECT_OK(custodian->Greet());
  }
  dlclose(module);
}

// What says nothing of the PIN heals by itself once the token is back.
TEST_F(Pkcs11FaultsTest, ALoginThatFailsWhileTheTokenIsAwayIsTriedAgain) {
  const TokenUri token = *ParseTokenUri(Faulty().Through(Softhsm().Uri("away")));
  for (const std::string code : {"CKR_DEVICE_ERROR", "CKR_FUNCTION_FAILED", "CKR_TOKEN_NOT_PRESENT",
                                 "CKR_USER_PIN_NOT_INITIALIZED", "0x80000042"}) {
    const auto custodian = CreatePkcs11Custodian(token, {});
    ASSERT_OK_AND_ASSIGN(const CustodialKey key,
                         custodian->Generate({"k", "\x01"}, KeyType::kEcP256));
    ASSERT_OK(Works(*custodian, key));
    Faulty().Set({"C_SignInit 1 forget-login", "C_Login * return " + code,
                  "C_GetTokenInfo * return CKR_DEVICE_ERROR"});
    EXPECT_THAT(Works(*custodian, key), FailsWith(ErrorReason::kKeyUnavailable)) << code;
    Faulty().Clear();
    EXPECT_OK(Works(*custodian, key)) << code;
    EXPECT_EQ(custodian->Status().state, State::kHealthy) << code;
  }
}

TEST_F(Pkcs11FaultsTest, LoggedInAlreadyCountsOnlyWhereItIsSo) {
  custodian_.reset();
  const auto custodian = CreatePkcs11Custodian(Token(), {});
  Faulty().Set({"C_Login * return CKR_USER_ALREADY_LOGGED_IN"});
  const absl::Status status = custodian->Greet().status();
  EXPECT_THAT(status, FailsWith(ErrorReason::kKeyUnavailable));
  EXPECT_TRUE(NeedsNewCustodian(status));
  Faulty().Clear();
  EXPECT_OK(Works(*custodian, key_));
  // Now it is so, by the login of another.
  const auto second = CreatePkcs11Custodian(Token(), {});
  EXPECT_OK(Works(*second, key_));
}

// Sessions that the token has no room for are done without, and tried again later.
TEST_F(Pkcs11FaultsTest, FewerSessionsThanWishedForSign) {
  const auto fine = [](Session&) { return absl::OkStatus(); };
  // The outcome of using one session while another is in use.
  const auto second_of = [&](SessionPool& pool) {
    absl::Status second;
    EXPECT_OK(pool.Use(Access::kRead, [&](Session&) {
      second = pool.Use(Access::kRead, fine);
      return absl::OkStatus();
    }));
    return second;
  };
  SessionPool::Options options = {.sessions = 3, .wait = std::chrono::milliseconds(1)};
  SessionPool pool(Token(), options);
  ASSERT_OK(pool.Use(Access::kRead, fine));
  Faulty().Set({"C_OpenSession * return CKR_SESSION_COUNT"});
  const absl::Status busy = second_of(pool);
  EXPECT_THAT(busy, FailsWith(ErrorReason::kKeyUnavailable));
  EXPECT_THAT(std::string(busy.message()), HasSubstr("all 1 sessions stayed busy"));
  EXPECT_FALSE(NeedsNewCustodian(busy));
  EXPECT_OK(pool.Use(Access::kRead, fine));
  Faulty().Clear();
  EXPECT_FALSE(second_of(pool).ok());
  EXPECT_THAT(pool.Status().errors, Contains(Pair("CKR_SESSION_COUNT", 1)));

  // By the pool's own clock, and by no other.
  std::chrono::steady_clock::time_point now;
  options.now = [&now] { return now; };
  options.grow_after = std::chrono::hours(1);
  SessionPool growing(Token(), options);
  ASSERT_OK(growing.Use(Access::kRead, fine));
  Faulty().Set({"C_OpenSession * return CKR_SESSION_COUNT"});
  EXPECT_FALSE(second_of(growing).ok());
  Faulty().Clear();
  now += std::chrono::minutes(59);
  EXPECT_FALSE(second_of(growing).ok());
  now += std::chrono::minutes(1);
  EXPECT_OK(second_of(growing));
}

TEST_F(Pkcs11FaultsTest, WhatIsMadeAndFoundUnfitDoesNotStay) {
  // The attributes of the new key cannot be read; those of the search before it are not asked for.
  Faulty().Set({"C_GetAttributeValue * return CKR_ARGUMENTS_BAD"});
  EXPECT_THAT(custodian_->Generate({"unread", "\x02"}, KeyType::kEcP256),
              FailsWith(ErrorReason::kKeyUnavailable));
  Faulty().Clear();
  EXPECT_THAT(Softhsm().Tool({"--list-objects"}).output, testing::Not(HasSubstr("unread")));
  // A loss in the midst is no loss of the key.
  Faulty().Set({"C_GetAttributeValue 1 return CKR_SESSION_CLOSED"});
  EXPECT_OK(custodian_->Generate({"read", "\x03"}, KeyType::kEcP256));
  Faulty().Clear();
  EXPECT_OK(custodian_->Open({"read", "\x03"}));
}

TEST(IncompleteModuleTest, IsAnErrorAndNoCrash) {
  const std::string library = "hsm/pkcs11/testing/incomplete_module.so";
  const TemporaryDirectory directory;
  for (const auto& [lacking, told] : {std::pair<const char*, const char*>{"C_Sign", "no C_Sign"},
                                      {"functions", "no functions"},
                                      {"version", "version 9"}}) {
    setenv("INCOMPLETE_MODULE", lacking, 1);
    TokenUri token = *ParseTokenUri(Softhsm().Uri());
    token.module_path = directory.Write(absl::StrCat(lacking, ".so"), ReadFileOrDie(library));
    const absl::Status status = CreatePkcs11Custodian(token, {})->Greet().status();
    EXPECT_THAT(status, FailsWith(ErrorReason::kKeyUnavailable, "pkcs11:token=main"));
    EXPECT_THAT(std::string(status.message()), HasSubstr(told));
  }
}

}  // namespace
}  // namespace hourglass::hsm
