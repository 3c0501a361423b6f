#include "issuance/store/postgresql/journal/journal_query.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/store/postgresql/engine/postgresql_values.h"
#include "issuance/store/postgresql/journal/journal_statements.h"
#include "issuance/store/postgresql/journal/testing/journal_test.h"

namespace hourglass::issuance::postgresql {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Optional;

class JournalQueryTest : public JournalTest {
 protected:
  void AppendAt(const std::string& request_id, Timestamp at) {
    Intent intent = SampleIntent(request_id);
    intent.intended_at = at;
    ASSERT_OK(Append(intent));
  }
  std::vector<std::string> ListAll(const JournalFilter& filter, int page_size) {
    std::vector<std::string> ids;
    std::string token;
    do {
      const auto page = journal_.ListJournal(kSampleTenant, filter, page_size, token);
      if (!page.ok() || page->records.size() > static_cast<std::size_t>(page_size))
        return {"error"};
      for (const JournalRecord& record : page->records) ids.push_back(record.intent.request_id);
      token = page->next_page_token;
    } while (!token.empty());
    return ids;
  }
  // How the service would run it.
  std::string PlanOf(absl::string_view sql, const std::vector<Value>& values) {
    absl::StatusOr<Rows> lines = service_->Query(absl::StrCat("EXPLAIN (COSTS off) ", sql), values);
    if (!lines.ok()) return std::string(lines.status().message());
    std::string plan;
    while (lines->Next()) absl::StrAppend(&plan, lines->TakeOctets(), "\n");
    return plan;
  }

