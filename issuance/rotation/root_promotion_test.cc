// What holds a promotion up, what lets it pass, and the way back; what the journal says of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "hsm/base/error.h"
#include "hsm/store/testing/forwarding_key_store.h"
#include "issuance/rotation/root_administration.h"
#include "issuance/store/sqlite/sqlite_store.h"
#include "issuance/store/testing/overtaken_store.h"
#include "issuance/timekeeping/testing/doubted_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

using Kind = PromotionObstacle::Kind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

constexpr std::chrono::hours kYear(24 * 365);

// Says of each key that it cannot be opened, while there is an error.
class FailingKeys final : public hsm::ForwardingKeyStore {
 public:
  using ForwardingKeyStore::ForwardingKeyStore;

  absl::StatusOr<std::unique_ptr<hsm::SigningKey>> Open(absl::string_view uri) override {
    if (!error.ok()) return error;
    return ForwardingKeyStore::Open(uri);
  }

  absl::Status error;
};

// Of each obstacle its kind and relying party.
std::vector<std::pair<Kind, std::string>> Short(const std::vector<PromotionObstacle>& obstacles) {
  std::vector<std::pair<Kind, std::string>> said;
  for (const PromotionObstacle& one : obstacles) {
    EXPECT_NE(one.message, "");
    said.emplace_back(one.kind, one.relying_party);
  }
  return said;
}

class RootPromotionTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(sqlite_, OpenSqliteStore(directory_.File("store.sqlite")));
    store_.emplace(sqlite_.get());
    hsm::KeyStoreOptions options;
    options.software_directory = directory_.File("keys");
    ASSERT_OK_AND_ASSIGN(software_, hsm::KeyStore::Create(options));
    keys_.emplace(software_.get());
    Configure({});
    for (const char* tenant_id : {"contoso", "fabrikam"}) {
      TenantRecord tenant;
      tenant.tenant_id = tenant_id;
      tenant.display_name = tenant_id;
      tenant.created_at = clock_.Now();
      ASSERT_OK(store_->CreateTenant(tenant));
    }
  }

  void Configure(const IssuingConfig& contoso) {
    roots_.reset();
    tenants_.emplace(&*store_, &*keys_, IssuingConfig(),
                     std::map<std::string, IssuingConfig>{{"contoso", contoso}});
    roots_.emplace(&*store_, &*keys_, &*tenants_, &entropy_, &clock_);
  }

  RootRecord Create(std::chrono::seconds duration = kYear, const char* tenant_id = "contoso") {
    RootOrder order;
    order.tenant_id = tenant_id;
    order.duration = duration;
    order.key_type = hsm::KeyType::kEcP256;
    order.caller = "maker";
    auto root = roots_->Create(order);
    EXPECT_OK(root);
    return root.ok() ? *std::move(root) : RootRecord();
  }

  // With nothing said beside.
  absl::StatusOr<RootRecord> Promote(const std::string& root_id) {
    return roots_->Promote({.tenant_id = "contoso", .root_id = root_id, .caller = "promoter"});
  }
  absl::StatusOr<RootRecord> PromoteKnowingly(const std::string& root_id) {
    return roots_->Promote(
        {.tenant_id = "contoso", .root_id = root_id, .without_relying_parties = true});
  }
  absl::StatusOr<RootRecord> PromoteAnyway(const std::string& root_id) {
    return roots_->Promote({.tenant_id = "contoso",
                            .root_id = root_id,
                            .caller = "promoter",
                            .override_reason = "the old key leaked"});
  }
  absl::StatusOr<RootRecord> RollBack(const std::string& root_id) {
    return roots_->RollBack("contoso", root_id, "returner", "gateway 7 refuses it");
  }

  // A PRIMARY r1 and a STAGED r2.
  void MakeTwo() {
    Create();
    ASSERT_OK(Promote("r1"));
    Create();
  }

  void Register(const std::string& name) {
    RelyingPartyRecord party;
    party.tenant_id = "contoso";
    party.name = name;
    party.identity = name;
    ASSERT_OK(store_->AddRelyingParty(party, {clock_.Now(), "maker", ""}));
  }
  void Acknowledge(const std::string& name) {
    ASSERT_OK_AND_ASSIGN(const TenantRecord tenant, store_->GetTenant("contoso"));
    ASSERT_OK(store_->Acknowledge({"contoso", name, name, tenant.revision, std::string(32, '\x5a')},
                                  {clock_.Now(), name, ""}));
  }

  ca::RootState StateOf(const std::string& root_id) {
    const auto root = store_->GetRoot("contoso", root_id);
    EXPECT_OK(root);
    return root.ok() ? root->state : ca::RootState::kDiscarded;
  }

  // What is said to be in the way of a promotion that was refused; nothing of any other answer.
  static std::vector<std::pair<Kind, std::string>> Blocking(
      const absl::StatusOr<RootRecord>& answer) {
    EXPECT_THAT(answer, FailsWith(ErrorReason::kPromotionBlocked, "root_id"));
    return Short(ObstaclesOf(answer.status()));
  }
  std::vector<std::pair<Kind, std::string>> Obstacles(const std::string& root_id) {
    const auto obstacles = roots_->Obstacles("contoso", root_id);
    EXPECT_OK(obstacles);
    return obstacles.ok() ? Short(*obstacles) : std::vector<std::pair<Kind, std::string>>();
  }

  // The newest that was done to the root.
  AdministrativeAction LastOf(const std::string& root_id) {
    const auto page = store_->ListAdministrativeActions("contoso", 100, "");
    EXPECT_OK(page);
    for (const AdministrativeAction& action : page->records) {
      if (action.subject == root_id) return action;
    }
    ADD_FAILURE() << "nothing was recorded of " << root_id;
    return {};
  }

  TemporaryDirectory directory_;
  DoubtedClock clock_{std::chrono::sys_days(std::chrono::year(2026) / 5 / 4)};
  SystemEntropy entropy_;
  std::unique_ptr<Store> sqlite_;
  std::optional<OvertakenStore> store_;
  std::unique_ptr<hsm::KeyStore> software_;
  std::optional<FailingKeys> keys_;
  std::optional<Tenants> tenants_;
  std::optional<RootAdministration> roots_;
};

