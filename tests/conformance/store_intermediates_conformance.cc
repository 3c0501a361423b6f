#include <gmock/gmock.h>

#include <limits>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/conformance/store_conformance.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using ca::RootState;
using testing::ElementsAre;
using testing::IsEmpty;

absl::Status ReleaseSample(Store& store, const IntermediateRecord& intermediate) {
  return store.ReleaseIntermediate(intermediate.tenant_id, intermediate.root_id,
                                   intermediate.serial_number, "signed", SampleTime(1));
}

TEST_P(IntermediateStoreConformance, IntermediatesKeepIntentThenRelease) {
  ASSERT_OK(AddSamplePrimary(*store_));
  IntermediateRecord intermediate = SampleIntermediate(1);
  intermediate.serial_number = std::string("'\0\"\xff", 4) + std::string(12, '\0');
  intermediate.tbs_certificate = AllOctets();
  ASSERT_OK(store_->AddIntermediate(intermediate));
  ASSERT_OK_AND_ASSIGN(
      IntermediateRecord found,
      store_->GetIntermediate(kSampleTenant, kSampleRoot, intermediate.serial_number));
  EXPECT_EQ(found, intermediate);
  ASSERT_OK(store_->ReleaseIntermediate(kSampleTenant, kSampleRoot, intermediate.serial_number,
                                        AllOctets(), SampleTime(1)));
  intermediate.certificate = AllOctets();
  intermediate.released_at = SampleTime(1);
  ASSERT_OK_AND_ASSIGN(
      found, store_->GetIntermediate(kSampleTenant, kSampleRoot, intermediate.serial_number));
  EXPECT_EQ(found, intermediate);
  const auto unknown = FailsWith(ErrorReason::kCertificateUnknown);
  EXPECT_THAT(store_->GetIntermediate("fabrikam", kSampleRoot, intermediate.serial_number),
              unknown);
  EXPECT_THAT(store_->GetIntermediate(kSampleTenant, "root-2", intermediate.serial_number),
              unknown);
  EXPECT_THAT(store_->GetIntermediate(kSampleTenant, kSampleRoot, ""), unknown);
}

TEST_P(IntermediateStoreConformance, IntermediatesOutsideTheFenceAreRefused) {
  EXPECT_THAT(store_->AddIntermediate(SampleIntermediate(1)),
              FailsWith(ErrorReason::kTenantUnknown));
  ASSERT_OK(AddSamplePrimary(*store_));
  ASSERT_OK(store_->AddIntermediate(SampleIntermediate(1)));
  for (const std::uint64_t epoch :
       {std::uint64_t{0}, std::uint64_t{2}, std::numeric_limits<std::uint64_t>::max()}) {
    IntermediateRecord of_another_epoch = SampleIntermediate(2);
    of_another_epoch.epoch = epoch;
    EXPECT_THAT(store_->AddIntermediate(of_another_epoch), FailsWith(ErrorReason::kPrimaryChanged));
  }
  ASSERT_OK(SwitchToSecondRoot(*store_));
  EXPECT_THAT(store_->AddIntermediate(SampleIntermediate(2)),
              FailsWith(ErrorReason::kPrimaryChanged));
  IntermediateRecord of_no_primary = SampleIntermediate(2);
  of_no_primary.epoch = 2;
  EXPECT_THAT(store_->AddIntermediate(of_no_primary), FailsWith(ErrorReason::kPrimaryChanged));
  EXPECT_THAT(ReleaseSample(*store_, SampleIntermediate(1)),
              FailsWith(ErrorReason::kPrimaryChanged));
  // Not even where the root is primary again: the epoch is another.
  ASSERT_OK(store_->ChangeRootStates(kSampleTenant, 4,
                                     {{"root-1", RootState::kRetiring, RootState::kPrimary},
                                      {"root-2", RootState::kPrimary, RootState::kRetiring}},
                                     {SampleTime(10)}));
  EXPECT_THAT(ReleaseSample(*store_, SampleIntermediate(1)),
              FailsWith(ErrorReason::kPrimaryChanged));
  IntermediateRecord of_now = SampleIntermediate(3);
  of_now.epoch = 3;
  ASSERT_OK(store_->AddIntermediate(of_now));
  EXPECT_OK(ReleaseSample(*store_, of_now));
}

