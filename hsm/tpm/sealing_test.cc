#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "hsm/tpm/seal_blob.h"
#include "hsm/tpm/tpm_custodian.h"
#include "tests/support/status_matchers.h"
#include "tests/support/swtpm.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::hsm {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr char kSecret[] = "thirty-two octets of key, or so.";
constexpr char kCode[] = "ABCDEFGHIJKLMNOPQRSTUVWXY";

class SealingTest : public testing::Test {
 protected:
  std::unique_ptr<TpmCustodian> Custodian(const Swtpm& tpm) const {
    return TpmCustodian::Create(
        {.tcti = tpm.Tcti(),
         .pin_source = PinSource{PinSource::Kind::kFile, directory_.File("pin")}});
  }
  std::unique_ptr<TpmCustodian> Custodian() const { return Custodian(tpm_); }

  Swtpm tpm_;
  TemporaryDirectory directory_;
};

TEST_F(SealingTest, GivesTheSecretBackUnderEveryPolicyAndLeavesNothingBehind) {
  directory_.Write("pin", "right pin");
  {
    const auto custodian = Custodian();
    for (const PcrSelection& registers : {PcrSelection{}, PcrSelection{16},
                                          PcrSelection{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 16, 23}}) {
      for (const SealAuthorization authorization :
           {SealAuthorization::kNone, SealAuthorization::kPin, SealAuthorization::kRecoveryCode}) {
        const std::string code = authorization == SealAuthorization::kRecoveryCode ? kCode : "";
        ASSERT_OK_AND_ASSIGN(const std::string blob,
                             custodian->Seal(kSecret, registers, authorization, code));
        EXPECT_THAT(blob, Not(HasSubstr(kSecret)));
        ASSERT_OK_AND_ASSIGN(const std::string secret, custodian->Unseal(blob, code));
        EXPECT_EQ(secret, kSecret);
      }
    }
    for (const size_t size : {1, 128}) {
      const std::string secret(size, 's');
      ASSERT_OK_AND_ASSIGN(const std::string blob,
                           custodian->Seal(secret, {}, SealAuthorization::kNone, ""));
      ASSERT_OK_AND_ASSIGN(const std::string unsealed, custodian->Unseal(blob, ""));
      EXPECT_EQ(unsealed, secret);
    }
    for (const size_t size : {0, 129}) {
      EXPECT_FALSE(custodian->Seal(std::string(size, 's'), {}, SealAuthorization::kNone, "").ok());
    }
  }
  EXPECT_EQ(tpm_.Leftovers(), "");
  EXPECT_EQ(tpm_.WrongPins(), 0);
}

// Whoever listens between this machine and its TPM.
TEST_F(SealingTest, TellsTheBusNeitherTheSecretNorThePinNorTheCode) {
  directory_.Write("pin", "right pin of the TPM");
  const std::string heard = directory_.File("heard");
  const std::string program =
      directory_.Write("tapped", absl::StrCat("tee -a ", heard, " | tpm2_send --tcti=", tpm_.Tcti(),
                                              " | tee -a ", heard, "\n"));
  {
    const auto custodian = TpmCustodian::Create(
        {.tcti = "cmd:sh " + program,
         .pin_source = PinSource{PinSource::Kind::kFile, directory_.File("pin")}});
    for (const SealAuthorization authorization :
         {SealAuthorization::kNone, SealAuthorization::kPin, SealAuthorization::kRecoveryCode}) {
      const std::string code = authorization == SealAuthorization::kRecoveryCode ? kCode : "";
      ASSERT_OK_AND_ASSIGN(const std::string blob,
                           custodian->Seal(kSecret, {16}, authorization, code));
      ASSERT_OK_AND_ASSIGN(const std::string secret, custodian->Unseal(blob, code));
      EXPECT_EQ(secret, kSecret);
    }
    ASSERT_OK_AND_ASSIGN(const CustodialKey key,
                         custodian->Generate({.label = "0x81010001", .id = ""}, KeyType::kEcP256));
    EXPECT_THAT(ReadFileOrDie(heard), AllOf(Not(HasSubstr(kSecret)), Not(HasSubstr(kCode)),
                                            Not(HasSubstr("right pin of the TPM"))));
    // A signature is what gives the PIN away.
    EXPECT_OK(custodian->SignDigest(key, std::string(32, 'd')));
    EXPECT_THAT(ReadFileOrDie(heard), HasSubstr("right pin of the TPM"));
  }
  EXPECT_EQ(tpm_.Leftovers(), "");
}

