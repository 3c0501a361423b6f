// What befalls a token and its sessions, with threads that sign all the while: it heals by itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/faults/fault_world.h"
#include "tests/support/shared_library.h"
#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass {
namespace {

using hsm::CustodianStatus;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// What is written by another process of the same SoftHSM.
void Succeeds(const std::vector<std::string>& command) {
  const CommandResult result = RunCommand(command);
  EXPECT_EQ(result.exit_code, 0) << result.output;
}

class TokenFaultsTest : public testing::Test {
 protected:
  // Whatever happened: nothing wrong was returned, the token is healthy again, and it was not asked
  // for more than one login by each process that ran.
  void ExpectHealed(const FaultWorld::Outcome& outcome) {
    EXPECT_EQ(world_.load().wrong_signatures(), 0);
    EXPECT_EQ(world_.Status().state, CustodianStatus::State::kHealthy) << world_.Status().message;
    EXPECT_LT(outcome.recovery.back_after.count(), 10'000);
  }

  // A lasting fault of the module: callers are told, and it is over when the fault is.
  void Script(const std::string& name, const std::vector<std::string>& lines,
              std::chrono::milliseconds lasts = std::chrono::milliseconds(600)) {
    const FaultWorld::Outcome outcome = world_.Undergo(
        {name, [&] { world_.faulty().Set(lines); }, lasts, [&] { world_.faulty().Clear(); }});
    ExpectHealed(outcome);
    EXPECT_THAT(outcome.reasons, Each(ErrorReason::kKeyUnavailable));
  }

  // A fault that strikes once, and that no caller may notice but by a pause.
  void ScriptOnce(const std::string& name, const std::vector<std::string>& lines,
                  std::chrono::milliseconds lasts = {}) {
    const FaultWorld::Outcome outcome =
        world_.Undergo({name, [&] { world_.faulty().Set(lines); }, lasts, nullptr});
    ExpectHealed(outcome);
    EXPECT_THAT(outcome.reasons, IsEmpty()) << world_.load().LastFailure(0);
  }

  TokenWorld world_;
  TemporaryDirectory directory_;
};

TEST_F(TokenFaultsTest, SessionsAreClosedUnderTheThreads) {
  ScriptOnce("sessions closed under the threads", {"C_SignInit 1 close-sessions"});
  ScriptOnce("sessions closed between signatures", {"C_Sign 1 close-sessions"});
  ScriptOnce("a session gone", {"C_SignInit 1 return CKR_SESSION_HANDLE_INVALID"});
}

TEST_F(TokenFaultsTest, AnotherLogsOut) {
  ScriptOnce("logout by another", {"C_SignInit 1 forget-login"});
  Script("logout by another before every signature", {"C_SignInit * forget-login"});
}

TEST_F(TokenFaultsTest, CodesThatComeOnce) {
  for (const char* code : {"CKR_DEVICE_ERROR", "CKR_FUNCTION_FAILED", "CKR_OPERATION_ACTIVE",
                           "CKR_USER_NOT_LOGGED_IN", "CKR_KEY_HANDLE_INVALID", "CKR_GENERAL_ERROR",
                           "CKR_DEVICE_REMOVED", "CKR_CRYPTOKI_NOT_INITIALIZED"}) {
    const std::string function =
        std::string(code) == "CKR_KEY_HANDLE_INVALID" ? "C_SignInit" : "C_Sign";
    ScriptOnce(absl::StrCat(code, " once"), {absl::StrCat(function, " 1 return ", code)});
  }
}

TEST_F(TokenFaultsTest, CodesThatStay) {
  Script("CKR_DEVICE_ERROR for a while", {"C_Sign * return CKR_DEVICE_ERROR"});
  Script("CKR_GENERAL_ERROR for a while", {"C_Sign * return CKR_GENERAL_ERROR"});
  Script("no module initialises for a while",
         {"C_Sign * return CKR_DEVICE_REMOVED", "C_Initialize * return CKR_GENERAL_ERROR"});
}

TEST_F(TokenFaultsTest, SlotsGetOtherNumbers) {
  ScriptOnce("slot numbers changed", {"* * renumber 1000", "* 1 close-sessions"});
}

TEST_F(TokenFaultsTest, TheModuleCrashes) {
  ScriptOnce("crash (SIGSEGV)", {"C_Sign 1 crash SIGSEGV"});
  EXPECT_THAT(world_.observer().endings(), ElementsAre(HasSubstr("SIGSEGV")));
  ScriptOnce("crash (abort)", {"C_SignInit 1 crash SIGABRT"});
  EXPECT_THAT(world_.observer().endings(), Contains(HasSubstr("SIGABRT")));
  Script("crashes at every signature for a while", {"C_Sign * crash SIGSEGV"});
  Script("crashes while it initialises for a while",
         {"C_Sign * crash SIGSEGV", "C_Initialize * crash SIGABRT"});
}

TEST_F(TokenFaultsTest, TheModuleHangs) {
  ScriptOnce("hang, once", {"C_Sign 1 hang"}, std::chrono::milliseconds(2500));
  EXPECT_THAT(world_.observer().endings(), ElementsAre(HasSubstr("no answer")));
  Script("hangs for a while", {"C_Sign * hang"}, std::chrono::seconds(5));
  Script("hangs while it initialises for a while",
         {"C_Sign * crash SIGSEGV", "C_Initialize * hang"}, std::chrono::seconds(3));
}

TEST_F(TokenFaultsTest, TheModuleIsSlow) {
  ScriptOnce("a signature takes a second", {"C_Sign 1 delay 1000ms"});
  EXPECT_THAT(world_.observer().endings(), IsEmpty());
}

TEST_F(TokenFaultsTest, AWorkerIsKilled) {
  const FaultWorld::Outcome outcome =
      world_.Undergo({"workers killed -9", [&] { world_.KillWorkers(); }, {}, nullptr});
  ExpectHealed(outcome);
  EXPECT_THAT(outcome.reasons, IsEmpty()) << world_.load().LastFailure(0);
  EXPECT_THAT(world_.observer().endings(), Contains(HasSubstr("SIGKILL")));
}

TEST_F(TokenFaultsTest, TheModuleIsMissingOrNoModule) {
  const std::string module = world_.faulty().module_path();
  const auto take_away = [&] {
    std::filesystem::rename(module, module + ".away");
    world_.KillWorkers();
  };
  const auto bring_back = [&] { std::filesystem::rename(module + ".away", module); };
  const FaultWorld::Outcome missing =
      world_.Undergo({"module missing", take_away, std::chrono::milliseconds(1500), bring_back});
  ExpectHealed(missing);
  EXPECT_THAT(missing.reasons, Each(ErrorReason::kKeyUnavailable));
  const auto replace = [&] {
    take_away();
    std::filesystem::copy_file(LibraryPath("libcrypto.so.3"), module);
  };
  const FaultWorld::Outcome other =
      world_.Undergo({"not a module", replace, std::chrono::milliseconds(1500), bring_back});
  ExpectHealed(other);
  EXPECT_THAT(other.reasons, Each(ErrorReason::kKeyUnavailable));
}

TEST_F(TokenFaultsTest, TheTokenIsMovedAwayAndBroughtBack) {
  const std::string folder = world_.softhsm().Folder("harmed");
  const std::string away = directory_.File("away");
  const FaultWorld::Outcome outcome = world_.Undergo(
      {"token moved away and brought back", [&] { std::filesystem::rename(folder, away); },
       std::chrono::milliseconds(1500), [&] { std::filesystem::rename(away, folder); }});
  ExpectHealed(outcome);
  EXPECT_THAT(outcome.reasons, Each(ErrorReason::kKeyUnavailable));
}

TEST_F(TokenFaultsTest, TheTokenIsDeletedAndRestored) {
  const std::string folder = world_.softhsm().Folder("harmed");
  const std::string copy = directory_.File("copy");
  std::filesystem::copy(folder, copy);
  const FaultWorld::Outcome outcome = world_.Undergo(
      {"token deleted and restored",
       [&] {
         // The module makes lock files in it meanwhile.
         std::error_code error;
         while (std::filesystem::exists(folder)) std::filesystem::remove_all(folder, error);
       },
       std::chrono::milliseconds(1500), [&] { std::filesystem::copy(copy, folder); }});
  ExpectHealed(outcome);
  EXPECT_THAT(outcome.reasons, Each(ErrorReason::kKeyUnavailable));
}

TEST_F(TokenFaultsTest, AKeyIsDeletedAndRestored) {
  ASSERT_OK_AND_ASSIGN(
      const auto second,
      world_.store().Generate(TokenWorld::HarmedKeyUri("second"), hsm::KeyType::kEcP256));
  const std::string folder = world_.softhsm().Folder("harmed");
  const std::string copy = directory_.File("copy");
  std::filesystem::copy(folder, copy);
  absl::Status second_meanwhile;
  const FaultWorld::Outcome outcome =
      world_.Undergo({"key deleted and restored",
                      [&] {
                        const CommandResult deleted = world_.softhsm().Tool(
                            {"--delete-object", "--type", "privkey", "--label", "k"}, "harmed");
                        EXPECT_EQ(deleted.exit_code, 0) << deleted.output;
                      },
                      std::chrono::milliseconds(600),
                      [&] {
                        second_meanwhile = second->Sign("message").status();
                        std::filesystem::copy(copy, folder,
                                              std::filesystem::copy_options::recursive |
                                                  std::filesystem::copy_options::skip_existing);
                      }});
  ExpectHealed(outcome);
  EXPECT_THAT(outcome.reasons, ElementsAre(ErrorReason::kKeyNotFound));
  EXPECT_OK(second_meanwhile);
}

TEST_F(TokenFaultsTest, TheOnlyKeyIsDeletedAndRestored) {
  const std::string folder = world_.softhsm().Folder("harmed");
  const std::string copy = directory_.File("copy");
  std::filesystem::copy(folder, copy);
  const FaultWorld::Outcome outcome =
      world_.Undergo({"the only key deleted and restored",
                      [&] {
                        const CommandResult deleted = world_.softhsm().Tool(
                            {"--delete-object", "--type", "privkey", "--label", "k"}, "harmed");
                        EXPECT_EQ(deleted.exit_code, 0) << deleted.output;
                      },
                      std::chrono::milliseconds(1500),
                      [&] {
                        std::filesystem::copy(copy, folder,
                                              std::filesystem::copy_options::recursive |
                                                  std::filesystem::copy_options::skip_existing);
                      }});
  ExpectHealed(outcome);
  EXPECT_THAT(outcome.reasons, Contains(ErrorReason::kKeyNotFound));
}

// The old key is gone for good; a new one can be made without a restart.
TEST_F(TokenFaultsTest, TheTokenIsInitialisedAgain) {
  Succeeds({"softhsm2-util", "--init-token", "--token", "harmed", "--label", "harmed", "--so-pin",
            "97531086", "--pin", world_.softhsm().pin()});
  const SteadyTime ended = std::chrono::steady_clock::now();
  Recovery recovery;
  recovery.fault = "token initialised again: a new key";
  absl::StatusOr<std::unique_ptr<hsm::SigningKey>> fresh = absl::UnknownError("not tried");
  while (!fresh.ok() && std::chrono::steady_clock::now() < ended + std::chrono::seconds(20)) {
    fresh = world_.store().Generate(TokenWorld::HarmedKeyUri("fresh"), hsm::KeyType::kEcP256);
    if (!fresh.ok()) ++recovery.calls_failed;
  }
  ASSERT_OK(fresh);
  ASSERT_OK((*fresh)->Sign("message"));
  recovery.back_after = std::chrono::steady_clock::now() - ended;
  recovery.what_happened = "the old key is KEY_NOT_FOUND for good";
  AddToTable(recovery);
  const SteadyTime since = std::chrono::steady_clock::now();
  EXPECT_TRUE(world_.load().WaitForAnswer(0, since, std::chrono::seconds(10)));
  for (const SignCall& call : world_.load().Calls(0, since)) {
    if (call.begin < since) continue;
    EXPECT_EQ(call.reason, ErrorReason::kKeyNotFound);
  }
  EXPECT_EQ(world_.load().wrong_signatures(), 0);
}

TEST_F(TokenFaultsTest, APinIsRefusedOnce) {
  const std::uint64_t logins = world_.faulty().Count("C_Login");
  const FaultWorld::Outcome outcome =
      world_.Undergo({"PIN refused, then its source rewritten",
                      [&] {
                        world_.faulty().Set({"C_Login 1 return CKR_PIN_INCORRECT"});
                        world_.KillWorkers();
                      },
                      std::chrono::milliseconds(1500),
                      [&] {
                        // However often it was asked for a signature, the token was asked for one
                        // login.
                        EXPECT_EQ(world_.faulty().Count("C_Login"), logins + 1);
                        EXPECT_EQ(world_.Status().state, CustodianStatus::State::kFailed);
                        std::filesystem::remove(world_.pin_file());
                        std::ofstream(world_.pin_file()) << world_.softhsm().pin() << "\n";
                      }});
  ExpectHealed(outcome);
  EXPECT_THAT(outcome.reasons, Contains(ErrorReason::kPinRefused));
}

TEST_F(TokenFaultsTest, ThePinIsChanged) {
  const std::string new_pin = "864209";
  const FaultWorld::Outcome changed =
      world_.Undergo({"PIN changed while logged in",
                      [&] {
                        const CommandResult result =
                            world_.softhsm().Tool({"--change-pin", "--new-pin", new_pin}, "harmed");
                        EXPECT_EQ(result.exit_code, 0) << result.output;
                      },
                      {},
                      nullptr});
  ExpectHealed(changed);
  EXPECT_THAT(changed.reasons, IsEmpty());
  const std::uint64_t logins = world_.faulty().Count("C_Login");
  const FaultWorld::Outcome restarted =
      world_.Undergo({"PIN changed, workers killed, then the PIN file rewritten",
                      [&] { world_.KillWorkers(); }, std::chrono::milliseconds(1500),
                      [&] {
                        EXPECT_EQ(world_.faulty().Count("C_Login"), logins + 1);
                        std::ofstream(world_.pin_file()) << new_pin << "\n";
                      }});
  ExpectHealed(restarted);
  EXPECT_THAT(restarted.reasons, Contains(ErrorReason::kPinRefused));
}

TEST_F(TokenFaultsTest, LengthsAreGarbage) {
  for (const char* length : {"4096", "0xffffffffffffffff", "0", "63"}) {
    const FaultWorld::Outcome outcome =
        world_.Undergo({absl::StrCat("signature length ", length),
                        [&] { world_.faulty().Set({absl::StrCat("C_Sign * length ", length)}); },
                        std::chrono::milliseconds(600), [&] { world_.faulty().Clear(); }});
    ExpectHealed(outcome);
    EXPECT_THAT(outcome.reasons, Not(IsEmpty()));
  }
}

}  // namespace
}  // namespace hourglass
