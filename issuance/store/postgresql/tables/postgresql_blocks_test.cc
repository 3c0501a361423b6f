#include "issuance/store/postgresql/tables/postgresql_blocks.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/store/access_statements.h"
#include "issuance/store/postgresql/tables/postgresql_administrative_actions.h"
#include "issuance/store/postgresql/tables/postgresql_directory.h"
#include "issuance/store/postgresql/tables/postgresql_policies.h"
#include "issuance/store/postgresql/tables/testing/tables_test.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance::postgresql {
namespace {

using testing::Each;
using testing::HasSubstr;
using testing::Not;
using Kind = BlockRecord::Kind;

class PostgresqlBlocksTest : public TablesTest {
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
    Rows rows = connection_->Query(absl::StrCat("EXPLAIN ", sql), values).value();
    while (rows.Next()) plan.push_back(rows.TakeOctets());
    return plan;
  }
};

TEST_F(PostgresqlBlocksTest, ABlockIsReadBackInEveryField) {
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

TEST_F(PostgresqlBlocksTest, OfAnUnknownTenantNothingIsRecorded) {
  EXPECT_THAT(Change([](Connection& c) {
                return Block(c, SampleBlock(Kind::kDevice, "d", "nobody"), SampleCause());
              }),
              FailsWith(ErrorReason::kTenantUnknown, "tenant_id"));
  EXPECT_EQ(ListAdministrativeActions(*connection_, "nobody", 9, "")->records.size(), 0u);
}

// Each of its tables by a key, however much is in them.
TEST_F(PostgresqlBlocksTest, WhatAVerdictReadsIsLookedUp) {
  for (const absl::string_view sql : {kSelectFactsByUserId, kSelectFactsByUpn}) {
    const std::vector<std::string> plan =
        PlanOf(sql, {Text{"contoso"}, Text{"d"}, Text{"u"}, Text{"d"}, std::int64_t{7}, Text{"u"},
                     Text{"u@x"}});
    EXPECT_THAT(plan, Each(Not(HasSubstr("Seq Scan"))));
    EXPECT_THAT(plan, testing::Contains(HasSubstr("folded_subject")));
  }
  EXPECT_THAT(PlanOf("SELECT * FROM blocks WHERE reason = 'x'", {}),
              testing::Contains(HasSubstr("Scan")))
      << "control";
}

// Whoever changes something, of whatever role, holds up no verdict.
TEST_F(PostgresqlBlocksTest, AVerdictWaitsForNoAdministrator) {
  ASSERT_OK(Put(Kind::kUser, "u-1"));
  const std::unique_ptr<Connection> elsewhere = Connect();
  ASSERT_OK_AND_ASSIGN(Transaction administration, Transaction::Begin(*connection_));
  ASSERT_OK(LockForAdministration(*connection_));
  ASSERT_OK(ChangePolicies(*connection_, kSampleTenant, 0, {SamplePolicy("p")}, {}, SampleCause()));
  ASSERT_OK(PutUsers(*connection_, kSampleTenant, {SampleUser("u-1")}, SampleCause()));
  ASSERT_OK(Block(*connection_, SampleBlock(Kind::kDevice, "d-1"), SampleCause()));
  ASSERT_OK(Unblock(*connection_, kSampleTenant, Kind::kUser, "u-1", SampleCause()));
  DecisionFacts facts = Read(*elsewhere);
  EXPECT_EQ(facts.policy_revision, 0u);
  EXPECT_FALSE(facts.user.has_value());
  EXPECT_FALSE(facts.device_block.has_value());
  EXPECT_TRUE(facts.user_block.has_value());
  ASSERT_OK(administration.Commit());
  facts = Read(*elsewhere);
  EXPECT_EQ(facts.policy_revision, 1u);
  EXPECT_TRUE(facts.user.has_value());
  EXPECT_TRUE(facts.device_block.has_value());
  EXPECT_FALSE(facts.user_block.has_value());
}

}  // namespace
}  // namespace hourglass::issuance::postgresql
