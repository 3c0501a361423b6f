// docs/operations.md, Take back what retention dropped: its commands, while a replica runs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>

#include "issuance/store/postgresql/engine/connection.h"
#include "tests/integration/replicas_fixture.h"
#include "tests/support/document_commands.h"
#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass {
namespace {

using issuance::postgresql::Connection;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr char kTakeBack[] = "take back what was dropped";
constexpr char kMinimumRetention[] = "86400000000";

class DroppedJournalDocTest : public ReplicasFixture {
 protected:
  // Three certificates, in a partition that is dropped.
  void SetUp() override {
    ReplicasFixture::SetUp();
    Run("make roles");
    WriteConfig(kFirst);
    Run("prepare");
    ASSERT_OK_AND_ASSIGN(owner_, Connection::Open(OwnersConnection()));
    ASSERT_NO_FATAL_FAILURE(StartReplica(kFirst));
    PointClientAt(replica(kFirst).address);
    client().MakeReady();
    request_ = client().Request();
    certificate_ = IssueAtLast(request_).certificate();
    for (int i = 0; i < 2; ++i) IssueAtLast(client().Request());
    Drop();
  }

  // As upkeep does it long after the end of the partition of now and of the next one, thirty days
  // each; tables are found by their number in the order of their making.
  void Drop() {
    ASSERT_OK(
        owner_->Execute("UPDATE journal_settings SET minimum_retention = -63 * minimum_retention"));
    std::int64_t dropped = -1;  // while others use the journal
    while (dropped != 0) {
      ASSERT_OK_AND_ASSIGN(dropped,
                           owner_->QueryInteger("SELECT drop_journal_before(microseconds_now() + "
                                                "63 * 86400000000)"));
    }
    ASSERT_OK(owner_->Execute(std::string("UPDATE journal_settings SET minimum_retention = ") +
                              kMinimumRetention));
    EXPECT_EQ(Count("dropped_partitions"), 2) << "of now and the next";
    EXPECT_EQ(Count("intents"), 0);
  }
  void FreeKeys() {
    while (owner_->QueryInteger("SELECT free_journal_keys()").value() != 0) continue;
    EXPECT_EQ(Count("journal_keys"), 0);
  }

  std::int64_t Count(const std::string& table) {
    return owner_->QueryInteger("SELECT count(*) FROM " + table).value();
  }
  std::string List() {
    return RunCommand({kHourglass, "--config", files().File("cli.yaml"), "certificates", "list",
                       "--tenant", "contoso"})
        .output;
  }
  void ExpectNotTakenBack(const std::string& words) {
    const std::string page = ReadFileOrDie("docs/operations.md");
    EXPECT_THAT(page, HasSubstr("`" + words + "`"));
    const CommandResult result = shell().Run(page_.Take(kTakeBack));
    EXPECT_NE(result.exit_code, 0);
    EXPECT_THAT(result.output, HasSubstr(words));
    EXPECT_EQ(Count("dropped_partitions"), 2);
    EXPECT_EQ(Count("intents"), 0);
    EXPECT_EQ(Count("hourglass_dropped.intents_1"), 3);
  }

  DocumentCommands page_{"docs/operations.md"};
  std::unique_ptr<Connection> owner_;
  v1::IssueCertificateRequest request_;
  std::string certificate_;
};

TEST_F(DroppedJournalDocTest, IsKeptAskedAndTakenBack) {
  EXPECT_THAT(List(), Not(HasSubstr("alice")));
  EXPECT_THAT(Run(page_, "keep what was dropped"),
              AllOf(HasSubstr("UPDATE 1"), HasSubstr("2 rows")));
  EXPECT_EQ(
      owner_->QueryInteger("SELECT minimum_keeping / 86400000000 FROM journal_settings").value(),
      30);
  // Not even when the service has known of it for days.
  const char* const delete_all =
      "SELECT delete_dropped_journal(microseconds_now() + 9 * 86400000000::bigint)";
  FreeKeys();
  ASSERT_OK(owner_->Query(delete_all));
  EXPECT_EQ(owner_->QueryInteger(delete_all).value(), 0);
  EXPECT_THAT(Run(page_, "look at what was dropped"),
              AllOf(HasSubstr("alice"), HasSubstr("3 rows")));

  Run(page_, kTakeBack);
  EXPECT_EQ(client().JournalSize(), 3);
  EXPECT_THAT(List(), HasSubstr("alice"));
  EXPECT_EQ(IssueAtLast(request_).certificate(), certificate_);
  IssueAtLast(client().Request());
  EXPECT_EQ(client().JournalSize(), 4);
  EXPECT_EQ(Count("journal_keys"), 4);

  // It is a part of the journal as any other: it goes again, and comes again.
  Drop();
  Run(page_, kTakeBack);
  EXPECT_EQ(client().JournalSize(), 4) << "its keys were not free yet";
}

TEST_F(DroppedJournalDocTest, IsLeftWhereItIsWhenItDoesNotFitAnyMore) {
  FreeKeys();
  const std::string key =
      "INSERT INTO journal_keys SELECT tenant_id, request_id, root_id, '\\x01', epoch, "
      "intended_at, "
      "not_after, sequence + 100 FROM hourglass_dropped.intents_1 ORDER BY sequence LIMIT 1";
  ASSERT_OK(owner_->Execute(key));
  ExpectNotTakenBack("duplicate key value violates unique constraint");
  ASSERT_OK(owner_->Execute("DELETE FROM journal_keys"));

  ASSERT_OK(owner_->Execute(
      "SELECT make_journal_partition(first_at, end_at - first_at) FROM dropped_partitions WHERE "
      "number = 1"));
  ExpectNotTakenBack("would overlap partition");
  ASSERT_OK(owner_->Execute("DROP TABLE intents_3, releases_3; DELETE FROM journal_partitions"));

  ASSERT_OK(owner_->Execute("ALTER TABLE intents ADD COLUMN later text"));
  ExpectNotTakenBack("child table is missing column");
  ASSERT_OK(owner_->Execute("ALTER TABLE hourglass_dropped.intents_1 ADD COLUMN later text"));

  ASSERT_OK(owner_->Execute("UPDATE dropped_partitions SET number = number + 10"));
  ExpectNotTakenBack("no rows returned for \\gset");
  ASSERT_OK(owner_->Execute("UPDATE dropped_partitions SET number = number - 10"));

  Run(page_, kTakeBack);
  EXPECT_EQ(client().JournalSize(), 3);
}

}  // namespace
}  // namespace hourglass