TEST_F(RootPromotionTest, TheFirstPrimaryCutsNobodyOff) {
  const RootRecord root = Create();
  EXPECT_EQ(root.created_by, "maker");
  EXPECT_THAT(Obstacles("r1"), IsEmpty());
  ASSERT_OK_AND_ASSIGN(const RootRecord promoted, Promote("r1"));
  EXPECT_EQ(promoted.state, ca::RootState::kPrimary);
  const AdministrativeAction action = LastOf("r1");
  EXPECT_EQ(action.action, "root_promoted");
  EXPECT_EQ(action.caller, "promoter");
  EXPECT_EQ(action.from_state, "STAGED");
  EXPECT_EQ(action.to_state, "PRIMARY");
  EXPECT_EQ(action.reason, "");
  EXPECT_FALSE(action.overrides);
}

// They cannot check a trust bundle that no primary has signed.
TEST_F(RootPromotionTest, TheFirstPrimaryWaitsForNoRelyingParty) {
  Create();
  Register("vpn-1");
  EXPECT_THAT(Obstacles("r1"), IsEmpty());
  EXPECT_OK(Promote("r1"));
  EXPECT_FALSE(LastOf("r1").overrides);
  Create();
  EXPECT_THAT(Blocking(Promote("r2")), ElementsAre(Pair(Kind::kNotAcknowledged, "vpn-1")));
}

TEST_F(RootPromotionTest, WithoutRelyingPartiesThePrimaryIsLeftOnlyKnowingly) {
  MakeTwo();
  EXPECT_THAT(Obstacles("r2"), ElementsAre(Pair(Kind::kNoRelyingParty, "")));
  EXPECT_THAT(Blocking(Promote("r2")), ElementsAre(Pair(Kind::kNoRelyingParty, "")));
  EXPECT_EQ(StateOf("r1"), ca::RootState::kPrimary);
  EXPECT_EQ(StateOf("r2"), ca::RootState::kStaged);
  ASSERT_OK(PromoteKnowingly("r2"));
  EXPECT_EQ(StateOf("r1"), ca::RootState::kRetiring);
  EXPECT_EQ(StateOf("r2"), ca::RootState::kPrimary);
  EXPECT_TRUE(LastOf("r2").overrides);
  EXPECT_EQ(LastOf("r1").action, "root_demoted");
  Create();
  EXPECT_OK(PromoteAnyway("r3"));
}

