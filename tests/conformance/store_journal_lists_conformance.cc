#include <gmock/gmock.h>

#include <chrono>
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

using testing::ElementsAre;
using testing::IsEmpty;

TEST_P(JournalStoreConformance, PagesOfTheJournalAreCompleteWithTiesInTime) {
  ASSERT_OK(AddSamplePrimary(*store_));
  std::vector<std::string> newest_first;
  for (int i = 0; i < 12; ++i) {
    Intent intent = SampleIntent(absl::StrCat("r-", i));
    intent.intended_at = SampleTime(i / 5);  // five at a time
    ASSERT_OK(Append(*store_, intent));
    newest_first.insert(newest_first.begin(), intent.request_id);
  }
  for (const int page_size : {1, 2, 3, 4, 5, 6, 11, 12, 13, kMaxPageSize}) {
    EXPECT_EQ(ListAll(*store_, {}, page_size), newest_first) << page_size;
  }
  ASSERT_OK_AND_ASSIGN(const Page<JournalRecord> exact,
                       store_->ListJournal(kSampleTenant, {}, 12, ""));
  EXPECT_THAT(exact.next_page_token, IsEmpty());
  ASSERT_OK_AND_ASSIGN(const Page<JournalRecord> of_another,
                       store_->ListJournal("fabrikam", {}, 12, ""));
  EXPECT_THAT(of_another.records, IsEmpty());
}

TEST_P(JournalStoreConformance, PagesGoOnWhereTheyEndedWhileIntentsAreWritten) {
  ASSERT_OK(AddSamplePrimary(*store_));
  for (const char* id : {"r-1", "r-2", "r-3"}) ASSERT_OK(Append(*store_, SampleIntent(id)));
  ASSERT_OK_AND_ASSIGN(const Page<JournalRecord> first,
                       store_->ListJournal(kSampleTenant, {}, 2, ""));
  EXPECT_THAT(RequestIds(first.records), ElementsAre("r-3", "r-2"));
  ASSERT_OK(Append(*store_, SampleIntent("r-4")));
  ASSERT_OK_AND_ASSIGN(const Page<JournalRecord> second,
                       store_->ListJournal(kSampleTenant, {}, 2, first.next_page_token));
  EXPECT_THAT(RequestIds(second.records), ElementsAre("r-1"));
}

TEST_P(JournalStoreConformance, FiltersNarrowTheJournal) {
  ASSERT_OK(AddSamplePrimary(*store_));
  for (int i = 0; i < 8; ++i) {
    Intent intent = SampleIntent(absl::StrCat("r-", i));
    intent.user_upn = i % 2 == 0 ? "even@contoso.example" : kUnusualText;
    intent.device_id = i < 4 ? "low" : "high";
    intent.intended_at = SampleTime(i);
    ASSERT_OK(Append(*store_, intent));
  }
  JournalFilter user, device, serial, time;
  user.user_upn = kUnusualText;
  EXPECT_THAT(ListAll(*store_, user, 3), ElementsAre("r-7", "r-5", "r-3", "r-1"));
  device.device_id = "low";
  EXPECT_THAT(ListAll(*store_, device, 3), ElementsAre("r-3", "r-2", "r-1", "r-0"));
  serial.serial_number = SampleIntent("r-6").serial_number;
  EXPECT_THAT(ListAll(*store_, serial, 3), ElementsAre("r-6"));
  time.intended_from = SampleTime(2);
  time.intended_before = SampleTime(5);
  EXPECT_THAT(ListAll(*store_, time, 2), ElementsAre("r-4", "r-3", "r-2"));
  JournalFilter all = time;
  all.user_upn = "even@contoso.example";
  all.device_id = "low";
  EXPECT_THAT(ListAll(*store_, all, 1), ElementsAre("r-2"));
  all.serial_number = SampleIntent("r-6").serial_number;
  EXPECT_THAT(ListAll(*store_, all, 1), IsEmpty());
  user.user_upn = "%";
  EXPECT_THAT(ListAll(*store_, user, 1), IsEmpty());
}

TEST_P(JournalStoreConformance, OnlyWhatIsReleasedAndHasNotExpiredIsLive) {
  ASSERT_OK(AddSamplePrimary(*store_));
  const ca::Time end = SampleIntent("r-0").not_after;
  for (int i = 0; i < 6; ++i) {
    Intent intent = SampleIntent(absl::StrCat("r-", i));
    intent.device_id = i < 5 ? "laptop-1" : "laptop-2";
    intent.not_after = end + std::chrono::seconds(i);
    intent.intended_at = SampleTime(i);
    ASSERT_OK(Append(*store_, intent));
    if (i == 3) continue;
    ASSERT_OK(Append(*store_, ReleaseOf(intent)));
  }
  JournalFilter live;
  live.live_at = Timestamp(end + std::chrono::seconds(1));
  for (const int page_size : {1, 2, 5, 100}) {
    EXPECT_THAT(ListAll(*store_, live, page_size), ElementsAre("r-5", "r-4", "r-2", "r-1"));
  }
  live.device_id = "laptop-1";
  EXPECT_THAT(ListAll(*store_, live, 2), ElementsAre("r-4", "r-2", "r-1"));
  // It lives through the whole second that it names.
  live.live_at = Timestamp(end + std::chrono::seconds(2)) - std::chrono::microseconds(1);
  EXPECT_THAT(ListAll(*store_, live, 2), ElementsAre("r-4", "r-2", "r-1"));
  live.live_at = Timestamp(end + std::chrono::seconds(2));
  EXPECT_THAT(ListAll(*store_, live, 2), ElementsAre("r-4", "r-2"));
  live.serial_number = SampleIntent("r-1").serial_number;
  EXPECT_THAT(ListAll(*store_, live, 2), IsEmpty());
  live.serial_number = SampleIntent("r-3").serial_number;
  EXPECT_THAT(ListAll(*store_, live, 2), IsEmpty()) << "it was never released";
  live.serial_number = SampleIntent("r-2").serial_number;
  EXPECT_THAT(ListAll(*store_, live, 2), ElementsAre("r-2"));
  live = {};
  live.live_at = Timestamp(end + std::chrono::seconds(4));
  live.user_upn = "USER@contoso.example";
  EXPECT_THAT(ListAll(*store_, live, 1), ElementsAre("r-5", "r-4"));
}

