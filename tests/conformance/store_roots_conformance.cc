#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/conformance/store_conformance.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using ca::RootState;
using testing::ElementsAre;

absl::Status Move(Store& store, std::uint64_t revision, const std::string& root_id, RootState from,
                  RootState to) {
  return store.ChangeRootStates(kSampleTenant, revision, {{root_id, from, to}}, SampleTime());
}

long Primaries(Store& store) {
  const auto roots = store.ListRoots(kSampleTenant);
  if (!roots.ok()) return -1;
  return std::count_if(roots->begin(), roots->end(),
                       [](const RootRecord& root) { return root.state == RootState::kPrimary; });
}

TEST_P(StoreConformance, KeepsTenants) {
  EXPECT_THAT(store_->GetTenant("contoso"), FailsWith(ErrorReason::kTenantUnknown, "tenant_id"));
  TenantRecord fabrikam = SampleTenant("fabrikam");
  fabrikam.display_name = kUnusualText;
  fabrikam.epoch = 5;
  fabrikam.revision = 6;
  ASSERT_OK(store_->CreateTenant(fabrikam));
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  EXPECT_THAT(store_->CreateTenant(SampleTenant()),
              FailsWith(ErrorReason::kTenantExists, "tenant_id"));
  fabrikam.epoch = 0;
  fabrikam.revision = 0;
  ASSERT_OK_AND_ASSIGN(const TenantRecord found, store_->GetTenant("fabrikam"));
  EXPECT_EQ(found, fabrikam);
  ASSERT_OK_AND_ASSIGN(const std::vector<TenantRecord> all, store_->ListTenants());
  EXPECT_THAT(all, ElementsAre(SampleTenant(), fabrikam));
}

TEST_P(StoreConformance, ReservesEachGenerationOnce) {
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

TEST_P(StoreConformance, KeepsPlannedKeysUntilTheirRootIsThere) {
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
  ASSERT_OK(store_->ForgetPlannedKey(later.key_uri));
  EXPECT_OK(store_->ForgetPlannedKey(later.key_uri)) << "a second time";
  ASSERT_OK_AND_ASSIGN(keys, store_->ListPlannedKeys(kSampleTenant));
  EXPECT_THAT(keys, ElementsAre());
  ASSERT_OK_AND_ASSIGN(keys, store_->ListPlannedKeys("fabrikam"));
  EXPECT_THAT(keys, ElementsAre(of_another));
}

TEST_P(StoreConformance, PlansAKeyForOneRootOnly) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  ASSERT_OK(store_->AddRoot(SampleRoot(1)));
  EXPECT_THAT(store_->PlanKey(Planned(2, SampleRoot(1).key_uri)),
              FailsWith(ErrorReason::kInternalError));
  ASSERT_OK(store_->PlanKey(Planned(2, SampleRoot(2).key_uri)));
  EXPECT_THAT(store_->PlanKey(Planned(3, SampleRoot(2).key_uri)),
              FailsWith(ErrorReason::kInternalError));
  ASSERT_OK_AND_ASSIGN(const std::vector<PlannedKey> keys, store_->ListPlannedKeys(kSampleTenant));
  EXPECT_THAT(keys, ElementsAre(Planned(2, SampleRoot(2).key_uri)));
}

