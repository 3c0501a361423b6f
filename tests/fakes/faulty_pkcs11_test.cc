// Each fault once, beside the same call without it, by direct calls and by OpenSC's pkcs11-tool.
#include "tests/fakes/faulty_pkcs11.h"

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <p11-kit/pkcs11.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/softhsm_token.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass {
namespace {

using testing::HasSubstr;

// A SoftHSM token with a key, reached through the module. One a process: SoftHSM is loaded once.
class FaultyPkcs11Test : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    token_ = new SofthsmToken({"main"});
    faulty_ = new FaultyPkcs11;
    const CommandResult made = RunCommand(
        {"pkcs11-tool", "--module", faulty_->module_path(), "--login", "--pin", token_->pin(),
         "--keypairgen", "--key-type", "EC:prime256v1", "--label", "k", "--usage-sign"});
    ASSERT_EQ(made.exit_code, 0) << made.output;
    void* library = dlopen(faulty_->module_path().c_str(), RTLD_NOW | RTLD_LOCAL);
    ASSERT_NE(library, nullptr) << dlerror();
    get_function_list_ =
        reinterpret_cast<CK_C_GetFunctionList>(dlsym(library, "C_GetFunctionList"));
    ASSERT_EQ(get_function_list_(&api_), CKR_OK);
    ASSERT_EQ(api_->C_Initialize(nullptr), CKR_OK);
  }

  static void TearDownTestSuite() {
    EXPECT_EQ(api_->C_Finalize(nullptr), CKR_OK);
    delete faulty_;
    delete token_;
  }

  void SetUp() override {
    faulty_->Clear();
    slot_ = Slots().at(0);
    Enter();
  }

  void TearDown() override {
    faulty_->Set({"* * renumber 0"});
    api_->C_CloseAllSessions(Slots().at(0));
    faulty_->Clear();
  }

  static std::vector<CK_SLOT_ID> Slots() {
    CK_ULONG count = 10;
    std::vector<CK_SLOT_ID> slots(count);
    EXPECT_EQ(api_->C_GetSlotList(CK_TRUE, slots.data(), &count), CKR_OK);
    slots.resize(count);
    return slots;
  }

  CK_RV Login() {
    std::string pin = token_->pin();
    return api_->C_Login(session_, CKU_USER, reinterpret_cast<CK_BYTE*>(pin.data()), pin.size());
  }

  // Opens a session, logs in and finds the key.
  void Enter() {
    ASSERT_EQ(api_->C_OpenSession(slot_, CKF_SERIAL_SESSION, nullptr, nullptr, &session_), CKR_OK);
    ASSERT_EQ(Login(), CKR_OK);
    CK_OBJECT_CLASS type = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE wanted = {CKA_CLASS, &type, sizeof(type)};
    ASSERT_EQ(api_->C_FindObjectsInit(session_, &wanted, 1), CKR_OK);
    CK_ULONG count = 0;
    ASSERT_EQ(api_->C_FindObjects(session_, &key_, 1, &count), CKR_OK);
    ASSERT_EQ(api_->C_FindObjectsFinal(session_), CKR_OK);
    ASSERT_EQ(count, 1u);
  }

  // The first code that is not CKR_OK. `size` is what C_Sign said.
  CK_RV Sign(std::vector<CK_BYTE>* signature = nullptr, CK_ULONG* size = nullptr) {
    CK_MECHANISM mechanism = {CKM_ECDSA, nullptr, 0};
    const CK_RV code = api_->C_SignInit(session_, &mechanism, key_);
    if (code != CKR_OK) return code;
    return FinishSigning(signature, size);
  }

  CK_RV FinishSigning(std::vector<CK_BYTE>* signature, CK_ULONG* size) {
    std::vector<CK_BYTE> digest(32, 7), room(64);
    CK_ULONG length = room.size();
    const CK_RV code = api_->C_Sign(session_, digest.data(), digest.size(), room.data(), &length);
    if (signature != nullptr) *signature = room;
    if (size != nullptr) *size = length;
    return code;
  }

  // What the real module says to the signature of Sign.
  bool Verifies(std::vector<CK_BYTE> signature) {
    CK_OBJECT_CLASS type = CKO_PUBLIC_KEY;
    CK_ATTRIBUTE wanted = {CKA_CLASS, &type, sizeof(type)};
    CK_OBJECT_HANDLE key = 0;
    CK_ULONG count = 0;
    EXPECT_EQ(api_->C_FindObjectsInit(session_, &wanted, 1), CKR_OK);
    EXPECT_EQ(api_->C_FindObjects(session_, &key, 1, &count), CKR_OK);
    EXPECT_EQ(api_->C_FindObjectsFinal(session_), CKR_OK);
    CK_MECHANISM mechanism = {CKM_ECDSA, nullptr, 0};
    EXPECT_EQ(api_->C_VerifyInit(session_, &mechanism, key), CKR_OK);
    std::vector<CK_BYTE> digest(32, 7);
    return api_->C_Verify(session_, digest.data(), digest.size(), signature.data(),
                          signature.size()) == CKR_OK;
  }

  // Signs with pkcs11-tool, a process of its own.
  static CommandResult ToolSigns(const std::vector<std::string>& prefix = {}) {
    std::vector<std::string> command = prefix;
    const std::string output = token_->pin_file() + ".signature";
    command.insert(command.end(), {"pkcs11-tool", "--module", faulty_->module_path(), "--login",
                                   "--pin", token_->pin(), "--sign", "--mechanism", "ECDSA",
                                   "--label", "k", "--output-file", output});
    return RunCommand(command, std::string(32, 'd'));
  }

  static SofthsmToken* token_;
  static FaultyPkcs11* faulty_;
  static CK_C_GetFunctionList get_function_list_;
  static CK_FUNCTION_LIST* api_;
  CK_SLOT_ID slot_ = 0;
  CK_SESSION_HANDLE session_ = 0;
  CK_OBJECT_HANDLE key_ = 0;
};