  const std::unique_ptr<Connection> service_ = ConnectService();
};

TEST_F(JournalQueryTest, PagesGoThroughPartitionsWithTiesInTime) {
  std::vector<std::string> newest_first;
  for (int i = 0; i < 12; ++i) {
    const std::string id = absl::StrCat("r-", i);
    AppendAt(id, SampleTime() + (i / 5) * kSpan);
    newest_first.insert(newest_first.begin(), id);
  }
  EXPECT_EQ(Count("journal_partitions"), 3);
  for (const int page_size : {1, 2, 5, 11, 12, kMaxPageSize}) {
    EXPECT_EQ(ListAll({}, page_size), newest_first) << page_size;
  }
  JournalFilter filter;
  filter.intended_from = SampleTime() + kSpan;
  filter.intended_before = SampleTime() + 2 * kSpan;
  EXPECT_THAT(ListAll(filter, 3), ElementsAre("r-9", "r-8", "r-7", "r-6", "r-5"));
  EXPECT_THAT(journal_.ListJournal("fabrikam", {}, 9, "")->records, IsEmpty());
  EXPECT_THAT(journal_.ListJournal(kSampleTenant, {}, 0, ""),
              FailsWith(ErrorReason::kFieldInvalid, "page_size"));
  EXPECT_THAT(journal_.ListJournal(kSampleTenant, {}, 1, "x"),
              FailsWith(ErrorReason::kFieldInvalid, "page_token"));
}

TEST_F(JournalQueryTest, EveryFilterNarrows) {
  for (int i = 0; i < 8; ++i) {
    Intent intent = SampleIntent(absl::StrCat("r-", i));
    intent.user_upn = i % 2 == 0 ? "Even@contoso.example" : kUnusualText;
    intent.device_id = i < 4 ? "low" : "high";
    intent.intended_at = SampleTime(i);
    ASSERT_OK(Append(intent));
  }
  JournalFilter filter;
  filter.user_upn = " even@CONTOSO.example";
  EXPECT_THAT(ListAll(filter, 3), ElementsAre("r-6", "r-4", "r-2", "r-0"));
  filter.device_id = "low";
  EXPECT_THAT(ListAll(filter, 1), ElementsAre("r-2", "r-0"));
  filter.serial_number = SampleIntent("r-2").serial_number;
  EXPECT_THAT(ListAll(filter, 1), ElementsAre("r-2"));
  filter.intended_from = SampleTime(3);
  EXPECT_THAT(ListAll(filter, 1), IsEmpty());
  JournalFilter nobody;
  nobody.user_upn = " ";
  EXPECT_THAT(ListAll(nobody, 2), IsEmpty()) << "who is nobody is not everybody";
}

TEST_F(JournalQueryTest, OfOneSerialNumberTheNewestIsFound) {
  AppendAt("old", SampleTime());
  Do("UPDATE tenants SET primary_root = 'root-2', epoch = 2");
  Intent newer = SampleIntent("new");
  newer.serial_number = SampleIntent("old").serial_number;
  newer.epoch = 2;
  newer.root_id = "root-2";
  newer.intended_at += kSpan;
  ASSERT_OK(Append(newer));
  ASSERT_OK_AND_ASSIGN(const JournalRecord found,
                       journal_.FindBySerialNumber(kSampleTenant, newer.serial_number));
  EXPECT_EQ(found.intent, newer);
  JournalFilter filter;
  filter.serial_number = newer.serial_number;
  EXPECT_THAT(ListAll(filter, 1), ElementsAre("new", "old"));
  EXPECT_THAT(journal_.FindBySerialNumber("fabrikam", newer.serial_number),
              FailsWith(ErrorReason::kCertificateUnknown));
  EXPECT_THAT(journal_.FindByRequestId("fabrikam", "new"),
              FailsWith(ErrorReason::kCertificateUnknown));
}

TEST_F(JournalQueryTest, TellsTheNewestIntentOfAnyTenant) {
  EXPECT_EQ(journal_.NewestIntent().value(), std::nullopt);
  ASSERT_OK(journal_.MakePartitionsAhead(SampleTime() + 9 * kSpan));
  EXPECT_EQ(journal_.NewestIntent().value(), std::nullopt);
  AppendAt("r-1", SampleTime(5));
  AddTenant("fabrikam");
  Intent other = SampleIntent("r-1", "fabrikam");
  other.intended_at = SampleTime(7);
  ASSERT_OK(Append(other));
  AppendAt("r-2", SampleTime() - kSpan);
  EXPECT_THAT(journal_.NewestIntent().value(), Optional(SampleTime(7)));
}

// Rows of many users and devices in two partitions, whose statistics say that they are empty.
TEST_F(JournalQueryTest, ReadsByIndicesWhateverTheStatisticsSay) {
  ASSERT_OK(journal_.MakePartitionsAhead(SampleTime()));
  Do("ANALYZE intents, releases, journal_keys");
  Do("INSERT INTO intents SELECT n, 'contoso', 1, 'root-1', 'r-' || n, '', '', '', '', 'u' || n, "
     "'d' || n, '', '', 0, '', 0, 0, repeat('x', 600)::bytea, '', " +
     std::to_string(SampleTime().time_since_epoch().count()) +
     " + n * 10000000::bigint FROM generate_series(1, 10000) n");
  JournalFilter all, user, device, serial, live;
  user.user_upn = "u7";
  device.device_id = "d7";
  serial.serial_number = "s7";
  live.device_id = "d7";
  live.live_at = SampleTime();
  JournalFilter* const filters[] = {&all, &user, &device, &serial, &live};
  for (JournalFilter* filter : filters) {
    for (const bool from_start : {true, false}) {
      filter->intended_from = SampleTime();
      const Selection page = SelectJournal(
          kSampleTenant, *filter,
          from_start ? std::nullopt : std::make_optional(JournalPosition{SampleTime(900), 5}), 3);
      const std::string plan = PlanOf(page.sql, page.values);
      EXPECT_THAT(plan, HasSubstr("Index")) << page.sql;
      EXPECT_THAT(plan, Not(HasSubstr("Seq Scan"))) << page.sql;
      if (filter == &user) {
        EXPECT_THAT(plan, HasSubstr("folded_upn_tenant_id_intended_at_sequence_idx"));
      } else if (filter == &device || filter == &live) {
        EXPECT_THAT(plan, HasSubstr("device_id_tenant_id_intended_at_sequence_idx"));
      } else if (filter == &all) {
        EXPECT_THAT(plan, Not(HasSubstr("Sort"))) << "a page reads no more than it has";
      }
    }
  }
  for (const absl::string_view sql : {kSelectByRequestId, kSelectBySerialNumber}) {
    const Value key = sql == kSelectByRequestId ? Value(Text{"r-7"}) : Value(Blob{"s7"});
    const std::string plan = PlanOf(sql, {Text{kSampleTenant}, key});
    EXPECT_THAT(plan, HasSubstr("journal_keys")) << sql;
    EXPECT_THAT(plan, Not(HasSubstr("Seq Scan"))) << sql;
  }
  EXPECT_THAT(PlanOf(kSelectNewestIntent, {}), Not(HasSubstr("Seq Scan")));
}

}  // namespace
}  // namespace hourglass::issuance::postgresql
