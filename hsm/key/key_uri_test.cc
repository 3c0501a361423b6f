#include "hsm/key/key_uri.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/status_matchers.h"

namespace hourglass::hsm {
namespace {

constexpr char kToken[] = "pkcs11:token=ca?module-path=/usr/lib/p11.so&pin-source=file:/etc/pin";

TEST(ParseTokenUriTest, TakesEveryPart) {
  ASSERT_OK_AND_ASSIGN(const TokenUri uri,
                       ParseTokenUri("pkcs11:serial=0a;token=My%20%C3%84%20token?pin-source=env:"
                                     "CA_PIN&module-path=/usr/lib/a%20b.so"));
  EXPECT_EQ(uri.label, "My \xC3\x84 token");
  EXPECT_EQ(uri.serial, "0a");
  EXPECT_EQ(uri.module_path, "/usr/lib/a b.so");
  EXPECT_EQ(uri.pin_source, (PinSource{PinSource::Kind::kEnvironment, "CA_PIN"}));
  EXPECT_EQ(FormatToken(uri), "pkcs11:token=My%20%c3%84%20token;serial=0a");
}

TEST(ParseTokenUriTest, RefusesWhatIsIncomplete) {
  ASSERT_OK(ParseTokenUri(kToken));
  for (const char* text :
       {"", "pkcs11:", "pkcs11", "token=ca", "pkcs11:token=ca", "pkcs11:token=ca?",
        "pkcs11:?module-path=/m&pin-source=file:/p", "pkcs11:token=ca?module-path=/m",
        "pkcs11:token=ca?pin-source=file:/p", "pkcs11:token=?module-path=/m&pin-source=file:/p",
        "pkcs11:token=ca?module-path=m.so&pin-source=file:/p",
        "pkcs11:serial=1?module-path=/m&pin-source=file:/p"}) {
    EXPECT_THAT(ParseTokenUri(text), FailsWith(ErrorReason::kKeyUriInvalid)) << text;
  }
}

TEST(ParseTokenUriTest, RefusesAKeysAttributes) {
  EXPECT_THAT(ParseTokenUri("pkcs11:token=ca;object=k?module-path=/m&pin-source=file:/p"),
              FailsWith(ErrorReason::kKeyUriInvalid));
}

TEST(ParseTokenUriTest, RefusesControlCharactersInEveryPart) {
  ASSERT_OK(ParseTokenUri("pkcs11:token=ca?module-path=/m%20x&pin-source=file:/p%20x"));
  for (const char* octet : {"%00", "%0a", "%1f", "%7f"}) {
    for (const std::string& text :
         {absl::StrCat("pkcs11:token=ca", octet, "?module-path=/m&pin-source=file:/p"),
          absl::StrCat("pkcs11:token=ca?module-path=/m", octet, "x&pin-source=file:/p"),
          absl::StrCat("pkcs11:token=ca?module-path=/m&pin-source=file:/p", octet, "x")}) {
      EXPECT_THAT(ParseTokenUri(text), FailsWith(ErrorReason::kKeyUriInvalid)) << text;
    }
  }
}

TEST(ParseTokenUriTest, NeverRepeatsAPin) {
  for (const char* text :
       {"pkcs11:token=ca?module-path=/m&pin-value=424242",
        "pkcs11:token=ca?module-path=/m&pin-source=424242", "pkcs11:token=ca?module-path=/m&424242",
        "pkcs11:token=ca?module-path=/m&424242=1", "pkcs11:token=ca;pin-value=424242"}) {
    const absl::Status status = ParseTokenUri(text).status();
    EXPECT_THAT(status, FailsWith(ErrorReason::kKeyUriInvalid)) << text;
    EXPECT_THAT(status.ToString(), testing::Not(testing::HasSubstr("424242")));
  }
}

TEST(ParseKeyUriTest, TakesATokenKey) {
  ASSERT_OK_AND_ASSIGN(const KeyUri uri,
                       ParseKeyUri("pkcs11:object=root-1;type=private;id=%01%fF%00;token=ca;"
                                   "serial=12?module-path=/m&pin-source=file:/p"));
  const TokenKeyUri& key = std::get<TokenKeyUri>(uri);
  EXPECT_EQ(key.token_label, "ca");
  EXPECT_EQ(key.token_serial, "12");
  EXPECT_EQ(key.object, "root-1");
  EXPECT_EQ(key.id, std::string("\x01\xff\x00", 3));
  EXPECT_EQ(key.module_path, "/m");
  EXPECT_EQ(key.pin_source, "file:/p");
  EXPECT_EQ(FormatKeyUri(uri), "pkcs11:token=ca;serial=12;object=root-1;id=%01%ff%00");
}

TEST(ParseKeyUriTest, TakesASoftwareKey) {
  ASSERT_OK_AND_ASSIGN(const KeyUri uri, ParseKeyUri("software:Root_1.a-b"));
  EXPECT_EQ(std::get<SoftwareKeyUri>(uri).name, "Root_1.a-b");
  EXPECT_EQ(FormatKeyUri(uri), "software:Root_1.a-b");
}

TEST(ParseKeyUriTest, TakesAFolderBeforeAFilesName) {
  ASSERT_OK_AND_ASSIGN(const KeyUri uri, ParseKeyUri("software:/var/lib/a%20b/k"));
  EXPECT_EQ(std::get<SoftwareKeyUri>(uri).directory, "/var/lib/a b");
  EXPECT_EQ(std::get<SoftwareKeyUri>(uri).name, "k");
  EXPECT_EQ(FormatKeyUri(uri), "software:k");
  ASSERT_OK_AND_ASSIGN(const KeyUri at_the_top, ParseKeyUri("tpm:sealed=/k"));
  EXPECT_EQ(std::get<SealedKeyUri>(at_the_top).directory, "/");
}

TEST(ParseKeyUriTest, TakesASealedKey) {
  ASSERT_OK_AND_ASSIGN(const KeyUri uri,
                       ParseKeyUri("tpm:sealed=/keys/root-1;pcrs=sha256:0,2,23"
                                   "?pin-source=file:/p%20q&tcti=swtpm:host=127.0.0.1,port=2321"));
  const SealedKeyUri& key = std::get<SealedKeyUri>(uri);
  EXPECT_EQ(key.name, "root-1");
  EXPECT_EQ(key.directory, "/keys");
  EXPECT_EQ(key.registers, PcrSelection({0, 2, 23}));
  EXPECT_EQ(key.tcti, "swtpm:host=127.0.0.1,port=2321");
  EXPECT_EQ(key.pin_source, "file:/p q");
  EXPECT_EQ(FormatKeyUri(uri), "tpm:sealed=root-1");
  ASSERT_OK_AND_ASSIGN(const KeyUri any_state, ParseKeyUri("tpm:pcrs=none;sealed=k"));
  EXPECT_EQ(std::get<SealedKeyUri>(any_state).registers, PcrSelection());
  ASSERT_OK_AND_ASSIGN(const KeyUri not_said, ParseKeyUri("tpm:sealed=k"));
  EXPECT_EQ(std::get<SealedKeyUri>(not_said).registers, std::nullopt);
}

TEST(ParseKeyUriTest, TakesAResidentKey) {
  ASSERT_OK_AND_ASSIGN(
      const KeyUri uri,
      ParseKeyUri("tpm:handle=0x8101000A?tcti=device:/dev/tpmrm0&pin-source=env:P"));
  const ResidentKeyUri& key = std::get<ResidentKeyUri>(uri);
  EXPECT_EQ(key.handle, 0x8101000au);
  EXPECT_EQ(key.tcti, "device:/dev/tpmrm0");
  EXPECT_EQ(key.pin_source, "env:P");
  EXPECT_EQ(FormatKeyUri(uri), "tpm:handle=0x8101000a");
  EXPECT_OK(ParseKeyUri("tpm:handle=0x81000000"));
  EXPECT_OK(ParseKeyUri("tpm:handle=0x817fffff"));
}

TEST(ParseKeyUriTest, RefusesMalformedKeysOfFilesAndTpms) {
  ASSERT_OK(ParseKeyUri("tpm:sealed=/a/k;pcrs=sha256:7?tcti=t&pin-source=env:P"));
  for (const char* text : {"software:/a/../k",
                           "software:/a//k",
                           "software:/a/./k",
                           "software:a/k",
                           "software:/%2e%2e/k",
                           "software:/a/",
                           "software:/a/.k",
                           "software:/a%0a/k",
                           "software:/a b/k",
                           "software:/a/k?pin-source=env:P",
                           "software:/a/%6b",
                           "tpm:",
                           "tpm:?",
                           "TPM:sealed=k",
                           "tpm:k",
                           "tpm:sealed=",
                           "tpm:sealed=.k",
                           "tpm:sealed=a/k",
                           "tpm:sealed=/a/../k",
                           "tpm:sealed=k;sealed=k",
                           "tpm:sealed=k;handle=0x81010001",
                           "tpm:sealed=k;",
                           "tpm:sealed=k?",
                           "tpm:sealed=k#x",
                           "tpm:sealed=k;pcrs=",
                           "tpm:sealed=k;pcrs=sha256:",
                           "tpm:sealed=k;pcrs=sha1:0",
                           "tpm:sealed=k;pcrs=0,1",
                           "tpm:sealed=k;pcrs=sha256:24",
                           "tpm:sealed=k;pcrs=sha256:-1",
                           "tpm:sealed=k;pcrs=sha256:+1",
                           "tpm:sealed=k;pcrs=sha256:01",
                           "tpm:sealed=k;pcrs=sha256:1,0",
                           "tpm:sealed=k;pcrs=sha256:1,1",
                           "tpm:sealed=k;pcrs=sha256:1,",
                           "tpm:sealed=k;pcrs=sha256:99999999999",
                           "tpm:sealed=k;pcrs=none,1",
                           "tpm:sealed=k?tcti=",
                           "tpm:sealed=k?tcti=a&tcti=a",
                           "tpm:sealed=k?tcti=a%00",
                           "tpm:sealed=k?tcti=a%0ab",
                           "tpm:sealed=k?tcti=a%4",
                           "tpm:sealed=k?tcti=a%zz",
                           "tpm:sealed=k?pin-value=1",
                           "tpm:sealed=k?module-path=/m",
                           "tpm:pcrs=sha256:0",
                           "tpm:handle=0x81010001;pcrs=sha256:0",
                           "tpm:handle=81010001",
                           "tpm:handle=0X81010001",
                           "tpm:handle=0x8101001",
                           "tpm:handle=0x081010001",
                           "tpm:handle=0x8101000g",
                           "tpm:handle=0x80ffffff",
                           "tpm:handle=0x81800000",
                           "tpm:handle=0x01010001",
                           "tpm:handle=0x81010001?",
                           "tpm:handle=0x81010001?tcti=a&pin-source=env:P&tcti=b"}) {
    EXPECT_THAT(ParseKeyUri(text), FailsWith(ErrorReason::kKeyUriInvalid, "key_uri")) << text;
  }
}

TEST(ParsePcrSelectionTest, IsWhatFormatSays) {
  for (const char* text : {"none", "sha256:0", "sha256:0,7,16,23"}) {
    ASSERT_OK_AND_ASSIGN(const PcrSelection registers, ParsePcrSelection(text));
    EXPECT_EQ(FormatPcrSelection(registers), text);
  }
}

TEST(ParseKeyUriTest, CanonicalTextNamesTheSameKey) {
  for (const char* text :
       {"pkcs11:token=ca;object=k", "pkcs11:token=a%3bb%2Fc%3f;object=k",
        "pkcs11:token=%c3%a4;serial=0%20a;object=k;id=%00abc", "software:k", "software:/a/k",
        "tpm:sealed=/a/k;pcrs=none?tcti=t", "tpm:handle=0x8101FFFF?tcti=t"}) {
    ASSERT_OK_AND_ASSIGN(const KeyUri uri, ParseKeyUri(text));
    ASSERT_OK_AND_ASSIGN(const KeyUri again, ParseKeyUri(FormatKeyUri(uri)));
    EXPECT_EQ(FormatKeyUri(again), FormatKeyUri(uri)) << text;
  }
}

TEST(ParseKeyUriTest, RefusesMalformedTokenKeys) {
  ASSERT_OK(ParseKeyUri("pkcs11:token=ca;object=k"));
  const std::string cases[] = {
      "",
      "k",
      "PKCS11:token=ca;object=k",
      "pkcs11:token=ca",
      "pkcs11:object=k",
      "pkcs11:token=ca;object=",
      "pkcs11:token=ca;object=k;",
      "pkcs11:token=ca;;object=k",
      "pkcs11:token=ca;object=k;object=k",
      "pkcs11:token=ca;token=cb;object=k",
      "pkcs11:token=ca;object=k;type=public",
      "pkcs11:token=ca;object=k;type=secret-key",
      "pkcs11:token=ca;object=k;type=nonsense",
      "pkcs11:token=ca;object=k;slot-id=1",
      "pkcs11:token=ca;object=k;manufacturer=x",
      "pkcs11:token=ca;object=k;vendor-x=1",
      "pkcs11:token=ca;object=k?pin-value=1234",
      "pkcs11:token=ca;object=k?module-name=softhsm",
      "pkcs11:token=ca;object=k?module-path=/m&module-path=/m",
      "pkcs11:token=ca;object=k#fragment",
      "pkcs11:token=c a;object=k",
      "pkcs11:token=ca;object=k\n",
      std::string("pkcs11:token=ca;object=k\0", 25),
      "pkcs11:token=c%0aa;object=k",
      "pkcs11:token=c%00a;object=k",
      "pkcs11:token=%00a;object=k",
      "pkcs11:token=%zz;object=k",
      "pkcs11:token=ca;object=%4",
      "pkcs11:token=ca;object=..%2fk",
      "pkcs11:token=ca;object=.k",
      "pkcs11:token=ca;object=k%00",
      "pkcs11:token=" + std::string(33, 'a') + ";object=k",
      "pkcs11:token=ca;object=" + std::string(129, 'k'),
      "pkcs11:token=ca;object=k;id=" + std::string(256, 'i'),
      "pkcs11:token=ca;object=k?module-path=/m%00",
      "pkcs11:token=ca;object=k?module-path=/m%0a",
      "pkcs11:token=ca;object=k?pin-source=file:/p%00",
      "pkcs11:token=ca;object=k?module-path=/" + std::string(5000, 'm'),
  };
  for (const std::string& text : cases) {
    EXPECT_THAT(ParseKeyUri(text), FailsWith(ErrorReason::kKeyUriInvalid, "key_uri")) << text;
  }
}

TEST(ParseKeyUriTest, ASecondQuestionMarkIsPartOfAPath) {
  // RFC 7512 section 2.3 lets a query value hold one.
  ASSERT_OK_AND_ASSIGN(const KeyUri uri,
                       ParseKeyUri("pkcs11:token=ca;object=k?module-path=/m?pin-source=file:/p"));
  EXPECT_EQ(std::get<TokenKeyUri>(uri).module_path, "/m?pin-source=file:/p");
}

TEST(ParseKeyUriTest, RefusesSoftwareNamesThatLeaveTheFolder) {
  for (const char* name : {"", ".", "..", ".k", "../k", "a/b", "a%2fb", "a\\b", "k ", "k?x"}) {
    EXPECT_THAT(ParseKeyUri(absl::StrCat("software:", name)),
                FailsWith(ErrorReason::kKeyUriInvalid, "key_uri"))
        << name;
  }
  EXPECT_OK(ParseKeyUri("software:" + std::string(128, 'k')));
  EXPECT_THAT(ParseKeyUri("software:" + std::string(129, 'k')),
              FailsWith(ErrorReason::kKeyUriInvalid, "key_uri"));
}

TEST(ParsePinSourceTest, TakesThreeForms) {
  for (const char* text : {"file:/run/pin", "env:CA_PIN", "credential:ca-pin"}) {
    ASSERT_OK_AND_ASSIGN(const PinSource source, ParsePinSource(text));
    EXPECT_EQ(FormatPinSource(source), text);
  }
  for (const char* text : {"", "1234", "file:", "file:pin", "env:", "env:A=B", "credential:",
                           "credential:../pin", "credential:a/b", "cmd:cat", "FILE:/p"}) {
    EXPECT_THAT(ParsePinSource(text), FailsWith(ErrorReason::kKeyUriInvalid)) << text;
  }
}

TEST(KeyUriTest, AUriWithoutItsIdMayNameTheKeyThatHasOne) {
  const std::string name = "pkcs11:token=a;object=k";
  EXPECT_EQ(UriWithoutId(name + ";id=%01%02"), name);
  EXPECT_EQ(UriWithoutId(name), name);
  EXPECT_EQ(UriWithoutId("software:k"), "software:k");
  EXPECT_TRUE(MayNameOneKey(name, name));
  EXPECT_TRUE(MayNameOneKey(name, name + ";id=%01"));
  EXPECT_TRUE(MayNameOneKey(name + ";id=%01", name));
  EXPECT_TRUE(MayNameOneKey(name + ";id=%01", name + ";id=%01"));
  EXPECT_FALSE(MayNameOneKey(name + ";id=%01", name + ";id=%02"));
  EXPECT_FALSE(MayNameOneKey(name + ";id=%01", name + ";id=%01%02"));
  EXPECT_FALSE(MayNameOneKey(name, name + "2;id=%01"));
  EXPECT_FALSE(MayNameOneKey(name, "pkcs11:token=b;object=k"));
  EXPECT_FALSE(MayNameOneKey("software:k", "tpm:sealed=k"));
  // What is canonical has the id last, whatever was written.
  const auto uri = ParseKeyUri("pkcs11:id=%01;object=k;token=a;serial=7");
  ASSERT_TRUE(uri.ok());
  EXPECT_EQ(UriWithoutId(FormatKeyUri(*uri)), "pkcs11:token=a;serial=7;object=k");
}

TEST(KeyUriTest, KnowsTheNameOfAKey) {
  for (const auto& [text, name] :
       std::vector<std::pair<std::string, std::string>>{{"pkcs11:token=a;object=k;id=%01", "k"},
                                                        {"software:/folder/k", "k"},
                                                        {"tpm:sealed=k;pcrs=none", "k"},
                                                        {"tpm:handle=0x81010001", ""}}) {
    const auto uri = ParseKeyUri(text);
    ASSERT_TRUE(uri.ok()) << text;
    EXPECT_EQ(KeyNameOf(*uri), name) << text;
  }
}

}  // namespace
}  // namespace hourglass::hsm