SofthsmToken* FaultyPkcs11Test::token_;
FaultyPkcs11* FaultyPkcs11Test::faulty_;
CK_C_GetFunctionList FaultyPkcs11Test::get_function_list_;
CK_FUNCTION_LIST* FaultyPkcs11Test::api_;

TEST_F(FaultyPkcs11Test, WithoutAScriptEverythingIsAsItWas) {
  std::vector<CK_BYTE> signature;
  CK_ULONG size = 0;
  EXPECT_EQ(Sign(&signature, &size), CKR_OK);
  EXPECT_EQ(size, 64u);
  EXPECT_TRUE(Verifies(signature));
  EXPECT_EQ(ToolSigns().exit_code, 0);
}

TEST_F(FaultyPkcs11Test, ReturnsACodeAtTheNthCallOnly) {
  faulty_->Set({"C_Sign 2 return CKR_DEVICE_ERROR"});
  EXPECT_EQ(Sign(), CKR_OK);
  EXPECT_EQ(Sign(), CKR_DEVICE_ERROR);
  EXPECT_EQ(Sign(), CKR_OK);  // and the failed operation is not active any more
  faulty_->Set({"C_Sign 1 return CKR_BUFFER_TOO_SMALL"});
  EXPECT_EQ(Sign(), CKR_BUFFER_TOO_SMALL);
  EXPECT_EQ(FinishSigning(nullptr, nullptr), CKR_OK);  // which is still active
}

TEST_F(FaultyPkcs11Test, ReturnsACodeAtEveryCallUntilTheScriptIsAnother) {
  faulty_->Set({"C_SignInit * return 0x80000123"});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Sign(), 0x80000123u);
  faulty_->Clear();
  EXPECT_EQ(Sign(), CKR_OK);
}

TEST_F(FaultyPkcs11Test, CountsEachScriptAnew) {
  for (int i = 0; i < 100; ++i) {
    faulty_->Set({"C_Sign 1 return CKR_DEVICE_ERROR"});
    ASSERT_EQ(Sign(), CKR_DEVICE_ERROR);
    ASSERT_EQ(Sign(), CKR_OK);
  }
}

TEST_F(FaultyPkcs11Test, CountsOverAllProcesses) {
  const std::uint64_t before = faulty_->Count("C_Login");
  faulty_->Set({"C_Login 2 return CKR_PIN_INCORRECT"});
  EXPECT_EQ(ToolSigns().exit_code, 0);
  const CommandResult refused = ToolSigns();
  EXPECT_NE(refused.exit_code, 0);
  EXPECT_THAT(refused.output, HasSubstr("CKR_PIN_INCORRECT"));
  EXPECT_EQ(ToolSigns().exit_code, 0);
  EXPECT_EQ(faulty_->Count("C_Login"), before + 3);
  EXPECT_THAT(faulty_->Processes(), testing::Contains(getpid()));
  EXPECT_GE(faulty_->Processes().size(), 4u);
  EXPECT_EQ(faulty_->Count("C_SeedRandom"), 0u);
  EXPECT_GT(faulty_->Count("*"), faulty_->Count("C_Sign"));
}

