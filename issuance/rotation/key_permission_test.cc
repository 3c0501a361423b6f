#include "issuance/rotation/key_permission.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "hsm/base/error.h"
#include "issuance/store/sqlite/sqlite_store.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

constexpr char kOwn[] = "software:hourglass-contoso-r1";
constexpr char kOther[] = "software:hourglass-fabrikam-r1";
constexpr char kFree[] = "software:free";
// Bound to contoso, and to fabrikam, by these public keys.
constexpr char kBound[] = "software:bound";
constexpr char kBoundElsewhere[] = "software:elsewhere";
constexpr char kBoundKey[] = "public key of contoso";
constexpr char kKeyElsewhere[] = "public key of fabrikam";

class KeyPermissionTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(store_, OpenSqliteStore(directory_.File("store.sqlite")));
    for (const char* tenant : {"contoso", "fabrikam"}) {
      ASSERT_OK(store_->CreateTenant(SampleTenant(tenant)));
    }
    ASSERT_OK(store_->BindKey({"contoso", kBound, kBoundKey}));
    ASSERT_OK(store_->BindKey({"fabrikam", kBoundElsewhere, kKeyElsewhere}));
    hsm::KeyStoreOptions options;
    options.software_directory = directory_.File("keys");
    // Nothing of it is opened here.
    options.tokens = {"pkcs11:token=t?module-path=/no.so&pin-source=file:/no"};
    ASSERT_OK_AND_ASSIGN(keys_, hsm::KeyStore::Create(options));
  }

  KeyPermission Of(KeyReach reach) {
    auto permission = KeyPermission::Of(*store_, "contoso", reach);
    EXPECT_OK(permission);
    return *std::move(permission);
  }

  absl::StatusOr<std::string> Resolve(KeyReach reach, const std::string& uri) {
    return Of(reach).Resolve(*keys_, uri);
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<hsm::KeyStore> keys_;
};

TEST_F(KeyPermissionTest, ATenantsAdministratorNamesWhatIsTheTenants) {
  for (const char* uri : {kOwn, kBound}) {
    for (const KeyReach reach : {KeyReach::kOwnTenant, KeyReach::kEveryTenant}) {
      ASSERT_OK_AND_ASSIGN(const std::string resolved, Resolve(reach, uri));
      EXPECT_EQ(resolved, uri);
    }
  }
}

TEST_F(KeyPermissionTest, WhatIsNoTenantsIsForWhoIsBoundToEveryTenant) {
  EXPECT_THAT(Resolve(KeyReach::kOwnTenant, kFree),
              FailsWith(ErrorReason::kKeyNotPermitted, "key_uri"));
  ASSERT_OK_AND_ASSIGN(const std::string resolved, Resolve(KeyReach::kEveryTenant, kFree));
  EXPECT_EQ(resolved, kFree);
}

TEST_F(KeyPermissionTest, WhatIsAnotherTenantsIsRefusedToEverybody) {
  for (const char* uri : {kOther, kBoundElsewhere}) {
    for (const KeyReach reach : {KeyReach::kOwnTenant, KeyReach::kEveryTenant}) {
      EXPECT_THAT(Resolve(reach, uri), FailsWith(ErrorReason::kKeyNotPermitted, "key_uri")) << uri;
    }
  }
}

// Else its words would say which keys there are.
TEST_F(KeyPermissionTest, RefusesInTheSameWordsWhateverTheKeyIs) {
  const absl::Status refusal = Resolve(KeyReach::kOwnTenant, kFree).status();
  for (const char* uri :
       {kOther, kBoundElsewhere, "software:hourglass-unknown-r7", "pkcs11:token=t;object=x",
        "pkcs11:token=unknown;object=x", "tpm:sealed=x"}) {
    EXPECT_EQ(Resolve(KeyReach::kOwnTenant, uri).status(), refusal) << uri;
  }
  EXPECT_EQ(Of(KeyReach::kOwnTenant).CheckFound(kFree, "another"), refusal);
  EXPECT_EQ(Of(KeyReach::kEveryTenant).CheckFound(kFree, kKeyElsewhere), refusal);
}

TEST_F(KeyPermissionTest, WhatIsNoUriIsToldSoToEverybody) {
  for (const KeyReach reach : {KeyReach::kOwnTenant, KeyReach::kEveryTenant}) {
    for (const char* uri : {"", "garbage", "software:../x", "software:.x"}) {
      EXPECT_THAT(Resolve(reach, uri), FailsWith(ErrorReason::kKeyUriInvalid)) << uri;
    }
  }
}

