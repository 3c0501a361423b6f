#include <gmock/gmock.h>

#include <chrono>
#include <cstdint>
#include <memory>
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
using testing::IsEmpty;
using Kind = DecisionEvent::Kind;

// All pages, by verdict id.
std::vector<std::string> Refusals(Store& store, const RefusalFilter& filter = {},
                                  int page_size = 2) {
  std::vector<std::string> ids;
  std::string page_token;
  do {
    const auto page = store.ListRefusals(kSampleTenant, filter, page_size, page_token);
    EXPECT_OK(page);
    if (!page.ok()) return ids;
    for (const RefusalRecord& refusal : page->records) ids.push_back(refusal.verdict_id);
    page_token = page->next_page_token;
  } while (!page_token.empty());
  return ids;
}

// `KIND DEVICE UPN` of each.
std::vector<std::string> Events(Store& store, std::uint64_t after = 0) {
  std::vector<std::string> events;
  const auto listed = store.ListEvents(kSampleTenant, after, 100);
  EXPECT_OK(listed);
  if (!listed.ok()) return events;
  for (const DecisionEvent& event : *listed) {
    events.push_back(
        absl::StrCat(static_cast<int>(event.kind), " ", event.device_id, " ", event.user_upn));
  }
  return events;
}

UntoldEvent Untold(absl::string_view device_id, int at, int newest_intended_at) {
  UntoldEvent untold = {SampleEvent(device_id), SampleTime(newest_intended_at)};
  untold.event.at = SampleTime(at);
  return untold;
}

TEST_P(DecisionStoreConformance, RefusalsAreKeptWholeTheNewestFirst) {
  ASSERT_OK(AddSamplePrimary(*store_));
  ASSERT_OK(AddSamplePrimary(*store_, "fabrikam"));
  for (int i = 1; i <= 5; ++i) {
    RefusalRecord refusal = SampleRefusal(absl::StrCat("v-", i));
    if (i > 3) refusal.device_id = "laptop-2";
    if (i == 5) refusal.user_upn = "Other@contoso.example";
    ASSERT_OK(store_->KeepRefusals({refusal}, {}));
  }
  ASSERT_OK(store_->KeepRefusals({SampleRefusal("v-1", "fabrikam"), SampleRefusal("v-9")}, {}));
  EXPECT_THAT(Refusals(*store_), ElementsAre("v-9", "v-5", "v-4", "v-3", "v-2", "v-1"));
  EXPECT_THAT(Refusals(*store_, {.device_id = "laptop-2"}), ElementsAre("v-5", "v-4"));
  EXPECT_THAT(Refusals(*store_, {.user_upn = "OTHER@contoso.example"}), ElementsAre("v-5"));
  EXPECT_THAT(Refusals(*store_, {.device_id = "laptop-2", .user_upn = "user@contoso.example"}),
              ElementsAre("v-4"));
  EXPECT_THAT(Refusals(*store_, {.verdict_id = "v-3"}), ElementsAre("v-3"));
  EXPECT_THAT(Refusals(*store_, {.verdict_id = "v-3", .device_id = "laptop-2"}), IsEmpty());
  EXPECT_THAT(Refusals(*store_, {.user_upn = " "}), IsEmpty()) << "who is nobody is not everybody";
  ASSERT_OK_AND_ASSIGN(const Page<RefusalRecord> one,
                       store_->ListRefusals(kSampleTenant, {.verdict_id = "v-9"}, 1, ""));
  ASSERT_EQ(one.records.size(), 1u);
  RefusalRecord wanted = SampleRefusal("v-9");
  wanted.sequence = one.records[0].sequence;
  EXPECT_EQ(one.records[0], wanted);
  EXPECT_THAT(store_->ListRefusals(kSampleTenant, {}, 1, "forged"),
              FailsWith(ErrorReason::kFieldInvalid, "page_token"));
  EXPECT_THAT(store_->ListRefusals(kSampleTenant, {}, 0, ""),
              FailsWith(ErrorReason::kFieldInvalid, "page_size"));
}

