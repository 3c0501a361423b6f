#include "issuance/store/sqlite/segments/sqlite_selection.h"

#include <gmock/gmock.h>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/store/page_token.h"
#include "issuance/store/sqlite/segments/segment_file.h"
#include "issuance/store/sqlite/segments/segment_records.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance::sqlite {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;

// How SQLite would go about it, one step a line.
std::string PlanOf(Connection& connection, const Selection& selection) {
  std::string plan;
  auto rows = connection.Query("EXPLAIN QUERY PLAN " + selection.sql, selection.values);
  while (rows.ok() && rows->Next().value()) {
    for (int column = 0; column < 3; ++column) rows->TakeInteger();
    absl::StrAppend(&plan, rows->TakeOctets(), "\n");
  }
  return plan;
}

JournalFilter FilterOf(unsigned bits) {
  JournalFilter filter;
  if (bits & 1) filter.user_upn = "user@contoso.example";
  if (bits & 2) filter.device_id = "laptop-1";
  if (bits & 4) filter.intended_from = Timestamp();
  if (bits & 8) filter.intended_before = Timestamp(std::chrono::seconds(9));
  if (bits & 16) filter.live_at = Timestamp(std::chrono::seconds(9));
  return filter;
}

class SqliteSelectionTest : public testing::Test {
 protected:
  // A segment that has what `indexed` says.
  std::unique_ptr<Connection> MakeSegment(bool indexed) {
    auto folder = JournalFolder::Open(directory_.File("store"), std::chrono::milliseconds(1000));
    EXPECT_OK(folder->MakeSegment(1));
    const absl::Status built = indexed ? folder->IndexSegment(1) : absl::OkStatus();
    EXPECT_OK(built);
    return *folder->OpenSegment(1);
  }

  const TemporaryDirectory directory_;
};

// As where a process ended between two of them.
TEST_F(SqliteSelectionTest, SomeIndicesAreNoneUntilAllAreThere) {
  const std::unique_ptr<Connection> segment = MakeSegment(true);
  ASSERT_OK(segment->Execute("DROP INDEX intents_by_device"));
  ASSERT_OK_AND_ASSIGN(bool indexed, HasIndices(*segment));
  EXPECT_FALSE(indexed);
  auto folder = JournalFolder::Open(directory_.File("store"), std::chrono::milliseconds(1000));
  ASSERT_OK(folder);
  ASSERT_OK(folder->IndexSegment(1));
  ASSERT_OK_AND_ASSIGN(indexed, HasIndices(*segment));
  EXPECT_TRUE(indexed);
}

// What SQLite does to find the page, without what it does to read its records.
std::string FindingPartOf(const std::string& plan) { return plan.substr(plan.find("SUBQUERY")); }

TEST_F(SqliteSelectionTest, EveryFilterFindsItsRecordsInAnIndex) {
  const std::unique_ptr<Connection> segment = MakeSegment(true);
  for (unsigned bits = 0; bits < 32; ++bits) {
    const JournalFilter filter = FilterOf(bits);
    for (const auto& after :
         {std::optional<JournalPosition>(),
          std::optional(JournalPosition{Timestamp(std::chrono::seconds(5)), 7})}) {
      const std::vector<std::string> spellings = {"user@contoso.example", "User@contoso.example"};
      const bool by_user = !filter.user_upn.empty() && filter.device_id.empty();
      const Selection selection = SelectJournal(
          "contoso", filter, after, 101,
          {true, by_user ? absl::MakeConstSpan(spellings) : absl::Span<const std::string>()});
      const std::string plan = PlanOf(*segment, selection);
      EXPECT_THAT(plan, HasSubstr("SEARCH intents USING INTEGER PRIMARY KEY")) << plan;
      const std::string finding = FindingPartOf(plan);
      EXPECT_THAT(finding, AllOf(HasSubstr("SEARCH intents"), Not(HasSubstr("SCAN"))))
          << selection.sql;
      if (!filter.user_upn.empty() || !filter.device_id.empty()) {
        EXPECT_THAT(finding, AnyOf(HasSubstr("(tenant_id=? AND user_upn=?"),
                                   HasSubstr("(tenant_id=? AND device_id=?")))
            << selection.sql;
      }
      if (filter.intended_before.has_value() || after.has_value()) {
        EXPECT_THAT(finding, HasSubstr("intended_at<?")) << selection.sql;
      }
    }
  }
}

// One statement for each power of two, whoever asks.
TEST_F(SqliteSelectionTest, SpellingsShareStatements) {
  const std::unique_ptr<Connection> segment = MakeSegment(true);
  std::set<std::string> statements;
  std::vector<std::string> spellings;
  for (std::size_t count = 1; count <= kMaxSpellings; ++count) {
    spellings.push_back(absl::StrCat("user", count));
    const Selection selection =
        SelectJournal("contoso", FilterOf(1), std::nullopt, 101, {true, spellings});
    EXPECT_OK(segment->Query(selection.sql, selection.values));
    statements.insert(selection.sql);
  }
  EXPECT_EQ(statements.size(), 6u);
}

TEST_F(SqliteSelectionTest, ASegmentWithoutIndicesIsReadWhole) {
  const std::unique_ptr<Connection> segment = MakeSegment(false);
  for (unsigned bits = 0; bits < 32; ++bits) {
    const JournalFilter filter = FilterOf(bits);
    const Selection selection = SelectJournal("contoso", filter, std::nullopt, 101, {});
    EXPECT_THAT(FindingPartOf(PlanOf(*segment, selection)), HasSubstr("SCAN intents"));
    EXPECT_THAT(segment->Query(SelectJournal("contoso", filter, std::nullopt, 101, {true, {}}).sql)
                    .status(),
                FailsWith(ErrorReason::kInternalError))
        << "there is no such index";
  }
}

}  // namespace
}  // namespace hourglass::issuance::sqlite
