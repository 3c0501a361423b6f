// Sub-keys where the root's key or the store fails: what is recorded, and what signs meanwhile.
#include "issuance/authorities/sub_keys.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "ca/issuers/root_certificate.h"
#include "hsm/base/error.h"
#include "hsm/key/software_key.h"
#include "issuance/store/sqlite/sqlite_store.h"
#include "tests/support/manual_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

// Signs honestly until it is told to be away or to sign with another key.
class TroubledKey : public hsm::SigningKey {
 public:
  hsm::KeyType type() const override { return honest_->type(); }
  const std::string& public_key() const override { return honest_->public_key(); }
  absl::StatusOr<std::string> Sign(absl::string_view message) override {
    ++asked;
    if (away) return Error(ErrorReason::kKeyUnavailable, "root.key", "the token is gone");
    return (lies ? other_ : honest_)->Sign(message);
  }
  void TakeOutOfService() override {}

  std::atomic<bool> away = false;
  std::atomic<bool> lies = false;
  std::atomic<int> asked = 0;

 private:
  const std::unique_ptr<hsm::SigningKey> honest_ = *hsm::GenerateSoftwareKey(hsm::KeyType::kEcP256);
  const std::unique_ptr<hsm::SigningKey> other_ = *hsm::GenerateSoftwareKey(hsm::KeyType::kEcP256);
};

class SubKeysTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(store_, OpenSqliteStore(directory_.File("store.sqlite")));
    sub_keys_.emplace(store_.get(), &entropy_, &clock_, EventLog::Silent());
    auto key = std::make_unique<TroubledKey>();
    key_ = key.get();
    const ca::Time now = std::chrono::floor<std::chrono::seconds>(clock_.Now());
    ASSERT_OK_AND_ASSIGN(ca::RootCertificate root,
                         ca::IssueRoot({.display_name = "Contoso",
                                        .now = now,
                                        .duration = hours(24 * 30),
                                        .serial_entropy = std::string(16, 's'),
                                        .issuing_sub_keys = true},
                                       *key));
    RootRecord record;
    record.tenant_id = "contoso";
    record.root_id = "r1";
    record.generation = 1;
    record.key_uri = "software:r1";
    record.certificate = root.der();
    record.not_before = root.not_before();
    record.not_after = root.not_after();
    owner_.tenant.tenant_id = "contoso";
    owner_.tenant.display_name = "Contoso";
    ASSERT_OK(store_->CreateTenant(owner_.tenant));
    ASSERT_OK(store_->AddRoot(record));
    ASSERT_OK(Move(ca::RootState::kStaged, ca::RootState::kPrimary));
    ASSERT_OK_AND_ASSIGN(owner_.tenant, store_->GetTenant("contoso"));
    owner_.root_id = "r1";
    owner_.generation = 1;
    ASSERT_OK_AND_ASSIGN(owner_.root, ca::Authority::Create(std::move(root), std::move(key),
                                                            *ca::LeafProfile::Create({})));
  }

  absl::Status Move(ca::RootState from, ca::RootState to) {
    const auto tenant = store_->GetTenant("contoso");
    return store_->ChangeRootStates("contoso", tenant->revision, {{"r1", from, to}},
                                    {clock_.Now()});
  }

  absl::StatusOr<std::shared_ptr<const ca::Authority>> Signer() {
    return sub_keys_->SignerFor(owner_, config_);
  }
  bool IsCurrent(const std::shared_ptr<const ca::Authority>& signer) {
    return sub_keys_->IsCurrent("contoso", *signer);
  }

  std::vector<IntermediateRecord> Recorded() {
    return store_->ListIntermediates("contoso", "r1", 100, "")->records;
  }

  // Until the root's key was asked once more than `before`, and the answer was dealt with.
  void AwaitAttempt(int before) {
    while (key_->asked == before) std::this_thread::yield();
  }

  TemporaryDirectory directory_;
  ManualClock clock_;
  SystemEntropy entropy_;
  std::unique_ptr<Store> store_;
  SubKeyConfig config_;
  SubKeyOwner owner_;
  TroubledKey* key_ = nullptr;
  std::optional<SubKeys> sub_keys_;
};