TEST_F(SealingTest, AsksForThePolicyThatTpm2ToolsCompute) {
  tpm_.ExtendRegister(16);
  directory_.Write("pin", "right pin");
  ASSERT_OK_AND_ASSIGN(const std::string octets,
                       Custodian()->Seal(kSecret, {0, 7, 16}, SealAuthorization::kPin, ""));
  ASSERT_OK_AND_ASSIGN(const SealBlob blob, ParseSealBlob(octets));
  ASSERT_OK_AND_ASSIGN(const std::string policy, PolicyDigestOf(blob));
  const std::string session = directory_.File("session"), file = directory_.File("policy");
  tpm_.ToolOrDie({"tpm2_startauthsession", "-S", session});
  tpm_.ToolOrDie({"tpm2_policypcr", "-Q", "-S", session, "-l", "sha256:0,7,16"});
  tpm_.ToolOrDie({"tpm2_policyauthvalue", "-Q", "-S", session, "-L", file});
  tpm_.ToolOrDie({"tpm2_flushcontext", session});
  EXPECT_EQ(absl::BytesToHexString(policy), absl::BytesToHexString(ReadFileOrDie(file)));
}

TEST_F(SealingTest, RefusesWhereARegisterHoldsSomethingElseAndSaysWhich) {
  const auto custodian = Custodian();
  ASSERT_OK_AND_ASSIGN(const std::string blob,
                       custodian->Seal(kSecret, {0, 16, 23}, SealAuthorization::kNone, ""));
  ASSERT_OK_AND_ASSIGN(const std::string of_another_register,
                       custodian->Seal(kSecret, {0}, SealAuthorization::kNone, ""));
  tpm_.ExtendRegister(23);
  const auto refused = custodian->Unseal(blob, "");
  EXPECT_THAT(refused, FailsWith(ErrorReason::kKeyUnfit, "tpm:"));
  EXPECT_THAT(
      std::string(refused.status().message()),
      HasSubstr("the platform configuration registers 23 hold something else than when this "
                "was sealed: hourglass keys reseal"));
  EXPECT_OK(custodian->Unseal(of_another_register, ""));
  tpm_.ResetRegister(23);
  EXPECT_OK(custodian->Unseal(blob, ""));
}

TEST_F(SealingTest, RefusesABlobThatWasChangedInAnyOctet) {
  const auto custodian = Custodian();
  ASSERT_OK_AND_ASSIGN(const std::string blob,
                       custodian->Seal(kSecret, {16}, SealAuthorization::kNone, ""));
  for (size_t i = 0; i < blob.size(); ++i) {
    std::string changed = blob;
    changed[i] = static_cast<char>(changed[i] ^ (1 << (i % 8)));
    EXPECT_THAT(custodian->Unseal(changed, ""), FailsWith(ErrorReason::kKeyUnfit)) << i;
  }
  for (const std::string& wrong : {blob.substr(0, blob.size() - 1), blob + "x", std::string()}) {
    EXPECT_THAT(custodian->Unseal(wrong, ""), FailsWith(ErrorReason::kKeyUnfit));
  }
  EXPECT_OK(custodian->Unseal(blob, ""));
}

TEST_F(SealingTest, RefusesAnotherTpmsBlob) {
  const Swtpm other;
  ASSERT_OK_AND_ASSIGN(const std::string blob,
                       Custodian(other)->Seal(kSecret, {}, SealAuthorization::kNone, ""));
  const auto refused = Custodian()->Unseal(blob, "");
  EXPECT_THAT(refused, FailsWith(ErrorReason::kKeyUnfit));
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("another TPM"));
  EXPECT_OK(Custodian(other)->Unseal(blob, ""));
}

TEST_F(SealingTest, RefusesItsBlobAfterItWasCleared) {
  ASSERT_OK_AND_ASSIGN(const std::string blob,
                       Custodian()->Seal(kSecret, {}, SealAuthorization::kNone, ""));
  tpm_.ToolOrDie({"tpm2_clear", "-c", "platform"});
  EXPECT_THAT(Custodian()->Unseal(blob, ""), FailsWith(ErrorReason::kKeyUnfit));
}

