// Several stores on one content, and several threads on one store.
#include <gmock/gmock.h>

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/conformance/store_conformance.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using testing::ElementsAre;

// Promise 6, by two stores as two replicas have them.
TEST_P(StoreReplicasConformance, ASwitchIsAFenceForAllStores) {
  ASSERT_OK(AddSamplePrimary(*store_));
  const Intent prepared = SampleIntent("prepared"), intended = SampleIntent("intended"),
               released = SampleIntent("released");
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> other, place_->Open());
  ASSERT_OK(Append(*other, intended));
  ASSERT_OK(Append(*other, released));
  ASSERT_OK(Append(*other, ReleaseOf(released)));
  ASSERT_OK(SwitchToSecondRoot(*store_));

  EXPECT_THAT(Append(*other, prepared), FailsWith(ErrorReason::kPrimaryChanged));
  EXPECT_THAT(Append(*other, ReleaseOf(intended)), FailsWith(ErrorReason::kPrimaryChanged));
  Release relabelled = ReleaseOf(intended);
  relabelled.epoch = 2;
  EXPECT_THAT(Append(*other, relabelled), FailsWith(ErrorReason::kPrimaryChanged))
      << "an intent of the old epoch is not released under the new one";
  Intent of_the_new = SampleIntent("new");
  of_the_new.epoch = 2;
  of_the_new.root_id = "root-2";
  EXPECT_OK(Append(*other, of_the_new));
  EXPECT_OK(Append(*other, ReleaseOf(of_the_new)));
  ASSERT_OK_AND_ASSIGN(const JournalRecord found,
                       store_->FindByRequestId(kSampleTenant, "intended"));
  EXPECT_FALSE(found.released_at.has_value());
}

TEST_P(StoreReplicasConformance, NothingOfTheOldPrimaryFollowsASwitchUnderLoad) {
  ASSERT_OK(AddSamplePrimary(*store_));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> other, place_->Open());
  std::atomic<bool> switched = false;
  std::atomic<int> writers_ready = 0, released_late = 0, strange_ends = 0;
  constexpr int kWriters = 4;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kWriters; ++thread) {
    threads.emplace_back([&, thread] {
      Store& store = thread % 2 == 0 ? *store_ : *other;
      absl::Status status;
      for (int i = 0; status.ok(); ++i) {
        const bool late = switched;
        const Intent intent = SampleIntent(absl::StrCat(thread, "-", i));
        status = Append(store, intent);
        if (status.ok()) status = Append(store, ReleaseOf(intent));
        if (status.ok() && late) ++released_late;
        if (i == 0) ++writers_ready;
      }
      if (ReasonOf(status) != ErrorReason::kPrimaryChanged) ++strange_ends;
    });
  }
  while (writers_ready < kWriters) std::this_thread::yield();
  const absl::Status switching = SwitchToSecondRoot(*store_);
  switched = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_OK(switching);
  EXPECT_EQ(released_late, 0);
  EXPECT_EQ(strange_ends, 0);
}

TEST_P(StoreReplicasConformance, ManyThreadsReadAndWriteAtOnce) {
  ASSERT_OK(AddSamplePrimary(*store_));
  constexpr int kThreads = 8, kEach = 20;
  std::atomic<int> failures = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < kEach; ++i) {
        const Intent intent = SampleIntent(absl::StrCat(thread, "-", i));
        if (!Append(*store_, intent).ok()) ++failures;
        const auto found = store_->FindByRequestId(kSampleTenant, intent.request_id);
        if (!found.ok() || found->intent != intent) ++failures;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
  ASSERT_OK_AND_ASSIGN(const Page<JournalRecord> page,
                       store_->ListJournal(kSampleTenant, {}, kMaxPageSize, ""));
  EXPECT_EQ(page.records.size(), std::size_t{kThreads * kEach});
}

TEST_P(StoreReplicasConformance, AStoreOpenedLaterSeesWhatWasWritten) {
  ASSERT_OK(AddSamplePrimary(*store_));
  const Intent intent = SampleIntent("r-1");
  ASSERT_OK(Append(*store_, intent));
  ASSERT_OK(store_->PutDevice(SampleDevice("laptop-1")));
  store_.reset();
  ASSERT_OK_AND_ASSIGN(store_, place_->Open());
  ASSERT_OK_AND_ASSIGN(const JournalRecord found, store_->FindByRequestId(kSampleTenant, "r-1"));
  EXPECT_EQ(found.intent, intent);
  EXPECT_OK(store_->GetDevice(kSampleTenant, "laptop-1"));
  ASSERT_OK_AND_ASSIGN(const TenantRecord tenant, store_->GetTenant(kSampleTenant));
  EXPECT_EQ(tenant.epoch, 1u);
  EXPECT_OK(Append(*store_, ReleaseOf(intent)));
}

