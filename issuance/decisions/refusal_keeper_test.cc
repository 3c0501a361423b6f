#include "issuance/decisions/refusal_keeper.h"

#include <gmock/gmock.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "issuance/log/testing/captured_log.h"
#include "issuance/store/sqlite/sqlite_store.h"
#include "issuance/store/testing/forwarding_store.h"
#include "issuance/store/testing/sample_records.h"
#include "issuance/timekeeping/testing/doubted_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class FailingStore final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  absl::Status KeepRefusals(absl::Span<const RefusalRecord> refusals,
                            absl::Span<const UntoldEvent> events) override {
    ++writes;
    if (fails) return Error(ErrorReason::kJournalUnavailable, "", "the disk is full");
    return ForwardingStore::KeepRefusals(refusals, events);
  }
  std::atomic<bool> fails = false;
  std::atomic<int> writes = 0;
};

class RefusalKeeperTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(file_, OpenSqliteStore(directory_.File("store.sqlite")));
    store_.emplace(file_.get());
    ASSERT_OK(AddSamplePrimary(*store_));
    RefusalLimits limits;
    limits.pause = std::chrono::milliseconds(1);
    limits.most_of_device = 3;
    limits.most_of_tenant = 5;
    keeper_.emplace(&*store_, &*store_, &clock_, *log_.log(), &dropped_, limits);
  }

  void Issue(const std::string& request_id, int at) {
    Intent intent = SampleIntent(request_id);
    intent.intended_at = SampleTime(at);
    ASSERT_OK(Append(*store_, intent));
    ASSERT_OK(Append(*store_, ReleaseOf(intent)));
  }
  void Refuse(const std::string& verdict_id, int at = 0,
              const std::string& device_id = "laptop-1") {
    RefusalRecord refusal = SampleRefusal(verdict_id);
    refusal.at = SampleTime(at);
    refusal.device_id = device_id;
    keeper_->Note(refusal);
  }
  std::vector<std::string> Kept() {
    std::vector<std::string> ids;
    const auto page = store_->ListRefusals(kSampleTenant, {}, kMaxPageSize, "");
    for (const RefusalRecord& refusal : page->records) ids.push_back(refusal.verdict_id);
    return ids;
  }
  std::vector<DecisionEvent> Events() { return store_->ListEvents(kSampleTenant, 0, 100).value(); }

  const TemporaryDirectory directory_;
  DoubtedClock clock_{SampleTime(10)};
  CapturedLog log_;
  std::atomic<std::uint64_t> dropped_ = 0;
  std::unique_ptr<Store> file_;
  std::optional<FailingStore> store_;
  std::optional<RefusalKeeper> keeper_;
};

TEST_F(RefusalKeeperTest, KeepsWhatItIsGivenInFewTransactions) {
  Refuse("v-1");
  Refuse("v-2");
  keeper_->Flush();
  EXPECT_THAT(Kept(), ElementsAre("v-2", "v-1"));
  EXPECT_LE(store_->writes, 2);
  EXPECT_THAT(Events(), IsEmpty()) << "there is no certificate to be told of";
  Refuse("v-3");
  keeper_.reset();
  EXPECT_THAT(Kept(), ElementsAre("v-3", "v-2", "v-1")) << "the end waits for what waits";
}

TEST_F(RefusalKeeperTest, OfADeviceAndOfATenantOnlySoManyAMinute) {
  for (int i = 0; i < 5; ++i) Refuse(absl::StrCat("v-", i));
  for (int i = 0; i < 4; ++i) Refuse(absl::StrCat("w-", i), 0, absl::StrCat("other-", i));
  keeper_->Flush();
  EXPECT_THAT(Kept(), ElementsAre("w-1", "w-0", "v-2", "v-1", "v-0"));
  EXPECT_EQ(dropped_, 4u);
  clock_.now += std::chrono::minutes(1);
  Refuse("x");
  keeper_->Flush();
  EXPECT_THAT(Kept(), SizeIs(6));
}

TEST_F(RefusalKeeperTest, ADeviceWithALiveCertificateIsToldOfOnce) {
  Issue("r-1", -5);
  Refuse("v-1", 0);
  keeper_->Flush();
  ASSERT_THAT(Events(), SizeIs(1));
  EXPECT_EQ(Events()[0].kind, DecisionEvent::Kind::kAccessRefused);
  EXPECT_EQ(Events()[0].device_id, "laptop-1");
  EXPECT_EQ(Events()[0].verdict_id, "v-1");
  Refuse("v-2", 1);
  keeper_->Flush();
  EXPECT_THAT(Events(), SizeIs(1));
  Issue("r-2", 2);
  Refuse("v-3", 3);
  keeper_->Flush();
  EXPECT_THAT(Events(), SizeIs(2));
}

TEST_F(RefusalKeeperTest, NothingIsToldByAClockThatIsNotBelieved) {
  Issue("r-1", -5);
  clock_.believed = false;
  Refuse("v-1");
  keeper_->Flush();
  EXPECT_THAT(Kept(), ElementsAre("v-1"));
  EXPECT_THAT(Events(), IsEmpty());
}

TEST_F(RefusalKeeperTest, WhatCannotBeWrittenIsTriedAgainAndSaidOnce) {
  store_->fails = true;
  Refuse("v-1");
  while (store_->writes < 3) std::this_thread::yield();
  store_->fails = false;
  keeper_->Flush();
  EXPECT_THAT(Kept(), ElementsAre("v-1"));
  EXPECT_THAT(log_.Take(), SizeIs(1));
}

}  // namespace
}  // namespace hourglass::issuance