TEST_F(FaultyPkcs11Test, CountsCallsOfSeveralThreadsEachOnce) {
  faulty_->Set({"C_GetSessionInfo 500 return CKR_DEVICE_REMOVED"});
  const std::uint64_t before = faulty_->Count("C_GetSessionInfo");
  std::atomic<int> met = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      CK_SESSION_INFO info;
      for (int j = 0; j < 250; ++j) {
        if (api_->C_GetSessionInfo(session_, &info) == CKR_DEVICE_REMOVED) ++met;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(met, 1);
  EXPECT_EQ(faulty_->Count("C_GetSessionInfo"), before + 1000);
}

TEST_F(FaultyPkcs11Test, DeathCrashes) {
  EXPECT_EQ(Sign(), CKR_OK);
  faulty_->Set({"C_Sign * crash SIGSEGV", "C_SignInit * crash SIGABRT"});
  EXPECT_EXIT(FinishSigning(nullptr, nullptr), testing::KilledBySignal(SIGSEGV), "");
  EXPECT_EXIT(Sign(), testing::KilledBySignal(SIGABRT), "");
  // pkcs11-tool is killed by the second.
  EXPECT_EQ(ToolSigns().exit_code, 128 + SIGABRT);
}

TEST_F(FaultyPkcs11Test, Hangs) {
  EXPECT_EQ(ToolSigns().exit_code, 0);
  EXPECT_THAT(faulty_->Hanging(), testing::IsEmpty());
  faulty_->Set({"C_Sign * hang"});
  const std::uint64_t before = faulty_->Count("C_Sign");
  auto tool = std::async(std::launch::async, [] { return ToolSigns(); });
  while (faulty_->Hanging().empty()) std::this_thread::yield();
  EXPECT_EQ(tool.wait_for(std::chrono::milliseconds(200)), std::future_status::timeout);
  ASSERT_EQ(faulty_->Hanging().size(), 1u);
  kill(faulty_->Hanging().front(), SIGKILL);
  EXPECT_EQ(tool.get().exit_code, 128 + SIGKILL);
  EXPECT_EQ(faulty_->Count("C_Sign"), before + 1);
}

TEST_F(FaultyPkcs11Test, StallsUntilTheScriptIsAnother) {
  faulty_->Set({"C_Sign * stall"});
  const std::uint64_t before = faulty_->Count("C_Sign");
  std::future<CK_RV> stalled = std::async(std::launch::async, [&] { return Sign(); });
  while (faulty_->Count("C_Sign") == before) std::this_thread::yield();
  EXPECT_EQ(stalled.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
  faulty_->Clear();
  EXPECT_EQ(stalled.get(), CKR_OK);
}

TEST_F(FaultyPkcs11Test, Delays) {
  const auto duration = [&] {
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(Sign(), CKR_OK);
    return std::chrono::steady_clock::now() - start;
  };
  faulty_->Set({"C_Sign 1 delay 5000ms"});
  EXPECT_GE(duration(), std::chrono::seconds(5));
  EXPECT_LT(duration(), std::chrono::seconds(5));
}

TEST_F(FaultyPkcs11Test, FlipsABitOfTheSignature) {
  std::vector<CK_BYTE> signature;
  faulty_->Set({"C_Sign 1 wrong-signature"});
  EXPECT_EQ(Sign(&signature), CKR_OK);
  EXPECT_FALSE(Verifies(signature));
  EXPECT_EQ(Sign(&signature), CKR_OK);
  EXPECT_TRUE(Verifies(signature));
}

TEST_F(FaultyPkcs11Test, ForgetsTheLogin) {
  faulty_->Set({"C_SignInit 1 forget-login"});
  // What SoftHSM says where somebody else has logged out.
  EXPECT_EQ(Sign(), CKR_OBJECT_HANDLE_INVALID);
  EXPECT_EQ(Login(), CKR_OK);  // else CKR_USER_ALREADY_LOGGED_IN
}

TEST_F(FaultyPkcs11Test, ClosesTheSessions) {
  for (const char* line : {"* 1 close-sessions", "C_SignInit * close-sessions"}) {
    faulty_->Set({line});
    EXPECT_EQ(Sign(), CKR_SESSION_HANDLE_INVALID);
    faulty_->Clear();
    Enter();
    EXPECT_EQ(Sign(), CKR_OK);
  }
}

TEST_F(FaultyPkcs11Test, GivesWrongLengths) {
  CK_ULONG size = 0;
  faulty_->Set({"C_Sign 1 length 4096", "C_GetAttributeValue 1 length 0xffffffffffffffff",
                "C_GetSlotList 1 length 77"});
  EXPECT_EQ(Sign(nullptr, &size), CKR_OK);
  EXPECT_EQ(size, 4096u);
  EXPECT_EQ(Sign(nullptr, &size), CKR_OK);
  EXPECT_EQ(size, 64u);
  CK_ATTRIBUTE label = {CKA_LABEL, nullptr, 0};
  EXPECT_EQ(api_->C_GetAttributeValue(session_, key_, &label, 1), CKR_OK);
  EXPECT_EQ(label.ulValueLen, CK_UNAVAILABLE_INFORMATION);
  EXPECT_EQ(api_->C_GetAttributeValue(session_, key_, &label, 1), CKR_OK);
  EXPECT_EQ(label.ulValueLen, 1u);
  CK_ULONG slots = 0;
  EXPECT_EQ(api_->C_GetSlotList(CK_TRUE, nullptr, &slots), CKR_OK);
  EXPECT_EQ(slots, 77u);
}

TEST_F(FaultyPkcs11Test, RenumbersTheSlotsInEveryFunction) {
  const CK_SLOT_ID before = slot_;
  faulty_->Set({"C_GetSlotList * renumber 1000"});
  const std::vector<CK_SLOT_ID> slots = Slots();
  EXPECT_EQ(slots.at(0), before + 1000);
  CK_TOKEN_INFO info;
  EXPECT_EQ(api_->C_GetTokenInfo(before, &info), CKR_SLOT_ID_INVALID);
  EXPECT_EQ(api_->C_GetTokenInfo(before + 1000, &info), CKR_OK);
  CK_SESSION_INFO session;
  EXPECT_EQ(api_->C_GetSessionInfo(session_, &session), CKR_OK);
  EXPECT_EQ(session.slotID, before + 1000);
  EXPECT_EQ(Sign(), CKR_OK);
  EXPECT_EQ(api_->C_CloseAllSessions(before + 1000), CKR_OK);
  slot_ = before + 1000;
  Enter();
  EXPECT_EQ(Sign(), CKR_OK);
  EXPECT_EQ(ToolSigns().exit_code, 0);
}

TEST_F(FaultyPkcs11Test, FailsToLoad) {
  faulty_->Set({"C_Initialize * return CKR_GENERAL_ERROR"});
  CommandResult result = ToolSigns();
  EXPECT_NE(result.exit_code, 0);
  EXPECT_THAT(result.output, HasSubstr("CKR_GENERAL_ERROR"));
  faulty_->Set({"C_GetFunctionList * crash SIGSEGV"});
  EXPECT_EQ(ToolSigns().exit_code, 128 + SIGSEGV);
}

// A script that says less than its author meant would let a test pass for nothing.
TEST_F(FaultyPkcs11Test, DeathScriptsThatAreNotUnderstood) {
  for (const char* line :
       {"C_Sing * hang", "C_Sign 0 hang", "C_Sign hang", "C_Sign * return CKR_NONE",
        "C_Sign * delay 5s", "C_Login * wrong-signature", "C_Login * length 5",
        "C_Initialize * forget-login", "C_Sign * hang 5", "C_Sign * crash SIGTERM", "module"}) {
    EXPECT_DEATH(faulty_->Set({line}), "line not understood") << line;
  }
  // Written by somebody else, the module itself says so.
  const CommandResult result =
      RunCommand({"pkcs11-tool", "--module", faulty_->module_path(), "--list-slots"}, "",
                 {"FAULTY_PKCS11_SCRIPT=" + TemporaryDirectory().Write("script", "C_Sing * hang")});
  EXPECT_NE(result.exit_code, 0);
}

// As another project would use it: by environment variables.
TEST_F(FaultyPkcs11Test, TakesModuleAndScriptFromTheEnvironment) {
  const TemporaryDirectory directory;
  const std::vector<std::string> environment = {
      absl::StrCat("FAULTY_PKCS11_MODULE=", SofthsmToken::kModulePath),
      "FAULTY_PKCS11_SCRIPT=" + directory.File("script")};
  const auto list = [&] {
    return RunCommand({"pkcs11-tool", "--module", FaultyPkcs11::kLibrary, "--list-slots"}, "",
                      environment);
  };
  EXPECT_THAT(list().output, HasSubstr("main"));
  directory.Write("script", "# a comment\n\nC_GetTokenInfo * return CKR_DEVICE_REMOVED\n");
  EXPECT_THAT(list().output, testing::Not(HasSubstr("main")));
}

}  // namespace
}  // namespace hourglass
