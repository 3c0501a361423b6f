#include "issuance/store/postgresql/engine/server_rules.h"

#include <functional>

#include "tests/support/postgresql_cluster.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance::postgresql {
namespace {

using testing::HasSubstr;

ServerFacts Fit() {
  ServerFacts facts;
  facts.system_identifier = "7000000000000000001";
  facts.timeline = 3;
  facts.synchronous_standby_names = "n2";
  facts.synchronous_commit = "on";
  facts.fsync = true;
  facts.full_page_writes = true;
  facts.version = 150018;
  return facts;
}

TEST(ServerRulesTest, NamesStandbys) {
  for (const char* names :
       {"n2", "n2, n3", " n2 ,n3 ", "FIRST 1 (n2, n3)", "first 2(n2,n3)", "ANY 1 (n2, n3)",
        "any 2 (\"n 2\", n3)", "1 (n2)", "2 (n2, n3)", "\"n2\"", "\"n\"\"*\"\"2\"", "\"any\"", "3",
        "3, n2", "_n2$x", "n\xc3\xa4", "\"n,*\""}) {
    EXPECT_TRUE(NamesStandbys(names)) << names;
  }
}

TEST(ServerRulesTest, NamesNoStandbysOrAnyAtAll) {
  for (const char* names : {"", "  ", "*", "n2, *", "*, n2", "FIRST 1 (*)", "FIRST 1 (n2, *)",
                            "ANY 1 (*, n2)", "1 (*)", "\"*\"", "ANY 1 (n2, \"*\")"}) {
    EXPECT_FALSE(NamesStandbys(names)) << names;
  }
}

TEST(ServerRulesTest, NamesNothingThatPostgresqlCannotRead) {
  for (const char* names :
       {",", "n2,", "n2 n3", "FIRST (n2)", "FIRST 0 (n2)", "FIRST x (n2)", "ANY 1 n2", "ANY 1 (n2",
        "ANY 1 ()", "ANY 1 (n2) n3", "(n2)", "n2)", "\"n2", "any", "n2, first", "1 (n2", "1 n2",
        "n2; n3", "99999999999 (n2)"}) {
    EXPECT_FALSE(NamesStandbys(names)) << names;
  }
}

TEST(ServerRulesTest, TakesAFitServer) {
  SeenServers seen;
  EXPECT_OK(CheckServer(Fit(), {}, seen));
  seen.system_identifier = Fit().system_identifier;
  seen.timeline = 3;
  EXPECT_OK(CheckServer(Fit(), {}, seen));
  seen.timeline = 2;
  EXPECT_OK(CheckServer(Fit(), {}, seen));
  ServerFacts facts = Fit();
  facts.synchronous_commit = "remote_apply";
  EXPECT_OK(CheckServer(facts, {true, facts.system_identifier}, seen));
}

TEST(ServerRulesTest, RefusesAnUnfitServer) {
  struct Case {
    std::function<void(ServerFacts&)> change;
    const char* says;
  };
  const Case cases[] = {
      {[](ServerFacts& facts) { facts.is_in_recovery = true; }, "standby"},
      {[](ServerFacts& facts) { facts.is_read_only = true; }, "read-only"},
      {[](ServerFacts& facts) { facts.version = 140011; }, "PostgreSQL 14"},
      {[](ServerFacts& facts) { facts.fsync = false; }, "fsync"},
      {[](ServerFacts& facts) { facts.full_page_writes = false; }, "full_page_writes"},
      {[](ServerFacts& facts) { facts.synchronous_commit = "local"; },
       "synchronous_commit is local"},
      {[](ServerFacts& facts) { facts.synchronous_commit = "remote_write"; }, "synchronous_commit"},
      {[](ServerFacts& facts) { facts.synchronous_standby_names = ""; }, "is empty"},
      {[](ServerFacts& facts) { facts.synchronous_standby_names = "*"; }, "does not name"},
      {[](ServerFacts& facts) { facts.timeline = 2; }, "timeline 2"},
      {[](ServerFacts& facts) { facts.system_identifier = "1"; }, "cluster 1"},
  };
  const SeenServers seen = {Fit().system_identifier, 3};
  for (const Case& one : cases) {
    ServerFacts facts = Fit();
    one.change(facts);
    const absl::Status status = CheckServer(facts, {}, seen);
    EXPECT_THAT(status, FailsWith(ErrorReason::kJournalUnavailable)) << one.says;
    EXPECT_THAT(std::string(status.message()), HasSubstr(one.says));
  }
}

TEST(ServerRulesTest, RefusesAnotherClusterThanTheConfigurationsFromTheStart) {
  EXPECT_THAT(CheckServer(Fit(), {true, "1"}, {}), FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_OK(CheckServer(Fit(), {true, Fit().system_identifier}, {}));
}

TEST(ServerRulesTest, NeedsNoStandbyWhereNoneIsDemanded) {
  ServerFacts facts = Fit();
  for (const char* names : {"", "*"}) {
    facts.synchronous_standby_names = names;
    EXPECT_OK(CheckServer(facts, {false, std::nullopt}, {}));
  }
}

TEST(ServerRulesTest, ReadsWhatAServerSaysOfItself) {
  PostgresqlCluster& cluster = PostgresqlCluster::Shared();
  ASSERT_OK_AND_ASSIGN(const auto connection, Connection::Open(cluster.ServiceOf("postgres")));
  ASSERT_OK_AND_ASSIGN(const ServerFacts facts, ReadServerFacts(*connection));
  EXPECT_EQ(facts.system_identifier.size(), 19u);
  EXPECT_EQ(facts.timeline, 1u);
  EXPECT_FALSE(facts.is_in_recovery);
  EXPECT_FALSE(facts.is_read_only);
  EXPECT_EQ(facts.synchronous_standby_names, "");
  EXPECT_EQ(facts.synchronous_commit, "on");
  EXPECT_TRUE(facts.fsync);
  EXPECT_TRUE(facts.full_page_writes);
  EXPECT_EQ(facts.version / 10000, 15);
  EXPECT_GT(facts.now, Timestamp(std::chrono::days(20000)));
  EXPECT_OK(CheckServer(facts, {false, facts.system_identifier}, {}));
}

}  // namespace
}  // namespace hourglass::issuance::postgresql
