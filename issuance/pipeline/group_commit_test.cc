#include "issuance/pipeline/group_commit.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/store/sqlite/sqlite_store.h"
#include "issuance/store/testing/forwarding_store.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

// A real store behind a door that the test opens, that counts who passes, and that can be made to
// fail.
class WatchedStore final : public ForwardingStore {
 public:
  explicit WatchedStore(Store* store) : ForwardingStore(store) {}

  absl::StatusOr<std::vector<absl::Status>> AppendToJournal(
      absl::Span<const JournalWrite> writes) override {
    std::unique_lock<std::mutex> lock(mutex_);
    groups_.push_back(writes.size());
    const Passing passing(this);
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
    if (answers_short_) return std::vector<absl::Status>();
    if (!failure_.ok()) return failure_;
    lock.unlock();
    auto statuses = ForwardingStore::AppendToJournal(writes);
    lock.lock();
    return statuses;
  }

  int AppendsAtOnce() const override { return at_once_; }
  void DoAtOnce(int appends) { at_once_ = appends; }

  void Shut() {
    Change([this] { open_ = false; });
  }
  void Open() {
    Change([this] { open_ = true; });
  }
  void Fail(const absl::Status& failure) {
    Change([&] { failure_ = failure; });
  }
  void AnswerShort(bool on) {
    Change([&] { answers_short_ = on; });
  }

  void WaitForGroups(std::size_t count) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return groups_.size() >= count; });
  }
  // So many groups were under way at once at most.
  int MostAtOnce() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return most_;
  }
  // Sizes of the groups that came, in order.
  std::vector<std::size_t> Groups() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return groups_;
  }

 private:
  // With the mutex held, when it comes and when it goes.
  struct Passing {
    explicit Passing(WatchedStore* store) : store(*store) {
      store->most_ = std::max(store->most_, ++store->under_way_);
    }
    ~Passing() { --store.under_way_; }
    WatchedStore& store;
  };

  template <typename Function>
  void Change(Function change) {
    const std::lock_guard<std::mutex> lock(mutex_);
    change();
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = true;
  bool answers_short_ = false;
  absl::Status failure_;
  int at_once_ = 1;
  int under_way_ = 0;
  int most_ = 0;
  std::vector<std::size_t> groups_;
};

class GroupCommitTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(store_, OpenSqliteStore(directory_.File("hourglass.db")));
    ASSERT_OK(AddSamplePrimary(*store_));
    watched_ = std::make_unique<WatchedStore>(store_.get());
    journal_ = std::make_unique<GroupCommit>(watched_.get(), watched_.get());
  }

  const TemporaryDirectory directory_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<WatchedStore> watched_;
  std::unique_ptr<GroupCommit> journal_;
};

TEST_F(GroupCommitTest, WritesAndFinds) {
  const Intent intent = SampleIntent("r-1");
  EXPECT_THAT(journal_->Find(kSampleTenant, "r-1"), FailsWith(ErrorReason::kCertificateUnknown));
  EXPECT_THAT(journal_->Write(ReleaseOf(intent)), FailsWith(ErrorReason::kCertificateUnknown));
  ASSERT_OK(journal_->Write(intent));
  EXPECT_THAT(journal_->Write(intent), FailsWith(ErrorReason::kRequestIdReused));
  ASSERT_OK(journal_->Write(ReleaseOf(intent)));
  ASSERT_OK_AND_ASSIGN(const JournalRecord found, journal_->Find(kSampleTenant, "r-1"));
  EXPECT_EQ(found.intent, intent);
  EXPECT_EQ(found.certificate, ReleaseOf(intent).certificate);
  EXPECT_THAT(watched_->Groups(), testing::Each(1u)) << "an idle journal waits for nobody";
}

