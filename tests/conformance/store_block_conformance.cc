#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/conformance/store_conformance.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Kind = BlockRecord::Kind;

absl::Status Block(Store& store, Kind kind, const std::string& subject) {
  return store.Block(SampleBlock(kind, subject), SampleCause());
}

std::vector<BlockRecord> BlocksOf(Store& store, absl::string_view tenant_id = kSampleTenant) {
  const auto page = store.ListBlocks(tenant_id, kMaxPageSize, "");
  EXPECT_OK(page);
  return page.ok() ? page->records : std::vector<BlockRecord>();
}

TEST_P(BlockStoreConformance, KeepsBlocksInEveryField) {
  EXPECT_THAT(Block(*store_, Kind::kDevice, "d"),
              FailsWith(ErrorReason::kTenantUnknown, "tenant_id"));
  EXPECT_THAT(BlocksOf(*store_), IsEmpty()) << "of a tenant that there is not";
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  ASSERT_OK(store_->CreateTenant(SampleTenant("fabrikam")));
  const ChangeCause cause = {SampleTime(4), absl::StrCat("by ", kUnusualText), kUnusualText};
  BlockRecord boasting = SampleBlock(Kind::kUser, kUnusualText);
  boasting.until = SampleTime(77);
  boasting.reason = "none";
  boasting.blocked_by = "itself";
  boasting.blocked_at = SampleTime(99);
  ASSERT_OK(store_->Block(boasting, cause));
  BlockRecord unusual = boasting;
  unusual.reason = cause.reason;
  unusual.blocked_by = cause.caller;
  unusual.blocked_at = cause.now;
  ASSERT_OK(Block(*store_, Kind::kDevice, kUnusualText));
  EXPECT_THAT(BlocksOf(*store_), ElementsAre(SampleBlock(Kind::kDevice, kUnusualText), unusual))
      << "a device and a user of one name are two";
  EXPECT_THAT(BlocksOf(*store_, "fabrikam"), IsEmpty());
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> other, place_->Open());
  EXPECT_EQ(BlocksOf(*other), BlocksOf(*store_));
}

TEST_P(BlockStoreConformance, ABlockTakesThePlaceOfAnother) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  BlockRecord block = SampleBlock(Kind::kDevice, "Laptop-1");
  block.until = SampleTime(60);
  ASSERT_OK(store_->Block(block, SampleCause()));
  BlockRecord next = SampleBlock(Kind::kDevice, "LAPTOP-1");
  const ChangeCause cause = {SampleTime(5), "another", "stolen"};
  ASSERT_OK(store_->Block(next, cause));
  next.reason = cause.reason;
  next.blocked_by = cause.caller;
  next.blocked_at = cause.now;
  EXPECT_THAT(BlocksOf(*store_), ElementsAre(next)) << "by ca::FoldedUpn it is the same";
}

TEST_P(BlockStoreConformance, WhatIsLiftedIsGoneAndReturnedAsItWas) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  ASSERT_OK(store_->CreateTenant(SampleTenant("fabrikam")));
  const auto unknown = FailsWith(ErrorReason::kBlockUnknown, "subject");
  const auto lift = [&](Kind kind, absl::string_view subject,
                        absl::string_view tenant_id = kSampleTenant) {
    return store_->Unblock(tenant_id, kind, subject, {SampleTime(9), "lifter", "found again"});
  };
  EXPECT_THAT(lift(Kind::kDevice, "d"), unknown);
  ASSERT_OK(Block(*store_, Kind::kDevice, "d"));
  ASSERT_OK(Block(*store_, Kind::kUser, "Alice@Contoso.example"));
  EXPECT_THAT(lift(Kind::kUser, "d"), unknown);
  EXPECT_THAT(lift(Kind::kDevice, "d", "fabrikam"), unknown);
  EXPECT_THAT(lift(Kind::kDevice, "d", "nobody"), unknown);
  EXPECT_THAT(lift(Kind::kDevice, ""), unknown);
  EXPECT_EQ(BlocksOf(*store_).size(), 2u);
  EXPECT_EQ(lift(Kind::kUser, "alice@CONTOSO.example").value(),
            SampleBlock(Kind::kUser, "Alice@Contoso.example"));
  EXPECT_EQ(lift(Kind::kDevice, "D").value(), SampleBlock(Kind::kDevice, "d"));
  EXPECT_THAT(lift(Kind::kDevice, "d"), unknown);
  EXPECT_THAT(BlocksOf(*store_), IsEmpty());
}

