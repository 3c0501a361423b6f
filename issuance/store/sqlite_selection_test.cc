#include "issuance/store/sqlite_selection.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "issuance/store/page_token.h"
#include "issuance/store/sqlite_schema.h"
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
  if (bits & 4) filter.serial_number = std::string(16, '\x01');
  if (bits & 8) filter.intended_from = Timestamp();
  if (bits & 16) filter.intended_before = Timestamp(std::chrono::seconds(9));
  return filter;
}

TEST(SqliteSelectionTest, EveryFilterFindsItsRecordsInAnIndex) {
  const TemporaryDirectory directory;
  ASSERT_OK_AND_ASSIGN(
      const std::unique_ptr<Connection> connection,
      Connection::Open(directory.Write("hourglass.db", ""), std::chrono::milliseconds(1000)));
  ASSERT_OK(Migrate(*connection, Migrations()));
  const std::string token = JournalPageToken({Timestamp(std::chrono::seconds(5)), 7});
  for (unsigned bits = 0; bits < 32; ++bits) {
    const JournalFilter filter = FilterOf(bits);
    for (const std::string& page_token : {std::string(), token}) {
      ASSERT_OK_AND_ASSIGN(const Selection selection,
                           SelectJournal("contoso", filter, page_token, 101));
      const std::string plan = PlanOf(*connection, selection);
      EXPECT_THAT(plan, AllOf(HasSubstr("SEARCH intents"), Not(HasSubstr("SCAN"))))
          << selection.sql;
      if (!filter.serial_number.empty()) {
        EXPECT_THAT(plan, HasSubstr("(tenant_id=? AND serial_number=?")) << selection.sql;
        continue;
      }
      EXPECT_THAT(plan, Not(HasSubstr("TEMP B-TREE"))) << selection.sql;
      if (!filter.user_upn.empty() || !filter.device_id.empty()) {
        EXPECT_THAT(plan, AnyOf(HasSubstr("(tenant_id=? AND user_upn=?"),
                                HasSubstr("(tenant_id=? AND device_id=?")))
            << selection.sql;
      }
      if (filter.intended_before.has_value() || !page_token.empty()) {
        EXPECT_THAT(plan, HasSubstr("intended_at<?")) << selection.sql;
      }
    }
  }
}

}  // namespace
}  // namespace hourglass::issuance::sqlite
