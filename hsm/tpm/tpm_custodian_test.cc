#include "hsm/tpm/tpm_custodian.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "hsm/key/key_type.h"
#include "hsm/key/signature.h"
#include "hsm/tpm/esys_connection.h"
#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"
#include "tests/support/swtpm.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::hsm {
namespace {

using State = CustodianStatus::State;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::UnorderedElementsAre;

constexpr char kFirst[] = "0x81010001";
constexpr char kSecond[] = "0x81010002";
constexpr char kOurAttributes[] = "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign";

class TpmCustodianTest : public testing::Test {
 protected:
  std::unique_ptr<TpmCustodian> Custodian(bool with_pin = false) const {
    TpmConnection connection{.tcti = tpm_.Tcti(), .pin_source = std::nullopt};
    if (with_pin) {
      connection.pin_source = PinSource{PinSource::Kind::kFile, directory_.File("pin")};
    }
    return TpmCustodian::Create(connection);
  }
  void WritePin(const std::string& pin) const { directory_.Write("pin", pin); }

  static KeySelector At(const std::string& handle) { return {.label = handle, .id = ""}; }

  // Signs, and has the OpenSSL CLI verify what came.
  absl::Status SignAndVerify(TpmCustodian& custodian, const CustodialKey& key) const {
    absl::StatusOr<std::string> digest = Digest(key.type, "message");
    absl::StatusOr<std::string> signature = custodian.SignDigest(key, *digest);
    if (!signature.ok()) return signature.status();
    const std::string pem = directory_.File("pem");
    const CommandResult converted =
        RunCommand({"openssl", "pkey", "-pubin", "-inform", "DER", "-in",
                    directory_.Write("spki", key.public_key), "-out", pem});
    EXPECT_EQ(converted.exit_code, 0) << converted.output;
    const std::string hash = key.type == KeyType::kEcP384 ? "-sha384" : "-sha256";
    const std::string file = directory_.Write("signature", *signature);
    EXPECT_EQ(RunCommand({"openssl", "dgst", hash, "-verify", pem, "-signature", file,
                          directory_.Write("message", "message")})
                  .output,
              "Verified OK\n");
    EXPECT_NE(RunCommand({"openssl", "dgst", hash, "-verify", pem, "-signature", file,
                          directory_.Write("message", "massage")})
                  .exit_code,
              0);
    return absl::OkStatus();
  }

  // A key that an administrator makes with tpm2-tools, at `handle`.
  void MakeByTools(const std::string& handle, const std::string& type,
                   const std::string& attributes) const {
    const std::string parent = directory_.File("parent"), key = directory_.File("key");
    tpm_.ToolOrDie({"tpm2_createprimary", "-Q", "-C", "o", "-G", "ecc256", "-c", parent});
    tpm_.ToolOrDie({"tpm2_flushcontext", "-t"});
    tpm_.ToolOrDie({"tpm2_create", "-Q", "-C", parent, "-G", type, "-a", attributes, "-u",
                    directory_.File("public"), "-r", directory_.File("private")});
    tpm_.ToolOrDie({"tpm2_flushcontext", "-t"});
    tpm_.ToolOrDie({"tpm2_load", "-Q", "-C", parent, "-u", directory_.File("public"), "-r",
                    directory_.File("private"), "-c", key});
    tpm_.ToolOrDie({"tpm2_flushcontext", "-t"});
    tpm_.ToolOrDie({"tpm2_evictcontrol", "-Q", "-C", "o", "-c", key, handle});
    tpm_.ToolOrDie({"tpm2_flushcontext", "-t"});
  }