TEST_F(GroupCommitTest, ABatchIsOneCommitAndEachWriteHasItsOwnStatus) {
  Intent of_an_old_epoch = SampleIntent("r-2");
  of_an_old_epoch.epoch = 0;
  const std::vector<JournalWrite> writes = {SampleIntent("r-1"), of_an_old_epoch,
                                            SampleIntent("r-1"), SampleIntent("r-3")};
  std::vector<JournalWrite> batch = writes;
  const std::vector<absl::Status> statuses = journal_->WriteAll(batch);
  ASSERT_EQ(statuses.size(), 4u);
  EXPECT_OK(statuses[0]);
  EXPECT_THAT(statuses[1], FailsWith(ErrorReason::kPrimaryChanged));
  EXPECT_THAT(statuses[2], FailsWith(ErrorReason::kRequestIdReused));
  EXPECT_OK(statuses[3]);
  EXPECT_EQ(batch, writes);
  EXPECT_THAT(watched_->Groups(), testing::ElementsAre(4u));
  std::vector<JournalWrite> nothing;
  EXPECT_THAT(journal_->WriteAll(nothing), testing::IsEmpty());
  EXPECT_EQ(watched_->Groups().size(), 1u);
}

TEST_F(GroupCommitTest, BatchesThatShareACommitKeepTheirOwn) {
  constexpr int kThreads = 8, kRounds = 40, kEach = 5;
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int round = 0; round < kRounds; ++round) {
        std::vector<JournalWrite> batch;
        for (int i = 0; i < kEach; ++i) {
          Intent intent = SampleIntent(absl::StrCat(thread, "-", round, "-", i));
          if (i == thread % kEach) intent.epoch = 0;
          batch.emplace_back(std::move(intent));
        }
        const std::vector<JournalWrite> before = batch;
        const std::vector<absl::Status> statuses = journal_->WriteAll(batch);
        if (batch != before || statuses.size() != kEach) ++wrong;
        for (int i = 0; i < kEach; ++i) {
          if (statuses.at(static_cast<std::size_t>(i)).ok() == (i == thread % kEach)) ++wrong;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  std::size_t most = 0;
  for (const std::size_t group : watched_->Groups()) most = std::max(most, group);
  EXPECT_GT(most, static_cast<std::size_t>(kEach)) << "none shared a commit";
}

TEST_F(GroupCommitTest, EachOfManyThreadsGetsItsOwnStatus) {
  constexpr int kThreads = 32, kEach = 30;
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < kEach; ++i) {
        Intent intent = SampleIntent(absl::StrCat(thread, "-", i));
        const bool of_an_old_epoch = (thread + i) % 3 == 0;
        if (of_an_old_epoch) intent.epoch = 0;
        const absl::Status status = journal_->Write(intent);
        if (of_an_old_epoch != (ReasonOf(status) == ErrorReason::kPrimaryChanged)) ++wrong;
        if (of_an_old_epoch) continue;
        if (!status.ok() || !journal_->Write(ReleaseOf(intent)).ok()) ++wrong;
        const auto found = journal_->Find(kSampleTenant, intent.request_id);
        if (!found.ok() || found->intent != intent || !found->released_at.has_value()) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST_F(GroupCommitTest, WritersWhoArriveDuringACommitShareTheNext) {
  constexpr int kFollowers = 12;
  std::size_t writes = 0, largest_group = 0;
  // A follower that has arrived may still be on its way into the queue, so that a round may share
  // nothing.
  for (int round = 0; largest_group < 2; ++round) {
    const std::size_t groups_before = watched_->Groups().size();
    watched_->Shut();
    std::atomic<int> arrived = 0;
    std::vector<std::thread> writers;
    for (int i = 0; i <= kFollowers; ++i) {
      writers.emplace_back([&, i] {
        const Intent intent = SampleIntent(absl::StrCat(round, "-", i));
        ++arrived;
        EXPECT_OK(journal_->Write(intent));
      });
      // The first commits and stands at the shut door.
      if (i == 0) watched_->WaitForGroups(groups_before + 1);
    }
    while (arrived <= kFollowers) std::this_thread::yield();
    EXPECT_EQ(watched_->Groups().size(), groups_before + 1) << "one commit at a time";
    watched_->Open();
    for (std::thread& writer : writers) writer.join();
    writes += kFollowers + 1;
    const std::vector<std::size_t> groups = watched_->Groups();
    EXPECT_EQ(std::accumulate(groups.begin(), groups.end(), std::size_t{0}), writes)
        << "each write is committed once";
    largest_group = *std::max_element(groups.begin(), groups.end());
  }
}

TEST_F(GroupCommitTest, AsManyCommitsAreUnderWayAsTheStoreDoesAtOnce) {
  watched_->DoAtOnce(3);
  GroupCommit journal(watched_.get(), watched_.get());
  watched_->Shut();
  std::atomic<int> arrived = 0;
  std::vector<std::thread> writers;
  for (int i = 0; i < 12; ++i) {
    writers.emplace_back([&, i] {
      ++arrived;
      EXPECT_OK(journal.Write(SampleIntent(absl::StrCat("r-", i))));
    });
    if (i < 3) watched_->WaitForGroups(static_cast<std::size_t>(i) + 1);
  }
  while (arrived < 12) std::this_thread::yield();
  EXPECT_THAT(watched_->Groups(), testing::ElementsAre(1u, 1u, 1u)) << "the others wait";
  watched_->Open();
  for (std::thread& writer : writers) writer.join();
  const std::vector<std::size_t> groups = watched_->Groups();
  EXPECT_EQ(std::accumulate(groups.begin(), groups.end(), std::size_t{0}), 12u);
  EXPECT_EQ(watched_->MostAtOnce(), 3);
}

TEST_F(GroupCommitTest, SeveralCommitsAtOnceCommitEachWriteOnce) {
  constexpr int kThreads = 16, kEach = 60, kAtOnce = 3;
  watched_->DoAtOnce(kAtOnce);
  GroupCommit journal(watched_.get(), watched_.get());
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < kEach; ++i) {
        Intent intent = SampleIntent(absl::StrCat(thread, "-", i));
        const bool of_an_old_epoch = (thread + i) % 3 == 0;
        if (of_an_old_epoch) intent.epoch = 0;
        const absl::Status status = journal.Write(std::move(intent));
        if (of_an_old_epoch != (ReasonOf(status) == ErrorReason::kPrimaryChanged)) ++wrong;
        if (!of_an_old_epoch && !status.ok()) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  const std::vector<std::size_t> groups = watched_->Groups();
  EXPECT_EQ(std::accumulate(groups.begin(), groups.end(), std::size_t{0}),
            std::size_t{kThreads * kEach});
  EXPECT_LE(watched_->MostAtOnce(), kAtOnce);
  EXPECT_GE(watched_->MostAtOnce(), 2);
}

TEST_F(GroupCommitTest, AFailureIsToldToAllWaitersAndTheJournalGoesOn) {
  constexpr int kWriters = 8;
  watched_->Fail(Error(ErrorReason::kJournalUnavailable, "", "the disk is full"));
  watched_->Shut();
  std::atomic<int> told = 0;
  std::vector<std::thread> writers;
  for (int i = 0; i < kWriters; ++i) {
    writers.emplace_back([&, i] {
      const absl::Status status = journal_->Write(SampleIntent(absl::StrCat("r-", i)));
      if (ReasonOf(status) == ErrorReason::kJournalUnavailable) ++told;
    });
  }
  watched_->WaitForGroups(1);
  watched_->Open();
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(told, kWriters);
  EXPECT_THAT(journal_->Find(kSampleTenant, "r-0"), FailsWith(ErrorReason::kCertificateUnknown));
  watched_->Fail(absl::OkStatus());
  EXPECT_OK(journal_->Write(SampleIntent("r-0")));
}

TEST_F(GroupCommitTest, AStoreThatDoesNotAnswerForEveryWriteIsNotBelieved) {
  watched_->AnswerShort(true);
  EXPECT_THAT(journal_->Write(SampleIntent("r-1")), FailsWith(ErrorReason::kInternalError));
  watched_->AnswerShort(false);
  EXPECT_OK(journal_->Write(SampleIntent("r-1")));
}

}  // namespace
}  // namespace hourglass::issuance
