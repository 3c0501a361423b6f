// tpm2-pkcs11 on a TPM in software: another module than SoftHSM, through the same code.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <string.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hsm/key/key_type.h"
#include "hsm/key/signature.h"
#include "hsm/pkcs11/pkcs11_custodian.h"
#include "tests/support/shared_library.h"
#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"
#include "tests/support/swtpm.h"
#include "tests/support/temporary_directory.h"

// tpm2-pkcs11 1.9 forgets the EC points that it reads.
extern "C" const char* __lsan_default_suppressions() {  // NOLINT(bugprone-reserved-identifier)
  return "leak:ASN1_STRING_set\n";
}

namespace hourglass::hsm {
namespace {

const std::string& Module() {
  static const std::string* const path = new std::string(Pkcs11ModulePath("libtpm2_pkcs11.so"));
  return *path;
}
constexpr char kPin[] = "135790";

// A token of the TPM, made by OpenSC's tool. The module reads where the TPM and its store are once
// a process, and holds the TPM from then on, so there is one.
class TpmToken {
 public:
  TpmToken() {
    for (const std::string& variable : tpm_.ToolEnvironment()) putenv(strdup(variable.c_str()));
    setenv("TPM2_PKCS11_TCTI", tpm_.Tcti().c_str(), 1);
    setenv("TPM2_PKCS11_STORE", store_.path().c_str(), 1);
    setenv("TPM2_PKCS11_LOG_LEVEL", "0", 1);
    Tool({"--slot-index", "0", "--init-token", "--label", "tpm", "--so-pin", "97531086"});
    Tool({"--token-label", "tpm", "--login", "--login-type", "so", "--so-pin", "97531086",
          "--init-pin", "--new-pin", kPin});
  }

  TokenUri Uri(absl::string_view pin = kPin) const {
    return *ParseTokenUri(absl::StrCat("pkcs11:token=tpm?module-path=", Module(),
                                       "&pin-source=file:", store_.Write("pin", pin)));
  }
  Swtpm& tpm() { return tpm_; }

 private:
  void Tool(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"pkcs11-tool", "--module", Module()});
    const CommandResult result = RunCommand(arguments);
    ASSERT_EQ(result.exit_code, 0) << result.output;
  }

  Swtpm tpm_;
  TemporaryDirectory store_;
};

absl::Status Works(KeyCustodian& custodian, const CustodialKey& key) {
  const absl::StatusOr<std::string> signature =
      custodian.SignDigest(key, *Digest(key.type, "message"));
  if (!signature.ok()) return signature.status();
  return VerifySignature(key.public_key, key.type, "message", *signature);
}

// One test a process: the module is loaded once, and without a resource manager the TPM has room
// for one key and its parents.
void IsAModuleLikeAnyOther(KeyType type) {
  TpmToken token;
  {
    const auto refused = CreatePkcs11Custodian(token.Uri("246802"), {});
    EXPECT_THAT(refused->Greet(), FailsWith(ErrorReason::kPinRefused, "pkcs11:token=tpm"));
    EXPECT_THAT(refused->Greet(), FailsWith(ErrorReason::kPinRefused));
  }
  const auto custodian = CreatePkcs11Custodian(token.Uri(), {});
  ASSERT_OK_AND_ASSIGN(const CustodianFacts facts, custodian->Greet());
  EXPECT_TRUE(facts.one_process_only);
  EXPECT_FALSE(facts.software);
  ASSERT_OK_AND_ASSIGN(const CustodialKey key, custodian->Generate({"k", "\x01"}, type));
  EXPECT_EQ(key.type, type);
  EXPECT_OK(Works(*custodian, key));
  ASSERT_OK_AND_ASSIGN(const CustodialKey again, custodian->Generate({"k", "\x01"}, type));
  EXPECT_EQ(again.public_key, key.public_key);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 10; ++j) EXPECT_OK(Works(*custodian, key));
    });
  }
  for (std::thread& thread : threads) thread.join();
  ASSERT_OK_AND_ASSIGN(const auto all, custodian->List());
  ASSERT_EQ(all.size(), 1);
  EXPECT_EQ(all[0].unfit_because, "");
  EXPECT_EQ(all[0].public_key, key.public_key);

  token.tpm().Kill();
  const absl::Status gone = Works(*custodian, key);
  EXPECT_THAT(gone, FailsWith(ErrorReason::kKeyUnavailable));
  EXPECT_TRUE(NeedsNewCustodian(gone));
}

TEST(Tpm2Pkcs11Test, EcP256) { IsAModuleLikeAnyOther(KeyType::kEcP256); }
TEST(Tpm2Pkcs11Test, Rsa2048) { IsAModuleLikeAnyOther(KeyType::kRsa2048); }

}  // namespace
}  // namespace hourglass::hsm