TEST_P(BlockStoreConformance, RefusesToBlockNobody) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  for (const char* subject : {"", " ", "\t"}) {
    for (const Kind kind : {Kind::kDevice, Kind::kUser}) {
      EXPECT_THAT(Block(*store_, kind, subject), FailsWith(ErrorReason::kFieldInvalid, "subject"));
    }
  }
  EXPECT_THAT(BlocksOf(*store_), IsEmpty());
  EXPECT_THAT(ActionsOf(*store_), IsEmpty());
}

TEST_P(BlockStoreConformance, RecordsWhoBlockedAndWhoLifted) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  ASSERT_OK(Block(*store_, Kind::kDevice, "Laptop-1"));
  ASSERT_OK(Block(*store_, Kind::kUser, "u-1"));
  const ChangeCause cause = {SampleTime(9), "lifter", "found again"};
  ASSERT_OK(store_->Unblock(kSampleTenant, Kind::kDevice, "laptop-1", cause));
  ASSERT_OK(store_->Unblock(kSampleTenant, Kind::kUser, "u-1", cause));
  EXPECT_THAT(ActionsOf(*store_), ElementsAre("user_unblocked u-1", "device_unblocked Laptop-1",
                                              "user_blocked u-1", "device_blocked Laptop-1"));
  ASSERT_OK_AND_ASSIGN(Page<AdministrativeAction> page,
                       store_->ListAdministrativeActions(kSampleTenant, 1, ""));
  page.records[0].sequence = 0;
  EXPECT_EQ(page.records[0],
            (AdministrativeAction{std::string(kSampleTenant), 0, cause.now, cause.caller,
                                  "user_unblocked", "u-1", "", "", cause.reason, false}));
}

TEST_P(BlockStoreConformance, PagesOfBlocksAreCompleteAndInOrder) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  ASSERT_OK(store_->CreateTenant(SampleTenant("fabrikam")));
  ASSERT_OK(store_->Block(SampleBlock(Kind::kDevice, "c", "fabrikam"), SampleCause()));
  ASSERT_OK(Block(*store_, Kind::kUser, "A:b"));
  for (const char* id : {"aa", "\xc3\xa9", "b'", "B", "a"}) {
    ASSERT_OK(Block(*store_, Kind::kDevice, id));
  }
  BlockRecord over = SampleBlock(Kind::kUser, "a");
  over.until = SampleTime(-9999);
  ASSERT_OK(store_->Block(over, SampleCause()));
  const std::vector<std::string> in_order = {"a", "aa", "B", "b'", "\xc3\xa9", "a", "A:b"};
  for (const int page_size : {1, 2, 3, 6, 7, 8}) {
    std::vector<std::string> subjects;
    std::string token;
    do {
      ASSERT_OK_AND_ASSIGN(const Page<BlockRecord> page,
                           store_->ListBlocks(kSampleTenant, page_size, token));
      ASSERT_LE(page.records.size(), static_cast<std::size_t>(page_size));
      for (const BlockRecord& block : page.records) subjects.push_back(block.subject);
      token = page.next_page_token;
    } while (!token.empty());
    EXPECT_EQ(subjects, in_order) << page_size;
  }
  for (const int page_size : {-1, 0, kMaxPageSize + 1}) {
    EXPECT_THAT(store_->ListBlocks(kSampleTenant, page_size, ""),
                FailsWith(ErrorReason::kFieldInvalid, "page_size"));
  }
  for (const std::string& token : {std::string("x"), absl::WebSafeBase64Escape("b1:device"),
                                   absl::WebSafeBase64Escape("u1:a")}) {
    EXPECT_THAT(store_->ListBlocks(kSampleTenant, 1, token),
                FailsWith(ErrorReason::kFieldInvalid, "page_token"));
  }
}

}  // namespace
}  // namespace hourglass::issuance
