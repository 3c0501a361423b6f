// What befalls a TPM, with threads that sign all the while.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "hsm/base/status_macros.h"
#include "tests/faults/fault_world.h"
#include "tests/support/status_matchers.h"
#include "tests/support/swtpm.h"
#include "tests/support/temporary_directory.h"

namespace hourglass {
namespace {

using hsm::CustodianStatus;
using testing::AnyOf;
using testing::Each;
using testing::IsEmpty;

constexpr char kResident[] = "tpm:handle=0x81010001";
constexpr char kSealed[] = "tpm:sealed=k";
// One that can be set to zero again.
constexpr int kRegister = 16;

class TpmFaultsTest : public testing::Test {
 protected:
  hsm::KeyStoreOptions Options() {
    hsm::KeyStoreOptions options;
    options.tpm.emplace();
    options.tpm->tcti = tpm_.Tcti();
    options.tpm->sealed_directory = directory_.path();
    options.tpm->registers = {kRegister};
    return options;
  }

  // swtpm serves one client at a time, so each store is gone before the next is made.
  absl::Status OpensAnew(const std::string& uri) {
    hsm::KeyStoreOptions options = Options();
    options.keyholder_program = KeyholderProgram();
    ASSIGN_OR_RETURN(const auto store, hsm::KeyStore::Create(options));
    ASSIGN_OR_RETURN(const auto key, store->Open(uri));
    return key->Sign("message").status();
  }

  Swtpm tpm_;
  TemporaryDirectory directory_;
};

TEST_F(TpmFaultsTest, TheTpmGoesAndComesBack) {
  FaultWorld world(Options(), {kResident, kSealed}, std::chrono::milliseconds(5));
  // The sealed key is in the process's memory by now: it is the other that must not notice.
  const FaultWorld::Outcome gone =
      world.Undergo({"TPM gone and back (resident key; the other key is sealed)",
                     [&] { tpm_.Kill(); }, std::chrono::milliseconds(1500), [&] { tpm_.Start(); }});
  EXPECT_THAT(gone.reasons, Each(ErrorReason::kKeyUnavailable));
  const FaultWorld::Outcome frozen =
      world.Undergo({"TPM gives no answer (resident key)", [&] { tpm_.Freeze(); },
                     std::chrono::seconds(4), [&] { tpm_.Thaw(); }});
  EXPECT_THAT(frozen.reasons, Each(ErrorReason::kKeyUnavailable));
  const FaultWorld::Outcome killed = world.Undergo({"the TPM's worker killed -9 (resident key)",
                                                    [&] { KillKeyholders(OwnKeyholders()); },
                                                    {},
                                                    nullptr});
  EXPECT_THAT(killed.reasons, IsEmpty()) << world.load().LastFailure(0);
  EXPECT_EQ(world.Status("tpm:").state, CustodianStatus::State::kHealthy);
}

TEST_F(TpmFaultsTest, APcrChangesAndIsAsBefore) {
  { const FaultWorld world(Options(), {kSealed}); }
  ASSERT_OK(OpensAnew(kSealed));
  tpm_.ExtendRegister(kRegister);
  EXPECT_THAT(OpensAnew(kSealed), FailsWith(ErrorReason::kKeyUnfit));
  tpm_.ResetRegister(kRegister);
  const SteadyTime ended = std::chrono::steady_clock::now();
  EXPECT_OK(OpensAnew(kSealed));
  AddToTable({.fault = "register changed, and reset",
              .what_happened = "the sealed key does not open: KEY_UNFIT",
              .back_after = std::chrono::steady_clock::now() - ended,
              .calls_failed = 1});
}

TEST_F(TpmFaultsTest, ASealedFileIsTamperedWith) {
  { const FaultWorld world(Options(), {kSealed}); }
  int tampered = 0;
  SteadyTime ended;
  for (const auto& entry : std::filesystem::directory_iterator(directory_.path())) {
    const std::string name = entry.path().filename();
    const std::string content = ReadFileOrDie(entry.path().string());
    for (const std::size_t at : {content.size() / 4, content.size() / 2, content.size() - 2}) {
      std::string changed = content;
      changed[at] = static_cast<char>(changed[at] ^ 1);
      directory_.Write(name, changed);
      EXPECT_THAT(OpensAnew(kSealed),
                  AnyOf(FailsWith(ErrorReason::kKeyUnfit), FailsWith(ErrorReason::kKeyInvalid)))
          << name << " at " << at;
      ++tampered;
    }
    directory_.Write(name, content);
    ended = std::chrono::steady_clock::now();
    EXPECT_OK(OpensAnew(kSealed));
  }
  EXPECT_GT(tampered, 0);
  AddToTable({.fault = "sealed file tampered with, and restored",
              .what_happened = "the sealed key does not open: KEY_UNFIT or KEY_INVALID",
              .back_after = std::chrono::steady_clock::now() - ended,
              .calls_failed = tampered});
}

}  // namespace
}  // namespace hourglass