TEST_P(IntermediateStoreConformance, IntermediatesAreReleasedOnceAndAfterTheirIntent) {
  ASSERT_OK(AddSamplePrimary(*store_));
  const IntermediateRecord intermediate = SampleIntermediate(1);
  EXPECT_THAT(ReleaseSample(*store_, intermediate), FailsWith(ErrorReason::kCertificateUnknown));
  IntermediateRecord released = intermediate;
  released.certificate = "signed";
  EXPECT_THAT(store_->AddIntermediate(released), FailsWith(ErrorReason::kInternalError));
  ASSERT_OK(store_->AddIntermediate(intermediate));
  EXPECT_THAT(store_->AddIntermediate(intermediate),
              FailsWith(ErrorReason::kInternalError, "serial_number"));
  ASSERT_OK(ReleaseSample(*store_, intermediate));
  EXPECT_THAT(ReleaseSample(*store_, intermediate),
              FailsWith(ErrorReason::kInternalError, "serial_number"));
  // Another tenant may use the same.
  ASSERT_OK(AddSamplePrimary(*store_, "fabrikam"));
  EXPECT_OK(store_->AddIntermediate(SampleIntermediate(1, "fabrikam")));
}

TEST_P(IntermediateStoreConformance, IntermediatesIssueOnlyOnceTheyAreReleased) {
  ASSERT_OK(AddSamplePrimary(*store_));
  const IntermediateRecord intermediate = SampleIntermediate(1);
  Intent leaf = SampleIntent("r-1");
  leaf.intermediate_serial_number = intermediate.serial_number;
  const auto refused = FailsWith(ErrorReason::kInternalError, "intermediate_serial_number");
  EXPECT_THAT(Append(*store_, leaf), refused);
  ASSERT_OK(store_->AddIntermediate(intermediate));
  EXPECT_THAT(Append(*store_, leaf), refused);
  ASSERT_OK(ReleaseSample(*store_, intermediate));
  Intent of_another = SampleIntent("r-2");
  of_another.intermediate_serial_number = SampleIntermediate(2).serial_number;
  EXPECT_THAT(Append(*store_, of_another), refused);
  ASSERT_OK(Append(*store_, leaf));
  ASSERT_OK_AND_ASSIGN(const JournalRecord found, store_->FindByRequestId(kSampleTenant, "r-1"));
  EXPECT_EQ(found.intent, leaf);
  EXPECT_OK(Append(*store_, ReleaseOf(leaf)));
  // One of another tenant counts for nothing.
  ASSERT_OK(AddSamplePrimary(*store_, "fabrikam"));
  Intent elsewhere = SampleIntent("r-1", "fabrikam");
  elsewhere.intermediate_serial_number = intermediate.serial_number;
  EXPECT_THAT(Append(*store_, elsewhere), refused);
}

TEST_P(IntermediateStoreConformance, IntermediatesAreListedNewestFirst) {
  ASSERT_OK(AddSamplePrimary(*store_));
  for (int number = 1; number <= 5; ++number) {
    ASSERT_OK(store_->AddIntermediate(SampleIntermediate(number)));
  }
  for (const int page_size : {1, 2, 5, 1000}) {
    std::vector<std::string> serials;
    std::string token;
    do {
      ASSERT_OK_AND_ASSIGN(const Page<IntermediateRecord> page,
                           store_->ListIntermediates(kSampleTenant, kSampleRoot, page_size, token));
      ASSERT_LE(page.records.size(), static_cast<std::size_t>(page_size));
      for (const IntermediateRecord& record : page.records) {
        serials.push_back(record.serial_number);
      }
      token = page.next_page_token;
    } while (!token.empty());
    EXPECT_THAT(serials, ElementsAre("intermediate 005", "intermediate 004", "intermediate 003",
                                     "intermediate 002", "intermediate 001"));
  }
  ASSERT_OK_AND_ASSIGN(const Page<IntermediateRecord> of_another,
                       store_->ListIntermediates(kSampleTenant, "root-2", 10, ""));
  EXPECT_THAT(of_another.records, IsEmpty());
  for (const std::string& token :
       {std::string("x"), absl::WebSafeBase64Escape("i1:"), absl::WebSafeBase64Escape("i1: 2"),
        absl::WebSafeBase64Escape("d1:2")}) {
    EXPECT_THAT(store_->ListIntermediates(kSampleTenant, kSampleRoot, 10, token),
                FailsWith(ErrorReason::kFieldInvalid, "page_token"));
  }
  for (const int page_size : {0, 1001}) {
    EXPECT_THAT(store_->ListIntermediates(kSampleTenant, kSampleRoot, page_size, ""),
                FailsWith(ErrorReason::kFieldInvalid, "page_size"));
  }
}

}  // namespace
}  // namespace hourglass::issuance
