#include "hsm/tpm/sealed_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "hsm/key/custodian.h"
#include "hsm/key/key_type.h"
#include "hsm/key/signature.h"
#include "hsm/tpm/sealed_key_file.h"
#include "hsm/tpm/tpm_custodian.h"
#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"
#include "tests/support/swtpm.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::hsm {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class SealedFolderTest : public testing::Test {
 protected:
  SealedFolderTest()
      : tpm_(std::make_unique<Swtpm>()),
        custodian_(TpmCustodian::Create({.tcti = tpm_->Tcti(), .pin_source = std::nullopt})) {}

  SealedFolder Folder(SealAuthorization authorization = SealAuthorization::kNone) const {
    absl::StatusOr<SealedFolder> folder =
        SealedFolder::Create(directory_.File("sealed"), authorization);
    EXPECT_OK(folder);
    return *std::move(folder);
  }
  std::string FileOf(const std::string& name) const {
    return directory_.File(absl::StrCat("sealed/", name, ".sealed"));
  }
  void Overwrite(const std::string& name, const std::string& content) const {
    directory_.Write(absl::StrCat("sealed/", name, ".sealed"), content);
  }
  static void ExpectSigns(SigningKey& key) {
    ASSERT_OK_AND_ASSIGN(const std::string signature, key.Sign("message"));
    EXPECT_OK(VerifySignature(key.public_key(), key.type(), "message", signature));
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Swtpm> tpm_;
  std::unique_ptr<TpmCustodian> custodian_;
};

class SealedKeyTypeTest : public SealedFolderTest, public testing::WithParamInterface<KeyType> {};

TEST_P(SealedKeyTypeTest, SignsWhatOpensslVerifiesWithoutTheTpm) {
  const SealedFolder folder = Folder();
  ASSERT_OK_AND_ASSIGN(const auto made, folder.Generate("root", GetParam(), {16}, *custodian_));
  EXPECT_EQ(made->type(), GetParam());
  ASSERT_OK_AND_ASSIGN(const auto opened, folder.Open("root", *custodian_));
  EXPECT_EQ(opened->public_key(), made->public_key());
  tpm_->Kill();
  ASSERT_OK_AND_ASSIGN(const std::string signature, opened->Sign("message"));
  const std::string pem = directory_.File("pem");
  RunCommand({"openssl", "pkey", "-pubin", "-inform", "DER", "-in",
              directory_.Write("spki", made->public_key()), "-out", pem});
  EXPECT_EQ(RunCommand({"openssl", "dgst", GetParam() == KeyType::kEcP384 ? "-sha384" : "-sha256",
                        "-verify", pem, "-signature", directory_.Write("signature", signature),
                        directory_.Write("message", "message")})
                .output,
            "Verified OK\n");
}

INSTANTIATE_TEST_SUITE_P(All, SealedKeyTypeTest, testing::ValuesIn(kAllKeyTypes),
                         [](const auto& info) {
                           return absl::StrReplaceAll(KeyTypeName(info.param), {{"-", ""}});
                         });

