#include "issuance/rotation/trust_bundles.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "ca/encoding/digest.h"
#include "ca/encoding/pem.h"
#include "hsm/base/error.h"
#include "hsm/store/testing/forwarding_key_store.h"
#include "issuance/log/testing/captured_log.h"
#include "issuance/rotation/testing/rotated_tenant.h"
#include "issuance/store/sqlite/sqlite_store.h"
#include "issuance/store/testing/forwarding_store.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/door.h"
#include "tests/support/manual_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

using ca::RootState;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(TrustBundleOfTest, EachRootIsWhereItsStateIs) {
  TenantRecord tenant = SampleTenant();
  tenant.revision = 17;
  tenant.epoch = 3;
  std::vector<RootRecord> roots;
  for (const RootState state : {RootState::kDiscarded, RootState::kRetired, RootState::kRetiring,
                                RootState::kPrimary, RootState::kStaged}) {
    roots.push_back(SampleRoot(static_cast<int>(roots.size()) + 1));
    roots.back().state = state;
  }
  const ca::TrustBundle bundle = TrustBundleOf(tenant, roots);
  EXPECT_EQ(bundle.tenant_id, kSampleTenant);
  EXPECT_EQ(bundle.version, 17u);
  EXPECT_THAT(bundle.roots,
              ElementsAre(ca::BundleRoot{"root-3", RootState::kRetiring, roots[2].certificate},
                          ca::BundleRoot{"root-4", RootState::kPrimary, roots[3].certificate},
                          ca::BundleRoot{"root-5", RootState::kStaged, roots[4].certificate}));
  EXPECT_THAT(bundle.removed,
              ElementsAre(ca::RemovedRoot{"root-1", ca::Sha256(roots[0].certificate)},
                          ca::RemovedRoot{"root-2", ca::Sha256(roots[1].certificate)}));
}

TEST(TrustBundleOfTest, ItChangedWhenTheLastOfAllThingsDid) {
  std::vector<RootRecord> roots = {SampleRoot(1), SampleRoot(2), SampleRoot(3)};
  for (RootRecord& root : roots) root.created_at = root.state_since = SampleTime(1);
  roots[1].created_at = roots[1].state_since = SampleTime(5);
  const auto changed_at = [&] { return TrustBundleOf(SampleTenant(), roots).changed_at; };
  const auto second = [](int number) { return std::chrono::floor<seconds>(SampleTime(number)); };
  EXPECT_NE(Timestamp(second(5)), SampleTime(5)) << "fractions are cut";
  EXPECT_EQ(changed_at(), second(5));
  roots[0].state_since = SampleTime(9);
  EXPECT_EQ(changed_at(), second(9));
  // Of one that is gone, too.
  roots[0].state = RootState::kRetired;
  EXPECT_EQ(changed_at(), second(9));
  // A clock that went back in between.
  roots[2].created_at = SampleTime(11);
  EXPECT_EQ(changed_at(), second(11));
}

// Counts how often keys are opened, and holds that up.
class WatchedKeys final : public hsm::ForwardingKeyStore {
 public:
  using ForwardingKeyStore::ForwardingKeyStore;

  absl::StatusOr<std::unique_ptr<hsm::SigningKey>> Open(absl::string_view uri) override {
    ++opened;
    if (Door* const held = door.load()) {
      EXPECT_TRUE(held->Pass());
    }
    if (away || uri == away_uri)
      return Error(ErrorReason::kKeyUnavailable, uri, "the token is away");
    return ForwardingKeyStore::Open(uri);
  }

  std::atomic<bool> away = false;
  std::string away_uri;  // set while nobody asks
  std::atomic<int> opened = 0;
  std::atomic<Door*> door = nullptr;
};

// Steps in when the tenant or the roots are read.
class DisturbedStore final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;

  absl::StatusOr<TenantRecord> GetTenant(absl::string_view tenant_id) override {
    const auto tenant = ForwardingStore::GetTenant(tenant_id);
    if (after_tenant) after_tenant();
    return tenant;
  }
  absl::StatusOr<std::vector<RootRecord>> ListRoots(absl::string_view tenant_id) override {
    ++readings;
    const auto roots = ForwardingStore::ListRoots(tenant_id);
    if (after_roots) after_roots();
    return error.ok() ? roots : error;
  }

  std::atomic<int> readings = 0;
  // Set while nobody asks.
  std::function<void()> after_tenant;
  std::function<void()> after_roots;
  absl::Status error;
};

class TrustBundlesTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(sqlite_, OpenSqliteStore(directory_.File("store.sqlite")));
    store_.emplace(sqlite_.get());
    hsm::KeyStoreOptions options;
    options.software_directory = directory_.File("keys");
    ASSERT_OK_AND_ASSIGN(software_, hsm::KeyStore::Create(options));
    keys_.emplace(software_.get());
    bundles_.emplace(&*store_, &*keys_, *log_.log());
    contoso_.emplace(sqlite_.get(), software_.get(), &clock_);
  }

  absl::StatusOr<SignedTrustBundle> Get(const std::string& tenant_id = "contoso") {
    const auto bundle = bundles_->Get(tenant_id);
    if (!bundle.ok()) return bundle.status();
    return **bundle;
  }

  // What openssl(1) says of the signature.
  bool OpensslVerifies(const std::string& document, const std::string& certificate,
                       const std::string& signature, const std::string& digest = "-sha256") {
    const std::string pem =
        directory_.Write("root.pem", ca::EncodePem(ca::kCertificateLabel, certificate));
    const CommandResult key = RunCommand({"openssl", "x509", "-in", pem, "-noout", "-pubkey"});
    EXPECT_EQ(key.exit_code, 0) << key.output;
    const CommandResult verified =
        RunCommand({"openssl", "dgst", digest, "-verify", directory_.Write("key.pem", key.output),
                    "-signature", directory_.Write("signature", signature),
                    directory_.Write("document", document)});
    return verified.exit_code == 0 && verified.output == "Verified OK\n";
  }

  std::string SignerBy(const SignedTrustBundle& bundle, const std::vector<std::string>& trusted) {
    const auto signer = ca::SignerOfTrustBundle(bundle.document, bundle.signatures, trusted);
    EXPECT_OK(signer);
    return signer.value_or("");
  }

  TemporaryDirectory directory_;
  ManualClock clock_;
  CapturedLog log_;
  std::unique_ptr<Store> sqlite_;
  std::optional<DisturbedStore> store_;
  std::unique_ptr<hsm::KeyStore> software_;
  std::optional<WatchedKeys> keys_;
  std::optional<TrustBundles> bundles_;
  std::optional<RotatedTenant> contoso_;
};

TEST_F(TrustBundlesTest, TheDocumentIsOfWhatTheStoreHas) {
  contoso_->StagePrimary();
  contoso_->StagePrimary();
  contoso_->Retire("r1");
  contoso_->Stage();
  contoso_->Discard("r3");
  const RootRecord staged = contoso_->Stage();
  ASSERT_OK_AND_ASSIGN(const SignedTrustBundle bundle, Get());
  EXPECT_EQ(bundle.tenant_id, "contoso");
  EXPECT_EQ(bundle.version, contoso_->Tenant().revision);
  EXPECT_THAT(bundle.roots, ElementsAre(contoso_->Root("r2").certificate, staged.certificate));
  ASSERT_OK_AND_ASSIGN(const ca::TrustBundle content, ca::ParseTrustBundle(bundle.document));
  EXPECT_EQ(content, TrustBundleOf(contoso_->Tenant(), contoso_->Roots()));
  EXPECT_EQ(content.roots.size(), 2u);
  EXPECT_EQ(content.removed.size(), 2u);
  const CommandResult digest =
      RunCommand({"openssl", "dgst", "-sha256", "-r", directory_.Write("d", bundle.document)});
  EXPECT_EQ(digest.output.substr(0, 64), absl::BytesToHexString(bundle.document_sha256));
}

