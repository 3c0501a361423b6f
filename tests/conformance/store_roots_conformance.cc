#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
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

long Primaries(Store& store) {
  const auto roots = store.ListRoots(kSampleTenant);
  if (!roots.ok()) return -1;
  return std::count_if(roots->begin(), roots->end(),
                       [](const RootRecord& root) { return root.state == RootState::kPrimary; });
}

TEST_P(TenantStoreConformance, KeepsTenants) {
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

TEST_P(TenantStoreConformance, KeepsRoots) {
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
  third.key_made_for_root = true;
  ASSERT_OK(store_->PlanKey({std::string(kSampleTenant), 3, third.key_uri, ""}));
  second.created_by = kUnusualText;
  second.bundle_version = 17;
  second.state_revision = 18;
  RootRecord first = SampleRoot(1);
  first.created_by = "";
  ASSERT_OK(store_->AddRoot(third));
  ASSERT_OK(store_->AddRoot(second));
  ASSERT_OK(store_->AddRoot(first));
  third.bundle_version = third.state_revision = 1;
  second.bundle_version = second.state_revision = 2;
  first.bundle_version = first.state_revision = 3;
  ASSERT_OK_AND_ASSIGN(const RootRecord found, store_->GetRoot(kSampleTenant, "root-2"));
  EXPECT_EQ(found, second);
  ASSERT_OK_AND_ASSIGN(const std::vector<RootRecord> all, store_->ListRoots(kSampleTenant));
  EXPECT_THAT(all, ElementsAre(first, second, third));
  EXPECT_THAT(store_->GetRoot(kSampleTenant, "root-4"),
              FailsWith(ErrorReason::kRootUnknown, "root_id"));
  EXPECT_THAT(store_->GetRoot("fabrikam", "root-1"), FailsWith(ErrorReason::kRootUnknown));
  ASSERT_OK_AND_ASSIGN(const TenantRecord tenant, store_->GetTenant(kSampleTenant));
  EXPECT_EQ(tenant.revision, 3u);
  EXPECT_EQ(tenant.epoch, 0u);
}

TEST_P(TenantStoreConformance, KeepsEveryKeyTypeAndTimesBefore1970) {
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
    root.bundle_version = root.state_revision = static_cast<std::uint64_t>(generation);
    ASSERT_OK_AND_ASSIGN(const RootRecord found, store_->GetRoot(kSampleTenant, root.root_id));
    EXPECT_EQ(found, root);
  }
}

// Whoever acknowledged that version, or a later one, has the root.
TEST_P(TenantStoreConformance, ARootIsInTheBundleSinceTheRevisionThatItRaised) {
  const auto since = [&](const std::string& root_id) {
    return store_->GetRoot(kSampleTenant, root_id)->bundle_version;
  };
  ASSERT_OK(AddSamplePrimary(*store_));  // revision 2
  ASSERT_OK(store_->AddRoot(SampleRoot(2)));
  EXPECT_EQ(since("root-1"), 1u);
  EXPECT_EQ(since("root-2"), 3u);
  EXPECT_EQ(store_->GetTenant(kSampleTenant)->revision, 3u);
  ASSERT_OK(Move(*store_, 3, "root-2", RootState::kStaged, RootState::kDiscarded));
  EXPECT_EQ(since("root-2"), 3u) << "whatever becomes of it";
  EXPECT_THAT(store_->AddRoot(SampleRoot(2)), FailsWith(ErrorReason::kRequestIdReused));
  ASSERT_OK(store_->AddRoot(SampleRoot(3)));
  EXPECT_EQ(since("root-3"), 5u);
  ASSERT_OK(store_->CreateTenant(SampleTenant("fabrikam")));
  ASSERT_OK(store_->AddRoot(SampleRoot(1, "fabrikam")));
  EXPECT_EQ(store_->GetRoot("fabrikam", "root-1")->bundle_version, 1u) << "of its own tenant";
}

