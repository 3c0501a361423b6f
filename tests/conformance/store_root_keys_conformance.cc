#include <gmock/gmock.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "issuance/store/testing/sample_records.h"
#include "tests/conformance/store_conformance.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using ca::RootState;
using testing::ElementsAre;

TEST_P(RootKeyStoreConformance, ReservesEachGenerationOnce) {
  EXPECT_THAT(store_->ReserveGeneration("contoso"), FailsWith(ErrorReason::kTenantUnknown));
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  ASSERT_OK(store_->CreateTenant(SampleTenant("fabrikam")));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> other, place_->Open());
  std::vector<int> generations;
  for (Store* store : {store_.get(), other.get(), store_.get()}) {
    ASSERT_OK_AND_ASSIGN(const int generation, store->ReserveGeneration("contoso"));
    generations.push_back(generation);
  }
  EXPECT_THAT(generations, ElementsAre(1, 2, 3));
  ASSERT_OK_AND_ASSIGN(const int of_another_tenant, store_->ReserveGeneration("fabrikam"));
  EXPECT_EQ(of_another_tenant, 1);
}

PlannedKey Planned(int generation, std::string key_uri) {
  return {std::string(kSampleTenant), generation, std::move(key_uri), ""};
}

TEST_P(RootKeyStoreConformance, KeepsPlannedKeysUntilTheirRootIsThere) {
  const PlannedKey planned = Planned(1, SampleRoot(1).key_uri);
  EXPECT_THAT(store_->PlanKey(planned), FailsWith(ErrorReason::kTenantUnknown));
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  ASSERT_OK(store_->CreateTenant(SampleTenant("fabrikam")));
  const PlannedKey later = Planned(2, std::string(kUnusualText));
  const PlannedKey of_another{"fabrikam", 1, "software:other", ""};
  ASSERT_OK(store_->PlanKey(later));
  ASSERT_OK(store_->PlanKey(of_another));
  ASSERT_OK(store_->PlanKey(planned));
  EXPECT_OK(store_->PlanKey(planned)) << "a second time";
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> other, place_->Open());
  ASSERT_OK_AND_ASSIGN(std::vector<PlannedKey> keys, other->ListPlannedKeys(kSampleTenant));
  EXPECT_THAT(keys, ElementsAre(planned, later));
  ASSERT_OK(store_->AddRoot(SampleRoot(1)));
  ASSERT_OK_AND_ASSIGN(keys, store_->ListPlannedKeys(kSampleTenant));
  EXPECT_THAT(keys, ElementsAre(later));
  ASSERT_OK(store_->ForgetPlannedKey(later.key_uri, std::nullopt));
  EXPECT_OK(store_->ForgetPlannedKey(later.key_uri, std::nullopt)) << "a second time";
  ASSERT_OK_AND_ASSIGN(keys, store_->ListPlannedKeys(kSampleTenant));
  EXPECT_THAT(keys, ElementsAre());
  ASSERT_OK_AND_ASSIGN(keys, store_->ListPlannedKeys("fabrikam"));
  EXPECT_THAT(keys, ElementsAre(of_another));
}

TEST_P(RootKeyStoreConformance, PlansAKeyForOneRootOnly) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  ASSERT_OK(store_->AddRoot(SampleRoot(1)));
  EXPECT_THAT(store_->PlanKey(Planned(2, SampleRoot(1).key_uri)),
              FailsWith(ErrorReason::kKeyExists, "key_uri"));
  ASSERT_OK(store_->PlanKey(Planned(2, SampleRoot(2).key_uri)));
  EXPECT_THAT(store_->PlanKey(Planned(3, SampleRoot(2).key_uri)),
              FailsWith(ErrorReason::kInternalError));
  ASSERT_OK_AND_ASSIGN(const std::vector<PlannedKey> keys, store_->ListPlannedKeys(kSampleTenant));
  EXPECT_THAT(keys, ElementsAre(Planned(2, SampleRoot(2).key_uri)));
}

TEST_P(RootKeyStoreConformance, APlanCondemnsNothingWhateverItSays) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  PlannedKey planned = Planned(1, "software:1");
  PlannedKey said = planned;
  said.is_condemned = true;
  ASSERT_OK(store_->PlanKey(said));
  EXPECT_THAT(*store_->ListPlannedKeys(kSampleTenant), ElementsAre(planned));
  said.public_key = planned.public_key = AllOctets();
  ASSERT_OK(store_->PlanKey(said));
  EXPECT_THAT(*store_->ListPlannedKeys(kSampleTenant), ElementsAre(planned));
}