TEST_P(JournalStoreConformance, UsersAreFoundWhateverTheCase) {
  ASSERT_OK(AddSamplePrimary(*store_));
  const char* const users[] = {"alice@contoso.example", "Alice@Contoso.example",
                               "bob@contoso.example", "alice@contoso.example\u200e",
                               "al\u200bice@contoso.example"};
  for (int i = 0; i < 5; ++i) {
    Intent intent = SampleIntent(absl::StrCat("r-", i));
    intent.user_upn = users[i];
    intent.device_id = i < 2 ? "low" : "high";
    intent.intended_at = SampleTime(i);
    ASSERT_OK(Append(*store_, intent));
  }
  JournalFilter filter;
  for (const char* user :
       {"alice@contoso.example", "ALICE@CONTOSO.EXAMPLE", " Alice@contoso.example"}) {
    filter.user_upn = user;
    EXPECT_THAT(ListAll(*store_, filter, 2), ElementsAre("r-4", "r-3", "r-1", "r-0"));
  }
  filter.device_id = "low";
  EXPECT_THAT(ListAll(*store_, filter, 2), ElementsAre("r-1", "r-0"));
  filter.serial_number = SampleIntent("r-1").serial_number;
  EXPECT_THAT(ListAll(*store_, filter, 2), ElementsAre("r-1"));
  // Who is nobody is not everybody.
  JournalFilter nobody;
  nobody.user_upn = " ";
  EXPECT_THAT(ListAll(*store_, nobody, 2), IsEmpty());
}

TEST_P(JournalStoreConformance, PagesRefuseWhatIsNotTheirOwn) {
  ASSERT_OK(AddSamplePrimary(*store_));
  for (const char* id : {"r-1", "r-2"}) {
    ASSERT_OK(Append(*store_, SampleIntent(id)));
    ASSERT_OK(store_->PutDevice(SampleDevice(id)));
  }
  ASSERT_OK_AND_ASSIGN(const Page<JournalRecord> journal,
                       store_->ListJournal(kSampleTenant, {}, 1, ""));
  ASSERT_OK_AND_ASSIGN(const Page<DeviceRecord> devices, store_->ListDevices(kSampleTenant, 1, ""));
  const auto refused = FailsWith(ErrorReason::kFieldInvalid, "page_token");
  for (const std::string& token :
       {std::string("x"), std::string("' OR 1=1 --"), std::string(1, '\0'), std::string(9999, 'A'),
        journal.next_page_token + "=", " " + journal.next_page_token,
        journal.next_page_token.substr(1), devices.next_page_token}) {
    EXPECT_THAT(store_->ListJournal(kSampleTenant, {}, 1, token), refused) << token;
  }
  EXPECT_THAT(store_->ListDevices(kSampleTenant, 1, journal.next_page_token), refused);
  EXPECT_THAT(store_->ListDevices(kSampleTenant, 1, "x"), refused);
  // No text that a database can hold.
  for (const absl::string_view forged : {absl::string_view("d1:\xff"), {"d1:a\0", 5}}) {
    EXPECT_THAT(store_->ListDevices(kSampleTenant, 1, absl::WebSafeBase64Escape(forged)), refused);
  }
  EXPECT_OK(store_->ListJournal(kSampleTenant, {}, 1, journal.next_page_token));
  EXPECT_OK(store_->ListDevices(kSampleTenant, 1, devices.next_page_token));
  for (const int page_size : {-1, 0, kMaxPageSize + 1, std::numeric_limits<int>::max()}) {
    EXPECT_THAT(store_->ListJournal(kSampleTenant, {}, page_size, ""),
                FailsWith(ErrorReason::kFieldInvalid, "page_size"));
    EXPECT_THAT(store_->ListDevices(kSampleTenant, page_size, ""),
                FailsWith(ErrorReason::kFieldInvalid, "page_size"));
  }
}

TEST_P(JournalStoreConformance, PagesAreInTheOrderOfTimeWhateverTheOrderOfWriting) {
  ASSERT_OK(AddSamplePrimary(*store_));
  std::vector<std::string> newest_first(12);
  for (int i = 0; i < 12; ++i) {
    Intent intent = SampleIntent(absl::StrCat("r-", i));
    const int later = (i * 5) % 12;
    intent.intended_at = SampleTime(later);
    newest_first[static_cast<std::size_t>(11 - later)] = intent.request_id;
    ASSERT_OK(Append(*store_, intent));
  }
  for (const int page_size : {1, 3, 5, 12}) {
    EXPECT_EQ(ListAll(*store_, {}, page_size), newest_first) << page_size;
  }
  JournalFilter time;
  time.intended_from = SampleTime(3);
  time.intended_before = SampleTime(8);
  EXPECT_EQ(ListAll(*store_, time, 2),
            std::vector<std::string>(newest_first.begin() + 4, newest_first.begin() + 9));
}

}  // namespace
}  // namespace hourglass::issuance