  Swtpm tpm_;
  TemporaryDirectory directory_;
};

class TpmKeyTypeTest : public TpmCustodianTest, public testing::WithParamInterface<KeyType> {};

TEST_P(TpmKeyTypeTest, SignsWhatOpensslVerifiesAndKeepsTheKey) {
  CustodialKey made;
  {
    const auto custodian = Custodian();
    ASSERT_OK_AND_ASSIGN(made, custodian->Generate(At(kFirst), GetParam()));
    EXPECT_EQ(made.type, GetParam());
    EXPECT_EQ(made.selector, At(kFirst));
    EXPECT_OK(SignAndVerify(*custodian, made));
  }
  EXPECT_EQ(tpm_.Leftovers(), "");
  // tpm2-tools read the same public key, and attributes that keep it in the TPM.
  const std::string spki = directory_.File("tool");
  const std::string said =
      tpm_.ToolOrDie({"tpm2_readpublic", "-c", kFirst, "-f", "der", "-o", spki});
  EXPECT_EQ(ReadFileOrDie(spki), made.public_key);
  EXPECT_THAT(said, HasSubstr("fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|sign\n"));
  tpm_.Stop();
  tpm_.Start();
  const auto custodian = Custodian();
  ASSERT_OK_AND_ASSIGN(const CustodialKey opened, custodian->Open(At(kFirst)));
  EXPECT_EQ(opened.public_key, made.public_key);
  EXPECT_OK(SignAndVerify(*custodian, opened));
}

INSTANTIATE_TEST_SUITE_P(AllThatSwtpmHas, TpmKeyTypeTest,
                         testing::Values(KeyType::kEcP256, KeyType::kEcP384, KeyType::kRsa2048,
                                         KeyType::kRsa3072),
                         [](const auto& info) {
                           return absl::StrReplaceAll(KeyTypeName(info.param), {{"-", ""}});
                         });

TEST_F(TpmCustodianTest, RefusesWhatTheTpmCannotMake) {
  const auto custodian = Custodian();
  EXPECT_THAT(custodian->Generate(At(kFirst), KeyType::kRsa4096),
              FailsWith(ErrorReason::kKeyUnsupported));
  EXPECT_OK(custodian->Generate(At(kFirst), KeyType::kEcP256));
}

TEST_F(TpmCustodianTest, TakesNoHandleTwiceAndDestroysForGood) {
  const auto custodian = Custodian();
  EXPECT_THAT(custodian->Open(At(kFirst)), FailsWith(ErrorReason::kKeyNotFound, "tpm:"));
  EXPECT_THAT(custodian->Destroy(At(kFirst)), FailsWith(ErrorReason::kKeyNotFound));
  ASSERT_OK_AND_ASSIGN(const CustodialKey first, custodian->Generate(At(kFirst), KeyType::kEcP256));
  EXPECT_THAT(custodian->Generate(At(kFirst), KeyType::kEcP256),
              FailsWith(ErrorReason::kKeyExists));
  ASSERT_OK_AND_ASSIGN(const CustodialKey still, custodian->Open(At(kFirst)));
  EXPECT_EQ(still.public_key, first.public_key);
  ASSERT_OK(custodian->Destroy(At(kFirst)));
  EXPECT_THAT(custodian->Open(At(kFirst)), FailsWith(ErrorReason::kKeyNotFound));
  EXPECT_THAT(SignAndVerify(*custodian, first), FailsWith(ErrorReason::kKeyNotFound));
  ASSERT_OK_AND_ASSIGN(const CustodialKey second,
                       custodian->Generate(At(kFirst), KeyType::kEcP256));
  EXPECT_NE(second.public_key, first.public_key);
  EXPECT_THAT(SignAndVerify(*custodian, first), FailsWith(ErrorReason::kKeyMismatch));
  EXPECT_OK(SignAndVerify(*custodian, second));
}

TEST_F(TpmCustodianTest, NamesKeysByTheOwnersHandlesAlone) {
  const auto custodian = Custodian();
  for (const char* label : {"", "root", "81010001", "0x8101000", "0X81010001", "0x8101000A",
                            "0x80000000", "0x81800000", "0x01000001", "0x810100011"}) {
    EXPECT_THAT(custodian->Open(At(label)), FailsWith(ErrorReason::kKeyNotFound)) << label;
    EXPECT_THAT(custodian->Generate(At(label), KeyType::kEcP256),
                FailsWith(ErrorReason::kKeyNotFound))
        << label;
  }
  EXPECT_THAT(custodian->Open({.label = kFirst, .id = "1"}), FailsWith(ErrorReason::kKeyNotFound));
  ASSERT_OK_AND_ASSIGN(const auto keys, custodian->List());
  EXPECT_EQ(keys.size(), 0);
  EXPECT_OK(custodian->Generate(At("0x817fffff"), KeyType::kEcP256));
}

TEST_F(TpmCustodianTest, UsesTheAdministratorsStorageRootKeyWhereThereIsOne) {
  const std::string parent = directory_.File("parent");
  tpm_.ToolOrDie({"tpm2_createprimary", "-Q", "-C", "o", "-G", "rsa2048", "-c", parent});
  tpm_.ToolOrDie({"tpm2_evictcontrol", "-Q", "-C", "o", "-c", parent, "0x81000001"});
  tpm_.ToolOrDie({"tpm2_flushcontext", "-t"});
  {
    const auto custodian = Custodian();
    ASSERT_OK_AND_ASSIGN(const CustodialKey key, custodian->Generate(At(kFirst), KeyType::kEcP256));
    EXPECT_OK(SignAndVerify(*custodian, key));
  }
  const std::string said = tpm_.ToolOrDie({"tpm2_readpublic", "-c", kFirst});
  const std::string of_parent = tpm_.ToolOrDie({"tpm2_readpublic", "-c", "0x81000001"});
  EXPECT_NE(said, of_parent);
  EXPECT_EQ(tpm_.ToolOrDie({"tpm2_getcap", "handles-persistent"}), "- 0x81000001\n- 0x81010001\n");
}

TEST_F(TpmCustodianTest, LeavesNoStorageRootKeyBehindThatNobodyAskedFor) {
  ASSERT_OK(Custodian()->Generate(At(kFirst), KeyType::kEcP256));
  EXPECT_EQ(tpm_.ToolOrDie({"tpm2_getcap", "handles-persistent"}), "- 0x81010001\n");
}

TEST_F(TpmCustodianTest, ListsWhatIsThereAndSaysWhyItIsUnfit) {
  MakeByTools("0x81010010", "ecc256", absl::StrCat(kOurAttributes, "|noda"));
  MakeByTools("0x81010011", "ecc256:ecdsa-sha256:null",
              absl::StrCat(kOurAttributes, "|restricted"));
  MakeByTools("0x81010012", "rsa2048", absl::StrCat(kOurAttributes, "|decrypt"));
  MakeByTools("0x81010013", "ecc256", "sensitivedataorigin|userwithauth|sign");
  MakeByTools("0x81010014", "ecc256", "fixedtpm|fixedparent|sensitivedataorigin|sign");
  MakeByTools("0x81010015", "ecc256:ecdsa-sha1", kOurAttributes);
  MakeByTools("0x81010016", "ecc256:ecdsa-sha256", kOurAttributes);
  MakeByTools("0x81010017", "rsa2048:rsapss-sha256:null", kOurAttributes);
  MakeByTools("0x81010018", "ecc521", kOurAttributes);
  MakeByTools("0x81010019", "hmac", kOurAttributes);
  MakeByTools("0x8101001a", "aes", "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|decrypt");
  const auto custodian = Custodian();
  ASSERT_OK_AND_ASSIGN(const std::vector<KeyListing> keys, custodian->List());
  std::map<std::string, std::string> unfit;
  for (const KeyListing& key : keys) unfit[key.selector.label] = key.unfit_because;
  EXPECT_EQ(unfit.size(), 11);
  EXPECT_EQ(unfit["0x81010010"], "");
  EXPECT_THAT(unfit["0x81010011"], HasSubstr("restricted"));
  EXPECT_THAT(unfit["0x81010012"], HasSubstr("decrypt"));
  EXPECT_THAT(unfit["0x81010013"], HasSubstr("may leave the TPM"));
  EXPECT_THAT(unfit["0x81010014"], HasSubstr("userwithauth"));
  EXPECT_THAT(unfit["0x81010015"], HasSubstr("scheme"));
  EXPECT_EQ(unfit["0x81010016"], "");
  EXPECT_THAT(unfit["0x81010017"], HasSubstr("scheme"));
  EXPECT_THAT(unfit["0x81010018"], HasSubstr("type"));
  EXPECT_THAT(unfit["0x81010019"], HasSubstr("type"));
  EXPECT_THAT(unfit["0x8101001a"], HasSubstr("not a signing key"));
  for (const auto& [handle, why] : unfit) {
    const absl::StatusOr<CustodialKey> key = custodian->Open(At(handle));
    if (why.empty()) {
      ASSERT_OK(key);
      EXPECT_OK(SignAndVerify(*custodian, *key)) << handle;
    } else {
      EXPECT_THAT(key, FailsWith(ErrorReason::kKeyUnfit)) << handle;
      EXPECT_THAT(std::string(key.status().message()), AllOf(HasSubstr(handle), HasSubstr(why)));
    }
  }
  // What only signs may have been made here, with other attributes than ours.
  for (const char* signing : {"0x81010010", "0x81010012", "0x81010013", "0x81010014", "0x81010015",
                              "0x81010016", "0x81010017", "0x81010018"}) {
    EXPECT_OK(custodian->Destroy(At(signing))) << signing;
  }
  for (const char* other : {"0x81010011", "0x81010019", "0x8101001a"}) {
    const absl::Status refused = custodian->Destroy(At(other));
    EXPECT_THAT(refused, FailsWith(ErrorReason::kKeyUnfit, "tpm:")) << other;
    EXPECT_THAT(std::string(refused.message()), HasSubstr("tpm2_evictcontrol"));
  }
  EXPECT_EQ(tpm_.ToolOrDie({"tpm2_getcap", "handles-persistent"}),
            "- 0x81010011\n- 0x81010019\n- 0x8101001A\n");
}

TEST_F(TpmCustodianTest, DestroysNeitherTheStorageRootKeyNorTheEndorsementKey) {
  const std::string parent = directory_.File("parent");
  tpm_.ToolOrDie({"tpm2_createprimary", "-Q", "-C", "o", "-G", "ecc256", "-c", parent});
  tpm_.ToolOrDie({"tpm2_evictcontrol", "-Q", "-C", "o", "-c", parent, "0x81000001"});
  tpm_.ToolOrDie({"tpm2_flushcontext", "-t"});
  tpm_.ToolOrDie({"tpm2_createek", "-Q", "-G", "rsa", "-c", kFirst});
  tpm_.ToolOrDie({"tpm2_flushcontext", "-t"});
  const auto custodian = Custodian();
  for (const char* handle : {"0x81000001", kFirst}) {
    EXPECT_THAT(custodian->Destroy(At(handle)), FailsWith(ErrorReason::kKeyUnfit, "tpm:"));
    EXPECT_THAT(custodian->Generate(At(handle), KeyType::kEcP256),
                FailsWith(ErrorReason::kKeyExists));
    EXPECT_EQ(tpm_.Tool({"tpm2_readpublic", "-Q", "-c", handle}).exit_code, 0);
  }
  ASSERT_OK(custodian->Generate(At(kSecond), KeyType::kEcP256));
  EXPECT_OK(custodian->Destroy(At(kSecond)));
}

// Whoever has the owner's authorization, as a rule nothing, may put there what he knows himself.
TEST_F(TpmCustodianTest, TakesNothingForTheStorageRootKeyThatAnybodyMayKnow) {
  MakeByTools("0x81000001", "ecc256", "sensitivedataorigin|userwithauth|restricted|decrypt");
  const auto custodian = Custodian();
  ASSERT_OK_AND_ASSIGN(const CustodialKey key, custodian->Generate(At(kFirst), KeyType::kEcP256));
  EXPECT_OK(SignAndVerify(*custodian, key));
  ASSERT_OK_AND_ASSIGN(const std::string blob,
                       custodian->Seal("secret", {}, SealAuthorization::kNone, ""));
  ASSERT_OK_AND_ASSIGN(const std::string secret, custodian->Unseal(blob, ""));
  EXPECT_EQ(secret, "secret");
  tpm_.ToolOrDie({"tpm2_evictcontrol", "-Q", "-C", "o", "-c", "0x81000001"});
  EXPECT_OK(custodian->Unseal(blob, ""));
}

TEST_F(TpmCustodianTest, MakesNoKeyWhereTheStorageRootKeyBelongs) {
  EXPECT_THAT(Custodian()->Generate(At("0x81000001"), KeyType::kEcP256),
              FailsWith(ErrorReason::kKeyUnsupported, "tpm:"));
  EXPECT_EQ(tpm_.ToolOrDie({"tpm2_getcap", "handles-persistent"}), "");
  EXPECT_OK(Custodian()->Generate(At("0x81000002"), KeyType::kEcP256));
}

TEST_F(TpmCustodianTest, RefusesAKeyThatWasImported) {
  const std::string parent = directory_.File("parent"), key = directory_.File("key");
  const std::string pem = directory_.File("outside");
  ASSERT_EQ(RunCommand({"openssl", "genpkey", "-algorithm", "EC", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-out", pem})
                .exit_code,
            0);
  tpm_.ToolOrDie({"tpm2_createprimary", "-Q", "-C", "o", "-G", "ecc256", "-c", parent});
  tpm_.ToolOrDie({"tpm2_import", "-Q", "-C", parent, "-G", "ecc", "-i", pem, "-u",
                  directory_.File("public"), "-r", directory_.File("private")});
  tpm_.ToolOrDie({"tpm2_flushcontext", "-t"});
  tpm_.ToolOrDie({"tpm2_load", "-Q", "-C", parent, "-u", directory_.File("public"), "-r",
                  directory_.File("private"), "-c", key});
  tpm_.ToolOrDie({"tpm2_flushcontext", "-t"});
  tpm_.ToolOrDie({"tpm2_evictcontrol", "-Q", "-C", "o", "-c", key, kFirst});
  tpm_.ToolOrDie({"tpm2_flushcontext", "-t"});
  EXPECT_THAT(Custodian()->Open(At(kFirst)), FailsWith(ErrorReason::kKeyUnfit));
}

TEST_F(TpmCustodianTest, ChecksTheDigestsSize) {
  const auto custodian = Custodian();
  ASSERT_OK_AND_ASSIGN(const CustodialKey key, custodian->Generate(At(kFirst), KeyType::kEcP256));
  for (const int size : {0, 20, 31, 33, 48, 64, 100'000}) {
    EXPECT_THAT(custodian->SignDigest(key, std::string(static_cast<size_t>(size), 'd')),
                FailsWith(ErrorReason::kInternalError))
        << size;
  }
  EXPECT_OK(custodian->SignDigest(key, std::string(32, 'd')));
}

TEST_F(TpmCustodianTest, TriesAWrongPinOnce) {
  WritePin("right pin");
  CustodialKey key;
  {
    const auto custodian = Custodian(true);
    ASSERT_OK_AND_ASSIGN(key, custodian->Generate(At(kFirst), KeyType::kEcP256));
    ASSERT_OK(SignAndVerify(*custodian, key));
  }
  EXPECT_EQ(tpm_.WrongPins(), 0);
  WritePin("wrong pin");
  {
    const auto custodian = Custodian(true);
    EXPECT_OK(custodian->Open(At(kFirst)));
    for (int i = 0; i < 10; ++i) {
      const absl::Status refused = SignAndVerify(*custodian, key);
      EXPECT_THAT(refused, FailsWith(ErrorReason::kPinRefused, "tpm:"));
      EXPECT_THAT(std::string(refused.message()), Not(HasSubstr("wrong pin")));
    }
    EXPECT_EQ(custodian->Status().state, State::kFailed);
    EXPECT_THAT(custodian->Status().message, HasSubstr("until its source gives another"));
  }
  EXPECT_EQ(tpm_.WrongPins(), 1);
  EXPECT_EQ(tpm_.Leftovers(), "");
}

TEST_F(TpmCustodianTest, SignsAgainOnceTheSourceGivesTheRightPin) {
  WritePin("right pin");
  const auto maker = Custodian(true);
  ASSERT_OK_AND_ASSIGN(const CustodialKey key, maker->Generate(At(kFirst), KeyType::kRsa2048));
  ASSERT_OK(SignAndVerify(*maker, key));
  WritePin("wrong pin");
  // What is authorized stays so, until the connection is lost.
  EXPECT_OK(SignAndVerify(*maker, key));
  tpm_.Kill();
  EXPECT_THAT(SignAndVerify(*maker, key), FailsWith(ErrorReason::kKeyUnavailable));
  tpm_.Start();
  EXPECT_THAT(SignAndVerify(*maker, key), FailsWith(ErrorReason::kPinRefused));
  EXPECT_THAT(SignAndVerify(*maker, key), FailsWith(ErrorReason::kPinRefused));
  WritePin("right pin\n");
  EXPECT_OK(SignAndVerify(*maker, key));
  EXPECT_EQ(maker->Status().state, State::kHealthy);
}

TEST_F(TpmCustodianTest, SaysThatAKeyHasAPinThatNobodyConfigured) {
  WritePin("right pin");
  ASSERT_OK_AND_ASSIGN(const CustodialKey key,
                       Custodian(true)->Generate(At(kFirst), KeyType::kEcP256));
  const auto custodian = Custodian();
  for (int i = 0; i < 10; ++i) {
    EXPECT_OK(custodian->Open(At(kFirst)));
    EXPECT_THAT(SignAndVerify(*custodian, key), FailsWith(ErrorReason::kPinRefused, "tpm:"));
  }
  EXPECT_EQ(tpm_.WrongPins(), 1);
  tpm_.Kill();
  tpm_.Start();
  // To be switched off like that counts as well.
  const int before = tpm_.WrongPins();
  EXPECT_THAT(SignAndVerify(*custodian, key), FailsWith(ErrorReason::kPinRefused));
  EXPECT_EQ(tpm_.WrongPins(), before);
  // A key made anew there may have none.
  ASSERT_OK(custodian->Destroy(At(kFirst)));
  ASSERT_OK_AND_ASSIGN(const CustodialKey other, custodian->Generate(At(kFirst), KeyType::kEcP256));
  EXPECT_OK(SignAndVerify(*custodian, other));
}

TEST_F(TpmCustodianTest, SaysThatTheTpmIsLockedAndSignsOnceItIsNot) {
  WritePin("right pin");
  ASSERT_OK_AND_ASSIGN(const CustodialKey key,
                       Custodian(true)->Generate(At(kFirst), KeyType::kEcP256));
  const std::string message = directory_.Write("message", "message");
  for (int i = 0; i < 4; ++i) {
    tpm_.Tool(
        {"tpm2_sign", "-Q", "-c", kFirst, "-p", "wrong", "-o", directory_.File("s"), message});
  }
  {
    const auto custodian = Custodian(true);
    const absl::Status locked = SignAndVerify(*custodian, key);
    EXPECT_THAT(locked, FailsWith(ErrorReason::kKeyUnavailable));
    EXPECT_THAT(std::string(locked.message()), HasSubstr("TPM_RC_LOCKOUT"));
    EXPECT_EQ(custodian->Status().state, State::kFailed);
    EXPECT_THAT(custodian->Status().message, HasSubstr("--clear-lockout"));
    EXPECT_EQ(custodian->Status().errors["TPM_RC_LOCKOUT"], 1);
  }
  tpm_.ClearLockout();
  EXPECT_OK(SignAndVerify(*Custodian(true), key));
}

TEST_F(TpmCustodianTest, RefusesAPinThatNoTpmTakes) {
  WritePin(std::string(33, '1'));
  EXPECT_THAT(Custodian(true)->Generate(At(kFirst), KeyType::kEcP256),
              FailsWith(ErrorReason::kKeyUnavailable));
  WritePin(std::string(32, '1'));
  const auto custodian = Custodian(true);
  ASSERT_OK_AND_ASSIGN(const CustodialKey key, custodian->Generate(At(kFirst), KeyType::kEcP256));
  WritePin(std::string(33, '1'));
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(SignAndVerify(*custodian, key), FailsWith(ErrorReason::kKeyUnavailable));
  }
  EXPECT_EQ(tpm_.WrongPins(), 0);
  WritePin(std::string(32, '1'));
  EXPECT_OK(SignAndVerify(*custodian, key));
}

TEST_F(TpmCustodianTest, SaysThatTheOwnerHasAPassword) {
  tpm_.ToolOrDie({"tpm2_changeauth", "-c", "owner", "secret"});
  WritePin("right pin");
  const auto custodian = Custodian(true);
  for (int i = 0; i < 2; ++i) {
    const auto key = custodian->Generate(At(kFirst), KeyType::kEcP256);
    EXPECT_THAT(key, FailsWith(ErrorReason::kKeyUnavailable));
    EXPECT_THAT(std::string(key.status().message()), HasSubstr("owner hierarchy"));
  }
}

TEST_F(TpmCustodianTest, SignsOnWhenTheTpmWasSwitchedOffAndOnBetweenSignatures) {
  const auto custodian = Custodian();
  ASSERT_OK_AND_ASSIGN(const CustodialKey key, custodian->Generate(At(kFirst), KeyType::kEcP256));
  for (int i = 0; i < 3; ++i) {
    tpm_.Kill();
    tpm_.Start();
    EXPECT_OK(SignAndVerify(*custodian, key));
  }
  EXPECT_EQ(custodian->Status().state, State::kHealthy);
}

// tpm2-tss reaches swtpm anew for each command; through another program it keeps a connection,
// which can be lost.
TEST_F(TpmCustodianTest, ConnectsAnewWithinTheCallThatFindsTheConnectionLost) {
  const std::string pid = directory_.File("pid");
  const std::string program = directory_.Write(
      "connect", absl::StrCat("echo $$ > ", pid, "\nexec tpm2_send --tcti=", tpm_.Tcti(), "\n"));
  const auto custodian =
      TpmCustodian::Create({.tcti = "cmd:sh " + program, .pin_source = std::nullopt});
  ASSERT_OK_AND_ASSIGN(const CustodialKey key, custodian->Generate(At(kFirst), KeyType::kEcP256));
  for (int i = 1; i < 4; ++i) {
    EXPECT_EQ(custodian->Status().logins, i);
    EXPECT_EQ(custodian->Status().sessions, 1);
    const std::string connected = ReadFileOrDie(pid);
    int process = 0;
    ASSERT_TRUE(absl::SimpleAtoi(connected, &process)) << connected;
    kill(process, SIGKILL);
    EXPECT_OK(SignAndVerify(*custodian, key));
    EXPECT_EQ(custodian->Status().state, State::kHealthy);
  }
  EXPECT_EQ(custodian->Status().logins, 4);
}

TEST_F(TpmCustodianTest, SaysThatOnlyANewOneMayHelpWhileTheTpmIsGone) {
  const auto custodian = Custodian();
  ASSERT_OK_AND_ASSIGN(const CustodialKey key, custodian->Generate(At(kFirst), KeyType::kEcP256));
  tpm_.Kill();
  for (int i = 0; i < 2; ++i) {
    const absl::Status gone = SignAndVerify(*custodian, key);
    EXPECT_THAT(gone, FailsWith(ErrorReason::kKeyUnavailable, "tpm:"));
    EXPECT_TRUE(NeedsNewCustodian(gone));
    EXPECT_EQ(custodian->Status().state, State::kRecovering);
    EXPECT_EQ(custodian->Status().sessions, 0);
  }
  tpm_.Start();
  EXPECT_OK(SignAndVerify(*custodian, key));
  EXPECT_EQ(custodian->Status().state, State::kHealthy);
}

TEST_F(TpmCustodianTest, WaitsForNoTpmToBeMadeAndTakesItWhenItIsThere) {
  ASSERT_OK_AND_ASSIGN(const CustodialKey key, Custodian()->Generate(At(kFirst), KeyType::kEcP256));
  tpm_.Stop();
  const auto custodian = Custodian();
  EXPECT_EQ(custodian->Status().state, State::kUnused);
  EXPECT_THAT(custodian->Greet(), FailsWith(ErrorReason::kKeyUnavailable, "tpm:"));
  EXPECT_THAT(custodian->Open(At(kFirst)), FailsWith(ErrorReason::kKeyUnavailable));
  tpm_.Start();
  EXPECT_OK(custodian->Open(At(kFirst)));
  EXPECT_OK(SignAndVerify(*custodian, key));
}

TEST_F(TpmCustodianTest, RefusesWhatIsNoTcti) {
  for (const char* tcti : {"nonsense:x", "device:/dev/null", "device:/no/such/device"}) {
    const auto custodian = TpmCustodian::Create({.tcti = tcti, .pin_source = std::nullopt});
    EXPECT_THAT(custodian->Greet(), FailsWith(ErrorReason::kKeyUnavailable, "tpm:")) << tcti;
  }
}

TEST_F(TpmCustodianTest, MakesRoomWhereADeadClientLeftItsObjects) {
  const std::string left = directory_.File("left");
  // Three are all that swtpm holds.
  for (int i = 0; i < 3; ++i) {
    tpm_.ToolOrDie({"tpm2_createprimary", "-Q", "-C", "o", "-G", "ecc256", "-c", left});
  }
  ASSERT_NE(
      tpm_.Tool({"tpm2_createprimary", "-Q", "-C", "o", "-G", "ecc256", "-c", left}).exit_code, 0);
  const auto custodian = Custodian();
  ASSERT_OK_AND_ASSIGN(const CustodialKey key, custodian->Generate(At(kFirst), KeyType::kEcP256));
  EXPECT_OK(SignAndVerify(*custodian, key));
  EXPECT_EQ(custodian->Status().errors["TPM_RC_OBJECT_MEMORY"], 1);
}

TEST_F(TpmCustodianTest, MakesRoomWhereADeadClientLeftItsSessions) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_OK_AND_ASSIGN(const auto dead, EsysConnection::Open(tpm_.Tcti()));
    TPMT_SYM_DEF none = {};
    none.algorithm = TPM2_ALG_NULL;
    ESYS_TR session = ESYS_TR_NONE;
    ASSERT_OK(dead->Run("TPM2_StartAuthSession", [&](ESYS_CONTEXT* context) {
      return Esys_StartAuthSession(context, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                   ESYS_TR_NONE, nullptr, i == 0 ? TPM2_SE_HMAC : TPM2_SE_POLICY,
                                   &none, TPM2_ALG_SHA256, &session);
    }));
  }
  EXPECT_NE(tpm_.Leftovers(), "");
  {
    const auto custodian = Custodian();
    EXPECT_OK(custodian->Generate(At(kFirst), KeyType::kEcP256));
    EXPECT_EQ(custodian->Status().errors["TPM_RC_SESSION_MEMORY"], 1);
  }
  EXPECT_EQ(tpm_.Leftovers(), "");
}

TEST_F(TpmCustodianTest, SignsFromManyThreads) {
  const auto custodian = Custodian();
  ASSERT_OK_AND_ASSIGN(const CustodialKey first, custodian->Generate(At(kFirst), KeyType::kEcP256));
  ASSERT_OK_AND_ASSIGN(const CustodialKey second,
                       custodian->Generate(At(kSecond), KeyType::kEcP384));
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&, thread] {
      const CustodialKey& key = thread % 2 == 0 ? first : second;
      for (int i = 0; i < 20; ++i) {
        const std::string message = absl::StrCat(thread, "/", i);
        const absl::StatusOr<std::string> signature =
            custodian->SignDigest(key, *Digest(key.type, message));
        ASSERT_OK(signature);
        EXPECT_OK(VerifySignature(key.public_key, key.type, message, *signature));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(custodian->Status().signatures, 160);
  EXPECT_GT(custodian->Status().signature_time.count(), 0);
}

TEST_F(TpmCustodianTest, SaysWhatItIs) {
  const auto custodian = Custodian();
  ASSERT_OK_AND_ASSIGN(const CustodianFacts facts, custodian->Greet());
  EXPECT_EQ(facts.manufacturer, "IBM");
  EXPECT_EQ(facts.model, "SW   TPM");
  EXPECT_TRUE(facts.software);
  EXPECT_TRUE(facts.one_process_only);
}

TEST_F(TpmCustodianTest, RepeatsWhatABusyTpmPutOff) {
  ASSERT_OK_AND_ASSIGN(const auto connection, EsysConnection::Open(tpm_.Tcti()));
  int calls = 0;
  EXPECT_OK(connection->Run("TPM2_Test", [&](ESYS_CONTEXT*) -> TSS2_RC {
    return ++calls < 4 ? TPM2_RC_TESTING : TSS2_RC_SUCCESS;
  }));
  EXPECT_EQ(calls, 4);
  calls = 0;
  EXPECT_THAT(connection->Run("TPM2_Test",
                              [&](ESYS_CONTEXT*) -> TSS2_RC {
                                ++calls;
                                return TPM2_RC_RETRY;
                              }),
              FailsWith(ErrorReason::kKeyUnavailable));
  EXPECT_EQ(calls, 21);
}

}  // namespace
}  // namespace hourglass::hsm
