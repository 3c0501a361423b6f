// Which root each key is of, and which keys may go.
#include "issuance/rotation/key_administration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ca/issuers/root_certificate.h"
#include "hsm/base/error.h"
#include "hsm/store/testing/forwarding_key_store.h"
#include "issuance/store/sqlite/sqlite_store.h"
#include "tests/support/manual_clock.h"
#include "tests/support/softhsm_token.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

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

  absl::StatusOr<RootRecord> Promote(const std::string& root_id) {
    return roots_->Promote(
        {.tenant_id = "contoso", .root_id = root_id, .without_relying_parties = true});
  }

  RootRecord CreateRoot(const std::string& key_uri = "") {
    RootOrder order;
    order.tenant_id = "contoso";
    order.duration = std::chrono::hours(24 * 365);
    order.key_type = hsm::KeyType::kEcP256;
    order.key_reach = KeyReach::kEveryTenant;
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
  ASSERT_OK(store_->PlanKey({"contoso", generation, uri, ""}));
  ASSERT_OK(keys_->Generate(uri, hsm::KeyType::kEcP256));
  const auto left = Find(uri);
  ASSERT_TRUE(left.has_value());
  ASSERT_TRUE(left->left_by.has_value());
  EXPECT_EQ(left->left_by->generation, generation);
  ASSERT_OK(administration_->Destroy(uri));
  ASSERT_OK_AND_ASSIGN(const auto planned, store_->ListPlannedKeys("contoso"));
  EXPECT_THAT(planned, IsEmpty());
}

// A process was lost while it took the key back, before it had noted the public key: nobody else
// knows the id.
TEST_F(KeyAdministrationTest, AKeyThatIsKnownByItsIdAloneIsTakenBackByTheNextCreation) {
  ASSERT_OK_AND_ASSIGN(const int generation, store_->ReserveGeneration("contoso"));
  ASSERT_OK_AND_ASSIGN(const std::string uri,
                       keys_->NewKeyUri(absl::StrCat(kFirst, "hourglass-contoso-r", generation)));
  ASSERT_THAT(uri, HasSubstr(";id=%"));
  ASSERT_OK(store_->PlanKey({"contoso", generation, uri, ""}));
  ASSERT_OK(keys_->Generate(uri, hsm::KeyType::kEcP256));
  ASSERT_OK(store_->CondemnPlannedKey(uri, ""));
  EXPECT_EQ(CreateRoot().root_id, "r2");
  EXPECT_THAT(keys_->Open(uri), FailsWith(ErrorReason::kKeyNotFound));
  ASSERT_OK_AND_ASSIGN(const auto planned, store_->ListPlannedKeys("contoso"));
  EXPECT_THAT(planned, IsEmpty());
}

