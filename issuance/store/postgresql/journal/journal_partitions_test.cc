#include "issuance/store/postgresql/journal/journal_partitions.h"

#include <gmock/gmock.h>

#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/store/postgresql/journal/testing/journal_test.h"

namespace hourglass::issuance::postgresql {
namespace {

using std::chrono::hours;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr hours kDay(24);

class JournalPartitionsTest : public JournalTest {
 protected:
  // Hours since midnight before SampleTime(): `FROM-TO`, oldest first.
  std::vector<std::string> Partitions() {
    const auto midnight = std::chrono::floor<std::chrono::days>(SampleTime());
    auto rows = owner_->Query("SELECT first_at, end_at FROM journal_partitions ORDER BY first_at");
    if (!rows.ok()) return {std::string(rows.status().message())};
    const auto hour = [&](std::int64_t microseconds) {
      return std::chrono::duration_cast<hours>(Timestamp(std::chrono::microseconds(microseconds)) -
                                               midnight)
          .count();
    };
    std::vector<std::string> partitions;
    while (rows->Next()) {
      const auto from = hour(rows->TakeInteger()), to = hour(rows->TakeInteger());
      partitions.push_back(absl::StrCat(from, "-", to));
    }
    return partitions;
  }
  // Intended then, and the certificate lives for an hour; released.
  Intent AppendAt(const std::string& request_id, Timestamp at) {
    Intent intent = SampleIntent(request_id);
    intent.intended_at = at;
    intent.not_after = std::chrono::floor<std::chrono::seconds>(at) + hours(1);
    EXPECT_OK(Append(intent));
    EXPECT_OK(Append(ReleaseOf(intent)));
    return intent;
  }
  absl::Status Find(const std::string& request_id) {
    return journal_.FindByRequestId(kSampleTenant, request_id).status();
  }
  std::int64_t TablesIn(absl::string_view schema) {
    return Count(absl::StrCat("pg_tables WHERE schemaname = '", schema,
                              "' AND tablename ~ '^(intents|releases)_[0-9]+$'"));
  }

