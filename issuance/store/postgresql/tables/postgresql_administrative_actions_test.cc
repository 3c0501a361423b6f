#include "issuance/store/postgresql/tables/postgresql_administrative_actions.h"

#include <gmock/gmock.h>

#include <chrono>
#include <limits>
#include <string>
#include <vector>

#include "issuance/store/page_token.h"
#include "issuance/store/postgresql/tables/testing/tables_test.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance::postgresql {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

AdministrativeAction Sample(const std::string& subject, const std::string& tenant = "contoso") {
  return {tenant,  0,        SampleTime(), "administrator", "root_promoted",
          subject, "STAGED", "PRIMARY",    "it is time",    false};
}

class PostgresqlAdministrativeActionsTest : public TablesTest {
 protected:
  absl::Status Record(const AdministrativeAction& action) {
    return Change([&](Connection& c) { return RecordAction(c, action); });
  }
  std::vector<AdministrativeAction> All(absl::string_view tenant = kSampleTenant) {
    return ListAdministrativeActions(*connection_, tenant, kMaxPageSize, "")->records;
  }
  std::vector<std::string> Subjects(int page_size, absl::string_view page_token) {
    std::vector<std::string> subjects;
    const auto page = ListAdministrativeActions(*connection_, kSampleTenant, page_size, page_token);
    EXPECT_OK(page);
    for (const AdministrativeAction& action : page->records) subjects.push_back(action.subject);
    return subjects;
  }
};

TEST_F(PostgresqlAdministrativeActionsTest, AnActionIsReadBackInEveryField) {
  AdministrativeAction action;
  action.tenant_id = "contoso";
  action.sequence = 17;
  action.at = Timestamp(std::chrono::microseconds(-1));
  action.caller = std::string("caller ") + kUnusualText;
  action.action = std::string("action ") + kUnusualText;
  action.subject = std::string("subject ") + kUnusualText;
  action.from_state = std::string("from ") + kUnusualText;
  action.to_state = std::string("to ") + kUnusualText;
  action.reason = std::string("reason ") + kUnusualText;
  action.overrides = true;
  ASSERT_OK(Record(action));
  action.sequence = 1;
  EXPECT_THAT(All(), ElementsAre(action)) << "under a number of its own";
  AdministrativeAction bare;
  bare.tenant_id = "contoso";
  ASSERT_OK(Record(bare));
  bare.sequence = 2;
  EXPECT_THAT(All(), ElementsAre(bare, action));
  EXPECT_THAT(All("fabrikam"), IsEmpty());
  EXPECT_THAT(All("nobody"), IsEmpty());
}

TEST_F(PostgresqlAdministrativeActionsTest, ANumberNeverComesAgain) {
  for (const char* subject : {"a", "b", "c"}) ASSERT_OK(Record(Sample(subject)));
  ASSERT_OK(ConnectAsOwner()->Execute("DELETE FROM administrative_actions WHERE sequence >= 2"));
  ASSERT_OK(Record(Sample("d")));
  EXPECT_EQ(All().front().sequence, 4u);
  ASSERT_OK(ConnectAsOwner()->Execute("DELETE FROM administrative_actions"));
  ASSERT_OK(Record(Sample("e", "fabrikam")));
  EXPECT_EQ(All("fabrikam").front().sequence, 5u);
}

TEST_F(PostgresqlAdministrativeActionsTest, WhatIsNotCommittedIsNotThere) {
  {
    Transaction transaction = Transaction::Begin(*connection_).value();
    ASSERT_OK(RecordAction(*connection_, Sample("a")));
    EXPECT_EQ(All().size(), 1u);
  }
  EXPECT_THAT(All(), IsEmpty());
  EXPECT_THAT(Record(Sample("a", "nobody")), FailsWith(ErrorReason::kInternalError))
      << "of a tenant that there is";
  EXPECT_OK(Record(Sample("a")));
}

TEST_F(PostgresqlAdministrativeActionsTest, PagesEndBeforeWhatTheirTokensSay) {
  for (const char* subject : {"1", "2", "3", "4"}) ASSERT_OK(Record(Sample(subject)));
  EXPECT_THAT(Subjects(3, ""), ElementsAre("4", "3", "2"));
  EXPECT_EQ(ListAdministrativeActions(*connection_, kSampleTenant, 3, "")->next_page_token,
            AdministrativePageToken(2));
  EXPECT_EQ(ListAdministrativeActions(*connection_, kSampleTenant, 4, "")->next_page_token, "");
  EXPECT_THAT(Subjects(3, AdministrativePageToken(2)), ElementsAre("1"));
  EXPECT_THAT(Subjects(3, AdministrativePageToken(1)), IsEmpty());
  EXPECT_THAT(Subjects(3, AdministrativePageToken(-1)), IsEmpty());
  constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max();
  EXPECT_THAT(Subjects(1, AdministrativePageToken(kLast)), ElementsAre("4"));
  EXPECT_THAT(ListAdministrativeActions(*connection_, kSampleTenant, 3, IntermediatePageToken(2)),
              FailsWith(ErrorReason::kFieldInvalid, "page_token"));
  EXPECT_THAT(ListAdministrativeActions(*connection_, kSampleTenant, 0, ""),
              FailsWith(ErrorReason::kFieldInvalid, "page_size"));
}

// However many there are of other tenants, and of this one.
TEST_F(PostgresqlAdministrativeActionsTest, APageIsReadByTheIndexAlone) {
  ASSERT_OK_AND_ASSIGN(Rows rows,
                       connection_->Query("EXPLAIN (COSTS OFF) SELECT sequence, reason FROM "
                                          "administrative_actions WHERE tenant_id = 'contoso' AND "
                                          "sequence < 9 ORDER BY sequence DESC LIMIT 3"));
  std::vector<std::string> lines;
  while (rows.Next()) lines.push_back(rows.TakeOctets());
  EXPECT_THAT(lines, ElementsAre("Limit",
                                 "  ->  Index Scan Backward using administrative_actions_pkey on "
                                 "administrative_actions",
                                 "        Index Cond: (((tenant_id)::text = 'contoso'::text) AND "
                                 "(sequence < 9))"))
      << "nothing is sorted";
}

}  // namespace
}  // namespace hourglass::issuance::postgresql
