// Which root each key is of, and which keys may go.
#include "issuance/rotation/key_administration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "issuance/store/sqlite_store.h"
#include "tests/support/manual_clock.h"
#include "tests/support/softhsm_token.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kFirst[] = "pkcs11:token=first;object=";

class KeyAdministrationTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    // A process has SoftHSM's tokens as they are when it first looks.
    token_ = new SofthsmToken({"first", "lost"});
    std::filesystem::remove_all(token_->Folder("lost"));
  }
  static void TearDownTestSuite() {
    delete token_;
    token_ = nullptr;
  }

  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(store_, OpenSqliteStore(directory_.File("store.sqlite")));
    hsm::KeyStoreOptions options;
    options.tokens = {token_->Uri("first"), token_->Uri("lost")};
    options.software_directory = directory_.File("keys");
    ASSERT_OK_AND_ASSIGN(keys_, hsm::KeyStore::Create(options));
    tenants_.emplace(store_.get(), keys_.get(), IssuingConfig(),
                     std::map<std::string, IssuingConfig>());
    roots_.emplace(store_.get(), keys_.get(), &*tenants_, &entropy_, &clock_);
    administration_.emplace(store_.get(), keys_.get(), &*roots_);
    TenantRecord tenant;
    tenant.tenant_id = "contoso";
    tenant.display_name = "Contoso";
    tenant.created_at = clock_.Now();
    ASSERT_OK(store_->CreateTenant(tenant));
  }
  void TearDown() override {
    for (const char* name : {"mine", "other", "hourglass-contoso-r1", "hourglass-contoso-r2"}) {
      static_cast<void>(keys_->Destroy(absl::StrCat(kFirst, name)));
    }
  }

  RootRecord CreateRoot(const std::string& key_uri = "") {
    RootOrder order;
    order.tenant_id = "contoso";
    order.duration = std::chrono::hours(24 * 365);
    order.key_type = hsm::KeyType::kEcP256;
    order.key_uri = key_uri;
    auto root = roots_->Create(order);
    EXPECT_OK(root);
    return root.ok() ? *root : RootRecord();
  }

  // The listed key whose URI begins so; its place answered.
  std::optional<AdministeredKey> Find(const std::string& uri) {
    const auto places = administration_->List();
    EXPECT_OK(places);
    std::optional<AdministeredKey> found;
    for (const AdministeredPlace& place : *places) {
      for (const AdministeredKey& key : place.keys) {
        if (key.stored.uri.rfind(uri, 0) != 0) continue;
        EXPECT_FALSE(found.has_value()) << "two keys are " << uri;
        found = key;
      }
    }
    return found;
  }

  static SofthsmToken* token_;
  TemporaryDirectory directory_;
  ManualClock clock_;
  SystemEntropy entropy_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<hsm::KeyStore> keys_;
  std::optional<Tenants> tenants_;
  std::optional<RootAdministration> roots_;
  std::optional<KeyAdministration> administration_;
};

SofthsmToken* KeyAdministrationTest::token_ = nullptr;

TEST_F(KeyAdministrationTest, SaysWhichRootAKeyIsOf) {
  const RootRecord root = CreateRoot();
  ASSERT_OK(keys_->Generate(absl::StrCat(kFirst, "mine"), hsm::KeyType::kEcP384));
  const auto of_root = Find(root.key_uri);
  ASSERT_TRUE(of_root.has_value());
  ASSERT_TRUE(of_root->used_by.has_value());
  EXPECT_EQ(of_root->used_by->tenant_id, "contoso");
  EXPECT_EQ(of_root->used_by->root_id, "r1");
  EXPECT_EQ(of_root->used_by->state, ca::RootState::kStaged);
  EXPECT_EQ(of_root->stored.type, hsm::KeyType::kEcP256);
  EXPECT_THAT(of_root->stored.unfit_because, IsEmpty());
  const auto free = Find(absl::StrCat(kFirst, "mine"));
  ASSERT_TRUE(free.has_value());
  EXPECT_FALSE(free->used_by.has_value());
  EXPECT_FALSE(free->left_by.has_value());
  EXPECT_EQ(free->stored.type, hsm::KeyType::kEcP384);
}