TEST_F(RootPromotionTest, WaitsForEveryRelyingParty) {
  MakeTwo();
  Register("vpn-1");
  Register("vpn-2");
  EXPECT_THAT(Blocking(Promote("r2")), ElementsAre(Pair(Kind::kNotAcknowledged, "vpn-1"),
                                                   Pair(Kind::kNotAcknowledged, "vpn-2")));
  Acknowledge("vpn-1");
  EXPECT_THAT(Blocking(Promote("r2")), ElementsAre(Pair(Kind::kNotAcknowledged, "vpn-2")));
  EXPECT_THAT(Blocking(PromoteKnowingly("r2")), ElementsAre(Pair(Kind::kNotAcknowledged, "vpn-2")))
      << "there are relying parties";
  EXPECT_THAT(Obstacles("r2"), ElementsAre(Pair(Kind::kNotAcknowledged, "vpn-2")));
  EXPECT_EQ(StateOf("r1"), ca::RootState::kPrimary);
  Acknowledge("vpn-2");
  EXPECT_THAT(Obstacles("r2"), IsEmpty());
  ASSERT_OK(Promote("r2"));
  EXPECT_FALSE(LastOf("r2").overrides);
}

TEST_F(RootPromotionTest, AnAcknowledgementOfBeforeTheRootIsNone) {
  Create();
  Register("vpn-1");
  Acknowledge("vpn-1");
  ASSERT_OK(Promote("r1"));
  Create();
  EXPECT_THAT(Blocking(Promote("r2")), ElementsAre(Pair(Kind::kNotAcknowledged, "vpn-1")));
}

TEST_F(RootPromotionTest, AnOverrideIsRecordedWithItsReason) {
  MakeTwo();
  Register("vpn-1");
  ASSERT_OK(PromoteAnyway("r2"));
  const AdministrativeAction action = LastOf("r2");
  EXPECT_EQ(action.action, "root_promoted");
  EXPECT_EQ(action.caller, "promoter");
  EXPECT_EQ(action.reason, "the old key leaked");
  EXPECT_TRUE(action.overrides);
}

TEST_F(RootPromotionTest, AReasonThatWasNotNeededOverridesNothing) {
  MakeTwo();
  Register("vpn-1");
  Acknowledge("vpn-1");
  ASSERT_OK(PromoteAnyway("r2"));
  EXPECT_EQ(LastOf("r2").reason, "the old key leaked");
  EXPECT_FALSE(LastOf("r2").overrides);
}

TEST_F(RootPromotionTest, ATenantMayWaiveAcknowledgements) {
  IssuingConfig config;
  config.rotation.waive_acknowledgements = true;
  Configure(config);
  MakeTwo();
  EXPECT_THAT(Obstacles("r2"), IsEmpty());
  EXPECT_OK(Promote("r2"));
  Create();
  Register("vpn-1");
  EXPECT_OK(Promote("r3"));
  Configure({});
  Create();
  EXPECT_THAT(Blocking(Promote("r4")), ElementsAre(Pair(Kind::kNotAcknowledged, "vpn-1")));
}