TEST_P(TenantStoreConformance, RefusesARootThatCollides) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  ASSERT_OK(store_->CreateTenant(SampleTenant("fabrikam")));
  ASSERT_OK(store_->AddRoot(SampleRoot(1)));
  RootRecord same_id = SampleRoot(2), same_generation = SampleRoot(2), same_key = SampleRoot(2),
             same_request = SampleRoot(2), not_staged = SampleRoot(2);
  same_id.root_id = "root-1";
  same_generation.generation = 1;
  same_key.key_uri = SampleRoot(1).key_uri;
  same_request.request_id = SampleRoot(1).request_id;
  not_staged.state = RootState::kPrimary;
  EXPECT_THAT(store_->AddRoot(same_id), FailsWith(ErrorReason::kInternalError));
  EXPECT_THAT(store_->AddRoot(same_generation), FailsWith(ErrorReason::kInternalError));
  EXPECT_THAT(store_->AddRoot(same_key), FailsWith(ErrorReason::kKeyExists, "key_uri"));
  EXPECT_THAT(store_->AddRoot(same_request),
              FailsWith(ErrorReason::kRequestIdReused, "request_id"));
  EXPECT_THAT(store_->AddRoot(not_staged), FailsWith(ErrorReason::kInternalError, "state"));
  // As where one request makes a root twice at once, or one takes up the other's key.
  EXPECT_THAT(store_->AddRoot(SampleRoot(1)), FailsWith(ErrorReason::kRequestIdReused));
  RootRecord taken_up = SampleRoot(1);
  taken_up.request_id = "another";
  taken_up.key_made_for_root = true;
  EXPECT_THAT(store_->AddRoot(taken_up), FailsWith(ErrorReason::kKeyExists, "key_uri"));
  ASSERT_OK_AND_ASSIGN(const TenantRecord tenant, store_->GetTenant(kSampleTenant));
  EXPECT_EQ(tenant.revision, 1u) << "a refused root must not raise the revision";
  EXPECT_OK(store_->AddRoot(SampleRoot(2)));
  EXPECT_OK(store_->AddRoot(SampleRoot(1, "fabrikam")));
}

TEST_P(TenantStoreConformance, AKeyUriBelongsToOneRootForEver) {
  const RootRecord first = SampleRoot(1);
  const auto named = [&] { return store_->RootsOfKeyName(first.key_uri).value(); };
  EXPECT_THAT(named(), ElementsAre());
  ASSERT_OK(AddSamplePrimary(*store_));
  EXPECT_THAT(named(), ElementsAre(AsRootOfKey(first, RootState::kPrimary)));
  ASSERT_OK(Move(*store_, 2, "root-1", RootState::kPrimary, RootState::kRetiring));
  ASSERT_OK(Move(*store_, 3, "root-1", RootState::kRetiring, RootState::kRetired));
  EXPECT_THAT(named(), ElementsAre(AsRootOfKey(first, RootState::kRetired)));
  RootRecord root = SampleRoot(2, "fabrikam");
  root.key_uri = first.key_uri;
  ASSERT_OK(store_->CreateTenant(SampleTenant("fabrikam")));
  EXPECT_THAT(store_->AddRoot(root), FailsWith(ErrorReason::kKeyExists, "key_uri"))
      << "of any tenant";
  root.key_uri = "pkcs11:token=fabrikam;object=2";
  EXPECT_OK(store_->AddRoot(root));
}

TEST_P(TenantStoreConformance, TellsOfChangesOnceTheyAreThereAndOfNothingThatWasRefused) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  std::vector<std::uint64_t> revisions;
  NewsOfThisThread news(*store_, [&](absl::string_view tenant_id) {
    revisions.push_back(store_->GetTenant(tenant_id)->revision);
  });
  ASSERT_OK(store_->AddRoot(SampleRoot(1)));
  EXPECT_THAT(news.Take(), ElementsAre(kSampleTenant));
  ASSERT_OK(Move(*store_, 1, "root-1", RootState::kStaged, RootState::kPrimary));
  EXPECT_THAT(news.Take(), ElementsAre(kSampleTenant));
  EXPECT_THAT(revisions, ElementsAre(1u, 2u)) << "who is told sees the change";
  EXPECT_THAT(Move(*store_, 2, "root-1", RootState::kStaged, RootState::kPrimary),
              FailsWith(ErrorReason::kRootMoveIllegal));
  EXPECT_THAT(store_->AddRoot(SampleRoot(1)), FailsWith(ErrorReason::kRequestIdReused));
  EXPECT_THAT(store_->AddRoot(SampleRoot(2, "fabrikam")), FailsWith(ErrorReason::kTenantUnknown));
  EXPECT_THAT(news.Take(), ElementsAre());
}