  const std::unique_ptr<Connection> service_ = ConnectService();
};

TEST_F(JournalPartitionsTest, AreMadeOnceAndNeverOverlap) {
  const Timestamp midnight = std::chrono::floor<std::chrono::days>(SampleTime());
  ASSERT_OK(MakePartition(*service_, SampleTime(), kDay));
  ASSERT_OK(MakePartition(*service_, SampleTime(1), kDay));
  ASSERT_OK(MakePartition(*service_, midnight, kDay));
  ASSERT_OK(MakePartition(*service_, midnight + kDay - std::chrono::microseconds(1), kDay));
  EXPECT_THAT(Partitions(), ElementsAre("0-24"));
  ASSERT_OK(MakePartition(*service_, midnight + kDay, hours(2)));
  ASSERT_OK(MakePartition(*service_, midnight + hours(29), hours(2)));
  EXPECT_THAT(Partitions(), ElementsAre("0-24", "24-26", "28-30"));
  ASSERT_OK(MakePartition(*service_, midnight + hours(27), kDay));
  ASSERT_OK(MakePartition(*service_, midnight + hours(31), kDay));
  EXPECT_THAT(Partitions(), ElementsAre("0-24", "24-26", "26-28", "28-30", "30-48"));
  EXPECT_EQ(TablesIn("hourglass"), 10);
  for (int hour = 0; hour < 48; ++hour) {
    AppendAt(absl::StrCat(hour), midnight + hours(hour));
  }
  EXPECT_EQ(Count("journal_partitions"), 5);
}

TEST_F(JournalPartitionsTest, AreOfAnHourAtLeast) {
  for (const char* call : {"1, 3599999999", "-1, 3600000000", "9e18::bigint, 3600000000",
                           "NULL, 3600000000", "1, NULL"}) {
    EXPECT_THAT(service_->Execute(absl::StrCat("SELECT make_journal_partition(", call, ")")),
                FailsWith(ErrorReason::kInternalError))
        << call;
  }
  EXPECT_OK(service_->Execute("SELECT make_journal_partition(1, 3600000000)"));
}

TEST_F(JournalPartitionsTest, MayBeMadeByTwoAtOnce) {
  for (int round = 0; round < 10; ++round) {
    const Timestamp at = SampleTime() + round * kDay;
    absl::Status one, two;
    std::thread first([&] { one = MakePartition(*service_, at, kDay); });
    std::thread second([&] { two = MakePartition(*owner_, at + hours(1), kDay); });
    first.join();
    second.join();
    EXPECT_OK(one);
    EXPECT_OK(two);
  }
  EXPECT_EQ(Count("journal_partitions"), 10);
  EXPECT_EQ(TablesIn("hourglass"), 20);
}

TEST_F(JournalPartitionsTest, AreMadeAheadWhileOthersAppend) {
  AppendAt("r-1", SampleTime());
  const std::unique_ptr<Connection> elsewhere = ConnectOwner();
  ASSERT_OK(elsewhere->Execute(
      "BEGIN; INSERT INTO intents SELECT * FROM intents ORDER BY 1 LIMIT 0; INSERT INTO releases "
      "SELECT * FROM releases LIMIT 0; LOCK TABLE intents, releases IN ROW EXCLUSIVE MODE"));
  EXPECT_OK(journal_.MakePartitionsAhead(SampleTime()));
  EXPECT_THAT(Partitions(), ElementsAre("0-24", "24-48"));
  ASSERT_OK(elsewhere->Execute("ROLLBACK"));
}

TEST_F(JournalPartitionsTest, AreDroppedWhereAllIsOldAndExpired) {
  const Timestamp start = SampleTime();
  AppendAt("old", start);
  Intent long_lived = SampleIntent("long lived");
  long_lived.intended_at = start + kDay;
  long_lived.not_after = std::chrono::floor<std::chrono::seconds>(start) + hours(96);
  ASSERT_OK(Append(long_lived));
  AppendAt("beside it", start + kDay);
  AppendAt("young", start + 2 * kDay);
  ASSERT_OK(journal_.DropJournalBefore(start + hours(20)));
  EXPECT_THAT(Partitions(), ElementsAre("0-24", "24-48", "48-72"))
      << "the day is not over in which it was intended";
  ASSERT_OK(journal_.DropJournalBefore(start + hours(95)));
  EXPECT_THAT(Partitions(), ElementsAre("24-48")) << "one of it has not expired";
  EXPECT_THAT(Find("old"), FailsWith(ErrorReason::kCertificateUnknown));
  EXPECT_OK(Find("beside it"));
  EXPECT_EQ(Count("journal_keys"), 2);
  EXPECT_THAT(Append(ReleaseOf(SampleIntent("old"))), FailsWith(ErrorReason::kCertificateUnknown));
  EXPECT_THAT(journal_.ListJournal(kSampleTenant, {}, 9, "")->records.size(), 2u);
  ASSERT_OK(journal_.DropJournalBefore(start + hours(97)));
  EXPECT_THAT(Partitions(), IsEmpty());
  EXPECT_EQ(Count("journal_keys"), 0);
  EXPECT_GT(Count("last_leaves"), 0) << "a root does not forget what it signed";

  AppendAt("old", start);
  EXPECT_OK(Find("old"));
  ASSERT_OK(journal_.DropJournalBefore(start + hours(97)));
  EXPECT_EQ(Count("dropped_partitions"), 4) << "the same time again";
}

TEST_F(JournalPartitionsTest, AreKeptForTheMinimumByTheClockOfTheDatabase) {
  const std::int64_t now = Number("SELECT microseconds_now()");
  const Timestamp early = Timestamp(std::chrono::microseconds(now)) - hours(20);
  ASSERT_OK(MakePartition(*service_, early, hours(1)));
  Intent intent = AppendAt("r-1", early);
  // Whatever the service's clock says.
  ASSERT_OK(journal_.DropJournalBefore(early + hours(9000)));
  EXPECT_OK(Find("r-1"));
  Do("UPDATE journal_settings SET minimum_retention = minimum_retention / 2");
  ASSERT_OK(journal_.DropJournalBefore(early + hours(9000)));
  EXPECT_THAT(Find("r-1"), FailsWith(ErrorReason::kCertificateUnknown));
}

// A key that is not free yet is that of no record.
TEST_F(JournalPartitionsTest, WhatIsDroppedIsUnknownWhileItsKeysAreNotFreeYet) {
  const Intent intent = AppendAt("r-1", SampleTime());
  ASSERT_EQ(Number(absl::StrCat("SELECT drop_journal_before(",
                                (SampleTime() + 3 * kDay).time_since_epoch().count(), ")")),
            1);
  EXPECT_EQ(Count("journal_keys"), 1);
  EXPECT_THAT(Find("r-1"), FailsWith(ErrorReason::kCertificateUnknown));
  EXPECT_THAT(journal_.FindBySerialNumber(kSampleTenant, intent.serial_number),
              FailsWith(ErrorReason::kCertificateUnknown));
  EXPECT_THAT(Append(ReleaseOf(intent)), FailsWith(ErrorReason::kCertificateUnknown));
  EXPECT_THAT(Append(intent), FailsWith(ErrorReason::kRequestIdReused));
  EXPECT_THAT(Partitions(), IsEmpty());
  // Whoever comes next goes on with it.
  ASSERT_OK(journal_.DropJournalBefore(SampleTime()));
  EXPECT_EQ(Count("journal_keys"), 0);
  EXPECT_OK(Append(intent));
}

TEST_F(JournalPartitionsTest, KeysAreFreedInPortionsAndThoseUsedAgainStay) {
  ASSERT_OK(MakePartition(*service_, SampleTime(), kDay));
  const std::string at = std::to_string(SampleTime().time_since_epoch().count());
  Do("INSERT INTO journal_keys SELECT 'contoso', 'r-' || n, 'root-1', int8send(n), 1, " + at +
     ", 0, n FROM generate_series(1, 20000) n");
  Do("INSERT INTO intents SELECT n, 'contoso', 1, 'root-1', 'r-' || n, '', '', '', '', '', '', '', "
     "'', 0, int8send(n), 0, 0, repeat('x', 600)::bytea, '', " +
     at + " FROM generate_series(1, 20000) n");
  Do("UPDATE journal_keys SET sequence = 30000 WHERE request_id = 'r-20000'");
  ASSERT_EQ(Number(absl::StrCat("SELECT drop_journal_before(",
                                (SampleTime() + 3 * kDay).time_since_epoch().count(), ")")),
            1);
  ASSERT_EQ(Number("SELECT free_journal_keys()"), 1);
  const std::int64_t left = Count("journal_keys");
  EXPECT_GT(left, 1);
  EXPECT_LT(left, 20000);
  ASSERT_OK(journal_.DropJournalBefore(SampleTime()));
  EXPECT_EQ(Number("SELECT sequence FROM journal_keys"), 30000);
  EXPECT_EQ(Count("journal_keys"), 1);
}

TEST_F(JournalPartitionsTest, AreNotDroppedBeneathWhoReads) {
  AppendAt("r-1", SampleTime());
  const std::unique_ptr<Connection> reader = ConnectService();
  ASSERT_OK(reader->Execute("BEGIN; SELECT FROM intents"));
  EXPECT_THAT(journal_.DropJournalBefore(SampleTime() + 3 * kDay),
              FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_OK(Find("r-1"));
  EXPECT_OK(Append(SampleIntent("r-2"))) << "nobody is left waiting";
  ASSERT_OK(reader->Execute("COMMIT"));
  EXPECT_OK(journal_.DropJournalBefore(SampleTime() + 3 * kDay));
  EXPECT_EQ(Count("intents"), 0);
}

TEST_F(JournalPartitionsTest, AreDeletedADayAfterTheyWereFoundDropped) {
  const Timestamp now = SampleTime() + 30 * kDay;
  Do("UPDATE journal_settings SET minimum_keeping = 0");
  AppendAt("r-1", SampleTime());
  ASSERT_OK(journal_.DeleteDroppedJournal(now - 5 * kDay));
  ASSERT_OK(journal_.DropJournalBefore(SampleTime() + 3 * kDay));
  ASSERT_OK(journal_.DeleteDroppedJournal(now));
  ASSERT_OK(journal_.DeleteDroppedJournal(now + kDay - std::chrono::microseconds(1)));
  EXPECT_EQ(TablesIn("hourglass_dropped"), 2);
  ASSERT_OK(journal_.DeleteDroppedJournal(now + kDay));
  EXPECT_EQ(TablesIn("hourglass_dropped"), 0);
  EXPECT_EQ(Count("dropped_partitions"), 0);

  // A clock that was ahead for a while.
  AppendAt("r-1", SampleTime());
  ASSERT_OK(journal_.DropJournalBefore(SampleTime() + 3 * kDay));
  ASSERT_OK(journal_.DeleteDroppedJournal(now + 1000 * kDay));
  ASSERT_OK(journal_.DeleteDroppedJournal(now));
  ASSERT_OK(journal_.DeleteDroppedJournal(now + kDay / 2));
  EXPECT_EQ(TablesIn("hourglass_dropped"), 2);
  ASSERT_OK(journal_.DeleteDroppedJournal(now + kDay));
  EXPECT_EQ(TablesIn("hourglass_dropped"), 0);
}

TEST_F(JournalPartitionsTest, AreKeptWhenDroppedForTheMinimumByTheClockOfTheDatabase) {
  AppendAt("r-1", SampleTime());
  ASSERT_OK(journal_.DropJournalBefore(SampleTime() + 3 * kDay));
  ASSERT_OK(journal_.DeleteDroppedJournal(SampleTime() + 30 * kDay));
  ASSERT_OK(journal_.DeleteDroppedJournal(SampleTime() + 40 * kDay));
  EXPECT_EQ(TablesIn("hourglass_dropped"), 2);
  Do("UPDATE journal_settings SET minimum_keeping = 0");
  ASSERT_OK(journal_.DeleteDroppedJournal(SampleTime() + 40 * kDay));
  EXPECT_EQ(TablesIn("hourglass_dropped"), 0);
}

// How whoever runs the store takes back what was dropped.
TEST_F(JournalPartitionsTest, MayBeTakenBack) {
  const Intent intent = AppendAt("r-1", SampleTime());
  ASSERT_OK(journal_.DropJournalBefore(SampleTime() + 3 * kDay));
  ASSERT_OK_AND_ASSIGN(Rows rows,
                       owner_->Query("SELECT number, first_at, end_at FROM dropped_partitions"));
  ASSERT_TRUE(rows.Next());
  const std::int64_t number = rows.TakeInteger(), first = rows.TakeInteger(),
                     end = rows.TakeInteger();
  const std::string intents = absl::StrCat("intents_", number),
                    releases = absl::StrCat("releases_", number);
  Do("BEGIN");
  for (const std::string& table : {intents, releases}) {
    Do("ALTER TABLE hourglass_dropped." + table + " SET SCHEMA hourglass");
    Do(absl::StrCat("ALTER TABLE ", table == intents ? "intents" : "releases", " ATTACH PARTITION ",
                    table, " FOR VALUES FROM (", first, ") TO (", end, ")"));
  }
  Do("INSERT INTO journal_keys (tenant_id, request_id, root_id, serial_number, epoch, intended_at, "
     "not_after, sequence) SELECT tenant_id, request_id, root_id, serial_number, epoch, "
     "intended_at, not_after, sequence FROM " +
     intents);
  Do("INSERT INTO journal_partitions OVERRIDING SYSTEM VALUE SELECT number, first_at, end_at FROM "
     "dropped_partitions; DELETE FROM dropped_partitions; COMMIT");
  ASSERT_OK_AND_ASSIGN(const JournalRecord found, journal_.FindByRequestId(kSampleTenant, "r-1"));
  EXPECT_EQ(found.intent, intent);
  EXPECT_EQ(found.certificate, ReleaseOf(intent).certificate);
}

TEST_F(JournalPartitionsTest, TheServicesRoleMayAddToTheJournalAndNothingElse) {
  AppendAt("r-1", SampleTime());
  for (const char* table : {"intents", "releases", "journal_keys", "intents_1", "releases_1"}) {
    const std::string name(table);
    for (const std::string& sql :
         {"DROP TABLE " + name, "DELETE FROM " + name, "UPDATE " + name + " SET sequence = 0",
          "TRUNCATE " + name, "ALTER TABLE " + name + " ADD COLUMN more bigint",
          "LOCK TABLE " + name + " IN ACCESS EXCLUSIVE MODE"}) {
      ASSERT_OK(service_->Execute("BEGIN"));
      const absl::Status refused = service_->Execute(sql);
      ASSERT_OK(service_->Execute("ROLLBACK"));
      EXPECT_THAT(refused, FailsWith(ErrorReason::kInternalError)) << sql;
      EXPECT_THAT(std::string(refused.message()), HasSubstr("(42501)")) << sql;
    }
  }
  for (const char* sql :
       {"ALTER TABLE intents DETACH PARTITION intents_1", "CREATE TABLE hourglass.mine (a int)",
        "CREATE TABLE hourglass_dropped.mine (a int)",
        "UPDATE journal_settings SET minimum_retention = 0", "DELETE FROM journal_partitions",
        "INSERT INTO journal_partitions (first_at, end_at) VALUES (0, 1)",
        "UPDATE dropped_partitions SET seen_at = 0", "DELETE FROM last_leaves",
        "SELECT has_certificate_ending_after(1, 1)"}) {
    const absl::Status refused = service_->Execute(sql);
    EXPECT_THAT(std::string(refused.message()), HasSubstr("(42501)")) << sql;
  }
  EXPECT_OK(Find("r-1"));
  for (const char* sql :
       {"INSERT INTO intents SELECT * FROM intents LIMIT 0", "SELECT FROM releases",
        "INSERT INTO releases SELECT intended_at, 99, '', 0 FROM releases",
        "INSERT INTO journal_keys SELECT * FROM journal_keys LIMIT 0"}) {
    EXPECT_OK(service_->Execute(sql)) << sql;
  }
  EXPECT_EQ(Count("releases"), 2);
}

}  // namespace
}  // namespace hourglass::issuance::postgresql