TEST_F(KeyAdministrationTest, APlaceThatIsLostHidesNoOther) {
  ASSERT_OK(keys_->Generate("software:file", hsm::KeyType::kEcP256));
  ASSERT_OK(keys_->Generate(absl::StrCat(kFirst, "mine"), hsm::KeyType::kEcP256));
  ASSERT_OK_AND_ASSIGN(const auto places, administration_->List());
  ASSERT_EQ(places.size(), 3u);
  EXPECT_EQ(places[0].name, "pkcs11:token=first");
  EXPECT_OK(places[0].status);
  EXPECT_EQ(places[0].keys.size(), 1u);
  EXPECT_EQ(places[1].name, "pkcs11:token=lost");
  EXPECT_THAT(places[1].status, FailsWith(ErrorReason::kKeyUnavailable));
  EXPECT_THAT(places[1].keys, IsEmpty());
  EXPECT_EQ(places[2].kind, "software");
  EXPECT_OK(places[2].status);
  EXPECT_EQ(places[2].keys.size(), 1u);
  EXPECT_THAT(administration_->Destroy("pkcs11:token=lost;object=mine"),
              FailsWith(ErrorReason::kKeyUnavailable));
}

TEST_F(KeyAdministrationTest, WhatAnInterruptedCreationLeftIsSaidToBeItsOwn) {
  ASSERT_OK_AND_ASSIGN(const int generation, store_->ReserveGeneration("contoso"));
  const std::string uri = absl::StrCat(kFirst, "hourglass-contoso-r", generation);
  ASSERT_OK(store_->PlanKey({"contoso", generation, uri}));
  ASSERT_OK(keys_->Generate(uri, hsm::KeyType::kEcP256));
  const auto left = Find(uri);
  ASSERT_TRUE(left.has_value());
  ASSERT_TRUE(left->left_by.has_value());
  EXPECT_EQ(left->left_by->generation, generation);
  ASSERT_OK(administration_->Destroy(uri));
  ASSERT_OK_AND_ASSIGN(const auto planned, store_->ListPlannedKeys("contoso"));
  EXPECT_THAT(planned, IsEmpty());
}

TEST_F(KeyAdministrationTest, MakesAKeyOnce) {
  const std::string uri = absl::StrCat(kFirst, "mine");
  ASSERT_OK_AND_ASSIGN(const auto made, administration_->Create(uri, hsm::KeyType::kEcP256));
  EXPECT_TRUE(made.created);
  EXPECT_EQ(made.uri, uri);
  ASSERT_OK_AND_ASSIGN(const auto again, administration_->Create(uri, hsm::KeyType::kEcP256));
  EXPECT_FALSE(again.created);
  EXPECT_EQ(again.public_key, made.public_key);
  EXPECT_THAT(administration_->Create(uri, hsm::KeyType::kEcP384),
              FailsWith(ErrorReason::kKeyExists, "key_uri"));
  const RootRecord root = CreateRoot(uri);
  EXPECT_FALSE(root.key_made_for_root);
  const auto used = Find(uri);
  ASSERT_TRUE(used.has_value());
  EXPECT_TRUE(used->used_by.has_value());
}

TEST_F(KeyAdministrationTest, ARootKeepsItsKeyWhileItMayNeedIt) {
  const RootRecord first = CreateRoot();
  EXPECT_THAT(administration_->Destroy(first.key_uri),
              FailsWith(ErrorReason::kKeyInUse, "key_uri"));
  ASSERT_OK(roots_->Promote("contoso", first.root_id));
  EXPECT_THAT(administration_->Destroy(first.key_uri), FailsWith(ErrorReason::kKeyInUse));
  // Named in full, it is the same key.
  const std::string with_id = Find(first.key_uri)->stored.uri;
  ASSERT_THAT(with_id, HasSubstr(";id="));
  EXPECT_THAT(administration_->Destroy(with_id), FailsWith(ErrorReason::kKeyInUse));
  const RootRecord second = CreateRoot();
  ASSERT_OK(roots_->Promote("contoso", second.root_id));
  EXPECT_THAT(administration_->Destroy(first.key_uri), FailsWith(ErrorReason::kKeyInUse));
  ASSERT_OK(roots_->Retire("contoso", first.root_id, KeyFate::kKeep));
  ASSERT_OK_AND_ASSIGN(const AdministeredKey gone, administration_->Destroy(first.key_uri));
  EXPECT_EQ(gone.used_by->state, ca::RootState::kRetired);
  EXPECT_FALSE(Find(first.key_uri).has_value());
  EXPECT_OK(keys_->Open(second.key_uri));
}