TEST_P(StoreConformance, NotesThePublicKeyOfAPlannedKeyOnce) {
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

BoundKey Bound(std::string tenant_id, std::string key_uri, std::string public_key) {
  return {std::move(tenant_id), std::move(key_uri), std::move(public_key)};
}

TEST_P(StoreConformance, BindsAKeyToOneTenant) {
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

TEST_P(StoreConformance, KeepsRoots) {
  EXPECT_THAT(store_->AddRoot(SampleRoot(1)), FailsWith(ErrorReason::kTenantUnknown));
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  RootRecord second = SampleRoot(2);
  second.certificate = AllOctets();
  second.key_uri = kUnusualText;
  second.request_id = "";
  second.last_leaf_not_after = second.not_after;
  second.key_destroyed_at = SampleTime(7);
  RootRecord third = SampleRoot(3);
  third.request_id = "";  // may be empty more than once
  ASSERT_OK(store_->AddRoot(third));
  ASSERT_OK(store_->AddRoot(second));
  ASSERT_OK(store_->AddRoot(SampleRoot(1)));
  ASSERT_OK_AND_ASSIGN(const RootRecord found, store_->GetRoot(kSampleTenant, "root-2"));
  EXPECT_EQ(found, second);
  ASSERT_OK_AND_ASSIGN(const std::vector<RootRecord> all, store_->ListRoots(kSampleTenant));
  EXPECT_THAT(all, ElementsAre(SampleRoot(1), second, third));
  EXPECT_THAT(store_->GetRoot(kSampleTenant, "root-4"),
              FailsWith(ErrorReason::kRootUnknown, "root_id"));
  EXPECT_THAT(store_->GetRoot("fabrikam", "root-1"), FailsWith(ErrorReason::kRootUnknown));
  ASSERT_OK_AND_ASSIGN(const TenantRecord tenant, store_->GetTenant(kSampleTenant));
  EXPECT_EQ(tenant.revision, 3u);
  EXPECT_EQ(tenant.epoch, 0u);
}

TEST_P(StoreConformance, KeepsEveryKeyTypeAndTimesBefore1970) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  int generation = 0;
  for (const hsm::KeyType type :
       {hsm::KeyType::kEcP256, hsm::KeyType::kEcP384, hsm::KeyType::kRsa2048,
        hsm::KeyType::kRsa3072, hsm::KeyType::kRsa4096}) {
    RootRecord root = SampleRoot(++generation);
    root.key_type = type;
    root.not_before = ca::Time(std::chrono::seconds(-1));
    root.created_at = Timestamp(std::chrono::microseconds(-1));
    ASSERT_OK(store_->AddRoot(root));
    ASSERT_OK_AND_ASSIGN(const RootRecord found, store_->GetRoot(kSampleTenant, root.root_id));
    EXPECT_EQ(found, root);
  }
}

TEST_P(StoreConformance, RefusesARootThatCollides) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  ASSERT_OK(store_->CreateTenant(SampleTenant("fabrikam")));
  ASSERT_OK(store_->AddRoot(SampleRoot(1)));
  std::vector<RootRecord> refused(5, SampleRoot(2));
  refused[0].root_id = "root-1";
  refused[1].generation = 1;
  refused[2].key_uri = SampleRoot(1).key_uri;
  refused[3].request_id = SampleRoot(1).request_id;
  refused[4].state = RootState::kPrimary;
  for (const RootRecord& root : refused) {
    EXPECT_THAT(store_->AddRoot(root), FailsWith(ErrorReason::kInternalError));
  }
  ASSERT_OK_AND_ASSIGN(const TenantRecord tenant, store_->GetTenant(kSampleTenant));
  EXPECT_EQ(tenant.revision, 1u) << "a refused root must not raise the revision";
  EXPECT_OK(store_->AddRoot(SampleRoot(2)));
  EXPECT_OK(store_->AddRoot(SampleRoot(1, "fabrikam")));
}

KeyHolder HolderOf(const RootRecord& root, RootState state) {
  return {root.tenant_id, root.root_id, state, root.key_uri};
}