// Neither store has to be opened again, or told, to know what the other one wrote.
TEST_P(StoreReplicasConformance, WhatOneStoreWritesTheOtherKnows) {
  ASSERT_OK(AddSamplePrimary(*store_));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> other, place_->Open());
  for (int i = 0; i < 9; ++i) {
    Store& writer = i % 3 == 0 ? *other : *store_;
    Store& reader = i % 3 == 0 ? *store_ : *other;
    Intent intent = SampleIntent(absl::StrCat("r-", i));
    intent.not_after += std::chrono::seconds(i);
    ASSERT_OK(Append(writer, intent));
    EXPECT_THAT(Append(reader, intent), FailsWith(ErrorReason::kRequestIdReused)) << i;
    Intent same_serial = SampleIntent(absl::StrCat("s-", i));
    same_serial.serial_number = intent.serial_number;
    EXPECT_THAT(Append(reader, same_serial), FailsWith(ErrorReason::kInternalError)) << i;
    EXPECT_EQ(reader.GetRoot(kSampleTenant, "root-1")->last_leaf_not_after, intent.not_after);
    EXPECT_EQ(reader.ListRoots(kSampleTenant)->at(0).last_leaf_not_after, intent.not_after);
    ASSERT_OK(Append(reader, ReleaseOf(intent)));
    EXPECT_THAT(Append(writer, ReleaseOf(intent)), FailsWith(ErrorReason::kRequestIdReused)) << i;
    ASSERT_OK_AND_ASSIGN(const JournalRecord found,
                         writer.FindBySerialNumber(kSampleTenant, intent.serial_number));
    EXPECT_EQ(found.certificate, ReleaseOf(intent).certificate);
  }
  ASSERT_OK_AND_ASSIGN(const Page<JournalRecord> page,
                       other->ListJournal(kSampleTenant, {}, kMaxPageSize, ""));
  EXPECT_EQ(page.records.size(), 9u);
}

// A change by another process need not be told of, but the refusal that comes of it is, by every
// role that the fence is of.
TEST_P(StoreReplicasConformance, WhoMissedAChangeIsToldByEachRefusal) {
  ASSERT_OK(AddSamplePrimary(*store_));
  ASSERT_OK(store_->AddIntermediate(SampleIntermediate(1)));
  ASSERT_OK(Append(*store_, SampleIntent("intended")));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> other, place_->Open());
  ASSERT_OK(SwitchToSecondRoot(*other));
  NewsOfThisThread news(*store_);
  const auto fenced = FailsWith(ErrorReason::kPrimaryChanged);

  Intent unknown = SampleIntent("of nobody");
  unknown.tenant_id = "tailspin";
  const JournalWrite writes[] = {SampleIntent("late"), unknown, SampleIntent("late too")};
  ASSERT_OK_AND_ASSIGN(const std::vector<absl::Status> refused, store_->AppendToJournal(writes));
  EXPECT_THAT(refused[0], fenced);
  EXPECT_THAT(refused[1], FailsWith(ErrorReason::kTenantUnknown));
  EXPECT_THAT(refused[2], fenced);
  EXPECT_THAT(news.Take(), ElementsAre(kSampleTenant)) << "once for all writes";
  EXPECT_THAT(Append(*store_, ReleaseOf(SampleIntent("intended"))), fenced);
  EXPECT_THAT(news.Take(), ElementsAre(kSampleTenant));
  EXPECT_THAT(store_->AddIntermediate(SampleIntermediate(2)), fenced);
  EXPECT_THAT(news.Take(), ElementsAre(kSampleTenant));
  const IntermediateRecord prepared = SampleIntermediate(1);
  EXPECT_THAT(store_->ReleaseIntermediate(prepared.tenant_id, prepared.root_id,
                                          prepared.serial_number, "signed", SampleTime()),
              fenced);
  EXPECT_THAT(news.Take(), ElementsAre(kSampleTenant));
  EXPECT_THAT(store_->ChangeRootStates(
                  kSampleTenant, 2, {{"root-1", ca::RootState::kPrimary, ca::RootState::kRetiring}},
                  {SampleTime()}),
              fenced);
  EXPECT_THAT(news.Take(), ElementsAre(kSampleTenant));
  // Who knows what there is, is told of nothing.
  Intent of_the_new = SampleIntent("new");
  of_the_new.epoch = 2;
  of_the_new.root_id = "root-2";
  EXPECT_OK(Append(*store_, of_the_new));
  EXPECT_THAT(news.Take(), ElementsAre());
}