TEST_F(TrustBundlesTest, ThePrimarySignsAndThenTheRetiringNewestFirst) {
  const std::string r1 = contoso_->StagePrimary().certificate;
  const std::string r2 = contoso_->StagePrimary().certificate;
  const std::string r3 = contoso_->StagePrimary(hsm::KeyType::kEcP384).certificate;
  const std::string staged = contoso_->Stage().certificate;
  ASSERT_OK_AND_ASSIGN(const SignedTrustBundle bundle, Get());
  ASSERT_EQ(bundle.signatures.size(), 3u);
  EXPECT_EQ(bundle.signatures[0].root_sha256, ca::Sha256(r3));
  EXPECT_EQ(bundle.signatures[1].root_sha256, ca::Sha256(r2));
  EXPECT_EQ(bundle.signatures[2].root_sha256, ca::Sha256(r1));
  // Whoever trusts any of them can check it.
  EXPECT_EQ(SignerBy(bundle, {r1, r2, r3}), r3);
  EXPECT_EQ(SignerBy(bundle, {r1}), r1);
  EXPECT_EQ(SignerBy(bundle, {staged, r2}), r2);
  EXPECT_THAT(ca::SignerOfTrustBundle(bundle.document, bundle.signatures, {staged}),
              FailsWith(ErrorReason::kBundleInvalid));
  const auto& signatures = bundle.signatures;
  EXPECT_TRUE(OpensslVerifies(bundle.document, r3, signatures[0].signature, "-sha384"));
  EXPECT_TRUE(OpensslVerifies(bundle.document, r2, signatures[1].signature));
  EXPECT_TRUE(OpensslVerifies(bundle.document, r1, signatures[2].signature));
  EXPECT_FALSE(OpensslVerifies(bundle.document + " ", r1, signatures[2].signature));
  EXPECT_FALSE(OpensslVerifies(bundle.document, r2, signatures[2].signature));
}

TEST_F(TrustBundlesTest, EachKeySignsOnceAVersion) {
  contoso_->StagePrimary();
  contoso_->StagePrimary();
  ASSERT_OK_AND_ASSIGN(const SignedTrustBundle first, Get());
  EXPECT_EQ(keys_->opened, 2);
  ASSERT_OK_AND_ASSIGN(const SignedTrustBundle again, Get());
  EXPECT_EQ(keys_->opened, 2);
  EXPECT_EQ(store_->readings, 1) << "only the revision is looked at";
  EXPECT_EQ(again.signatures, first.signatures);
  clock_.Advance(seconds(1));
  contoso_->Stage();
  ASSERT_OK_AND_ASSIGN(const SignedTrustBundle next, Get());
  EXPECT_EQ(next.version, first.version + 1);
  EXPECT_NE(next.document, first.document);
  EXPECT_EQ(keys_->opened, 4);
}

TEST_F(TrustBundlesTest, WhoAsksWhileItIsSignedWaitsForThat) {
  contoso_->StagePrimary();
  Door door;
  keys_->door = &door;
  std::vector<std::future<absl::StatusOr<SignedTrustBundle>>> callers;
  for (int i = 0; i < 4; ++i) {
    callers.push_back(std::async(std::launch::async, [this] { return Get(); }));
  }
  EXPECT_TRUE(door.HasMet(1));
  // Another tenant waits for none of it.
  RotatedTenant fabrikam(sqlite_.get(), software_.get(), &clock_, "fabrikam");
  EXPECT_OK(Get("fabrikam"));
  door.Open();
  ASSERT_OK_AND_ASSIGN(const SignedTrustBundle first, callers[0].get());
  for (int i = 1; i < 4; ++i) {
    ASSERT_OK_AND_ASSIGN(const SignedTrustBundle other, callers[i].get());
    EXPECT_EQ(other.signatures, first.signatures);
  }
  EXPECT_EQ(keys_->opened, 1);
}

// Who comes when the outcome is there has it made anew; so it is tried until one waits for it.
TEST_F(TrustBundlesTest, WhoWaitsForWhatFailsHasThatFailure) {
  contoso_->StagePrimary();
  store_->error = Error(ErrorReason::kJournalUnavailable, "", "the disk is gone");
  for (int attempt = 0; attempt < 2000 && store_->readings != 1; ++attempt) {
    Door looked, door;
    looked.Open();
    store_->readings = 0;
    store_->after_tenant = [&] { EXPECT_TRUE(looked.Pass()); };
    store_->after_roots = [&] { EXPECT_TRUE(door.Pass()); };
    auto first = std::async(std::launch::async, [this] { return Get(); });
    EXPECT_TRUE(door.HasMet(1));
    auto second = std::async(std::launch::async, [this] { return Get(); });
    EXPECT_TRUE(looked.HasMet(3)) << "the second has, and is about to wait";
    door.Open();
    EXPECT_THAT(first.get(), FailsWith(ErrorReason::kJournalUnavailable));
    EXPECT_THAT(second.get(), FailsWith(ErrorReason::kJournalUnavailable));
  }
  EXPECT_EQ(store_->readings, 1) << "it is not tried once more for each who waits";
  store_->after_tenant = nullptr;
  store_->after_roots = nullptr;
  store_->error = absl::OkStatus();
  EXPECT_OK(Get()) << "nor told to who comes later";
}