TEST_P(StoreConformance, AKeyUriBelongsToOneRootForEver) {
  const RootRecord first = SampleRoot(1);
  const auto named = [&] { return store_->RootsOfKeyName(first.key_uri).value(); };
  EXPECT_THAT(named(), ElementsAre());
  ASSERT_OK(AddSamplePrimary(*store_));
  EXPECT_THAT(named(), ElementsAre(HolderOf(first, RootState::kPrimary)));
  ASSERT_OK(Move(*store_, 2, "root-1", RootState::kPrimary, RootState::kRetiring));
  ASSERT_OK(Move(*store_, 3, "root-1", RootState::kRetiring, RootState::kRetired));
  EXPECT_THAT(named(), ElementsAre(HolderOf(first, RootState::kRetired)));
  RootRecord root = SampleRoot(2, "fabrikam");
  root.key_uri = first.key_uri;
  ASSERT_OK(store_->CreateTenant(SampleTenant("fabrikam")));
  EXPECT_THAT(store_->AddRoot(root), FailsWith(ErrorReason::kInternalError)) << "of any tenant";
  root.key_uri = "pkcs11:token=fabrikam;object=2";
  EXPECT_OK(store_->AddRoot(root));
}

TEST_P(StoreConformance, KnowsTheRootsOfAKeysName) {
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
    ASSERT_OK_AND_ASSIGN(const std::vector<KeyHolder> named, store_->RootsOfKeyName(uri));
    EXPECT_THAT(named, ElementsAre(HolderOf(roots[0], RootState::kStaged),
                                   HolderOf(roots[2], RootState::kStaged),
                                   HolderOf(roots[1], RootState::kStaged)))
        << uri;
  }
}

TEST_P(StoreConformance, KnowsTheRootsOfAPublicKey) {
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
  EXPECT_THAT(roots_of(public_key), ElementsAre(HolderOf(root, RootState::kStaged)));
  EXPECT_THAT(roots_of(public_key + "x"), ElementsAre());
  EXPECT_THAT(roots_of(std::string("\x30\x05\x00%%'\xff", 7)), ElementsAre());
  EXPECT_THAT(roots_of(""), ElementsAre()) << "what is not known is no root's";
}