TEST_P(DecisionStoreConformance, ARefusalIsKeptOnceAndOfATenantThatIsThere) {
  ASSERT_OK(AddSamplePrimary(*store_));
  ASSERT_OK(store_->KeepRefusals({SampleRefusal("v-1")}, {}));
  ASSERT_OK(store_->KeepRefusals({SampleRefusal("v-1"), SampleRefusal("v-2")}, {}));
  EXPECT_THAT(Refusals(*store_), ElementsAre("v-2", "v-1"));
  EXPECT_THAT(store_->KeepRefusals({SampleRefusal("v-3"), SampleRefusal("v-3", "nobody")}, {}),
              FailsWith(ErrorReason::kTenantUnknown));
  EXPECT_THAT(Refusals(*store_), ElementsAre("v-2", "v-1"));
}

TEST_P(DecisionStoreConformance, WhatIsBlockedRemovedOrDisabledIsAnEventOfTheSameTransaction) {
  ASSERT_OK(AddSamplePrimary(*store_));
  EXPECT_THAT(store_->NewestEvents().value(), IsEmpty());
  ASSERT_OK(store_->PutDevice(SampleDevice("laptop-1")));
  DecisionEvent removed = SampleEvent("laptop-1");
  removed.kind = Kind::kDeviceRemoved;
  ASSERT_OK(store_->RemoveDeviceTelling(removed));
  EXPECT_THAT(store_->RemoveDeviceTelling(removed), FailsWith(ErrorReason::kDeviceUnknown));
  ASSERT_OK(store_->Block(SampleBlock(BlockRecord::Kind::kDevice, "laptop-2"), SampleCause()));
  DirectoryUser user = SampleUser("u-1");
  ASSERT_OK(store_->PutUsers(kSampleTenant, {user, SampleUser("u-2")}, SampleCause()));
  ASSERT_OK(store_->Block(SampleBlock(BlockRecord::Kind::kUser, "u-1"), SampleCause()));
  ASSERT_OK(
      store_->Block(SampleBlock(BlockRecord::Kind::kUser, "U-2@contoso.example"), SampleCause()));
  ASSERT_OK(
      store_->Block(SampleBlock(BlockRecord::Kind::kUser, "x@contoso.example"), SampleCause()));
  user.is_enabled = false;
  DirectoryUser never = SampleUser("u-3");
  never.is_enabled = false;
  ASSERT_OK(store_->PutUsers(kSampleTenant, {user, never, SampleUser("u-2")}, SampleCause()));
  // They were before.
  ASSERT_OK(store_->PutUsers(kSampleTenant, {user, never}, SampleCause()));
  EXPECT_THAT(Events(*store_), ElementsAre("3 laptop-1 user@contoso.example", "2 laptop-2 ",
                                           "4  u-1@contoso.example", "4  u-2@contoso.example",
                                           "4  x@contoso.example", "5  u-1@contoso.example",
                                           "5  u-3@contoso.example"));
  EXPECT_EQ(store_->NewestEvents().value().at(std::string(kSampleTenant)), 7u);
  EXPECT_THAT(Events(*store_, 6), ElementsAre("5  u-3@contoso.example"));
  ASSERT_OK_AND_ASSIGN(const std::optional<DecisionEvent> first,
                       store_->FindEvent(kSampleTenant, 1));
  ASSERT_TRUE(first.has_value());
  removed.sequence = 1;
  EXPECT_EQ(*first, removed);
  EXPECT_FALSE(store_->FindEvent(kSampleTenant, 8).value().has_value());
  EXPECT_FALSE(store_->FindEvent("fabrikam", 1).value().has_value());
}