TEST_F(RootPromotionTest, NothingLetsAKeyPassThatCannotSign) {
  MakeTwo();
  ASSERT_OK_AND_ASSIGN(const RootRecord root, store_->GetRoot("contoso", "r2"));
  ASSERT_OK(keys_->Destroy(root.key_uri));
  EXPECT_THAT(Blocking(PromoteAnyway("r2")), ElementsAre(Pair(Kind::kKeyCannotSign, "")));
  IssuingConfig config;
  config.rotation.waive_acknowledgements = true;
  Configure(config);
  EXPECT_THAT(Blocking(PromoteAnyway("r2")), ElementsAre(Pair(Kind::kKeyCannotSign, "")));
  // Another key under its name signs, but not what verifies.
  ASSERT_OK(keys_->Generate(root.key_uri, hsm::KeyType::kEcP256));
  const auto answer = PromoteAnyway("r2");
  EXPECT_THAT(Blocking(answer), ElementsAre(Pair(Kind::kKeyCannotSign, "")));
  EXPECT_THAT(ObstaclesOf(answer.status())[0].message, HasSubstr("KEY_MISMATCH"));
  EXPECT_EQ(StateOf("r1"), ca::RootState::kPrimary);
}

TEST_F(RootPromotionTest, NothingLetsARootPassThatEndsBeforeItsLeaves) {
  Create();
  ASSERT_OK(Promote("r1"));
  Create(std::chrono::hours(24));
  clock_.now += std::chrono::hours(22);
  EXPECT_THAT(Obstacles("r2"), ElementsAre(Pair(Kind::kNoRelyingParty, "")));
  clock_.now += std::chrono::minutes(90);
  EXPECT_THAT(Blocking(PromoteAnyway("r2")), ElementsAre(Pair(Kind::kEndsTooSoon, "")));
  clock_.now += std::chrono::hours(1);
  EXPECT_THAT(PromoteAnyway("r2"), FailsWith(ErrorReason::kRootMoveIllegal, "root_id"))
      << "it has expired";
  EXPECT_THAT(Obstacles("r2"),
              ElementsAre(Pair(Kind::kNoRelyingParty, ""), Pair(Kind::kEndsTooSoon, "")));
}

TEST_F(RootPromotionTest, AClockThatIsNotBelievedHoldsUpNothing) {
  MakeTwo();
  clock_.now += 2 * kYear;
  EXPECT_THAT(PromoteKnowingly("r2"), FailsWith(ErrorReason::kRootMoveIllegal, "root_id"));
  clock_.believed = false;
  ASSERT_OK(PromoteKnowingly("r2"));
  EXPECT_OK(RollBack("r1"));
}

// By a clock that leapt, its last certificate would have expired long ago.
TEST_F(RootPromotionTest, AClockThatIsNotBelievedRetiresNothing) {
  MakeTwo();
  ASSERT_OK(PromoteKnowingly("r2"));
  Create();
  ASSERT_OK_AND_ASSIGN(const TenantRecord before, store_->GetTenant("contoso"));
  clock_.believed = false;
  for (const KeyFate fate : {KeyFate::kKeep, KeyFate::kDestroy}) {
    EXPECT_THAT(roots_->Retire("contoso", "r1", fate, "ender"),
                FailsWith(ErrorReason::kClockUntrusted));
  }
  ASSERT_OK_AND_ASSIGN(const RootRecord kept, store_->GetRoot("contoso", "r1"));
  EXPECT_EQ(kept.state, ca::RootState::kRetiring);
  EXPECT_OK(keys_->Open(kept.key_uri));
  EXPECT_EQ(LastOf("r1").action, "root_demoted");
  ASSERT_OK_AND_ASSIGN(const TenantRecord after, store_->GetTenant("contoso"));
  EXPECT_EQ(after, before);
  // A root that was never primary has no certificates to wait for.
  ASSERT_OK_AND_ASSIGN(const RootRecord discarded,
                       roots_->Discard("contoso", "r3", KeyFate::kDestroy, "ender"));
  EXPECT_EQ(discarded.state, ca::RootState::kDiscarded);
  clock_.believed = true;
  ASSERT_OK_AND_ASSIGN(const RootRecord retired,
                       roots_->Retire("contoso", "r1", KeyFate::kKeep, "ender"));
  EXPECT_EQ(retired.state, ca::RootState::kRetired);
}

