#include "issuance/store/postgresql/tables/postgresql_intermediates.h"

#include <gmock/gmock.h>

#include <cstdint>
#include <string>
#include <vector>

#include "issuance/store/page_token.h"
#include "issuance/store/postgresql/tables/postgresql_roots.h"
#include "issuance/store/postgresql/tables/testing/tables_test.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance::postgresql {
namespace {

using ca::RootState;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class PostgresqlIntermediatesTest : public TablesTest {
 protected:
  PostgresqlIntermediatesTest() : TablesTest({kSampleTenant}) {
    for (const int generation : {1, 2}) {
      EXPECT_OK(Change([&](Connection& c) { return AddRoot(c, SampleRoot(generation)); }));
    }
    EXPECT_OK(Move(2, {{"root-1", RootState::kStaged, RootState::kPrimary}}));
  }

  absl::Status Move(std::uint64_t revision, const std::vector<RootStateChange>& changes) {
    return Change([&](Connection& c) {
      return ChangeRootStates(c, kSampleTenant, revision, changes, {SampleTime()});
    });
  }
  absl::Status Add(const IntermediateRecord& record) {
    return Write(*connection_, [&](Connection& c) { return AddIntermediate(c, record); });
  }
  absl::Status Release(const IntermediateRecord& record, const std::string& certificate = "c") {
    return Write(*connection_, [&](Connection& c) {
      return ReleaseIntermediate(c, record.tenant_id, record.root_id, record.serial_number,
                                 certificate, SampleTime(5));
    });
  }
  absl::StatusOr<IntermediateRecord> Get(const IntermediateRecord& record) {
    return GetIntermediate(*connection_, record.tenant_id, record.root_id, record.serial_number);
  }
  // The numbers of all pages, a blank between two of them.
  std::string List(int page_size) {
    std::string numbers, token;
    do {
      const auto page =
          ListIntermediates(*connection_, kSampleTenant, kSampleRoot, page_size, token);
      EXPECT_OK(page);
      if (!page.ok()) return "error";
      EXPECT_LE(page->records.size(), static_cast<std::size_t>(page_size));
      for (const auto& record : page->records) numbers += record.serial_number.back();
      token = page->next_page_token;
      if (!token.empty()) numbers += " ";
    } while (!token.empty());
    return numbers;
  }
};

TEST_F(PostgresqlIntermediatesTest, IsReadBackInEveryField) {
  IntermediateRecord record = SampleIntermediate(1);
  record.serial_number = AllOctets();
  record.tbs_certificate = AllOctets() + "tbs";
  ASSERT_OK(Add(record));
  EXPECT_EQ(Get(record).value(), record);
  ASSERT_OK(Release(record, AllOctets() + "signed"));
  record.certificate = AllOctets() + "signed";
  record.released_at = SampleTime(5);
  EXPECT_EQ(Get(record).value(), record);
  EXPECT_THAT(ListIntermediates(*connection_, kSampleTenant, kSampleRoot, 1, "")->records,
              ElementsAre(record));
}

TEST_F(PostgresqlIntermediatesTest, SaysWhyOneIsNotRecorded) {
  ASSERT_OK(Add(SampleIntermediate(1)));
  EXPECT_THAT(Add(SampleIntermediate(1)), FailsWith(ErrorReason::kInternalError, "serial_number"));
  EXPECT_THAT(Add(SampleIntermediate(2, "nobody")),
              FailsWith(ErrorReason::kTenantUnknown, "tenant_id"));
  IntermediateRecord other = SampleIntermediate(2);
  for (const std::uint64_t epoch : {std::uint64_t{0}, std::uint64_t{2}, ~std::uint64_t{0}}) {
    other.epoch = epoch;
    EXPECT_THAT(Add(other), FailsWith(ErrorReason::kPrimaryChanged)) << epoch;
  }
  other = SampleIntermediate(2);
  for (const char* root : {"root-2", "root-9", ""}) {
    other.root_id = root;
    EXPECT_THAT(Add(other), FailsWith(ErrorReason::kPrimaryChanged)) << root;
  }
  other = SampleIntermediate(2);
  other.certificate = "c";
  EXPECT_THAT(Add(other), FailsWith(ErrorReason::kInternalError, "certificate"));
  other = SampleIntermediate(2);
  other.released_at = SampleTime();
  EXPECT_THAT(Add(other), FailsWith(ErrorReason::kInternalError, "certificate"));
  EXPECT_EQ(List(9), "1");
  EXPECT_OK(Add(SampleIntermediate(2)));
}

TEST_F(PostgresqlIntermediatesTest, IsReleasedOnceAndWithinTheFence) {
  const IntermediateRecord first = SampleIntermediate(1), second = SampleIntermediate(2);
  EXPECT_THAT(Release(first), FailsWith(ErrorReason::kCertificateUnknown));
  ASSERT_OK(Add(first));
  ASSERT_OK(Add(second));
  ASSERT_OK(Release(first, "first"));
  EXPECT_THAT(Release(first, "again"), FailsWith(ErrorReason::kInternalError, "serial_number"));
  EXPECT_EQ(Get(first)->certificate, "first");
  ASSERT_OK(Move(3, {{"root-1", RootState::kPrimary, RootState::kRetiring},
                     {"root-2", RootState::kStaged, RootState::kPrimary}}));
  EXPECT_THAT(Release(second), FailsWith(ErrorReason::kPrimaryChanged));
  EXPECT_EQ(Get(second)->released_at, std::nullopt);
  EXPECT_THAT(Release(first, "again"), FailsWith(ErrorReason::kInternalError, "serial_number"))
      << "what was released is said first";
}

TEST_F(PostgresqlIntermediatesTest, ARootThatIsPrimaryAgainHasAnotherEpoch) {
  const IntermediateRecord record = SampleIntermediate(1);
  ASSERT_OK(Add(record));
  ASSERT_OK(ConnectAsOwner()->Execute("UPDATE tenants SET epoch = 2"));
  EXPECT_THAT(Release(record), FailsWith(ErrorReason::kPrimaryChanged));
  ASSERT_OK(ConnectAsOwner()->Execute("UPDATE tenants SET epoch = 1"));
  EXPECT_OK(Release(record));
}

TEST_F(PostgresqlIntermediatesTest, PagesAreNewestFirstAndComplete) {
  EXPECT_EQ(List(1), "");
  for (int i = 1; i <= 4; ++i) ASSERT_OK(Add(SampleIntermediate(i)));
  EXPECT_EQ(List(1), "4 3 2 1");
  EXPECT_EQ(List(2), "43 21");
  EXPECT_EQ(List(3), "432 1");
  EXPECT_EQ(List(4), "4321");
  EXPECT_EQ(List(kMaxPageSize), "4321");
  const auto list = [this](absl::string_view root, int size, const std::string& token) {
    return ListIntermediates(*connection_, kSampleTenant, root, size, token);
  };
  EXPECT_THAT(list("root-2", 9, "")->records, IsEmpty());
  EXPECT_THAT(list(kSampleRoot, 9, IntermediatePageToken(1))->records, IsEmpty());
  EXPECT_EQ(list(kSampleRoot, 9, IntermediatePageToken(2))->records.size(), 1u);
  EXPECT_THAT(list(kSampleRoot, 9, DevicePageToken("a")),
              FailsWith(ErrorReason::kFieldInvalid, "page_token"));
  for (const int size : {0, kMaxPageSize + 1}) {
    EXPECT_THAT(list(kSampleRoot, size, ""), FailsWith(ErrorReason::kFieldInvalid, "page_size"));
  }
}

TEST_F(PostgresqlIntermediatesTest, AKeyTypeThatIsNoneIsDamage) {
  ASSERT_OK(Add(SampleIntermediate(1)));
  ASSERT_OK(ConnectAsOwner()->Execute("UPDATE intermediates SET key_type = 'x'"));
  for (const absl::Status& damaged :
       {Get(SampleIntermediate(1)).status(),
        ListIntermediates(*connection_, kSampleTenant, kSampleRoot, 1, "").status()}) {
    EXPECT_THAT(damaged, FailsWith(ErrorReason::kJournalUnavailable));
    EXPECT_THAT(std::string(damaged.message()), HasSubstr("unknown key type of an intermediate"));
  }
}

}  // namespace
}  // namespace hourglass::issuance::postgresql
