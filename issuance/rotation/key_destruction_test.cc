// That a key is known by its public key, wherever it lies: in a folder, sealed by a TPM, in a TPM.
#include "issuance/rotation/key_destruction.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "hsm/base/error.h"
#include "issuance/store/sqlite/sqlite_store.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/manual_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/swtpm.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class KeyDestructionTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(store_, OpenSqliteStore(directory_.File("store.sqlite")));
    hsm::KeyStoreOptions options;
    options.software_directory = directory_.File("keys");
    options.tpm = hsm::TpmPlace{swtpm_.Tcti(), directory_.File("sealed"), "", {}};
    ASSERT_OK_AND_ASSIGN(keys_, hsm::KeyStore::Create(options));
    destruction_.emplace(store_.get(), keys_.get(), &claims_, &clock_, EventLog::Silent());
    ASSERT_OK(store_->CreateTenant(SampleTenant()));
  }

  std::string MakeKey() {
    auto key = keys_->Generate(GetParam(), hsm::KeyType::kEcP256);
    EXPECT_OK(key);
    return key.ok() ? (*key)->public_key() : "";
  }
  bool IsThere() { return !keys_->Find(GetParam())->empty(); }

  // What only looks at certificates takes this one for a root of the key.
  RootRecord AddRoot(const std::string& public_key) {
    RootRecord root = SampleRoot(1);
    root.key_uri = GetParam();
    root.certificate += public_key;
    EXPECT_OK(store_->AddRoot(root));
    return root;
  }
  void DiscardRoot() {
    ASSERT_OK(store_->ChangeRootStates(
        kSampleTenant, 1, {{"root-1", ca::RootState::kStaged, ca::RootState::kDiscarded}},
        {clock_.Now()}));
  }
  KeyDestructionOrder Order(std::optional<std::string> public_key) {
    return {GetParam(), std::move(public_key), "", "", "administrator"};
  }

  Swtpm swtpm_;
  TemporaryDirectory directory_;
  ManualClock clock_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<hsm::KeyStore> keys_;
  KeyClaims claims_;
  std::optional<KeyDestruction> destruction_;
};

TEST_P(KeyDestructionTest, OnlyTheKeyThatIsMeantIsDestroyed) {
  const std::string first = MakeKey();
  ASSERT_OK_AND_ASSIGN(const auto gone, destruction_->Destroy(Order(first)));
  EXPECT_EQ(gone.public_key, first);
  EXPECT_FALSE(IsThere());
  EXPECT_THAT(destruction_->Destroy(Order(first)), FailsWith(ErrorReason::kKeyNotFound, "key_uri"));
  const std::string second = MakeKey();
  EXPECT_THAT(destruction_->Destroy(Order(first)), FailsWith(ErrorReason::kKeyMismatch, "key_uri"));
  EXPECT_TRUE(IsThere());
  EXPECT_OK(destruction_->Destroy(Order(std::nullopt)))
      << "who may destroy any means what is there";
  EXPECT_FALSE(IsThere());
}

TEST_P(KeyDestructionTest, ARootThatLivesKeepsItsKey) {
  const std::string public_key = MakeKey();
  AddRoot(public_key);
  for (const auto& meant : {std::optional<std::string>(public_key), std::optional<std::string>()}) {
    EXPECT_THAT(destruction_->Destroy(Order(meant)), FailsWith(ErrorReason::kKeyInUse, "key_uri"));
  }
  EXPECT_TRUE(IsThere());
  DiscardRoot();
  EXPECT_OK(destruction_->Destroy(Order(public_key)));
  EXPECT_EQ(store_->GetRoot(kSampleTenant, "root-1")->key_destroyed_at, clock_.Now());
}

TEST_P(KeyDestructionTest, TheUriOfARootThatLivesIsLeftAloneWhateverAnswers) {
  AddRoot("the key that was lost");
  MakeKey();
  EXPECT_THAT(destruction_->Destroy(Order(std::nullopt)),
              FailsWith(ErrorReason::kKeyInUse, "key_uri"));
  DiscardRoot();
  EXPECT_OK(destruction_->Destroy(Order(std::nullopt)));
  EXPECT_FALSE(store_->GetRoot(kSampleTenant, "root-1")->key_destroyed_at.has_value())
      << "it was not the root's";
}

TEST_P(KeyDestructionTest, AKeyThatAChangeHasInHandIsLeftAlone) {
  const std::string public_key = MakeKey();
  {
    ASSERT_OK_AND_ASSIGN(const KeyClaims::Claim claim, claims_.ClaimName(GetParam()));
    EXPECT_THAT(destruction_->Destroy(Order(public_key)),
                FailsWith(ErrorReason::kKeyInUse, "key_uri"));
  }
  {
    ASSERT_OK_AND_ASSIGN(KeyClaims::Claim claim, claims_.ClaimName("software:another-name"));
    ASSERT_OK(claim.ClaimPublicKey(public_key));
    EXPECT_THAT(destruction_->Destroy(Order(public_key)),
                FailsWith(ErrorReason::kKeyInUse, "key_uri"));
  }
  EXPECT_OK(destruction_->Destroy(Order(public_key)));
}

TEST_P(KeyDestructionTest, PlansAndBindingsGoWithTheirKey) {
  const std::string public_key = MakeKey();
  const PlannedKey planned{std::string(kSampleTenant), 2, "software:planned", public_key};
  const PlannedKey of_another{std::string(kSampleTenant), 3, GetParam(), "another"};
  ASSERT_OK(store_->PlanKey(planned));
  ASSERT_OK(store_->PlanKey(of_another));
  ASSERT_OK(store_->BindKey({std::string(kSampleTenant), GetParam(), public_key}));
  ASSERT_OK(destruction_->Destroy(Order(public_key)));
  EXPECT_THAT(*store_->ListPlannedKeys(kSampleTenant), ElementsAre(of_another));
  EXPECT_THAT(*store_->ListBoundKeys(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Places, KeyDestructionTest,
                         testing::Values("software:k", "tpm:sealed=k", "tpm:handle=0x81010001"));

}  // namespace
}  // namespace hourglass::issuance
