#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hsm/store/key_store.h"
#include "tests/support/status_matchers.h"
#include "tests/support/swtpm.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::hsm {
namespace {

class TpmPlaceTest : public testing::Test {
 protected:
  KeyStoreOptions Options() {
    KeyStoreOptions options;
    options.tpm = TpmPlace{"swtpm:path=/nowhere", directory_.path(), "file:/pin", {16, 23}};
    return options;
  }

  TemporaryDirectory directory_;
};

TEST_F(TpmPlaceTest, CreateNamesTheFieldAtFault) {
  ASSERT_OK(KeyStore::Create(Options()));
  const auto refused = [&](const std::string& field, auto change) {
    KeyStoreOptions options = Options();
    change(*options.tpm);
    EXPECT_THAT(KeyStore::Create(options), FailsWith(ErrorReason::kConfigurationInvalid, field));
  };
  refused("keys.tpm.tcti", [](TpmPlace& tpm) { tpm.tcti = ""; });
  refused("keys.tpm.pin_source", [](TpmPlace& tpm) { tpm.pin_source = "1234"; });
  refused("keys.tpm.registers", [](TpmPlace& tpm) { tpm.registers = {24}; });
  refused("keys.tpm.registers", [](TpmPlace& tpm) { tpm.registers = {7, 0}; });
  refused("keys.tpm.sealed_directory", [](TpmPlace& tpm) { tpm.sealed_directory = "relative"; });
}

TEST_F(TpmPlaceTest, WhatAUriSaysOfThePlaceMustBeTheConfigured) {
  ASSERT_OK_AND_ASSIGN(const auto store, KeyStore::Create(Options()));
  for (const std::string& uri :
       {std::string("tpm:sealed=k"), absl::StrCat("tpm:sealed=", directory_.path(), "/k"),
        std::string("tpm:sealed=k;pcrs=sha256:1?tcti=swtpm:path=/nowhere&pin-source=file:/pin")}) {
    ASSERT_OK_AND_ASSIGN(const std::string canonical, store->CanonicalUri(uri));
    EXPECT_EQ(canonical, "tpm:sealed=k");
  }
  ASSERT_OK_AND_ASSIGN(const std::string resident,
                       store->CanonicalUri("tpm:handle=0x8101000A?pin-source=file:/pin"));
  EXPECT_EQ(resident, "tpm:handle=0x8101000a");
  for (const char* uri :
       {"tpm:sealed=/other/k", "tpm:sealed=k?tcti=device:/dev/tpm0",
        "tpm:sealed=k?pin-source=file:/other", "tpm:handle=0x81010001?tcti=device:/dev/tpm0",
        "tpm:handle=0x81010001?pin-source=env:P"}) {
    EXPECT_THAT(store->CanonicalUri(uri), FailsWith(ErrorReason::kKeyUriInvalid, "key_uri")) << uri;
  }
}

TEST_F(TpmPlaceTest, OnlyConfiguredPlacesAreUsed) {
  KeyStoreOptions options = Options();
  options.tpm->sealed_directory = "";
  ASSERT_OK_AND_ASSIGN(const auto no_folder, KeyStore::Create(options));
  EXPECT_OK(no_folder->CanonicalUri("tpm:handle=0x81010001"));
  EXPECT_THAT(no_folder->CanonicalUri("tpm:sealed=k"),
              FailsWith(ErrorReason::kKeyUriInvalid, "key_uri"));
  EXPECT_THAT(no_folder->DefaultUri("k"), FailsWith(ErrorReason::kKeyUriInvalid, "key_uri"));
  options.tpm.reset();
  options.software_directory = directory_.path();
  ASSERT_OK_AND_ASSIGN(const auto no_tpm, KeyStore::Create(options));
  EXPECT_THAT(no_tpm->Open("tpm:handle=0x81010001"),
              FailsWith(ErrorReason::kKeyUriInvalid, "key_uri"));
}

TEST_F(TpmPlaceTest, TheSealedFolderComesAfterTokensAndBeforeSoftware) {
  KeyStoreOptions options = Options();
  options.software_directory = directory_.path();
  ASSERT_OK_AND_ASSIGN(const auto store, KeyStore::Create(options));
  ASSERT_OK_AND_ASSIGN(const std::string uri, store->DefaultUri("k"));
  EXPECT_EQ(uri, "tpm:sealed=k");
  options.tokens = {"pkcs11:token=ca?module-path=/m.so&pin-source=file:/pin"};
  ASSERT_OK_AND_ASSIGN(const auto with_token, KeyStore::Create(options));
  ASSERT_OK_AND_ASSIGN(const std::string in_token, with_token->DefaultUri("k"));
  EXPECT_EQ(in_token, "pkcs11:token=ca;object=k");
}

TEST_F(TpmPlaceTest, RegistersAreChosenWhenAKeyIsMadeAndAreItsOwnAfterwards) {
  const Swtpm tpm;
  KeyStoreOptions options = Options();
  options.tpm->tcti = tpm.Tcti();
  options.tpm->pin_source = "";
  ASSERT_OK_AND_ASSIGN(const auto store, KeyStore::Create(options));
  ASSERT_OK(store->Generate("tpm:sealed=as-configured", KeyType::kEcP256));
  ASSERT_OK(store->Generate("tpm:sealed=chosen;pcrs=sha256:7", KeyType::kEcP256));
  ASSERT_OK(store->Generate("tpm:sealed=any;pcrs=none", KeyType::kEcP256));
  for (const char* uri : {"tpm:sealed=as-configured", "tpm:sealed=as-configured;pcrs=sha256:16,23",
                          "tpm:sealed=chosen", "tpm:sealed=chosen;pcrs=sha256:7", "tpm:sealed=any",
                          "tpm:sealed=any;pcrs=none"}) {
    EXPECT_OK(store->Open(uri)) << uri;
  }
  for (const char* uri : {"tpm:sealed=as-configured;pcrs=sha256:16", "tpm:sealed=chosen;pcrs=none",
                          "tpm:sealed=any;pcrs=sha256:7"}) {
    EXPECT_THAT(store->Open(uri), FailsWith(ErrorReason::kKeyUriInvalid, "key_uri")) << uri;
  }
}

TEST_F(TpmPlaceTest, ListsResidentAndSealedKeysAndTheLatterWithoutTheTpm) {
  Swtpm tpm;
  KeyStoreOptions options = Options();
  options.tpm->tcti = tpm.Tcti();
  options.tpm->pin_source = "";
  ASSERT_OK_AND_ASSIGN(const auto store, KeyStore::Create(options));
  ASSERT_OK_AND_ASSIGN(const auto resident,
                       store->Generate("tpm:handle=0x81010002", KeyType::kEcP256));
  ASSERT_OK_AND_ASSIGN(const auto sealed, store->Generate("tpm:sealed=k", KeyType::kEcP384));
  EXPECT_THAT(store->Generate("tpm:handle=0x81010002", KeyType::kEcP256),
              FailsWith(ErrorReason::kKeyExists));
  std::vector<KeyStore::Place> places = store->List();
  ASSERT_EQ(places.size(), 1u);
  EXPECT_EQ(places[0].name, "tpm:");
  EXPECT_EQ(places[0].kind, "tpm");
  ASSERT_OK(places[0].status);
  ASSERT_EQ(places[0].keys.size(), 2u);
  EXPECT_EQ(places[0].keys[0].uri, "tpm:handle=0x81010002");
  EXPECT_EQ(places[0].keys[0].public_key, resident->public_key());
  EXPECT_EQ(places[0].keys[1].uri, "tpm:sealed=k");
  EXPECT_EQ(places[0].keys[1].type, KeyType::kEcP384);
  EXPECT_EQ(places[0].keys[1].public_key, sealed->public_key());

  tpm.Kill();
  places = store->List();
  EXPECT_THAT(places[0].status, FailsWith(ErrorReason::kKeyUnavailable));
  ASSERT_EQ(places[0].keys.size(), 1u);
  EXPECT_EQ(places[0].keys[0].uri, "tpm:sealed=k");
  // It needs the TPM to open, not to sign.
  EXPECT_OK(sealed->Sign("message"));
  EXPECT_THAT(resident->Sign("message"), FailsWith(ErrorReason::kKeyUnavailable));
}

}  // namespace
}  // namespace hourglass::hsm