TEST_F(SealedFolderTest, KeepsAFileThatOnlyItsOwnerReads) {
  const SealedFolder folder = Folder();
  ASSERT_OK(folder.Generate("root", KeyType::kEcP256, {}, *custodian_));
  struct stat facts = {};
  ASSERT_EQ(stat(FileOf("root").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777, 0600U);
  ASSERT_EQ(stat(directory_.File("sealed").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777, 0700U);
  chmod(FileOf("root").c_str(), 0640);
  EXPECT_THAT(folder.Open("root", *custodian_),
              FailsWith(ErrorReason::kKeyUnfit, "tpm:sealed=root"));
  chmod(FileOf("root").c_str(), 0600);
  EXPECT_OK(folder.Open("root", *custodian_));
}

TEST_F(SealedFolderTest, TakesNoNameTwiceAndDestroysForGood) {
  const SealedFolder folder = Folder();
  EXPECT_THAT(folder.Open("root", *custodian_),
              FailsWith(ErrorReason::kKeyNotFound, "tpm:sealed=root"));
  EXPECT_THAT(folder.Destroy("root"), FailsWith(ErrorReason::kKeyNotFound));
  EXPECT_THAT(folder.Generate("../root", KeyType::kEcP256, {}, *custodian_),
              FailsWith(ErrorReason::kKeyUriInvalid));
  ASSERT_OK_AND_ASSIGN(const auto first,
                       folder.Generate("root", KeyType::kEcP256, {}, *custodian_));
  EXPECT_THAT(folder.Generate("root", KeyType::kEcP256, {}, *custodian_),
              FailsWith(ErrorReason::kKeyExists));
  ASSERT_OK_AND_ASSIGN(const auto still, folder.Open("root", *custodian_));
  EXPECT_EQ(still->public_key(), first->public_key());
  ASSERT_OK(folder.Destroy("root"));
  EXPECT_THAT(folder.Open("root", *custodian_), FailsWith(ErrorReason::kKeyNotFound));
}

TEST_F(SealedFolderTest, SaysWhatIsThereWithoutTheTpm) {
  const SealedFolder folder = Folder();
  std::string code;
  ASSERT_OK_AND_ASSIGN(const auto plain,
                       folder.Generate("a", KeyType::kEcP384, {0, 7}, *custodian_));
  ASSERT_OK(folder.Generate("b", KeyType::kEcP256, {}, *custodian_, &code));
  Overwrite("c", "nothing");
  chmod(FileOf("c").c_str(), 0600);
  directory_.Write("sealed/other", "no key");
  tpm_->Kill();
  ASSERT_OK_AND_ASSIGN(const auto keys, folder.List());
  ASSERT_EQ(keys.size(), 3);
  EXPECT_EQ(keys[0].name, "a");
  EXPECT_EQ(keys[0].type, KeyType::kEcP384);
  EXPECT_EQ(keys[0].public_key, plain->public_key());
  EXPECT_THAT(keys[0].registers, ElementsAre(0, 7));
  EXPECT_FALSE(keys[0].recoverable);
  EXPECT_EQ(keys[0].unfit_because, "");
  EXPECT_THAT(keys[1].registers, ElementsAre());
  EXPECT_TRUE(keys[1].recoverable);
  EXPECT_THAT(keys[2].unfit_because, HasSubstr("changed"));
  EXPECT_THAT(folder.Describe("d"), FailsWith(ErrorReason::kKeyNotFound));
}

TEST_F(SealedFolderTest, RefusesAFileThatWasChangedInAnyPart) {
  const SealedFolder folder = Folder();
  std::string code;
  ASSERT_OK(folder.Generate("root", KeyType::kEcP256, {16}, *custodian_, &code));
  const std::string content = ReadFileOrDie(FileOf("root"));
  // Every part of the file is longer than this step, but for sizes, the type and the magic.
  for (size_t i = 0; i < content.size(); i += i < 20 ? 1 : 7) {
    std::string changed = content;
    changed[i] = static_cast<char>(changed[i] ^ (1 << (i % 8)));
    Overwrite("root", changed);
    EXPECT_THAT(folder.Open("root", *custodian_),
                FailsWith(ErrorReason::kKeyUnfit, "tpm:sealed=root"))
        << i << " of " << content.size();
  }
  for (const size_t size : {size_t{0}, size_t{8}, content.size() / 2, content.size() - 1}) {
    Overwrite("root", content.substr(0, size));
    EXPECT_THAT(folder.Open("root", *custodian_), FailsWith(ErrorReason::kKeyUnfit)) << size;
  }
  Overwrite("root", content + std::string(kLargestSealedKeyFile, 'x'));
  EXPECT_THAT(folder.Open("root", *custodian_), FailsWith(ErrorReason::kKeyInvalid));
  Overwrite("root", content);
  EXPECT_OK(folder.Open("root", *custodian_));
}

TEST_F(SealedFolderTest, RefusesAKeyRenamedAndOneWithAnothersPrivateKey) {
  const SealedFolder folder = Folder();
  ASSERT_OK(folder.Generate("a", KeyType::kEcP256, {}, *custodian_));
  ASSERT_OK(folder.Generate("b", KeyType::kEcP256, {}, *custodian_));
  std::filesystem::copy(FileOf("a"), FileOf("c"));
  EXPECT_THAT(folder.Open("c", *custodian_), FailsWith(ErrorReason::kKeyUnfit));
  ASSERT_OK_AND_ASSIGN(const SealedKeyFile a, ParseSealedKeyFile(ReadFileOrDie(FileOf("a"))));
  ASSERT_OK_AND_ASSIGN(const SealedKeyFile b, ParseSealedKeyFile(ReadFileOrDie(FileOf("b"))));
  SealedKeyFile mixed = a;
  mixed.sealed = b.sealed;
  mixed.nonce = b.nonce;
  mixed.ciphertext = b.ciphertext;
  mixed.tag = b.tag;
  Overwrite("a", FormatSealedKeyFile(mixed));
  EXPECT_THAT(folder.Open("a", *custodian_), FailsWith(ErrorReason::kKeyUnfit));
  EXPECT_OK(folder.Open("b", *custodian_));
}

TEST_F(SealedFolderTest, RefusesAFileThatWasCopiedToAnotherMachine) {
  const SealedFolder folder = Folder();
  ASSERT_OK(folder.Generate("root", KeyType::kEcP256, {}, *custodian_));
  const Swtpm other;
  const auto elsewhere = TpmCustodian::Create({.tcti = other.Tcti(), .pin_source = std::nullopt});
  const auto refused = folder.Open("root", *elsewhere);
  EXPECT_THAT(refused, FailsWith(ErrorReason::kKeyUnfit, "tpm:sealed=root"));
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("another TPM"));
  EXPECT_OK(folder.Open("root", *custodian_));
}

TEST_F(SealedFolderTest, OpensAfterAChangedRegisterByItsRecoveryCodeAlone) {
  const SealedFolder folder = Folder();
  std::string code;
  ASSERT_OK_AND_ASSIGN(const auto made,
                       folder.Generate("root", KeyType::kRsa2048, {7, 16}, *custodian_, &code));
  EXPECT_THAT(code, testing::MatchesRegex("([A-Z2-7]{5}-){5}[A-Z2-7]{5}"));
  tpm_->ExtendRegister(16);
  const auto refused = folder.Open("root", *custodian_);
  EXPECT_THAT(refused, FailsWith(ErrorReason::kKeyUnfit, "tpm:sealed=root"));
  EXPECT_EQ(
      refused.status().message(),
      "tpm:sealed=root: the platform configuration registers 16 hold something else than when "
      "this was sealed: hourglass keys reseal");
  EXPECT_THAT(folder.Reseal("root", {7, 16}, "", *custodian_), FailsWith(ErrorReason::kKeyUnfit));
  for (int i = 0; i < 10; ++i) {
    EXPECT_THAT(folder.Reseal("root", {7, 16}, code.substr(1) + "A", *custodian_),
                FailsWith(ErrorReason::kPinRefused, "tpm:sealed=root"));
  }
  EXPECT_EQ(tpm_->WrongPins(), 0);
  std::string of_another;
  ASSERT_OK(folder.Generate("other", KeyType::kEcP256, {}, *custodian_, &of_another));
  EXPECT_THAT(folder.Reseal("root", {7, 16}, of_another, *custodian_),
              FailsWith(ErrorReason::kPinRefused, "tpm:sealed=root"));
  EXPECT_EQ(tpm_->WrongPins(), 1);
  EXPECT_THAT(folder.Open("root", *custodian_), FailsWith(ErrorReason::kKeyUnfit));

  const std::string typed =
      absl::StrCat(" ", absl::AsciiStrToLower(absl::StrReplaceAll(code, {{"-", " "}})), "\n");
  ASSERT_OK(folder.Reseal("root", {7, 16}, typed, *custodian_));
  ASSERT_OK_AND_ASSIGN(const auto opened, folder.Open("root", *custodian_));
  EXPECT_EQ(opened->public_key(), made->public_key());
  ExpectSigns(*opened);
  // The code stays good, for the next update.
  tpm_->ResetRegister(16);
  EXPECT_THAT(folder.Open("root", *custodian_), FailsWith(ErrorReason::kKeyUnfit));
  EXPECT_OK(folder.Reseal("root", {16}, code, *custodian_));
  EXPECT_OK(folder.Open("root", *custodian_));
}

TEST_F(SealedFolderTest, IsBoundToOtherRegistersBeforeAPlannedUpdate) {
  const SealedFolder folder = Folder();
  ASSERT_OK(folder.Generate("root", KeyType::kEcP256, {16}, *custodian_));
  ASSERT_OK(folder.Reseal("root", {}, "", *custodian_));
  tpm_->ExtendRegister(16);
  EXPECT_OK(folder.Open("root", *custodian_));
  ASSERT_OK(folder.Reseal("root", {16}, "", *custodian_));
  EXPECT_OK(folder.Open("root", *custodian_));
  tpm_->ExtendRegister(16);
  EXPECT_THAT(folder.Open("root", *custodian_), FailsWith(ErrorReason::kKeyUnfit));
  EXPECT_THAT(folder.Reseal("root", {}, "AAAAA-AAAAA-AAAAA-AAAAA-AAAAA", *custodian_),
              FailsWith(ErrorReason::kKeyUnfit));
}

TEST_F(SealedFolderTest, KeepsWhatAnErrorOfTheSealerCarries) {
  const SealedFolder folder = Folder();
  ASSERT_OK(folder.Generate("root", KeyType::kEcP256, {}, *custodian_));
  tpm_->Kill();
  const auto gone = folder.Open("root", *custodian_);
  EXPECT_THAT(gone, FailsWith(ErrorReason::kKeyUnavailable, "tpm:sealed=root"));
  EXPECT_TRUE(NeedsNewCustodian(gone.status()));
  EXPECT_FALSE(std::filesystem::exists(FileOf("other")));
  EXPECT_THAT(folder.Generate("other", KeyType::kEcP256, {}, *custodian_),
              FailsWith(ErrorReason::kKeyUnavailable, "tpm:sealed=other"));
  EXPECT_FALSE(std::filesystem::exists(FileOf("other")));
  tpm_->Start();
  EXPECT_OK(folder.Open("root", *custodian_));
}

TEST_F(SealedFolderTest, AsksForThePinWhereThereIsOne) {
  const std::string pin = directory_.Write("pin", "right pin");
  const auto with_pin = [&] {
    return TpmCustodian::Create(
        {.tcti = tpm_->Tcti(), .pin_source = PinSource{PinSource::Kind::kFile, pin}});
  };
  const SealedFolder folder = Folder(SealAuthorization::kPin);
  EXPECT_OK(folder.Generate("root", KeyType::kEcP256, {16}, *with_pin()));
  EXPECT_THAT(folder.Open("root", *custodian_), FailsWith(ErrorReason::kPinRefused));
  EXPECT_EQ(tpm_->WrongPins(), 0);
  directory_.Write("pin", "wrong pin");
  EXPECT_THAT(folder.Open("root", *with_pin()),
              FailsWith(ErrorReason::kPinRefused, "tpm:sealed=root"));
  EXPECT_EQ(tpm_->WrongPins(), 1);
  directory_.Write("pin", "right pin");
  EXPECT_OK(folder.Open("root", *with_pin()));
}

TEST_F(SealedFolderTest, IsNotResealedWithoutThePinThatItAsksFor) {
  const std::string pin = directory_.Write("pin", "right pin");
  const auto with_pin = TpmCustodian::Create(
      {.tcti = tpm_->Tcti(), .pin_source = PinSource{PinSource::Kind::kFile, pin}});
  std::string code;
  ASSERT_OK(
      Folder(SealAuthorization::kPin).Generate("root", KeyType::kEcP256, {16}, *with_pin, &code));
  tpm_->ExtendRegister(16);
  const absl::Status refused = Folder().Reseal("root", {16}, code, *custodian_);
  EXPECT_THAT(refused, FailsWith(ErrorReason::kPinRefused, "tpm:sealed=root"));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("no PIN source"));
  EXPECT_THAT(Folder().Open("root", *with_pin), FailsWith(ErrorReason::kKeyUnfit));
  // With another PIN than before, too.
  directory_.Write("pin", "new pin");
  ASSERT_OK(Folder(SealAuthorization::kPin).Reseal("root", {16}, code, *with_pin));
  EXPECT_OK(Folder().Open("root", *with_pin));
  EXPECT_THAT(Folder().Open("root", *custodian_), FailsWith(ErrorReason::kPinRefused));
  EXPECT_EQ(tpm_->WrongPins(), 0);
}

}  // namespace
}  // namespace hourglass::hsm
