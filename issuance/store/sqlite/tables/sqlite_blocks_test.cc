#include "issuance/store/sqlite/tables/sqlite_blocks.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/store/access_statements.h"
#include "issuance/store/sqlite/tables/sqlite_administrative_actions.h"
#include "issuance/store/sqlite/tables/testing/tables_test.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance::sqlite {
namespace {

using testing::Each;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using Kind = BlockRecord::Kind;

class SqliteBlocksTest : public TablesTest {
 protected:
  absl::Status Put(Kind kind, const std::string& subject) {
    return Change(
        [&](Connection& c) { return Block(c, SampleBlock(kind, subject), SampleCause()); });
  }
  static DecisionFacts Read(Connection& connection) {
    return ReadDecisionFacts(connection, {kSampleTenant, "u-1", "", "d-1"}, SampleTime()).value();
  }
  // How it is found out, a step each.
  std::vector<std::string> PlanOf(absl::string_view sql, const std::vector<Value>& values) {
    std::vector<std::string> plan;
    Rows rows = connection_->Query(absl::StrCat("EXPLAIN QUERY PLAN ", sql), values).value();
    while (rows.Next().value()) {
      for (int i = 0; i < 3; ++i) rows.TakeInteger();
      plan.push_back(rows.TakeOctets());
    }
    return plan;
  }
};

TEST_F(SqliteBlocksTest, ABlockIsReadBackInEveryField) {
  BlockRecord block = SampleBlock(Kind::kUser, std::string("subject ") + kUnusualText);
  block.until = Timestamp(std::chrono::microseconds(-1));
  block.blocked_at = SampleTime(-7);
  block.blocked_by = std::string("by ") + kUnusualText;
  block.reason = std::string("reason ") + kUnusualText;
  const ChangeCause cause = {block.blocked_at, block.blocked_by, block.reason};
  ASSERT_OK(Change([&](Connection& c) { return Block(c, block, cause); }));
  const auto page = ListBlocks(*connection_, kSampleTenant, 1, "");
  ASSERT_OK(page);
  EXPECT_EQ(page->records, std::vector{block});
  BlockRecord lifted;
  ASSERT_OK(Change([&](Connection& c) -> absl::Status {
    const auto unblocked = Unblock(c, kSampleTenant, Kind::kUser, block.subject, SampleCause());
    if (unblocked.ok()) lifted = *unblocked;
    return unblocked.status();
  }));
  EXPECT_EQ(lifted, block);
}

TEST_F(SqliteBlocksTest, OfAnUnknownTenantNothingIsRecorded) {
  EXPECT_THAT(Change([](Connection& c) {
                return Block(c, SampleBlock(Kind::kDevice, "d", "nobody"), SampleCause());
              }),
              FailsWith(ErrorReason::kTenantUnknown, "tenant_id"));
  EXPECT_EQ(ListAdministrativeActions(*connection_, "nobody", 9, "")->records.size(), 0u);
}

// Each of its tables by a key, however much is in them.
TEST_F(SqliteBlocksTest, WhatAVerdictReadsIsLookedUp) {
  for (const absl::string_view sql : {kSelectFactsByUserId, kSelectFactsByUpn}) {
    const std::vector<std::string> plan =
        PlanOf(sql, {Text{"contoso"}, Text{"d"}, Text{"u"}, Text{"d"}, std::int64_t{7}, Text{"u"},
                     Text{"u@x"}});
    EXPECT_THAT(plan, Each(Not(StartsWith("SCAN"))));
    EXPECT_THAT(plan, testing::Contains(HasSubstr("folded_subject")));
  }
  EXPECT_THAT(PlanOf("SELECT * FROM blocks WHERE reason = 'x'", {}),
              testing::Contains(StartsWith("SCAN")))
      << "control";
}

}  // namespace
}  // namespace hourglass::issuance::sqlite