TEST_F(RootPromotionTest, AllThatIsInTheWayIsListed) {
  Create();
  ASSERT_OK(Promote("r1"));
  const RootRecord root = Create(std::chrono::hours(24));
  Register("vpn-1");
  ASSERT_OK(keys_->Destroy(root.key_uri));
  clock_.now += std::chrono::minutes(23 * 60 + 30);
  const auto all = ElementsAre(Pair(Kind::kNotAcknowledged, "vpn-1"), Pair(Kind::kEndsTooSoon, ""),
                               Pair(Kind::kKeyCannotSign, ""));
  EXPECT_THAT(Obstacles("r2"), all);
  EXPECT_THAT(Blocking(Promote("r2")), all);
}

// The administrator's own configuration is in the way, and not the root's key: it has a reason of
// its own.
TEST_F(RootPromotionTest, ARootThatAllowsNoSubKeyIsToldSo) {
  MakeTwo();
  IssuingConfig config;
  config.sub_key.enabled = true;
  Configure(config);
  EXPECT_THAT(PromoteKnowingly("r2"), FailsWith(ErrorReason::kSubKeyNotAllowed));
  EXPECT_THAT(Obstacles("r2"),
              ElementsAre(Pair(Kind::kNoRelyingParty, ""), Pair(Kind::kKeyCannotSign, "")));
}

// What says nothing of the root's key is no obstacle, and is not hidden by those that there are.
TEST_F(RootPromotionTest, AFaultOfTheServiceIsToldAsItIs) {
  MakeTwo();
  for (const absl::Status& fault :
       {Error(ErrorReason::kInternalError, "", "no memory"), absl::UnknownError("nobody knows")}) {
    keys_->error = fault;
    EXPECT_EQ(Promote("r2").status(), fault);
    EXPECT_EQ(PromoteKnowingly("r2").status(), fault);
    EXPECT_EQ(roots_->Obstacles("contoso", "r2").status(), fault);
  }
  EXPECT_EQ(StateOf("r2"), ca::RootState::kStaged);
  keys_->error = Error(ErrorReason::kKeyUnavailable, "", "the token is away");
  EXPECT_THAT(Blocking(PromoteKnowingly("r2")), ElementsAre(Pair(Kind::kKeyCannotSign, "")));
  EXPECT_THAT(Obstacles("r2"),
              ElementsAre(Pair(Kind::kNoRelyingParty, ""), Pair(Kind::kKeyCannotSign, "")));
  keys_->error = absl::OkStatus();
  EXPECT_OK(PromoteKnowingly("r2"));
}

// The store has refused, and what it refused for is gone by the time that it is looked for.
TEST_F(RootPromotionTest, WhatWasInTheWayForAMomentIsToldAsTheStoreSaysIt) {
  MakeTwo();
  Register("vpn-1");
  Acknowledge("vpn-1");
  store_->before_change = [this] { Register("vpn-2"); };
  store_->after_change = [this] { Acknowledge("vpn-2"); };
  const auto refused = Promote("r2");
  EXPECT_THAT(refused, FailsWith(ErrorReason::kPromotionBlocked, "root_id"));
  EXPECT_THAT(ObstaclesOf(refused.status()), IsEmpty());
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("acknowledged by vpn-2"));
  EXPECT_EQ(StateOf("r2"), ca::RootState::kStaged);
  EXPECT_OK(Promote("r2"));
}

TEST_F(RootPromotionTest, ARelyingPartyThatComesInBetweenIsWaitedFor) {
  MakeTwo();
  Register("vpn-1");
  Acknowledge("vpn-1");
  store_->before_change = [this] { Register("vpn-2"); };
  EXPECT_THAT(Blocking(Promote("r2")), ElementsAre(Pair(Kind::kNotAcknowledged, "vpn-2")));
  EXPECT_EQ(StateOf("r2"), ca::RootState::kStaged);
  store_->before_change = [this] {
    for (const char* name : {"vpn-1", "vpn-2"}) {
      ASSERT_OK(store_->RemoveRelyingParty("contoso", name, {clock_.Now(), "maker", "gone"}));
    }
  };
  Acknowledge("vpn-2");
  EXPECT_THAT(Blocking(Promote("r2")), ElementsAre(Pair(Kind::kNoRelyingParty, "")));
  EXPECT_EQ(StateOf("r2"), ca::RootState::kStaged);
  EXPECT_OK(PromoteKnowingly("r2"));
}

