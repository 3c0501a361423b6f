#include "issuance/services/trust_bundle_service.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hsm/store/key_store.h"
#include "issuance/rotation/testing/rotated_tenant.h"
#include "issuance/services/record_mapper.h"
#include "issuance/services/testing/service_test.h"
#include "issuance/store/testing/forwarding_store.h"
#include "tests/support/subprocess.h"

namespace hourglass::issuance {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Steps in before an acknowledgement or a fetch is noted.
class DisturbedStore final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;

  absl::StatusOr<RelyingPartyRecord> Acknowledge(const Acknowledgement& acknowledgement,
                                                 const ChangeCause& cause) override {
    ++acknowledged;
    if (before_acknowledging) std::exchange(before_acknowledging, nullptr)();
    return ForwardingStore::Acknowledge(acknowledgement, cause);
  }

  absl::Status NoteFetched(absl::string_view tenant_id, absl::string_view identity,
                           std::uint64_t version, Timestamp now) override {
    ++noted;
    if (noting_fails) return Error(ErrorReason::kJournalUnavailable, "", "the disk is full");
    return ForwardingStore::NoteFetched(tenant_id, identity, version, now);
  }

  int acknowledged = 0;
  int noted = 0;
  bool noting_fails = false;
  std::function<void()> before_acknowledging;  // called once
};

class TrustBundleServiceTest : public ServiceTest {
 protected:
  void SetUp() override {
    ServiceTest::SetUp();
    hsm::KeyStoreOptions options;
    options.software_directory = directory_.File("keys");
    ASSERT_OK_AND_ASSIGN(keys_, hsm::KeyStore::Create(options));
    disturbed_.emplace(store_.get());
    bundles_.emplace(store_.get(), keys_.get(), EventLog::Silent());
    service_.emplace(nullptr, &*bundles_, &*disturbed_, &*disturbed_, &clock_, log_.log());
    contoso_.emplace(store_.get(), keys_.get(), &clock_);
    gateway_.name = "gateway";
    gateway_.roles = {Role::kRelyingParty};
    gateway_.tenants = {"contoso"};
  }

  absl::StatusOr<v1::TrustBundle> Get(const std::string& tenant_id = "contoso") {
    v1::GetTrustBundleRequest request;
    request.set_tenant_id(tenant_id);
    v1::TrustBundle bundle;
    const absl::Status status = service_->GetTrustBundle(gateway_, request, &bundle);
    if (!status.ok()) return status;
    return bundle;
  }

  // A relying party of contoso that speaks for itself, or a manual one where `identity` is empty.
  void Register(const std::string& name, const std::string& identity) {
    RelyingPartyRecord party;
    party.tenant_id = "contoso";
    party.name = name;
    party.identity = identity;
    party.kind = "freeradius";
    party.is_manual = identity.empty();
    ASSERT_OK(store_->AddRelyingParty(party, {clock_.Now(), "cli", ""}));
  }
  RelyingPartyRecord Party(const std::string& name) {
    const auto parties = store_->ListRelyingParties("contoso");
    EXPECT_OK(parties);
    for (const RelyingPartyRecord& party : *parties) {
      if (party.name == name) return party;
    }
    ADD_FAILURE() << "no " << name;
    return RelyingPartyRecord();
  }

  // A sound request, of the bundle as it is now.
  v1::AcknowledgeTrustBundleRequest Sound() {
    const auto bundle = Get();
    EXPECT_OK(bundle);
    v1::AcknowledgeTrustBundleRequest request;
    request.set_tenant_id("contoso");
    request.set_version(bundle->version());
    // As a follower computes it.
    request.set_document_sha256(
        RunCommand({"openssl", "dgst", "-sha256", "-binary"}, bundle->document()).output);
    return request;
  }
  absl::StatusOr<v1::RelyingParty> Acknowledge(const v1::AcknowledgeTrustBundleRequest& request) {
    v1::RelyingParty party;
    const absl::Status status = service_->AcknowledgeTrustBundle(gateway_, request, &party);
    if (!status.ok()) return status;
    return party;
  }

  std::unique_ptr<hsm::KeyStore> keys_;
  std::optional<DisturbedStore> disturbed_;
  std::optional<TrustBundles> bundles_;
  std::optional<TrustBundleService> service_;
  std::optional<RotatedTenant> contoso_;
  Caller gateway_;
};