TEST_F(KeyPermissionTest, APlaceThatIsNotConfiguredIsToldToWhoMayNameTheKey) {
  const char* const own = "pkcs11:token=unknown;object=hourglass-contoso-r1";
  EXPECT_THAT(Resolve(KeyReach::kOwnTenant, own), FailsWith(ErrorReason::kKeyUriInvalid));
  const char* const free = "pkcs11:token=unknown;object=free";
  EXPECT_THAT(Resolve(KeyReach::kEveryTenant, free), FailsWith(ErrorReason::kKeyUriInvalid));
}

TEST_F(KeyPermissionTest, ABoundKeyOfATokenIsMeantWithItsId) {
  const std::string name = "pkcs11:token=t;object=bound";
  const std::string with_id = name + ";id=%01%02";
  ASSERT_OK_AND_ASSIGN(const std::string canonical, keys_->CanonicalUri(with_id));
  ASSERT_OK(store_->BindKey({"contoso", canonical, "public key in a token"}));
  for (const KeyReach reach : {KeyReach::kOwnTenant, KeyReach::kEveryTenant}) {
    for (const std::string& uri : {name, with_id}) {
      ASSERT_OK_AND_ASSIGN(const std::string resolved, Resolve(reach, uri));
      EXPECT_EQ(resolved, canonical);
    }
  }
  // A key of the same name and another id is another.
  EXPECT_THAT(Resolve(KeyReach::kOwnTenant, name + ";id=%09"),
              FailsWith(ErrorReason::kKeyNotPermitted, "key_uri"));
  EXPECT_OK(Resolve(KeyReach::kEveryTenant, name + ";id=%09"));
}

TEST_F(KeyPermissionTest, ANameThatMayBeOfAnotherTenantsKeyIsRefused) {
  const std::string name = "pkcs11:token=t;object=bound";
  ASSERT_OK_AND_ASSIGN(const std::string canonical, keys_->CanonicalUri(name + ";id=%01"));
  ASSERT_OK(store_->BindKey({"fabrikam", canonical, "public key in a token"}));
  EXPECT_THAT(Resolve(KeyReach::kEveryTenant, name),
              FailsWith(ErrorReason::kKeyNotPermitted, "key_uri"));
  EXPECT_OK(Resolve(KeyReach::kEveryTenant, name + ";id=%09"));
}

TEST_F(KeyPermissionTest, ATenantsAdministratorMakesKeysOfItsNamesOnly) {
  const KeyPermission own = Of(KeyReach::kOwnTenant);
  EXPECT_TRUE(own.MayMake(kOwn));
  for (const char* uri : {kOther, kFree, kBound, "garbage"}) EXPECT_FALSE(own.MayMake(uri)) << uri;
  EXPECT_TRUE(Of(KeyReach::kEveryTenant).MayMake(kFree));
  // One that is bound and gone is made anew by who may make any.
  EXPECT_TRUE(Of(KeyReach::kEveryTenant).MayMake(kBound));
}

// What is bound is a public key: another may have come under its name.
TEST_F(KeyPermissionTest, AFoundKeyIsKnownByItsPublicKey) {
  for (const KeyReach reach : {KeyReach::kOwnTenant, KeyReach::kEveryTenant}) {
    const KeyPermission permission = Of(reach);
    EXPECT_OK(permission.CheckFound(kBound, kBoundKey));
    EXPECT_OK(permission.CheckFound(kFree, kBoundKey)) << "under any name";
    EXPECT_OK(permission.CheckFound(kOwn, "another"));
    for (const char* uri : {kOwn, kBound, kFree}) {
      EXPECT_THAT(permission.CheckFound(uri, kKeyElsewhere),
                  FailsWith(ErrorReason::kKeyNotPermitted, "key_uri"))
          << uri;
    }
    EXPECT_EQ(permission.CheckFound(kBound, "another").ok(), reach == KeyReach::kEveryTenant);
    EXPECT_EQ(permission.CheckFound(kFree, "another").ok(), reach == KeyReach::kEveryTenant);
  }
}

TEST_F(KeyPermissionTest, SaysWhichKeysAreBoundToTheTenant) {
  const KeyPermission permission = Of(KeyReach::kOwnTenant);
  EXPECT_TRUE(permission.IsBound(kBoundKey));
  EXPECT_FALSE(permission.IsBound(kKeyElsewhere));
  EXPECT_FALSE(permission.IsBound("another"));
  EXPECT_FALSE(permission.IsBound(""));
}

TEST_F(KeyPermissionTest, HoldsWhatWasBoundWhenItWasAsked) {
  const KeyPermission before = Of(KeyReach::kOwnTenant);
  ASSERT_OK(store_->BindKey({"contoso", kFree, "free no more"}));
  EXPECT_FALSE(before.IsBound("free no more"));
  EXPECT_TRUE(Of(KeyReach::kOwnTenant).IsBound("free no more"));
}

}  // namespace
}  // namespace hourglass::issuance