TEST_F(RootPromotionTest, WhoKnowsOfNoRelyingPartyWaitsForOneThatComesInBetween) {
  MakeTwo();
  store_->before_change = [this] { Register("vpn-1"); };
  EXPECT_THAT(Blocking(PromoteKnowingly("r2")), ElementsAre(Pair(Kind::kNotAcknowledged, "vpn-1")));
  EXPECT_EQ(StateOf("r2"), ca::RootState::kStaged);
  store_->before_change = nullptr;
  Acknowledge("vpn-1");
  EXPECT_OK(Promote("r2"));
}

// What becomes of such promotions: root_verbs_test.cc.
TEST_F(RootPromotionTest, OnlyStagedRootsOfTheTenantHaveObstacles) {
  MakeTwo();
  Create(kYear, "fabrikam");
  ASSERT_OK(PromoteKnowingly("r2"));
  Create();
  EXPECT_OK(roots_->Obstacles("contoso", "r3"));
  ASSERT_OK(roots_->Discard("contoso", "r3", KeyFate::kKeep, "ender"));
  EXPECT_EQ(LastOf("r3").action, "root_discarded");
  EXPECT_EQ(LastOf("r3").caller, "ender");
  for (const char* root_id : {"r1", "r2", "r3"}) {
    EXPECT_THAT(roots_->Obstacles("contoso", root_id),
                FailsWith(ErrorReason::kRootMoveIllegal, "root_id"));
  }
  EXPECT_THAT(std::string(PromoteAnyway("r1").status().message()),
              HasSubstr("legal from there: roll back to it, retire"));
  EXPECT_THAT(roots_->Obstacles("contoso", "r4"), FailsWith(ErrorReason::kRootUnknown, "root_id"));
  EXPECT_THAT(roots_->Promote({.tenant_id = "unknown", .root_id = "r1"}),
              FailsWith(ErrorReason::kTenantUnknown, "tenant_id"));
}

TEST_F(RootPromotionTest, TheWayBackIsToTheOneBefore) {
  for (int i = 1; i <= 3; ++i) {
    Create();
    clock_.now += std::chrono::minutes(1);
    ASSERT_OK(PromoteKnowingly(RootIdOf(i)));
  }
  Create();
  for (const char* root_id : {"r1", "r3", "r4"}) {
    const auto refused = RollBack(root_id);
    EXPECT_THAT(refused, FailsWith(ErrorReason::kRootMoveIllegal, "root_id")) << root_id;
    EXPECT_THAT(std::string(refused.status().message()), HasSubstr("r2")) << root_id;
  }
  EXPECT_EQ(StateOf("r3"), ca::RootState::kPrimary);
  // Relying parties have it still, whatever they have acknowledged.
  Register("vpn-1");
  ASSERT_OK_AND_ASSIGN(const RootRecord back, RollBack("r2"));
  EXPECT_EQ(back.state, ca::RootState::kPrimary);
  EXPECT_EQ(StateOf("r3"), ca::RootState::kRetiring);
  const AdministrativeAction action = LastOf("r2");
  EXPECT_EQ(action.action, "root_rolled_back");
  EXPECT_EQ(action.caller, "returner");
  EXPECT_EQ(action.reason, "gateway 7 refuses it");
  EXPECT_EQ(action.from_state, "RETIRING");
  EXPECT_FALSE(action.overrides);
  // And forth again: it is the last that became RETIRING, and nobody said that vpn-1 trusts it.
  clock_.now += std::chrono::minutes(1);
  EXPECT_THAT(Blocking(RollBack("r3")), ElementsAre(Pair(Kind::kNotAcknowledged, "vpn-1")));
  EXPECT_EQ(StateOf("r2"), ca::RootState::kPrimary);
  Acknowledge("vpn-1");
  EXPECT_OK(RollBack("r3"));
}