TEST_F(TrustBundleServiceTest, TheBundleHasWhatRelyingPartiesMustTrust) {
  contoso_->StagePrimary();
  contoso_->StagePrimary();
  contoso_->Retire("r1");
  contoso_->Stage();
  contoso_->Discard("r3");
  contoso_->StagePrimary();
  contoso_->Stage();
  ASSERT_OK_AND_ASSIGN(const v1::TrustBundle bundle, Get());
  EXPECT_EQ(bundle.tenant_id(), "contoso");
  EXPECT_THAT(bundle.roots(),
              ElementsAre(contoso_->Root("r2").certificate, contoso_->Root("r4").certificate,
                          contoso_->Root("r5").certificate));
  EXPECT_EQ(bundle.version(), contoso_->Tenant().revision);
  EXPECT_NE(bundle.version(), contoso_->Tenant().epoch);
}

TEST_F(TrustBundleServiceTest, ItsDocumentCanBeCheckedByWhoTrustsOneOfItsSigners) {
  const std::string retiring = contoso_->StagePrimary().certificate;
  const std::string primary = contoso_->StagePrimary().certificate;
  ASSERT_OK_AND_ASSIGN(const v1::TrustBundle bundle, Get());
  std::vector<ca::BundleSignature> signatures;
  for (const v1::BundleSignature& signature : bundle.signatures()) {
    signatures.push_back({signature.root_sha256(), signature.signature()});
  }
  ASSERT_EQ(signatures.size(), 2u);
  for (const std::string& trusted : {retiring, primary}) {
    ASSERT_OK_AND_ASSIGN(const std::string signer,
                         ca::SignerOfTrustBundle(bundle.document(), signatures, {trusted}));
    EXPECT_EQ(signer, trusted);
  }
  ASSERT_OK_AND_ASSIGN(const ca::TrustBundle content, ca::ParseTrustBundle(bundle.document()));
  EXPECT_EQ(content.version, bundle.version());
}

// Administrators export roots while a token is away; who follows refuses what nobody has signed.
TEST_F(TrustBundleServiceTest, ABundleThatThePrimaryCannotSignHasNoSignature) {
  contoso_->StagePrimary();
  ASSERT_OK(keys_->Destroy(contoso_->Root("r1").key_uri));
  ASSERT_OK_AND_ASSIGN(const v1::TrustBundle bundle, Get());
  EXPECT_EQ(bundle.roots_size(), 1);
  EXPECT_EQ(bundle.signatures_size(), 0);
}

TEST_F(TrustBundleServiceTest, ATenantWithoutRootsHasAnEmptyBundleAndAnotherHasNone) {
  ASSERT_OK_AND_ASSIGN(const v1::TrustBundle bundle, Get());
  EXPECT_THAT(bundle, IsMessage(MessageOf<v1::TrustBundle>("tenant_id: 'contoso'")));
  EXPECT_THAT(Get("unknown"), FailsWith(ErrorReason::kTenantUnknown, "tenant_id"));
}

TEST_F(TrustBundleServiceTest, AFetchIsNotedOnceAVersion) {
  contoso_->StagePrimary();
  Register("vpn-1", "gateway");
  Register("vpn-2", "other-gateway");
  const Timestamp first = clock_.Now();
  ASSERT_OK(Get());
  EXPECT_EQ(Party("vpn-1").fetched_version, 2u);
  EXPECT_EQ(Party("vpn-1").fetched_at, first);
  EXPECT_EQ(Party("vpn-2").fetched_version, 0u);
  clock_.now += std::chrono::minutes(10);
  ASSERT_OK(Get());
  EXPECT_EQ(disturbed_->noted, 1) << "the same version again costs no write";
  EXPECT_EQ(Party("vpn-1").fetched_at, first);
  contoso_->Stage();
  ASSERT_OK(Get());
  EXPECT_EQ(disturbed_->noted, 2);
  EXPECT_EQ(Party("vpn-1").fetched_version, 3u);
  EXPECT_EQ(Party("vpn-1").fetched_at, clock_.Now());
  // Anew under the same identity, it has fetched nothing until it does.
  ASSERT_OK(store_->RemoveRelyingParty("contoso", "vpn-1", {clock_.Now(), "cli", "is replaced"}));
  Register("vpn-3", "gateway");
  EXPECT_EQ(Party("vpn-3").fetched_version, 0u);
  ASSERT_OK(Get());
  EXPECT_EQ(Party("vpn-3").fetched_version, 3u);
}