TEST_F(SealingTest, OpensItsBlobAfterAStorageRootKeyWasMadePersistent) {
  ASSERT_OK_AND_ASSIGN(const std::string before,
                       Custodian()->Seal(kSecret, {}, SealAuthorization::kNone, ""));
  const std::string parent = directory_.File("parent");
  tpm_.ToolOrDie({"tpm2_createprimary", "-Q", "-C", "o", "-G", "rsa2048", "-c", parent});
  tpm_.ToolOrDie({"tpm2_evictcontrol", "-Q", "-C", "o", "-c", parent, "0x81000001"});
  tpm_.ToolOrDie({"tpm2_flushcontext", "-t"});
  ASSERT_OK_AND_ASSIGN(const std::string after,
                       Custodian()->Seal(kSecret, {}, SealAuthorization::kNone, ""));
  EXPECT_OK(Custodian()->Unseal(before, ""));
  EXPECT_OK(Custodian()->Unseal(after, ""));
  tpm_.ToolOrDie({"tpm2_evictcontrol", "-Q", "-C", "o", "-c", "0x81000001"});
  EXPECT_OK(Custodian()->Unseal(before, ""));
  EXPECT_THAT(Custodian()->Unseal(after, ""), FailsWith(ErrorReason::kKeyUnfit));
}

TEST_F(SealingTest, TriesAWrongPinOnce) {
  directory_.Write("pin", "right pin");
  ASSERT_OK_AND_ASSIGN(const std::string blob,
                       Custodian()->Seal(kSecret, {16}, SealAuthorization::kPin, ""));
  directory_.Write("pin", "wrong pin");
  const auto custodian = Custodian();
  for (int i = 0; i < 10; ++i) {
    EXPECT_THAT(custodian->Unseal(blob, ""), FailsWith(ErrorReason::kPinRefused, "tpm:"));
  }
  EXPECT_EQ(tpm_.WrongPins(), 1);
  EXPECT_EQ(custodian->Status().state, CustodianStatus::State::kFailed);
  directory_.Write("pin", "right pin\n");
  ASSERT_OK_AND_ASSIGN(const std::string secret, custodian->Unseal(blob, ""));
  EXPECT_EQ(secret, kSecret);
  EXPECT_EQ(tpm_.WrongPins(), 1);
}

TEST_F(SealingTest, RefusesAWrongRecoveryCode) {
  const auto custodian = Custodian();
  ASSERT_OK_AND_ASSIGN(const std::string blob,
                       custodian->Seal(kSecret, {}, SealAuthorization::kRecoveryCode, kCode));
  const auto refused = custodian->Unseal(blob, "ZYXWVUTSRQPONMLKJIHGFEDCB");
  EXPECT_THAT(refused, FailsWith(ErrorReason::kPinRefused));
  EXPECT_THAT(std::string(refused.status().message()),
              AllOf(HasSubstr("recovery code"), Not(HasSubstr("ZYXW"))));
  EXPECT_EQ(tpm_.WrongPins(), 1);
  EXPECT_OK(custodian->Unseal(blob, kCode));
}

TEST_F(SealingTest, SealsWithNoPinThatItDoesNotHave) {
  const auto custodian = TpmCustodian::Create({.tcti = tpm_.Tcti(), .pin_source = std::nullopt});
  EXPECT_THAT(custodian->Seal(kSecret, {}, SealAuthorization::kPin, ""),
              FailsWith(ErrorReason::kPinRefused));
  EXPECT_THAT(
      Custodian()->Seal(kSecret, {}, SealAuthorization::kPin, ""),
      FailsWith(ErrorReason::kKeyUnavailable, absl::StrCat("file:", directory_.File("pin"))));
}

TEST_F(SealingTest, UnsealsOnceTheTpmIsBack) {
  const auto custodian = Custodian();
  ASSERT_OK_AND_ASSIGN(const std::string blob,
                       custodian->Seal(kSecret, {}, SealAuthorization::kNone, ""));
  tpm_.Kill();
  EXPECT_THAT(custodian->Unseal(blob, ""), FailsWith(ErrorReason::kKeyUnavailable));
  tpm_.Start();
  EXPECT_OK(custodian->Unseal(blob, ""));
}

}  // namespace
}  // namespace hourglass::hsm