// Who has seen a change is not told of what was before it.
TEST_F(TrustBundlesTest, WhatWasBegunBeforeAChangeIsNotEnoughAfterIt) {
  contoso_->StagePrimary();
  Door looked, door;
  looked.Open();
  store_->after_tenant = [&] { EXPECT_TRUE(looked.Pass()); };
  keys_->door = &door;
  std::future<absl::StatusOr<SignedTrustBundle>> before =
      std::async(std::launch::async, [this] { return Get(); });
  EXPECT_TRUE(door.HasMet(1));
  contoso_->Stage();
  std::future<absl::StatusOr<SignedTrustBundle>> after =
      std::async(std::launch::async, [this] { return Get(); });
  EXPECT_TRUE(looked.HasMet(4)) << "the later one has, and is about to wait";
  door.Open();
  ASSERT_OK_AND_ASSIGN(const SignedTrustBundle old, before.get());
  ASSERT_OK_AND_ASSIGN(const SignedTrustBundle bundle, after.get());
  EXPECT_EQ(old.version, 2u);
  EXPECT_EQ(bundle.version, 3u);
}

TEST_F(TrustBundlesTest, EveryProcessMakesTheSameDocument) {
  contoso_->StagePrimary();
  clock_.Advance(std::chrono::hours(7));
  contoso_->StagePrimary();
  ASSERT_OK_AND_ASSIGN(const SignedTrustBundle bundle, Get());
  ASSERT_OK_AND_ASSIGN(const auto other_store, OpenSqliteStore(directory_.File("store.sqlite")));
  TrustBundles others(other_store.get(), &*keys_, EventLog::Silent());
  ASSERT_OK_AND_ASSIGN(const auto other, others.Get("contoso"));
  EXPECT_EQ(other->document, bundle.document);
  EXPECT_EQ(other->version, bundle.version);
  EXPECT_EQ(other->document_sha256, bundle.document_sha256);
}

TEST_F(TrustBundlesTest, WhatNobodyCanSignIsGivenUnsignedAndTriedAgain) {
  const std::string r1 = contoso_->StagePrimary().certificate;
  keys_->away = true;
  bundles_.emplace(&*store_, &*keys_, EventLog::Silent(), 1, seconds(0));
  ASSERT_OK_AND_ASSIGN(const SignedTrustBundle unsigned_bundle, Get());
  EXPECT_THAT(unsigned_bundle.roots, ElementsAre(r1));
  EXPECT_THAT(unsigned_bundle.signatures, IsEmpty());
  keys_->away = false;
  ASSERT_OK_AND_ASSIGN(const SignedTrustBundle bundle, Get());
  EXPECT_EQ(bundle.document, unsigned_bundle.document);
  EXPECT_EQ(SignerBy(bundle, {r1}), r1);
}

TEST_F(TrustBundlesTest, ATokenThatIsAwayIsNotAskedAtEachCall) {
  contoso_->StagePrimary();
  keys_->away = true;
  ASSERT_OK(Get());
  EXPECT_EQ(keys_->opened, 1);
  ASSERT_OK_AND_ASSIGN(const SignedTrustBundle bundle, Get());
  EXPECT_EQ(keys_->opened, 1);
  EXPECT_FALSE(bundle.is_complete);
  keys_->away = false;
  contoso_->Stage();
  ASSERT_OK_AND_ASSIGN(const SignedTrustBundle next, Get());
  EXPECT_TRUE(next.is_complete) << "of another version";
}