TEST_F(KeyAdministrationTest, MakesAKeyOnce) {
  const std::string uri = absl::StrCat(kFirst, "mine");
  ASSERT_OK_AND_ASSIGN(const auto made, administration_->Create(uri, hsm::KeyType::kEcP256));
  EXPECT_TRUE(made.created);
  EXPECT_THAT(made.uri, StartsWith(uri + ";id=%"));
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

// Lets something else happen right before it makes a key.
class OvertakenKeys : public hsm::ForwardingKeyStore {
 public:
  using ForwardingKeyStore::ForwardingKeyStore;

  absl::StatusOr<std::unique_ptr<hsm::SigningKey>> Generate(absl::string_view uri,
                                                            hsm::KeyType type) override {
    if (const auto overtake = std::exchange(before_making, nullptr)) overtake();
    return ForwardingKeyStore::Generate(uri, type);
  }

  std::function<void()> before_making;
};

TEST_F(KeyAdministrationTest, WhatAnotherProcessMakesMeanwhileIsFound) {
  OvertakenKeys keys(keys_.get());
  RootAdministration roots(store_.get(), &keys, &*tenants_, &entropy_, &clock_);
  KeyAdministration overtaken(store_.get(), &keys, &roots);
  for (const std::string& uri : {absl::StrCat(kFirst, "mine"), std::string("software:mine")}) {
    std::optional<KeyAdministration::Creation> made;
    keys.before_making = [&] {
      const auto creation = administration_->Create(uri, hsm::KeyType::kEcP256, "contoso");
      ASSERT_OK(creation);
      made = *creation;
    };
    const auto found = overtaken.Create(uri, hsm::KeyType::kEcP256, "contoso");
    ASSERT_TRUE(made.has_value());
    ASSERT_OK(found);
    EXPECT_TRUE(made->created);
    EXPECT_FALSE(found->created);
    EXPECT_EQ(found->public_key, made->public_key);
    EXPECT_EQ(found->uri, made->uri);
    const auto key = Find(uri);
    ASSERT_TRUE(key.has_value());
    EXPECT_EQ(key->bound_to, "contoso");
    ASSERT_OK(administration_->Destroy(uri));
    keys.before_making = [&] { EXPECT_OK(administration_->Create(uri, hsm::KeyType::kEcP384)); };
    EXPECT_THAT(overtaken.Create(uri, hsm::KeyType::kEcP256),
                FailsWith(ErrorReason::kKeyExists, "key_uri"));
  }
}

// The tenants' quotas are not asked of a key that is none's.
TEST_F(KeyAdministrationTest, KeysForATenantAreBoundedAndOthersAreNot) {
  IssuingConfig none;
  none.quota.keys = 0;
  IssuingConfig one;
  one.quota.keys = 1;
  tenants_.emplace(store_.get(), keys_.get(), none,
                   std::map<std::string, IssuingConfig>{{"contoso", one}});
  const std::string first = absl::StrCat(kFirst, "mine"), second = absl::StrCat(kFirst, "other");
  ASSERT_OK(administration_->Create(first, hsm::KeyType::kEcP256, "contoso"));
  EXPECT_THAT(administration_->Create(second, hsm::KeyType::kEcP256, "contoso"),
              FailsWith(ErrorReason::kQuotaExceeded, "tenant_id"));
  EXPECT_FALSE(Find(second).has_value());
  EXPECT_OK(administration_->Create(first, hsm::KeyType::kEcP256, "contoso")) << "it is there";
  ASSERT_OK_AND_ASSIGN(const auto free, administration_->Create(second, hsm::KeyType::kEcP256));
  EXPECT_TRUE(free.created);
}

TEST_F(KeyAdministrationTest, ARootKeepsItsKeyWhileItMayNeedIt) {
  const RootRecord first = CreateRoot();
  EXPECT_THAT(administration_->Destroy(first.key_uri),
              FailsWith(ErrorReason::kKeyInUse, "key_uri"));
  ASSERT_OK(Promote(first.root_id));
  EXPECT_THAT(administration_->Destroy(first.key_uri), FailsWith(ErrorReason::kKeyInUse));
  // Named in full, it is the same key.
  const std::string with_id = Find(first.key_uri)->stored.uri;
  ASSERT_THAT(with_id, HasSubstr(";id="));
  EXPECT_THAT(administration_->Destroy(with_id), FailsWith(ErrorReason::kKeyInUse));
  const RootRecord second = CreateRoot();
  ASSERT_OK(Promote(second.root_id));
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

TEST_F(KeyAdministrationTest, ARootsKeyIsNamedWithItsId) {
  const RootRecord made = CreateRoot();
  EXPECT_EQ(made.key_uri, Find(absl::StrCat(kFirst, "hourglass-contoso-r1"))->stored.uri);
  ASSERT_OK(keys_->Generate(absl::StrCat(kFirst, "mine"), hsm::KeyType::kEcP256));
  const RootRecord found = CreateRoot(absl::StrCat(kFirst, "mine"));
  EXPECT_EQ(found.key_uri, Find(absl::StrCat(kFirst, "mine"))->stored.uri);
  EXPECT_THAT(found.key_uri, HasSubstr(";id=%"));
}

// As they are in a database of before ids were noted.
TEST_F(KeyAdministrationTest, ARootWithoutAnIdInItsUriGoesOnAndItsOwnKeyIsDestroyed) {
  RootRecord root = CreateRoot();
  ASSERT_OK(roots_->Discard("contoso", root.root_id, KeyFate::kKeep));
  ASSERT_OK(administration_->Destroy(root.key_uri));
  const std::string name = absl::StrCat(kFirst, "mine");
  ASSERT_OK_AND_ASSIGN(const auto key, keys_->Generate(name, hsm::KeyType::kEcP256));
  ca::RootSpecification specification;
  specification.display_name = "Contoso";
  specification.generation = 9;
  specification.now = std::chrono::floor<std::chrono::seconds>(clock_.Now());
  specification.duration = std::chrono::hours(24 * 365);
  specification.serial_entropy = std::string(16, '\x42');
  ASSERT_OK_AND_ASSIGN(const auto certificate, ca::IssueRoot(specification, *key));
  root.root_id = "r9";
  root.generation = 9;
  root.state = ca::RootState::kStaged;
  root.key_uri = name;
  root.certificate = certificate.der();
  root.key_destroyed_at.reset();
  root.last_leaf_not_after.reset();
  ASSERT_OK(store_->PlanKey({"contoso", 9, name, "", false}));
  ASSERT_OK(store_->AddRoot(root));
  EXPECT_EQ(Find(name)->used_by->root_id, "r9");
  EXPECT_THAT(administration_->Destroy(name), FailsWith(ErrorReason::kKeyInUse));
  ASSERT_OK(Promote("r9"));
  const RootRecord next = CreateRoot();
  ASSERT_OK(Promote(next.root_id));
  // Another of its name, with another id.
  ASSERT_EQ(token_
                ->Tool({"--keypairgen", "--key-type", "EC:prime256v1", "--sensitive", "--label",
                        "mine", "--id", "07"},
                       "first")
                .exit_code,
            0);
  ASSERT_OK_AND_ASSIGN(const RootRecord gone, roots_->Retire("contoso", "r9", KeyFate::kDestroy));
  EXPECT_TRUE(gone.key_destroyed_at.has_value());
  EXPECT_EQ(Find(name)->stored.uri, name + ";id=%07");
}

// The exploit: a name is taken, given up, and taken by another tenant's root; then the first
// tenant asks again to destroy "its" key.
TEST_F(KeyAdministrationTest, NobodyDestroysAnothersKeyByAnOldName) {
  const std::string name = absl::StrCat(kFirst, "mine");
  TenantRecord fabrikam;
  fabrikam.tenant_id = "fabrikam";
  fabrikam.display_name = "Fabrikam";
  ASSERT_OK(store_->CreateTenant(fabrikam));
  RootOrder order;
  order.tenant_id = "fabrikam";
  order.duration = std::chrono::hours(24 * 365);
  order.key_type = hsm::KeyType::kEcP256;
  order.key_reach = KeyReach::kEveryTenant;
  order.key_uri = name;
  ASSERT_OK_AND_ASSIGN(const RootRecord squatter, roots_->Create(order));
  ASSERT_OK(roots_->Discard("fabrikam", squatter.root_id, KeyFate::kDestroy));
  EXPECT_FALSE(Find(name).has_value());
  ASSERT_OK(administration_->Create(name + ";id=%01", hsm::KeyType::kEcP256));
  // Before it has a root, and with one that signs.
  EXPECT_THAT(roots_->Discard("fabrikam", squatter.root_id, KeyFate::kDestroy),
              FailsWith(ErrorReason::kKeyDestroyed, "destroy_key"));
  const RootRecord root = CreateRoot(name + ";id=%01");
  ASSERT_OK(Promote(root.root_id));
  EXPECT_THAT(roots_->Discard("fabrikam", squatter.root_id, KeyFate::kDestroy),
              FailsWith(ErrorReason::kKeyDestroyed, "destroy_key"));
  ASSERT_OK_AND_ASSIGN(const auto key, keys_->Open(name));
  EXPECT_OK(key->Sign("still there"));
}

TEST_F(KeyAdministrationTest, AKeyMadeAnewUnderTheSameNameIsLeftAlone) {
  const std::string name = absl::StrCat(kFirst, "mine");
  const RootRecord root = CreateRoot(name);
  ASSERT_OK(roots_->Discard("contoso", root.root_id, KeyFate::kKeep));
  ASSERT_OK(keys_->Destroy(root.key_uri));
  // Even with the very id.
  ASSERT_OK(keys_->Generate(root.key_uri, hsm::KeyType::kEcP256));
  EXPECT_THAT(roots_->Discard("contoso", root.root_id, KeyFate::kDestroy),
              FailsWith(ErrorReason::kKeyMismatch, "destroy_key"));
  EXPECT_TRUE(Find(name).has_value());
  EXPECT_FALSE(Find(name)->used_by.has_value() && Find(name)->stored.unfit_because.empty())
      << "it is not taken for the root's";
}

TEST_F(KeyAdministrationTest, ABoundKeyIsOneTenants) {
  TenantRecord fabrikam;
  fabrikam.tenant_id = "fabrikam";
  fabrikam.display_name = "Fabrikam";
  ASSERT_OK(store_->CreateTenant(fabrikam));
  const std::string name = absl::StrCat(kFirst, "mine");
  EXPECT_THAT(administration_->Create(name, hsm::KeyType::kEcP256, "northwind"),
              FailsWith(ErrorReason::kTenantUnknown));
  EXPECT_FALSE(Find(name).has_value());
  ASSERT_OK_AND_ASSIGN(const auto bound,
                       administration_->Create(name, hsm::KeyType::kEcP256, "contoso"));
  EXPECT_OK(administration_->Create(name, hsm::KeyType::kEcP256, "contoso")) << "again";
  EXPECT_EQ(Find(name)->bound_to, "contoso");
  EXPECT_THAT(administration_->Create(name, hsm::KeyType::kEcP256, "fabrikam"),
              FailsWith(ErrorReason::kKeyNotPermitted, "tenant_id"));
  EXPECT_THAT(administration_->Create(absl::StrCat(kFirst, "hourglass-contoso-r9"),
                                      hsm::KeyType::kEcP256, "fabrikam"),
              FailsWith(ErrorReason::kKeyNotPermitted, "tenant_id"));
  RootOrder order;
  order.tenant_id = "fabrikam";
  order.duration = std::chrono::hours(24 * 365);
  order.key_type = hsm::KeyType::kEcP256;
  for (const KeyReach reach : {KeyReach::kOwnTenant, KeyReach::kEveryTenant}) {
    order.key_reach = reach;
    for (const std::string& uri : {name, bound.uri}) {
      order.key_uri = uri;
      EXPECT_THAT(roots_->Create(order), FailsWith(ErrorReason::kKeyNotPermitted, "key_uri"));
    }
  }
  order.tenant_id = "contoso";
  order.key_reach = KeyReach::kOwnTenant;
  order.key_uri = name;
  ASSERT_OK_AND_ASSIGN(const RootRecord root, roots_->Create(order));
  EXPECT_EQ(root.key_uri, bound.uri);
  EXPECT_FALSE(root.key_made_for_root);
}

TEST_F(KeyAdministrationTest, AnotherKeyUnderABoundNameIsNotBound) {
  const std::string name = absl::StrCat(kFirst, "mine");
  ASSERT_OK_AND_ASSIGN(const auto bound,
                       administration_->Create(name, hsm::KeyType::kEcP256, "contoso"));
  RootOrder order;
  order.tenant_id = "contoso";
  order.duration = std::chrono::hours(24 * 365);
  order.key_type = hsm::KeyType::kEcP256;
  order.key_uri = name;
  ASSERT_OK(keys_->Destroy(bound.uri));
  EXPECT_THAT(roots_->Create(order), FailsWith(ErrorReason::kKeyNotFound))
      << "a tenant's administrator makes keys of the tenant's own names only";
  ASSERT_OK(keys_->Generate(bound.uri, hsm::KeyType::kEcP256));
  EXPECT_THAT(roots_->Create(order), FailsWith(ErrorReason::kKeyNotPermitted, "key_uri"));
  // Destroyed by the book, the binding goes with it.
  ASSERT_OK(administration_->Destroy(bound.uri));
  ASSERT_OK_AND_ASSIGN(const auto left, store_->ListBoundKeys());
  EXPECT_EQ(left.size(), 1u) << "the one that was bound was never destroyed here";
  ASSERT_OK(administration_->Create(bound.uri, hsm::KeyType::kEcP256, "contoso"));
  ASSERT_OK(administration_->Destroy(bound.uri));
  ASSERT_OK_AND_ASSIGN(const auto none, store_->ListBoundKeys());
  EXPECT_THAT(none, IsEmpty());
}

TEST_F(KeyAdministrationTest, OnlyPlacesOfTheConfigurationAreTouched) {
  EXPECT_THAT(administration_->Create("pkcs11:token=elsewhere;object=k", hsm::KeyType::kEcP256),
              FailsWith(ErrorReason::kKeyUriInvalid));
  EXPECT_THAT(administration_->Destroy("tpm:sealed=k"), FailsWith(ErrorReason::kKeyUriInvalid));
}

}  // namespace
}  // namespace hourglass::issuance