TEST_P(StoreConformance, NotesThatAKeyWasDestroyedOnce) {
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

TEST_P(StoreConformance, ByItsUriADestroyedKeyIsForgottenOnlyWhereNothingElseIsKnownOfIt) {
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

TEST_P(StoreConformance, NoTwoTenantsHaveOneName) {
  TenantRecord contoso = SampleTenant("contoso");
  contoso.display_name = "Contoso Ltd";
  ASSERT_OK(store_->CreateTenant(contoso));
  TenantRecord other = SampleTenant("fabrikam");
  for (const char* name :
       {"Contoso Ltd", "CONTOSO  ltd", "Contoso\xc2\xa0Ltd", "Con\xe2\x80\x8btoso Ltd"}) {
    other.display_name = name;
    EXPECT_THAT(store_->CreateTenant(other),
                FailsWith(ErrorReason::kDisplayNameTaken, "display_name"))
        << name;
  }
  contoso.display_name = "Something else";
  EXPECT_THAT(store_->CreateTenant(contoso), FailsWith(ErrorReason::kTenantExists, "tenant_id"));
  other.display_name = "Contoso Ltd 2";
  EXPECT_OK(store_->CreateTenant(other));
}

TEST_P(StoreConformance, ChangesStatesAndCountsThem) {
  ASSERT_OK(AddSamplePrimary(*store_));
  ASSERT_OK(SwitchToSecondRoot(*store_));
  ASSERT_OK_AND_ASSIGN(TenantRecord tenant, store_->GetTenant(kSampleTenant));
  EXPECT_EQ(tenant.revision, 4u);
  EXPECT_EQ(tenant.epoch, 2u);
  ASSERT_OK_AND_ASSIGN(const RootRecord first, store_->GetRoot(kSampleTenant, "root-1"));
  EXPECT_EQ(first.state, RootState::kRetiring);
  EXPECT_EQ(first.state_since, SampleTime(9));
  ASSERT_OK_AND_ASSIGN(const RootRecord second, store_->GetRoot(kSampleTenant, "root-2"));
  EXPECT_EQ(second.state, RootState::kPrimary);
  // A move that does not touch the primary is no fence.
  ASSERT_OK(Move(*store_, 4, "root-1", RootState::kRetiring, RootState::kRetired));
  ASSERT_OK_AND_ASSIGN(tenant, store_->GetTenant(kSampleTenant));
  EXPECT_EQ(tenant.revision, 5u);
  EXPECT_EQ(tenant.epoch, 2u);
  ASSERT_OK(Move(*store_, 5, "root-2", RootState::kPrimary, RootState::kRetiring));
  ASSERT_OK_AND_ASSIGN(tenant, store_->GetTenant(kSampleTenant));
  EXPECT_EQ(tenant.epoch, 3u) << "leaving PRIMARY without a successor is a fence too";
}

TEST_P(StoreConformance, RefusedStateChangesChangeNothing) {
  ASSERT_OK(AddSamplePrimary(*store_));
  ASSERT_OK(store_->AddRoot(SampleRoot(2)));
  const auto unchanged = [&] {
    const TenantRecord tenant = store_->GetTenant(kSampleTenant).value();
    return tenant.revision == 3 && tenant.epoch == 1 && Primaries(*store_) == 1 &&
           store_->GetRoot(kSampleTenant, "root-1")->state == RootState::kPrimary &&
           store_->GetRoot(kSampleTenant, "root-2")->state == RootState::kStaged;
  };
  EXPECT_THAT(Move(*store_, 2, "root-2", RootState::kStaged, RootState::kDiscarded),
              FailsWith(ErrorReason::kPrimaryChanged));
  EXPECT_TRUE(unchanged());
  EXPECT_THAT(Move(*store_, 3, "root-9", RootState::kStaged, RootState::kDiscarded),
              FailsWith(ErrorReason::kRootUnknown, "root_id"));
  EXPECT_TRUE(unchanged());
  EXPECT_THAT(Move(*store_, 3, "root-2", RootState::kRetiring, RootState::kRetired),
              FailsWith(ErrorReason::kRootMoveIllegal, "root_id"));
  EXPECT_TRUE(unchanged());
  EXPECT_THAT(Move(*store_, 3, "root-2", RootState::kStaged, RootState::kPrimary),
              FailsWith(ErrorReason::kRootMoveIllegal, "root_id"));
  EXPECT_TRUE(unchanged()) << "a second primary";
  EXPECT_THAT(store_->ChangeRootStates(kSampleTenant, 3,
                                       {{"root-1", RootState::kPrimary, RootState::kRetiring},
                                        {"root-2", RootState::kStaged, RootState::kPrimary},
                                        {"root-9", RootState::kStaged, RootState::kDiscarded}},
                                       SampleTime()),
              FailsWith(ErrorReason::kRootUnknown));
  EXPECT_TRUE(unchanged()) << "all changes or none";
  EXPECT_THAT(store_->ChangeRootStates("fabrikam", 0, {}, SampleTime()),
              FailsWith(ErrorReason::kTenantUnknown));
  EXPECT_OK(Move(*store_, 3, "root-2", RootState::kStaged, RootState::kDiscarded));
}

TEST_P(StoreConformance, OneOfManyRivalsBecomesPrimary) {
  constexpr int kRivals = 8;
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  for (int i = 1; i <= kRivals; ++i) ASSERT_OK(store_->AddRoot(SampleRoot(i)));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> other, place_->Open());
  std::atomic<int> won = 0, lost = 0;
  std::vector<std::thread> threads;
  for (int i = 1; i <= kRivals; ++i) {
    threads.emplace_back([&, i] {
      const absl::Status status =
          Move(i % 2 == 0 ? *store_ : *other, kRivals, absl::StrCat("root-", i), RootState::kStaged,
               RootState::kPrimary);
      if (status.ok()) ++won;
      if (ReasonOf(status) == ErrorReason::kPrimaryChanged) ++lost;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(won, 1);
  EXPECT_EQ(lost, kRivals - 1);
  EXPECT_EQ(Primaries(*store_), 1);
}

}  // namespace
}  // namespace hourglass::issuance