TEST_F(TrustBundlesTest, WhatMoreHaveSignedIsToldOf) {
  contoso_->StagePrimary();
  contoso_->StagePrimary();
  const std::atomic<bool> stopping = false;
  std::vector<std::string> told;
  const auto subscription = sqlite_->changes().Subscribe(
      [&](absl::string_view tenant_id) { told.emplace_back(tenant_id); });
  keys_->away_uri = contoso_->Root("r1").key_uri;
  bundles_.emplace(&*store_, &*keys_, *log_.log(), 1, seconds(0));
  ASSERT_OK_AND_ASSIGN(const SignedTrustBundle first, Get());
  EXPECT_EQ(first.signatures.size(), 1u);
  bundles_->TryAgain(stopping);
  EXPECT_EQ(keys_->opened, 4);
  EXPECT_THAT(told, IsEmpty()) << "nothing is gained";
  keys_->away_uri = "";
  bundles_->TryAgain(true);
  EXPECT_EQ(keys_->opened, 4) << "the end comes first";
  bundles_->TryAgain(stopping);
  EXPECT_THAT(told, ElementsAre("contoso"));
  ASSERT_OK_AND_ASSIGN(const SignedTrustBundle second, Get());
  EXPECT_EQ(second.version, first.version);
  EXPECT_EQ(second.signatures.size(), 2u);
  bundles_->TryAgain(stopping);
  EXPECT_EQ(keys_->opened, 6) << "it is complete";
  EXPECT_THAT(told, ElementsAre("contoso"));
  bundles_.reset();  // and with it its part of the log
  EXPECT_EQ(log_.Take().size(), 1u) << "what is missing is said once";
}

// Also where somebody's own call finds it, and no pass.
TEST_F(TrustBundlesTest, WhoeverHasItSignedByMoreTellsOthers) {
  contoso_->StagePrimary();
  keys_->away = true;
  bundles_.emplace(&*store_, &*keys_, EventLog::Silent(), 1, seconds(0));
  ASSERT_OK(Get());
  int told = 0;
  const auto subscription = sqlite_->changes().Subscribe([&](absl::string_view) { ++told; });
  keys_->away = false;
  ASSERT_OK(Get());
  EXPECT_EQ(told, 1);
}

TEST_F(TrustBundlesTest, WhatNobodyCouldSignIsNotTriedBeforeItsTime) {
  contoso_->StagePrimary();
  keys_->away = true;
  ASSERT_OK(Get());
  bundles_->TryAgain(false);
  EXPECT_EQ(keys_->opened, 1);
}

TEST_F(TrustBundlesTest, ARetiringRootThatCannotSignIsLeftOutAndLogged) {
  contoso_->StagePrimary();
  const std::string r2 = contoso_->StagePrimary().certificate;
  const std::string r3 = contoso_->StagePrimary().certificate;
  ASSERT_OK(software_->Destroy(contoso_->Root("r1").key_uri));
  ASSERT_OK_AND_ASSIGN(const SignedTrustBundle bundle, Get());
  EXPECT_EQ(bundle.roots.size(), 3u);
  ASSERT_EQ(bundle.signatures.size(), 2u);
  EXPECT_EQ(SignerBy(bundle, {r3}), r3);
  EXPECT_EQ(SignerBy(bundle, {r2}), r2);
  bundles_.reset();  // and with it its part of the log
  std::vector<LoggedLine> logged = log_.Take();
  ASSERT_EQ(logged.size(), 1u);
  EXPECT_NE(logged[0]["message"], "");
  logged[0].erase("message");
  EXPECT_EQ(logged[0], (LoggedLine{{"event", "bundle_signature_missing"},
                                   {"level", "warning"},
                                   {"tenant", "contoso"},
                                   {"root", "r1"},
                                   {"version", "6"},
                                   {"reason", "KEY_NOT_FOUND"}}));
}

// A key that is not the one in the certificate would make a signature that nobody can check.
TEST_F(TrustBundlesTest, AnotherKeyUnderTheNameSignsNothing) {
  contoso_->StagePrimary();
  const std::string uri = contoso_->Root("r1").key_uri;
  ASSERT_OK(Get());
  ASSERT_OK(software_->Destroy(uri));
  ASSERT_OK(software_->Generate(uri, hsm::KeyType::kEcP256));
  contoso_->Stage();
  ASSERT_OK_AND_ASSIGN(const SignedTrustBundle bundle, Get());
  EXPECT_THAT(bundle.signatures, IsEmpty());
  bundles_.reset();  // and with it its part of the log
  std::vector<LoggedLine> logged = log_.Take();
  ASSERT_EQ(logged.size(), 1u);
  EXPECT_EQ(logged[0]["reason"], "KEY_MISMATCH");
}