TEST_P(DecisionStoreConformance, ADeviceIsToldOfOnceForAllOfItsCertificates) {
  ASSERT_OK(AddSamplePrimary(*store_));
  ASSERT_OK(store_->KeepRefusals({SampleRefusal("v-1")}, {Untold("laptop-1", 10, 5)}));
  ASSERT_OK(store_->KeepRefusals({SampleRefusal("v-2")}, {Untold("laptop-1", 20, 5)}));
  EXPECT_EQ(Events(*store_).size(), 1u);
  // A certificate that came after it.
  ASSERT_OK(store_->KeepRefusals({}, {Untold("laptop-1", 30, 11), Untold("laptop-2", 30, 5)}));
  EXPECT_EQ(Events(*store_).size(), 3u);
  // One user's refusal says nothing of another's.
  UntoldEvent other = Untold("laptop-1", 40, 11);
  other.event.user_upn = "other@contoso.example";
  ASSERT_OK(store_->KeepRefusals({}, {other, other}));
  EXPECT_EQ(Events(*store_).size(), 4u);
  // A report's says it of all.
  UntoldEvent report = Untold("laptop-1", 50, 45);
  report.event.kind = Kind::kDeviceNotCompliant;
  report.event.user_id.clear();
  report.event.user_upn.clear();
  ASSERT_OK(store_->PutDeviceTelling(SampleDevice("laptop-1"), report));
  ASSERT_OK(store_->PutDeviceTelling(SampleDevice("laptop-1"), report));
  ASSERT_OK(store_->KeepRefusals({}, {Untold("laptop-1", 60, 45)}));
  EXPECT_EQ(Events(*store_).size(), 5u);
  EXPECT_OK(store_->GetDevice(kSampleTenant, "laptop-1"));
  EXPECT_THAT(store_->PutDeviceTelling(SampleDevice("laptop-1", "nobody"), report),
              FailsWith(ErrorReason::kTenantUnknown));
}

TEST_P(DecisionStoreConformance, WhoHasReadAnEventReadsNoneBeforeItLaterOn) {
  ASSERT_OK(AddSamplePrimary(*store_));
  constexpr int kWriters = 4, kEach = 15;
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> store, place_->Open());
      for (int i = 0; i < kEach; ++i) {
        const std::string device = absl::StrCat("laptop-", w, "-", i);
        if (i % 2 == 0) {
          EXPECT_OK(store->Block(SampleBlock(BlockRecord::Kind::kDevice, device), SampleCause()));
        } else {
          EXPECT_OK(store->KeepRefusals({}, {Untold(device, 10, 5)}));
        }
      }
    });
  }
  std::uint64_t last = 0;
  while (last < kWriters * kEach) {
    const auto events = store_->ListEvents(kSampleTenant, last, 7);
    ASSERT_OK(events);
    for (const DecisionEvent& event : *events) {
      ASSERT_EQ(event.sequence, last + 1);
      last = event.sequence;
    }
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_THAT(Events(*store_, last), IsEmpty());
}

TEST_P(DecisionStoreConformance, WhatIsOldIsDroppedButForTheNewestEvent) {
  ASSERT_OK(AddSamplePrimary(*store_));
  for (int i = 1; i <= 3; ++i) {
    RefusalRecord refusal = SampleRefusal(absl::StrCat("v-", i));
    refusal.at = SampleTime(i);
    ASSERT_OK(store_->KeepRefusals({refusal}, {Untold(absl::StrCat("laptop-", i), i, 0)}));
  }
  // By the clock of another replica.
  ASSERT_OK(store_->KeepRefusals({}, {Untold("laptop-4", 1, 0)}));
  ASSERT_OK(store_->DropDecisions(SampleTime(2), SampleTime(2)));
  EXPECT_THAT(Refusals(*store_), ElementsAre("v-3", "v-2"));
  EXPECT_FALSE(store_->FindEvent(kSampleTenant, 1).value().has_value());
  EXPECT_EQ(Events(*store_).size(), 3u) << "what comes after one that is kept is kept";
  ASSERT_OK(store_->DropDecisions(SampleTime(9), SampleTime(9)));
  EXPECT_THAT(Refusals(*store_), IsEmpty());
  EXPECT_EQ(Events(*store_).size(), 1u);
  EXPECT_TRUE(store_->FindEvent(kSampleTenant, 4).value().has_value());
  ASSERT_OK(store_->KeepRefusals({}, {Untold("laptop-5", 9, 0)}));
  EXPECT_TRUE(store_->FindEvent(kSampleTenant, 5).value().has_value());
}

}  // namespace
}  // namespace hourglass::issuance
