#include "issuance/store/postgresql/witness.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "ca/testing/test_ca.h"
#include "issuance/store/postgresql/engine/connection.h"
#include "tests/support/postgresql_cluster.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance::postgresql {
namespace {

using testing::HasSubstr;

constexpr Timestamp kNow(std::chrono::hours(24 * 365 * 50));

class WitnessTest : public testing::Test {
 protected:
  WitnessTest() {
    Do("INSERT INTO tenants (tenant_id, display_name, created_at, revision, root_name_key) "
       "VALUES ('contoso', '', 0, 7, 'contoso')");
    Do("INSERT INTO roots (tenant_id, root_id, generation, state, key_type, key_uri, "
       "key_made_for_root, certificate, not_before, not_after, created_at, created_by, "
       "state_since, state_revision, bundle_version, request_id) "
       "VALUES ('contoso', 'root-1', 1, 'PRIMARY', '', '', false, '', 0, 0, 0, '', 0, 0, 0, '')");
    Do(absl::StrCat("SELECT make_journal_partition(", Microseconds(kNow), ", 86400000000)"));
  }

  static std::int64_t Microseconds(Timestamp time) { return time.time_since_epoch().count(); }
  void Do(const std::string& sql) { ASSERT_OK(owner_->Execute(sql)) << sql; }

  // As the journal keeps it, as far as that matters here.
  void Record(const DurableFact& fact) {
    const std::int64_t sequence = ++sequence_;
    Do(absl::StrCat(
        "INSERT INTO journal_keys (tenant_id, request_id, root_id, serial_number, "
        "epoch, intended_at, not_after, sequence) VALUES ('contoso', '",
        fact.request_id, "', 'root-1', '\\x", absl::BytesToHexString(fact.serial_number), "', 1, ",
        Microseconds(kNow), ", 0, ", sequence, ")"));
    Do(absl::StrCat("INSERT INTO releases (intended_at, sequence, certificate, released_at) ",
                    "VALUES (", Microseconds(kNow), ", ", sequence, ", '', ", Microseconds(kNow),
                    ")"));
  }

  // Issued by a CA of the test's own.
  DurableFact Release(const std::string& request_id) {
    issuance::Release release;
    release.tenant_id = "contoso";
    release.request_id = request_id;
    release.certificate = ca_.Issue("alice@contoso.example").certificate_der;
    release.released_at = kNow;
    return FactOf(release);
  }

  DurableFact Intermediate(const std::string& serial_number) {
    DurableFact fact = {DurableFact::Kind::kIntermediate, "contoso"};
    fact.root_id = "root-1";
    fact.serial_number = serial_number;
    return fact;
  }

  DurableFact Revision(std::uint64_t revision) {
    DurableFact fact = {DurableFact::Kind::kRevision, "contoso"};
    fact.revision = revision;
    return fact;
  }

  // By a witness that was told of this alone.
  absl::Status Compare(const DurableFact& fact, Timestamp now = kNow) {
    Witness witness;
    EXPECT_TRUE(witness.Note(witness.period(), {fact}));
    return witness.Compare(*service_, now);
  }