TEST_F(TrustBundlesTest, NobodySignsForATenantWithoutAPrimary) {
  ASSERT_OK_AND_ASSIGN(const SignedTrustBundle none, Get());
  EXPECT_EQ(none.version, 0u);
  EXPECT_EQ(none.tenant_id, "contoso");
  EXPECT_EQ(none.document, "");
  EXPECT_EQ(none.document_sha256, "");
  EXPECT_THAT(none.roots, IsEmpty());
  const std::string r1 = contoso_->Stage().certificate;
  ASSERT_OK_AND_ASSIGN(const SignedTrustBundle staged, Get());
  EXPECT_EQ(staged.version, 1u);
  EXPECT_THAT(staged.roots, ElementsAre(r1));
  EXPECT_NE(staged.document, "");
  EXPECT_THAT(staged.signatures, IsEmpty());
  EXPECT_EQ(keys_->opened, 0);
  contoso_->Promote("r1");
  ASSERT_OK_AND_ASSIGN(const SignedTrustBundle promoted, Get());
  EXPECT_EQ(promoted.signatures.size(), 1u);
}

TEST_F(TrustBundlesTest, WhatTheStoreRefusesIsSaid) {
  EXPECT_THAT(Get("unknown"), FailsWith(ErrorReason::kTenantUnknown, "tenant_id"));
  store_->error = Error(ErrorReason::kJournalUnavailable, "", "the disk is gone");
  EXPECT_THAT(Get(), FailsWith(ErrorReason::kJournalUnavailable));
  store_->error = absl::OkStatus();
  EXPECT_OK(Get());
}

// Roots of one revision under the number of another would be a document that no other process
// makes.
TEST_F(TrustBundlesTest, TheVersionIsThatOfTheRoots) {
  contoso_->StagePrimary();
  int changes = 3;
  store_->after_roots = [&] {
    if (changes-- > 0) contoso_->Stage();
  };
  ASSERT_OK_AND_ASSIGN(const SignedTrustBundle bundle, Get());
  EXPECT_EQ(store_->readings, 4);
  EXPECT_EQ(bundle.version, 5u);
  EXPECT_EQ(bundle.roots.size(), 4u);
  ASSERT_OK_AND_ASSIGN(const ca::TrustBundle content, ca::ParseTrustBundle(bundle.document));
  EXPECT_EQ(content, TrustBundleOf(contoso_->Tenant(), contoso_->Roots()));
}

TEST_F(TrustBundlesTest, RootsThatChangeFasterThanTheyAreReadAreAnError) {
  contoso_->StagePrimary();
  store_->after_roots = [&] { contoso_->Stage(); };
  EXPECT_THAT(Get(), FailsWith(ErrorReason::kJournalUnavailable, ""));
  EXPECT_EQ(store_->readings, 8);
  store_->after_roots = nullptr;
  EXPECT_OK(Get());
}

TEST_F(TrustBundlesTest, WhatWasAskedForLastIsKept) {
  RotatedTenant fabrikam(sqlite_.get(), software_.get(), &clock_, "fabrikam");
  RotatedTenant tailspin(sqlite_.get(), software_.get(), &clock_, "tailspin");
  for (RotatedTenant* tenant : {&*contoso_, &fabrikam, &tailspin}) tenant->StagePrimary();
  TrustBundles two(&*store_, &*keys_, EventLog::Silent(), 2);
  const auto opened_for = [&](const std::string& tenant_id) {
    const int before = keys_->opened;
    EXPECT_OK(two.Get(tenant_id));
    return keys_->opened - before;
  };
  EXPECT_EQ(opened_for("contoso"), 1);
  EXPECT_EQ(opened_for("fabrikam"), 1);
  EXPECT_EQ(opened_for("contoso"), 0);
  EXPECT_EQ(opened_for("tailspin"), 1) << "fabrikam makes room";
  EXPECT_EQ(opened_for("contoso"), 0);
  EXPECT_EQ(opened_for("tailspin"), 0);
  EXPECT_EQ(opened_for("fabrikam"), 1) << "contoso makes room";
  EXPECT_EQ(opened_for("tailspin"), 0);
  EXPECT_EQ(opened_for("contoso"), 1);
}

}  // namespace
}  // namespace hourglass::issuance