TEST_P(RootKeyStoreConformance, NotesThePublicKeyOfAPlannedKeyOnce) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  PlannedKey planned = Planned(1, "software:1");
  ASSERT_OK(store_->PlanKey(planned));
  planned.public_key = AllOctets();
  ASSERT_OK(store_->PlanKey(planned));
  EXPECT_OK(store_->PlanKey(planned)) << "a second time";
  PlannedKey other = planned;
  for (const char* public_key : {"", "other"}) {
    other.public_key = public_key;
    EXPECT_THAT(store_->PlanKey(other), FailsWith(ErrorReason::kInternalError));
  }
  ASSERT_OK_AND_ASSIGN(const std::vector<PlannedKey> keys, store_->ListPlannedKeys(kSampleTenant));
  EXPECT_THAT(keys, ElementsAre(planned));
}

TEST_P(RootKeyStoreConformance, ForgetsNothingThatWasNotedMeanwhile) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  PlannedKey planned = Planned(1, "software:1");
  ASSERT_OK(store_->PlanKey(planned));
  ASSERT_OK(store_->ForgetPlannedKey(planned.key_uri, "another"));
  EXPECT_THAT(*store_->ListPlannedKeys(kSampleTenant), ElementsAre(planned));
  planned.public_key = AllOctets();
  ASSERT_OK(store_->PlanKey(planned));
  ASSERT_OK(store_->ForgetPlannedKey(planned.key_uri, ""));
  EXPECT_THAT(*store_->ListPlannedKeys(kSampleTenant), ElementsAre(planned));
  ASSERT_OK(store_->ForgetPlannedKey(planned.key_uri, planned.public_key));
  EXPECT_THAT(*store_->ListPlannedKeys(kSampleTenant), ElementsAre());
  planned.public_key = "";
  ASSERT_OK(store_->PlanKey(planned));
  ASSERT_OK(store_->ForgetPlannedKey(planned.key_uri, ""));
  EXPECT_THAT(*store_->ListPlannedKeys(kSampleTenant), ElementsAre());
}

RootRecord RootWithKeyOfItsOwn(int generation) {
  RootRecord root = SampleRoot(generation);
  root.key_made_for_root = true;
  return root;
}

TEST_P(RootKeyStoreConformance, ARootTakesThePlanOfTheKeyThatWasMadeForIt) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  ASSERT_OK(store_->CreateTenant(SampleTenant("fabrikam")));
  const RootRecord root = RootWithKeyOfItsOwn(1);
  const auto refused = FailsWith(ErrorReason::kKeyDestroyed, "key_uri");
  EXPECT_THAT(store_->AddRoot(root), refused) << "nothing is planned";
  const PlannedKey of_another{"fabrikam", 1, root.key_uri, ""};
  ASSERT_OK(store_->PlanKey(of_another));
  EXPECT_THAT(store_->AddRoot(root), refused) << "for another tenant";
  EXPECT_THAT(*store_->ListPlannedKeys("fabrikam"), ElementsAre(of_another));
  EXPECT_THAT(store_->GetRoot(kSampleTenant, root.root_id), FailsWith(ErrorReason::kRootUnknown));
  ASSERT_OK_AND_ASSIGN(const TenantRecord tenant, store_->GetTenant(kSampleTenant));
  EXPECT_EQ(tenant.revision, 0u) << "a refused root must not raise the revision";
  ASSERT_OK(store_->ForgetPlannedKey(root.key_uri, std::nullopt));
  // A key can be taken up by a root of another number than it was made for.
  ASSERT_OK(store_->PlanKey(Planned(7, root.key_uri)));
  EXPECT_OK(store_->AddRoot(root));
  EXPECT_THAT(*store_->ListPlannedKeys(kSampleTenant), ElementsAre());
}

TEST_P(RootKeyStoreConformance, NoRootGetsACondemnedKey) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  RootRecord root = RootWithKeyOfItsOwn(1);
  PlannedKey planned = Planned(1, root.key_uri);
  PlannedKey other = Planned(2, "software:2");
  other.public_key = "another key";
  ASSERT_OK(store_->PlanKey(planned));
  ASSERT_OK(store_->PlanKey(other));
  EXPECT_OK(store_->CondemnPlannedKey("software:unheard-of", "a key"));
  EXPECT_THAT(*store_->ListPlannedKeys(kSampleTenant), ElementsAre(planned, other));
  ASSERT_OK(store_->CondemnPlannedKey(root.key_uri, "a key"));
  ASSERT_OK(store_->CondemnPlannedKey(root.key_uri, "a key")) << "a second time";
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> another, place_->Open());
  const auto refused = FailsWith(ErrorReason::kKeyDestroyed, "key_uri");
  EXPECT_THAT(another->AddRoot(root), refused);
  EXPECT_THAT(store_->PlanKey(planned), FailsWith(ErrorReason::kInternalError)) << "nor again";
  planned.is_condemned = true;
  EXPECT_THAT(*store_->ListPlannedKeys(kSampleTenant), ElementsAre(planned, other));
  root.key_made_for_root = false;
  EXPECT_THAT(store_->AddRoot(root), refused) << "whoever made it";
  ASSERT_OK(store_->NoteKeyDestroyed(root.key_uri, "a key", SampleTime()));
  EXPECT_THAT(*store_->ListPlannedKeys(kSampleTenant), ElementsAre(other));
  root.key_made_for_root = true;
  EXPECT_THAT(store_->AddRoot(root), refused) << "still";
}