TEST_F(KeyAdministrationTest, AKeyThatWasThereBeforeGoesWithItsOwnCommand) {
  const std::string uri = absl::StrCat(kFirst, "mine");
  ASSERT_OK(administration_->Create(uri, hsm::KeyType::kEcP256));
  const RootRecord root = CreateRoot(uri);
  EXPECT_THAT(roots_->Discard("contoso", root.root_id, KeyFate::kDestroy),
              FailsWith(ErrorReason::kFieldInvalid, "destroy_key"));
  ASSERT_OK(roots_->Discard("contoso", root.root_id, KeyFate::kKeep));
  EXPECT_OK(administration_->Destroy(uri));
  EXPECT_THAT(administration_->Destroy(uri), FailsWith(ErrorReason::kKeyNotFound, "key_uri"));
}

TEST_F(KeyAdministrationTest, AKeyWhosePublicHalfIsGoneIsStillItsRoots) {
  const RootRecord root = CreateRoot();
  const std::string uri = Find(root.key_uri)->stored.uri;
  ASSERT_EQ(token_
                ->Tool({"--delete-object", "--type", "pubkey", "--label", "hourglass-contoso-r1"},
                       "first")
                .exit_code,
            0);
  const auto halved = Find(root.key_uri);
  ASSERT_TRUE(halved.has_value());
  EXPECT_THAT(halved->stored.public_key, IsEmpty());
  ASSERT_TRUE(halved->used_by.has_value());
  EXPECT_THAT(administration_->Destroy(uri), FailsWith(ErrorReason::kKeyInUse));
  ASSERT_OK(roots_->Discard("contoso", root.root_id, KeyFate::kKeep));
  EXPECT_OK(administration_->Destroy(uri));
}

TEST_F(KeyAdministrationTest, AnUnfitKeyMayGo) {
  ASSERT_EQ(token_
                ->Tool({"--keypairgen", "--key-type", "EC:prime256v1", "--label", "other", "--id",
                        "07", "--extractable"},
                       "first")
                .exit_code,
            0);
  const std::string uri = absl::StrCat(kFirst, "other");
  const auto unfit = Find(uri);
  ASSERT_TRUE(unfit.has_value());
  EXPECT_THAT(unfit->stored.unfit_because, HasSubstr("EXTRACTABLE"));
  EXPECT_THAT(administration_->Create(uri, hsm::KeyType::kEcP256),
              FailsWith(ErrorReason::kKeyUnfit));
  EXPECT_OK(administration_->Destroy(uri));
  EXPECT_FALSE(Find(uri).has_value());
}

TEST_F(KeyAdministrationTest, OfSeveralKeysNoneIsDestroyed) {
  const std::string uri = absl::StrCat(kFirst, "other");
  for (const char* id : {"07", "08"}) {
    ASSERT_EQ(token_
                  ->Tool({"--keypairgen", "--key-type", "EC:prime256v1", "--sensitive", "--label",
                          "other", "--id", id},
                         "first")
                  .exit_code,
              0);
  }
  EXPECT_THAT(administration_->Destroy(uri), FailsWith(ErrorReason::kKeyExists, "key_uri"));
  EXPECT_OK(administration_->Destroy(uri + ";id=%07"));
  EXPECT_OK(administration_->Destroy(uri));
}

TEST_F(KeyAdministrationTest, OnlyPlacesOfTheConfigurationAreTouched) {
  EXPECT_THAT(administration_->Create("pkcs11:token=elsewhere;object=k", hsm::KeyType::kEcP256),
              FailsWith(ErrorReason::kKeyUriInvalid));
  EXPECT_THAT(administration_->Destroy("tpm:sealed=k"), FailsWith(ErrorReason::kKeyUriInvalid));
}

}  // namespace
}  // namespace hourglass::issuance