TEST_P(TenantStoreConformance, NoTwoTenantsHaveOneName) {
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

TEST_P(TenantStoreConformance, ChangesStatesAndCountsThem) {
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

// Which of two came later is told by the revision, whatever the clock says.
TEST_P(TenantStoreConformance, StatesKnowTheRevisionThatTheirChangeRaised) {
  const auto changed = [&](int generation, absl::string_view tenant = kSampleTenant) {
    return store_->GetRoot(tenant, absl::StrCat("root-", generation))->state_revision;
  };
  const auto replace = [&](std::uint64_t revision, int before, int after, Timestamp now) {
    return store_->ChangeRootStates(
        kSampleTenant, revision,
        {{absl::StrCat("root-", before), RootState::kPrimary, RootState::kRetiring},
         {absl::StrCat("root-", after), RootState::kStaged, RootState::kPrimary}},
        {now});
  };
  ASSERT_OK(AddSamplePrimary(*store_));  // revision 2
  ASSERT_OK(store_->AddRoot(SampleRoot(2)));
  ASSERT_OK(store_->AddRoot(SampleRoot(3)));
  EXPECT_EQ(changed(1), 2u);
  EXPECT_EQ(changed(2), 3u);
  EXPECT_EQ(changed(3), 4u);
  ASSERT_OK(replace(4, 1, 2, SampleTime(100)));
  EXPECT_EQ(changed(1), 5u);
  EXPECT_EQ(changed(2), 5u);
  EXPECT_EQ(changed(3), 4u) << "nothing was done to it";
  EXPECT_THAT(replace(4, 2, 3, SampleTime(50)), FailsWith(ErrorReason::kPrimaryChanged));
  EXPECT_THAT(replace(5, 1, 3, SampleTime(50)), FailsWith(ErrorReason::kRootMoveIllegal));
  EXPECT_EQ(changed(1), 5u);
  EXPECT_EQ(changed(3), 4u);
  // The clock goes backward: root-2 becomes RETIRING before root-1 did, and after it.
  ASSERT_OK(replace(5, 2, 3, SampleTime(50)));
  ASSERT_OK_AND_ASSIGN(const RootRecord first, store_->GetRoot(kSampleTenant, "root-1"));
  ASSERT_OK_AND_ASSIGN(const RootRecord second, store_->GetRoot(kSampleTenant, "root-2"));
  EXPECT_LT(second.state_since, first.state_since);
  EXPECT_GT(second.state_revision, first.state_revision);
  EXPECT_EQ(second.bundle_version, 3u);
  ASSERT_OK(store_->CreateTenant(SampleTenant("fabrikam")));
  ASSERT_OK(store_->AddRoot(SampleRoot(1, "fabrikam")));
  EXPECT_EQ(changed(1, "fabrikam"), 1u) << "of its own tenant";
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> other, place_->Open());
  EXPECT_EQ(other->ListRoots(kSampleTenant).value(), store_->ListRoots(kSampleTenant).value());
  EXPECT_EQ(other->ListRoots(kSampleTenant)->at(2).state_revision, 6u);
}

TEST_P(TenantStoreConformance, RefusedStateChangesChangeNothing) {
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
                                       {SampleTime()}),
              FailsWith(ErrorReason::kRootUnknown));
  EXPECT_TRUE(unchanged()) << "all changes or none";
  EXPECT_THAT(store_->ChangeRootStates("fabrikam", 0, {}, {SampleTime()}),
              FailsWith(ErrorReason::kTenantUnknown));
  EXPECT_OK(Move(*store_, 3, "root-2", RootState::kStaged, RootState::kDiscarded));
}

TEST_P(TenantStoreConformance, OneOfManyRivalsBecomesPrimary) {
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