TEST_P(RootKeyStoreConformance, ACondemnedKeyIsKnownByItsPublicKey) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  PlannedKey planned = Planned(1, "software:1");
  planned.public_key = std::string("\x30\x05\x00%_'\xff", 7);
  RootRecord root = SampleRoot(2);
  root.certificate += planned.public_key;
  ASSERT_OK(store_->PlanKey(planned));
  ASSERT_OK(store_->CondemnPlannedKey(planned.key_uri, "another"));
  EXPECT_THAT(*store_->ListPlannedKeys(kSampleTenant), ElementsAre(planned));
  ASSERT_OK(store_->CondemnPlannedKey("software:an-alias", planned.public_key));
  planned.is_condemned = true;
  EXPECT_THAT(*store_->ListPlannedKeys(kSampleTenant), ElementsAre(planned));
  EXPECT_THAT(store_->AddRoot(root), FailsWith(ErrorReason::kKeyDestroyed, "key_uri"))
      << "by another name";
  EXPECT_OK(store_->AddRoot(SampleRoot(3))) << "another key";
  // Where the key that goes shows none, by its URI.
  PlannedKey unseen = Planned(4, "software:4");
  unseen.public_key = "the fourth";
  ASSERT_OK(store_->PlanKey(unseen));
  ASSERT_OK(store_->CondemnPlannedKey(unseen.key_uri, ""));
  unseen.is_condemned = true;
  EXPECT_THAT(*store_->ListPlannedKeys(kSampleTenant), ElementsAre(planned, unseen));
}

BoundKey Bound(std::string tenant_id, std::string key_uri, std::string public_key) {
  return {std::move(tenant_id), std::move(key_uri), std::move(public_key)};
}

TEST_P(RootKeyStoreConformance, BindsAKeyToOneTenant) {
  const BoundKey bound = Bound("contoso", std::string(kUnusualText), AllOctets());
  EXPECT_THAT(store_->BindKey(bound), FailsWith(ErrorReason::kTenantUnknown));
  ASSERT_OK(store_->CreateTenant(SampleTenant("contoso")));
  ASSERT_OK(store_->CreateTenant(SampleTenant("fabrikam")));
  const BoundKey of_another = Bound("fabrikam", "software:2", "2");
  ASSERT_OK(store_->BindKey(of_another));
  ASSERT_OK(store_->BindKey(bound));
  EXPECT_OK(store_->BindKey(bound)) << "a second time";
  for (const BoundKey& refused : {Bound("fabrikam", bound.key_uri, bound.public_key),
                                  Bound("contoso", bound.key_uri, "other"),
                                  Bound("contoso", "software:other", bound.public_key),
                                  Bound("contoso", of_another.key_uri, bound.public_key)}) {
    EXPECT_THAT(store_->BindKey(refused), FailsWith(ErrorReason::kKeyNotPermitted, "tenant_id"));
  }
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> other, place_->Open());
  ASSERT_OK_AND_ASSIGN(const std::vector<BoundKey> all, other->ListBoundKeys());
  EXPECT_THAT(all, ElementsAre(bound, of_another));
}

TEST_P(RootKeyStoreConformance, KnowsTheRootsOfAKeysName) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  ASSERT_OK(store_->CreateTenant(SampleTenant("fabrikam")));
  std::vector<RootRecord> roots = {SampleRoot(1), SampleRoot(2, "fabrikam"), SampleRoot(3),
                                   SampleRoot(4), SampleRoot(5)};
  const std::string name = "pkcs11:token=a_b;object=k";
  roots[0].key_uri = name + ";id=%01";
  roots[1].key_uri = name + ";id=%02";
  roots[2].key_uri = name;
  roots[3].key_uri = "pkcs11:token=axb;object=k;id=%01";
  roots[4].key_uri = name + "2;id=%01";
  for (const RootRecord& root : roots) ASSERT_OK(store_->AddRoot(root));
  for (const std::string& uri : {name, name + ";id=%01", name + ";id=%03"}) {
    ASSERT_OK_AND_ASSIGN(const std::vector<RootOfKey> named, store_->RootsOfKeyName(uri));
    EXPECT_THAT(named, ElementsAre(AsRootOfKey(roots[0], RootState::kStaged),
                                   AsRootOfKey(roots[2], RootState::kStaged),
                                   AsRootOfKey(roots[1], RootState::kStaged)))
        << uri;
  }
}

