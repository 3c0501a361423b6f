#include "tools/hourglass/keys/local_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/status_matchers.h"

namespace hourglass::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kPlace[] = "?module-path=/m.so&pin-source=file:/pin";

TEST(SaysItsPlace, WhereTheServiceIsNotNeeded) {
  EXPECT_TRUE(SaysItsPlace(std::string("pkcs11:token=t;object=k") + kPlace));
  EXPECT_TRUE(SaysItsPlace("software:/keys/k"));
  EXPECT_TRUE(SaysItsPlace("tpm:sealed=/keys/k"));
  EXPECT_TRUE(SaysItsPlace("tpm:handle=0x81010001?tcti=device:/dev/tpm0"));
  EXPECT_FALSE(SaysItsPlace("pkcs11:token=t;object=k"));
  EXPECT_FALSE(SaysItsPlace("software:k"));
  EXPECT_FALSE(SaysItsPlace("tpm:sealed=k"));
  EXPECT_FALSE(SaysItsPlace("tpm:handle=0x81010001"));
  EXPECT_FALSE(SaysItsPlace("no uri"));
}

TEST(ParseLocalKey, ATokensPlaceIsAllOfItsUriButTheKey) {
  ASSERT_OK_AND_ASSIGN(
      const LocalKey key,
      ParseLocalKey(std::string("pkcs11:token=t;serial=7;object=k;id=%01;type=private") + kPlace));
  EXPECT_EQ(key.canonical, "pkcs11:token=t;serial=7;object=k;id=%01");
  EXPECT_THAT(key.places.tokens, ElementsAre(std::string("pkcs11:token=t;serial=7") + kPlace));
  EXPECT_EQ(key.configuration,
            "keys:\n  tokens:\n    - \"pkcs11:token=t;serial=7?module-path=/m.so&pin-source=file:"
            "/pin\"\n");
}

TEST(ParseLocalKey, AFilesPlaceIsItsFolder) {
  ASSERT_OK_AND_ASSIGN(const LocalKey software, ParseLocalKey("software:/keys/k"));
  EXPECT_EQ(software.places.software_directory, "/keys");
  EXPECT_EQ(software.configuration, "keys:\n  software_directory: \"/keys\"\n");
  EXPECT_EQ(software.canonical, "software:k");
}

TEST(ParseLocalKey, ATpmsPlaceIsItsConnection) {
  ASSERT_OK_AND_ASSIGN(
      const LocalKey sealed,
      ParseLocalKey("tpm:sealed=/keys/k;pcrs=sha256:0,7?tcti=device:/dev/tpm0&pin-source=env:PIN"));
  ASSERT_TRUE(sealed.places.tpm.has_value());
  EXPECT_EQ(sealed.places.tpm->sealed_directory, "/keys");
  EXPECT_THAT(sealed.places.tpm->registers, ElementsAre(0, 7));
  EXPECT_EQ(sealed.places.tpm->tcti, "device:/dev/tpm0");
  EXPECT_EQ(sealed.places.tpm->pin_source, "env:PIN");
  EXPECT_EQ(sealed.canonical, "tpm:sealed=k");
  ASSERT_OK_AND_ASSIGN(const LocalKey resident, ParseLocalKey("tpm:handle=0x81010001"));
  ASSERT_TRUE(resident.places.tpm.has_value());
  EXPECT_EQ(resident.places.tpm->tcti, "device:/dev/tpmrm0");
}

TEST(ParseLocalKey, SaysWhichFormIsNeeded) {
  for (const auto& [uri, form] : {
           std::pair{"pkcs11:token=t;object=k", "?module-path=/MODULE.so"},
           std::pair{"pkcs11:token=t;object=k?module-path=/m.so", "pin-source=file:/PIN-FILE"},
           std::pair{"software:k", "software:/FOLDER/NAME"},
           std::pair{"tpm:sealed=k", "tpm:sealed=/FOLDER/NAME"},
       }) {
    const auto key = ParseLocalKey(uri);
    EXPECT_THAT(key, FailsWith(ErrorReason::kKeyUriInvalid, "--key")) << uri;
    EXPECT_THAT(std::string(key.status().message()), HasSubstr(form));
  }
  EXPECT_THAT(ParseLocalKey("pkcs11:token=t;object=k?pin-value=1234"),
              FailsWith(ErrorReason::kKeyUriInvalid));
}

TEST(OpenLocalStore, NeedsTheKeyholderOrLeave) {
  ASSERT_OK_AND_ASSIGN(const LocalKey key,
                       ParseLocalKey(std::string("pkcs11:token=t;object=k") + kPlace));
  CustodyOptions options;
  options.keyholder = "/no/such/program";
  EXPECT_THAT(OpenLocalStore(key, options), FailsWith(ErrorReason::kKeyUnavailable, "--keyholder"));
  options.in_process = true;
  EXPECT_OK(OpenLocalStore(key, options));
}

TEST(ShellWord, IsOneWordWhateverIsInIt) {
  EXPECT_EQ(ShellWord("a;b?c&d"), "'a;b?c&d'");
  EXPECT_EQ(ShellWord("it's"), "'it'\\''s'");
}

}  // namespace
}  // namespace hourglass::cli