// The order of the changes says which root was the primary of before, and no time.
TEST_F(RootPromotionTest, AClockThatWentBackChoosesNoOtherWayBack) {
  for (int i = 1; i <= 3; ++i) Create();
  clock_.now += std::chrono::hours(2);
  for (const char* root_id : {"r1", "r2"}) ASSERT_OK(PromoteKnowingly(root_id));
  clock_.now -= std::chrono::hours(1);
  ASSERT_OK(PromoteKnowingly("r3"));
  ASSERT_OK_AND_ASSIGN(const RootRecord first, store_->GetRoot("contoso", "r1"));
  ASSERT_OK_AND_ASSIGN(const RootRecord second, store_->GetRoot("contoso", "r2"));
  ASSERT_GT(first.state_since, second.state_since) << "as if r1 had become RETIRING after r2";
  EXPECT_THAT(RollBack("r1"), FailsWith(ErrorReason::kRootMoveIllegal, "root_id"));
  EXPECT_EQ(StateOf("r3"), ca::RootState::kPrimary);
  ASSERT_OK_AND_ASSIGN(const RootRecord back, RollBack("r2"));
  EXPECT_EQ(back.state, ca::RootState::kPrimary);
}

TEST_F(RootPromotionTest, ThereIsNoWayBackFromTheFirst) {
  MakeTwo();
  for (const char* root_id : {"r1", "r2"}) {
    EXPECT_THAT(RollBack(root_id), FailsWith(ErrorReason::kRootMoveIllegal, "root_id")) << root_id;
  }
  ASSERT_OK(PromoteKnowingly("r2"));
  ASSERT_OK(roots_->Retire("contoso", "r1", KeyFate::kKeep, "ender"));
  EXPECT_EQ(LastOf("r1").action, "root_retired");
  EXPECT_EQ(LastOf("r1").caller, "ender");
  EXPECT_THAT(RollBack("r1"), FailsWith(ErrorReason::kRootMoveIllegal, "root_id"));
  EXPECT_EQ(StateOf("r2"), ca::RootState::kPrimary);
}

// It was promoted without any, knowingly.
TEST_F(RootPromotionTest, TheWayForthAgainNeedsNoRelyingPartyToBeThere) {
  MakeTwo();
  ASSERT_OK(PromoteKnowingly("r2"));
  ASSERT_OK(RollBack("r1"));
  ASSERT_OK_AND_ASSIGN(const RootRecord forth, RollBack("r2"));
  EXPECT_EQ(forth.state, ca::RootState::kPrimary);
  EXPECT_EQ(StateOf("r1"), ca::RootState::kRetiring);
}

TEST_F(RootPromotionTest, TheWayBackIsToARootThatIsValid) {
  Create(std::chrono::hours(24));
  ASSERT_OK(Promote("r1"));
  Create();
  ASSERT_OK(PromoteKnowingly("r2"));
  clock_.now += std::chrono::hours(24) + std::chrono::seconds(1);
  EXPECT_THAT(RollBack("r1"), FailsWith(ErrorReason::kRootMoveIllegal, "root_id"));
  clock_.now -= std::chrono::seconds(1);
  EXPECT_THAT(Blocking(RollBack("r1")), ElementsAre(Pair(Kind::kEndsTooSoon, "")));
  clock_.now -= std::chrono::hours(26);
  EXPECT_THAT(Blocking(RollBack("r1")), ElementsAre(Pair(Kind::kNotYetValid, "")));
  EXPECT_EQ(StateOf("r2"), ca::RootState::kPrimary);
  clock_.now += std::chrono::hours(24);
  EXPECT_OK(RollBack("r1"));
}

TEST_F(RootPromotionTest, AWayBackNeedsAKeyThatSigns) {
  MakeTwo();
  ASSERT_OK(PromoteKnowingly("r2"));
  ASSERT_OK_AND_ASSIGN(const RootRecord first, store_->GetRoot("contoso", "r1"));
  ASSERT_OK(keys_->Destroy(first.key_uri));
  EXPECT_THAT(Blocking(RollBack("r1")), ElementsAre(Pair(Kind::kKeyCannotSign, "")));
  EXPECT_EQ(StateOf("r2"), ca::RootState::kPrimary);
}

}  // namespace
}  // namespace hourglass::issuance