TEST_P(RootKeyStoreConformance, KnowsTheRootsOfAPublicKey) {
  const std::string public_key("\x30\x05\x00%_'\xff", 7);
  const auto roots_of = [&](absl::string_view key) {
    return store_->RootsOfPublicKey(key).value();
  };
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  ASSERT_OK(store_->AddRoot(SampleRoot(1)));
  EXPECT_THAT(roots_of(public_key), ElementsAre());
  RootRecord root = SampleRoot(2);
  root.certificate = std::string("\x30\x20\x00name", 7) + public_key + std::string("\x00sig", 4);
  ASSERT_OK(store_->AddRoot(root));
  EXPECT_THAT(roots_of(public_key), ElementsAre(AsRootOfKey(root, RootState::kStaged)));
  EXPECT_THAT(roots_of(public_key + "x"), ElementsAre());
  EXPECT_THAT(roots_of(std::string("\x30\x05\x00%%'\xff", 7)), ElementsAre());
  EXPECT_THAT(roots_of(""), ElementsAre()) << "what is not known is no root's";
}

TEST_P(RootKeyStoreConformance, NotesThatAKeyWasDestroyedOnce) {
  const std::string public_key("\x30\x05\x00%_'\xff", 7);
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  RootRecord root = SampleRoot(1);
  root.certificate += public_key;
  ASSERT_OK(store_->AddRoot(root));
  PlannedKey planned = Planned(2, "software:planned");
  planned.public_key = public_key;
  ASSERT_OK(store_->PlanKey(planned));
  ASSERT_OK(store_->BindKey(Bound(std::string(kSampleTenant), "software:bound", public_key)));
  EXPECT_THAT(store_->NoteKeyDestroyed(root.key_uri, public_key, SampleTime(1)),
              FailsWith(ErrorReason::kInternalError))
      << "its root lives";
  EXPECT_EQ(store_->ListBoundKeys()->size(), 1u);
  ASSERT_OK(Move(*store_, 1, "root-1", RootState::kStaged, RootState::kDiscarded));
  ASSERT_OK(store_->NoteKeyDestroyed("software:elsewhere", public_key, SampleTime(2)));
  EXPECT_EQ(store_->GetRoot(kSampleTenant, "root-1")->key_destroyed_at, SampleTime(2));
  EXPECT_THAT(*store_->ListBoundKeys(), ElementsAre());
  EXPECT_THAT(*store_->ListPlannedKeys(kSampleTenant), ElementsAre());
  ASSERT_OK(store_->NoteKeyDestroyed(root.key_uri, public_key, SampleTime(3)));
  EXPECT_EQ(store_->GetRoot(kSampleTenant, "root-1")->key_destroyed_at, SampleTime(2));
}

TEST_P(RootKeyStoreConformance, ByItsUriADestroyedKeyIsForgottenOnlyWhereNothingElseIsKnownOfIt) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  const PlannedKey never_made = Planned(1, "software:1");
  PlannedKey made = Planned(2, "software:2");
  made.public_key = "2";
  const BoundKey bound = Bound(std::string(kSampleTenant), "software:3", "3");
  ASSERT_OK(store_->PlanKey(never_made));
  ASSERT_OK(store_->PlanKey(made));
  ASSERT_OK(store_->BindKey(bound));
  for (const char* uri : {"software:1", "software:2", "software:3"}) {
    ASSERT_OK(store_->NoteKeyDestroyed(uri, "another", SampleTime()));
  }
  EXPECT_THAT(*store_->ListPlannedKeys(kSampleTenant), ElementsAre(made));
  EXPECT_THAT(*store_->ListBoundKeys(), ElementsAre(bound));
  for (const char* uri : {"software:2", "software:3"}) {
    ASSERT_OK(store_->NoteKeyDestroyed(uri, "", SampleTime()));
  }
  EXPECT_THAT(*store_->ListPlannedKeys(kSampleTenant), ElementsAre());
  EXPECT_THAT(*store_->ListBoundKeys(), ElementsAre());
}

}  // namespace
}  // namespace hourglass::issuance