TEST_F(TrustBundleServiceTest, OnlyFetchesOfRelyingPartiesAreNoted) {
  ASSERT_OK(Get());  // of version 0
  contoso_->StagePrimary();
  ASSERT_OK(Get());  // by one that is not on record
  Register("gateway", "other-gateway");
  Register("nps", "");
  ASSERT_OK(Get());
  gateway_.name = "other-gateway";
  gateway_.roles = {Role::kAdministrator};
  ASSERT_OK(Get());
  EXPECT_EQ(disturbed_->noted, 0);
  gateway_.roles = {Role::kAdministrator, Role::kRelyingParty};
  ASSERT_OK(Get());
  EXPECT_EQ(disturbed_->noted, 1);
  EXPECT_EQ(Party("gateway").fetched_version, 2u);
  EXPECT_EQ(Party("nps").fetched_version, 0u);
}

TEST_F(TrustBundleServiceTest, AFetchThatCannotBeNotedIsOneAllTheSame) {
  contoso_->StagePrimary();
  Register("vpn-1", "gateway");
  disturbed_->noting_fails = true;
  ASSERT_OK_AND_ASSIGN(const v1::TrustBundle bundle, Get());
  EXPECT_EQ(bundle.version(), 2u);
  EXPECT_EQ(Party("vpn-1").fetched_version, 0u);
  std::vector<LoggedLine> logged = Logged();
  ASSERT_EQ(logged.size(), 1u);
  EXPECT_EQ(logged[0]["event"], "bundle_fetch_not_noted");
  EXPECT_EQ(logged[0]["caller"], "gateway");
  EXPECT_EQ(logged[0]["reason"], "JOURNAL_UNAVAILABLE");
  disturbed_->noting_fails = false;
  ASSERT_OK(Get());
  EXPECT_EQ(Party("vpn-1").fetched_version, 2u) << "the next fetch notes it";
  EXPECT_THAT(Logged(), IsEmpty());
}

TEST_F(TrustBundleServiceTest, AnAcknowledgementIsNotedAndLogged) {
  contoso_->StagePrimary();
  Register("vpn-1", "gateway");
  Register("vpn-2", "other-gateway");
  const v1::AcknowledgeTrustBundleRequest request = Sound();
  ASSERT_OK_AND_ASSIGN(const v1::RelyingParty answer, Acknowledge(request));
  const RelyingPartyRecord noted = Party("vpn-1");
  EXPECT_EQ(noted.acknowledged_version, request.version());
  EXPECT_EQ(noted.acknowledged_sha256, request.document_sha256());
  EXPECT_EQ(noted.acknowledged_at, clock_.Now());
  EXPECT_EQ(noted.acknowledged_by, "gateway");
  EXPECT_THAT(answer, IsMessage(ToProto(noted)));
  EXPECT_EQ(Party("vpn-2").acknowledged_version, 0u);
  EXPECT_THAT(Logged(), ElementsAre(LoggedLine{{"event", "bundle_acknowledged"},
                                               {"level", "info"},
                                               {"tenant", "contoso"},
                                               {"relying_party", "vpn-1"},
                                               {"version", "2"},
                                               {"caller", "gateway"}}));
}

TEST_F(TrustBundleServiceTest, TheSameAgainChangesNothingAndTheNextDoes) {
  contoso_->StagePrimary();
  Register("vpn-1", "gateway");
  const v1::AcknowledgeTrustBundleRequest first = Sound();
  ASSERT_OK(Acknowledge(first));
  static_cast<void>(Logged());
  const RelyingPartyRecord before = Party("vpn-1");
  clock_.now += std::chrono::seconds(60);
  ASSERT_OK_AND_ASSIGN(const v1::RelyingParty again, Acknowledge(first));
  EXPECT_EQ(Party("vpn-1"), before);
  EXPECT_THAT(again, IsMessage(ToProto(before)));
  EXPECT_THAT(Logged(), IsEmpty());
  contoso_->Stage();
  ASSERT_OK(Acknowledge(Sound()));
  EXPECT_EQ(Party("vpn-1").acknowledged_version, 3u);
  EXPECT_EQ(Logged().size(), 1u);
}

TEST_F(TrustBundleServiceTest, NobodyAcknowledgesForAnother) {
  contoso_->StagePrimary();
  const v1::AcknowledgeTrustBundleRequest request = Sound();
  EXPECT_THAT(Acknowledge(request), FailsWith(ErrorReason::kRelyingPartyUnknown));
  Register("gateway", "other-gateway");
  EXPECT_THAT(Acknowledge(request), FailsWith(ErrorReason::kRelyingPartyUnknown))
      << "its name is not its identity";
  // An administrator attests for this one, whoever else may be called nothing.
  Register("nps", "");
  gateway_.name = "";
  EXPECT_THAT(Acknowledge(request), FailsWith(ErrorReason::kRelyingPartyUnknown));
  EXPECT_EQ(Party("gateway").acknowledged_version, 0u);
  EXPECT_EQ(Party("nps").acknowledged_version, 0u);
  EXPECT_EQ(disturbed_->acknowledged, 0);
  EXPECT_THAT(Logged(), IsEmpty());
  gateway_.name = "other-gateway";
  EXPECT_OK(Acknowledge(request));
}