TEST_F(SubKeysTest, OneSignatureOfTheRootMakesOneSubKey) {
  const int before = key_->asked;
  ASSERT_OK_AND_ASSIGN(const auto signer, Signer());
  ASSERT_OK_AND_ASSIGN(const auto again, Signer());
  EXPECT_EQ(signer, again);
  EXPECT_TRUE(IsCurrent(signer));
  EXPECT_EQ(key_->asked, before + 1);
  ASSERT_EQ(Recorded().size(), 1U);
  EXPECT_EQ(Recorded()[0].certificate, signer->intermediate()->der());
  EXPECT_EQ(Recorded()[0].epoch, owner_.tenant.epoch);
  EXPECT_TRUE(sub_keys_->IsCurrent("contoso", *owner_.root)) << "the root's own authority";
}

TEST_F(SubKeysTest, WhatIsSignedWasRecordedAndWhatIsNotReleasedSignsNothing) {
  key_->away = true;
  EXPECT_THAT(Signer(), FailsWith(ErrorReason::kKeyUnavailable, "root.key"));
  ASSERT_EQ(Recorded().size(), 1U);
  EXPECT_FALSE(Recorded()[0].released_at.has_value());
  key_->away = false;
  key_->lies = true;
  EXPECT_THAT(Signer(), FailsWith(ErrorReason::kKeyMismatch));
  EXPECT_FALSE(Recorded()[0].released_at.has_value());
  key_->lies = false;
  EXPECT_OK(Signer());
  EXPECT_TRUE(Recorded()[0].released_at.has_value());
}

TEST_F(SubKeysTest, OutsideTheFenceTheRootIsNotEvenAsked) {
  ASSERT_OK(Move(ca::RootState::kPrimary, ca::RootState::kRetiring));
  const int before = key_->asked;
  EXPECT_THAT(Signer(), FailsWith(ErrorReason::kPrimaryChanged));
  EXPECT_EQ(key_->asked, before);
  EXPECT_TRUE(Recorded().empty());
}

TEST_F(SubKeysTest, AnotherEpochIsAnotherSubKey) {
  ASSERT_OK_AND_ASSIGN(const auto first, Signer());
  ASSERT_OK(Move(ca::RootState::kPrimary, ca::RootState::kRetiring));
  ASSERT_OK(Move(ca::RootState::kRetiring, ca::RootState::kPrimary));
  ASSERT_OK_AND_ASSIGN(owner_.tenant, store_->GetTenant("contoso"));
  ASSERT_OK_AND_ASSIGN(const auto second, Signer());
  EXPECT_NE(first, second);
  EXPECT_FALSE(IsCurrent(first));
  EXPECT_TRUE(IsCurrent(second));
}

TEST_F(SubKeysTest, WhileRenewalFailsTheOldOneSignsAsLongAsItCarriesALeaf) {
  ASSERT_OK_AND_ASSIGN(const auto signer, Signer());
  key_->away = true;
  int before = key_->asked;
  clock_.Advance(hours(13));
  EXPECT_TRUE(IsCurrent(signer));
  AwaitAttempt(before);
  clock_.Advance(hours(9) + minutes(58));
  EXPECT_TRUE(IsCurrent(signer)) << "one leaf and a minute are left";
  clock_.Advance(minutes(2));
  EXPECT_FALSE(IsCurrent(signer));
  EXPECT_THAT(Signer(), FailsWith(ErrorReason::kKeyUnavailable, "root.key"));
  key_->away = false;
  ASSERT_OK_AND_ASSIGN(const auto next, Signer());
  EXPECT_NE(next, signer);
  EXPECT_TRUE(IsCurrent(next));
}

TEST_F(SubKeysTest, TheLastOneLivesAsLongAsTheRootAndIsNotRenewed) {
  clock_.Advance(hours(24 * 30) - hours(3));
  ASSERT_OK_AND_ASSIGN(const auto signer, Signer());
  EXPECT_EQ(signer->intermediate()->not_after(), owner_.root->root().not_after());
  clock_.Advance(hours(2) + minutes(30));
  const int before = key_->asked;
  EXPECT_TRUE(IsCurrent(signer)) << "another would be no better";
  EXPECT_EQ(key_->asked, before);
}

}  // namespace
}  // namespace hourglass::issuance