  PostgresqlCluster& cluster_ = PostgresqlCluster::Shared();
  const std::string database_ = cluster_.CreatePreparedDatabase().value();
  const std::unique_ptr<Connection> owner_ = Connection::Open(cluster_.OwnerOf(database_)).value();
  const std::unique_ptr<Connection> service_ =
      Connection::Open(cluster_.ServiceOf(database_)).value();
  ca::TestCa ca_;
  std::int64_t sequence_ = 0;
};

TEST_F(WitnessTest, TakesTheSerialNumberOfTheCertificate) {
  const ca::TestCertificate issued = ca_.Issue("alice@contoso.example");
  issuance::Release release;
  release.certificate = issued.certificate_der;
  EXPECT_EQ(FactOf(release).serial_number, issued.serial_number);
  release.certificate = "none";
  EXPECT_EQ(FactOf(release).serial_number, "");
}

TEST_F(WitnessTest, FindsWhatIsThereAndMissesWhatIsNot) {
  const DurableFact there = Release("there"), gone = Release("gone");
  Record(there);
  EXPECT_OK(Compare(there));
  const absl::Status status = Compare(gone);
  EXPECT_THAT(status, FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_THAT(std::string(status.message()),
              HasSubstr(absl::AsciiStrToUpper(absl::BytesToHexString(gone.serial_number))));
}

TEST_F(WitnessTest, AnotherCertificateUnderTheSameRequestIdIsNotTheSame) {
  DurableFact fact = Release("r-1");
  Record(fact);
  ASSERT_OK(Compare(fact));
  EXPECT_THAT(Compare(Release("r-1")), FailsWith(ErrorReason::kJournalUnavailable));
}

TEST_F(WitnessTest, AnIntentWithoutItsReleaseIsNotEnough) {
  const DurableFact fact = Release("r-1");
  Record(fact);
  ASSERT_OK(Compare(fact));
  Do("DELETE FROM releases");
  EXPECT_THAT(Compare(fact), FailsWith(ErrorReason::kJournalUnavailable));
}

TEST_F(WitnessTest, WhatRetentionMayHaveDroppedIsNotMissed) {
  const DurableFact gone = Release("gone");
  EXPECT_THAT(Compare(gone, kNow + std::chrono::hours(22)),
              FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_OK(Compare(gone, kNow + std::chrono::hours(24)));
  Do("UPDATE journal_settings SET minimum_retention = 2 * minimum_retention");
  EXPECT_THAT(Compare(gone, kNow + std::chrono::hours(24)),
              FailsWith(ErrorReason::kJournalUnavailable));
}

TEST_F(WitnessTest, AnIntermediateMustHaveBeenReleased) {
  const std::string serial_number(16, '\x42');
  EXPECT_THAT(Compare(Intermediate(serial_number)), FailsWith(ErrorReason::kJournalUnavailable));
  Do(
      absl::StrCat("INSERT INTO intermediates (tenant_id, epoch, root_id, serial_number, key_type, "
                   "not_before, not_after, tbs_certificate, intended_at) VALUES ('contoso', 1, "
                   "'root-1', '\\x",
                   absl::BytesToHexString(serial_number), "', '', 0, 0, '', 0)"));
  EXPECT_THAT(Compare(Intermediate(serial_number)), FailsWith(ErrorReason::kJournalUnavailable));
  Do("UPDATE intermediates SET certificate = '', released_at = 0");
  EXPECT_OK(Compare(Intermediate(serial_number)));
}

TEST_F(WitnessTest, ATenantsRevisionNeverFalls) {
  EXPECT_OK(Compare(Revision(6)));
  EXPECT_OK(Compare(Revision(7)));
  const absl::Status status = Compare(Revision(8));
  EXPECT_THAT(status, FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_THAT(std::string(status.message()), HasSubstr("revision 8 of tenant contoso"));
}

TEST_F(WitnessTest, RefusesForGood) {
  Witness witness;
  const DurableFact fact = Release("r-1");
  ASSERT_TRUE(witness.Note(witness.period(), {fact}));
  ASSERT_OK(witness.Refusal());
  const absl::Status lacks = witness.Compare(*service_, kNow);
  EXPECT_THAT(lacks, FailsWith(ErrorReason::kJournalUnavailable));
  Record(fact);
  EXPECT_EQ(witness.Refusal(), lacks);
  EXPECT_EQ(witness.Compare(*service_, kNow), lacks);
}

// It is not known what a server lacks that does not answer.
TEST_F(WitnessTest, AServerThatDoesNotAnswerMayBeAskedAgain) {
  Witness witness;
  const DurableFact fact = Release("r-1");
  Record(fact);
  ASSERT_TRUE(witness.Note(witness.period(), {fact}));
  const auto ended = Connection::Open(cluster_.ServiceOf(database_)).value();
  EXPECT_FALSE(ended->Query("SELECT pg_terminate_backend(pg_backend_pid())").ok());
  EXPECT_THAT(witness.Compare(*ended, kNow), FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_OK(witness.Refusal());
  EXPECT_OK(witness.Compare(*service_, kNow));
}

TEST_F(WitnessTest, NotesNothingOfAPeriodThatIsOver) {
  Witness witness;
  const Witness::Period before = witness.period();
  ASSERT_OK(witness.Compare(*service_, kNow));
  EXPECT_FALSE(witness.Note(before, {Release("gone")}));
  EXPECT_OK(witness.Compare(*service_, kNow));
  EXPECT_TRUE(witness.Note(witness.period(), {Release("gone")}));
  EXPECT_THAT(witness.Compare(*service_, kNow), FailsWith(ErrorReason::kJournalUnavailable));
}

// What the log has behind the newest commit may have been acknowledged before that.
TEST_F(WitnessTest, ALargeTransactionPushesNoOtherOut) {
  Witness witness;
  ASSERT_TRUE(witness.Note(witness.period(), {Release("gone")}));
  const DurableFact there = Release("there");
  Record(there);
  ASSERT_TRUE(
      witness.Note(witness.period(), std::vector<DurableFact>(2 * Witness::kMostFacts, there)));
  EXPECT_THAT(witness.Compare(*service_, kNow), FailsWith(ErrorReason::kJournalUnavailable));
}

TEST_F(WitnessTest, KeepsTheNewestOfEachKind) {
  Witness witness;
  const auto note = [&](const DurableFact& fact) {
    EXPECT_TRUE(witness.Note(witness.period(), {fact}));
  };
  note(Revision(99));
  for (std::size_t i = 0; i < Witness::kMostFacts - 1; ++i) note(Revision(7));
  note(Revision(7));
  EXPECT_OK(witness.Compare(*service_, kNow)) << "the oldest is forgotten";
  note(Revision(99));
  for (std::size_t i = 0; i < Witness::kMostFacts - 1; ++i) note(Revision(7));
  const DurableFact release = Release("r-1");
  Record(release);
  note(release);
  EXPECT_THAT(witness.Compare(*service_, kNow), FailsWith(ErrorReason::kJournalUnavailable));
}

}  // namespace
}  // namespace hourglass::issuance::postgresql