// A verdict by one process knows what another one was told, from the answer on.
TEST_P(StoreReplicasConformance, WhatOneStoreIsToldOfAccessCountsAtOnceInTheOther) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> other, place_->Open());
  const BlockRecord stolen = SampleBlock(BlockRecord::Kind::kDevice, "laptop-1");
  const BlockRecord left = SampleBlock(BlockRecord::Kind::kUser, "u-1");
  const auto read = [](Store& store) {
    return store.ReadDecisionFacts({kSampleTenant, "u-1", "", "laptop-1"}, SampleTime()).value();
  };
  for (std::uint64_t i = 1; i <= 20; ++i) {
    Store& writer = i % 2 == 0 ? *other : *store_;
    Store& reader = i % 2 == 0 ? *store_ : *other;
    EXPECT_FALSE(read(reader).device_block.has_value());
    ASSERT_OK(writer.Block(stolen, SampleCause()));
    EXPECT_EQ(read(reader).device_block, stolen);
    // No report of it lifts it.
    ASSERT_OK(writer.PutDevice(SampleDevice("laptop-1")));
    EXPECT_EQ(read(reader).device_block, stolen);
    ASSERT_OK(reader.Block(left, SampleCause()));
    EXPECT_EQ(read(writer).user_block, left);
    DirectoryUser user = SampleUser("u-1");
    user.onprem_sid = absl::StrCat(i);
    ASSERT_OK(writer.PutUsers(kSampleTenant, {user}, SampleCause()));
    EXPECT_EQ(read(reader).user, user);
    PolicyRecord policy = SamplePolicy("p-1");
    policy.document = absl::StrCat(i);
    ASSERT_OK(writer.ChangePolicies(kSampleTenant, std::nullopt, {policy}, {}, SampleCause()));
    EXPECT_EQ(read(reader).policy_revision, i);
    EXPECT_EQ(reader.ListPolicies(kSampleTenant)->policies[0].document, policy.document);
    ASSERT_OK(reader.Unblock(kSampleTenant, left.kind, left.subject, SampleCause()));
    EXPECT_FALSE(read(writer).user_block.has_value());
    ASSERT_OK(reader.Unblock(kSampleTenant, stolen.kind, stolen.subject, SampleCause()));
  }
}

TEST_P(StoreReplicasConformance, AKeyGetsItsRootOrIsCondemnedAndNeverBoth) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> other, place_->Open());
  constexpr int kKeys = 40;
  for (int i = 1; i <= kKeys; ++i) {
    RootRecord root = SampleRoot(i);
    root.key_made_for_root = true;
    const std::string public_key = absl::StrCat("key ", i, ";");
    root.certificate += public_key;
    ASSERT_OK(store_->PlanKey({std::string(kSampleTenant), i, root.key_uri, public_key}));
    absl::Status added, condemned;
    std::thread adds([&] { added = store_->AddRoot(root); });
    std::thread condemns([&] { condemned = other->CondemnPlannedKey(root.key_uri, public_key); });
    adds.join();
    condemns.join();
    EXPECT_OK(condemned);
    ASSERT_OK_AND_ASSIGN(const auto plans, store_->ListPlannedKeys(kSampleTenant));
    ASSERT_OK_AND_ASSIGN(const auto roots, other->RootsOfPublicKey(public_key));
    EXPECT_EQ(roots.size(), added.ok() ? 1u : 0u);
    EXPECT_EQ(plans.size(), added.ok() ? 0u : 1u);
    if (!added.ok()) {
      EXPECT_THAT(added, FailsWith(ErrorReason::kKeyDestroyed, "key_uri"));
    }
    ASSERT_OK(store_->ForgetPlannedKey(root.key_uri, std::nullopt));
  }
}

}  // namespace
}  // namespace hourglass::issuance