TEST_F(TrustBundleServiceTest, WhatIsNoAcknowledgementIsRefused) {
  contoso_->StagePrimary();
  Register("vpn-1", "gateway");
  v1::AcknowledgeTrustBundleRequest request = Sound();
  request.clear_version();
  EXPECT_THAT(Acknowledge(request), FailsWith(ErrorReason::kFieldMissing, "version"));
  request = Sound();
  request.clear_document_sha256();
  EXPECT_THAT(Acknowledge(request), FailsWith(ErrorReason::kFieldMissing, "document_sha256"));
  for (const std::size_t size : {1u, 31u, 33u, 64u}) {
    request.set_document_sha256(std::string(size, 'x'));
    EXPECT_THAT(Acknowledge(request), FailsWith(ErrorReason::kFieldInvalid, "document_sha256"));
  }
  request = Sound();
  request.set_tenant_id("unknown");
  EXPECT_THAT(Acknowledge(request), FailsWith(ErrorReason::kTenantUnknown, "tenant_id"));
  EXPECT_EQ(disturbed_->acknowledged, 0);
  EXPECT_OK(Acknowledge(Sound()));
}

TEST_F(TrustBundleServiceTest, OnlyTheDocumentOfTheNewestVersionCanBeAcknowledged) {
  contoso_->StagePrimary();
  Register("vpn-1", "gateway");
  const v1::AcknowledgeTrustBundleRequest old = Sound();
  contoso_->Stage();
  EXPECT_THAT(Acknowledge(old), FailsWith(ErrorReason::kBundleOutdated, "version"));
  v1::AcknowledgeTrustBundleRequest request = Sound();
  request.set_document_sha256(old.document_sha256());
  EXPECT_THAT(Acknowledge(request), FailsWith(ErrorReason::kBundleMismatch, "document_sha256"));
  request = Sound();
  request.set_version(request.version() + 1);
  EXPECT_THAT(Acknowledge(request), FailsWith(ErrorReason::kBundleUnknown, "version"));
  EXPECT_EQ(disturbed_->acknowledged, 0) << "the store knows no documents";
  EXPECT_EQ(Party("vpn-1").acknowledged_version, 0u);
  EXPECT_THAT(Logged(), IsEmpty());
  EXPECT_OK(Acknowledge(Sound()));
  EXPECT_EQ(Party("vpn-1").acknowledged_version, 3u);
}

TEST_F(TrustBundleServiceTest, NobodyAcknowledgesForWhoTookTheNameMeanwhile) {
  contoso_->StagePrimary();
  for (const char* identity : {"other-gateway", ""}) {
    Register("vpn-1", "gateway");
    disturbed_->before_acknowledging = [&] {
      ASSERT_OK(store_->RemoveRelyingParty("contoso", "vpn-1", {clock_.Now(), "cli", "is gone"}));
      Register("vpn-1", identity);
    };
    EXPECT_THAT(Acknowledge(Sound()), FailsWith(ErrorReason::kRelyingPartyUnknown)) << identity;
    EXPECT_EQ(Party("vpn-1").acknowledged_version, 0u);
    ASSERT_OK(store_->RemoveRelyingParty("contoso", "vpn-1", {clock_.Now(), "cli", "is gone"}));
  }
  Register("vpn-1", "gateway");
  EXPECT_OK(Acknowledge(Sound()));
}

TEST_F(TrustBundleServiceTest, AChangeThatComesFirstOutdatesIt) {
  contoso_->StagePrimary();
  Register("vpn-1", "gateway");
  disturbed_->before_acknowledging = [this] { contoso_->Stage(); };
  EXPECT_THAT(Acknowledge(Sound()), FailsWith(ErrorReason::kBundleOutdated, "version"));
  EXPECT_EQ(Party("vpn-1").acknowledged_version, 0u);
  EXPECT_THAT(Logged(), IsEmpty());
  EXPECT_OK(Acknowledge(Sound()));
}

}  // namespace
}  // namespace hourglass::issuance
