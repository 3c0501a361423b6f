#include "issuance/store/postgresql/journal/journal_appender.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "issuance/store/postgresql/journal/testing/journal_test.h"

namespace hourglass::issuance::postgresql {
namespace {

using testing::IsEmpty;

class JournalAppenderTest : public JournalTest {
 protected:
  std::int64_t LastLeaf() { return Number("SELECT max(not_after) FROM last_leaves"); }
};

std::int64_t SecondsOf(ca::Time time) { return time.time_since_epoch().count(); }

TEST_F(JournalAppenderTest, KeepsIntentThenRelease) {
  Intent intent = SampleIntent("r-1");
  intent.request_id = kUnusualText;
  intent.user_upn = kUnusualText;
  intent.tbs_certificate = AllOctets();
  ASSERT_OK(Append(intent));
  ASSERT_OK_AND_ASSIGN(JournalRecord found, journal_.FindByRequestId(kSampleTenant, kUnusualText));
  EXPECT_EQ(found, (JournalRecord{intent, "", std::nullopt}));
  const Release release = ReleaseOf(intent);
  ASSERT_OK(Append(release));
  ASSERT_OK_AND_ASSIGN(found, journal_.FindByRequestId(kSampleTenant, kUnusualText));
  EXPECT_EQ(found, (JournalRecord{intent, release.certificate, release.released_at}));
  EXPECT_EQ(LastLeaf(), SecondsOf(intent.not_after)) << "by a request id with quotes in it";
}

TEST_F(JournalAppenderTest, TellsWhyIntentsAreRefusedInTheOrderOfTheContract) {
  ASSERT_OK(Append(SampleIntent("r-1")));
  // Each has all that the later ones have against it.
  Intent intent = SampleIntent("r-1", "nobody");
  intent.epoch = 7;
  intent.intermediate_serial_number = "unknown";
  EXPECT_THAT(Append(intent), FailsWith(ErrorReason::kTenantUnknown, "tenant_id"));
  intent.tenant_id = std::string(kSampleTenant);
  EXPECT_THAT(Append(intent), FailsWith(ErrorReason::kPrimaryChanged));
  intent.epoch = 1;
  EXPECT_THAT(Append(intent), FailsWith(ErrorReason::kRequestIdReused, "request_id"));
  intent.request_id = "r-2";
  EXPECT_THAT(Append(intent), FailsWith(ErrorReason::kInternalError, "intermediate_serial_number"));
  intent.intermediate_serial_number = "";
  EXPECT_THAT(Append(intent), FailsWith(ErrorReason::kInternalError, "serial_number"));
  intent.serial_number = SampleIntent("r-2").serial_number;
  EXPECT_EQ(Count("intents"), 1);
  EXPECT_EQ(Count("journal_keys"), 1);
  EXPECT_OK(Append(intent));
  intent = SampleIntent("r-3");
  intent.root_id = "root-2";
  EXPECT_THAT(Append(intent), FailsWith(ErrorReason::kPrimaryChanged));
}

TEST_F(JournalAppenderTest, AnIntermediateMustBeOfTheRootAndReleased) {
  Do("ALTER TABLE intermediates DROP CONSTRAINT intermediates_tenant_id_root_id_fkey");
  const auto add = [&](const char* root, const char* serial, const char* certificate) {
    Do(absl::StrCat(
        "INSERT INTO intermediates (tenant_id, epoch, root_id, serial_number, key_type,"
        " not_before, not_after, tbs_certificate, intended_at, certificate, "
        "released_at) VALUES ('contoso', 1, '",
        root, "', '", serial, "', 'ec-p256', 0, 0, '', 0, ", certificate, ", ",
        absl::string_view(certificate) == "NULL" ? "NULL" : "0", ")"));
  };
  add("root-1", "intended", "NULL");
  add("root-2", "of another", "''");
  add("root-1", "released", "''");
  Intent intent = SampleIntent("r-1");
  for (const char* serial : {"intended", "of another", "unknown"}) {
    intent.intermediate_serial_number = serial;
    EXPECT_THAT(Append(intent),
                FailsWith(ErrorReason::kInternalError, "intermediate_serial_number"))
        << serial;
  }
  intent.intermediate_serial_number = "released";
  EXPECT_OK(Append(intent));
}

TEST_F(JournalAppenderTest, TellsWhyReleasesAreRefused) {
  const Intent intent = SampleIntent("r-1");
  EXPECT_THAT(Append(ReleaseOf(intent)), FailsWith(ErrorReason::kCertificateUnknown, "request_id"));
  ASSERT_OK(Append(intent));
  Release release = ReleaseOf(intent);
  release.epoch = 2;
  EXPECT_THAT(Append(release), FailsWith(ErrorReason::kPrimaryChanged));
  Do("UPDATE tenants SET epoch = 2");
  EXPECT_THAT(Append(release), FailsWith(ErrorReason::kPrimaryChanged)) << "relabelled";
  EXPECT_THAT(Append(ReleaseOf(intent)), FailsWith(ErrorReason::kPrimaryChanged));
  EXPECT_EQ(Count("releases"), 0);
  Do("UPDATE tenants SET epoch = 1");
  EXPECT_OK(Append(ReleaseOf(intent)));
  EXPECT_THAT(Append(ReleaseOf(intent)), FailsWith(ErrorReason::kRequestIdReused, "request_id"));
}

TEST_F(JournalAppenderTest, RefusedWritesLeaveNoTraceAndDoNotHinderTheOthers) {
  Intent old_epoch = SampleIntent("a");
  old_epoch.epoch = 0;
  old_epoch.not_after += std::chrono::hours(1);
  // Of ids whose order is not that of the batch.
  const Intent first = SampleIntent("z"), second = SampleIntent("b");
  ASSERT_OK_AND_ASSIGN(
      const std::vector<absl::Status> statuses,
      journal_.AppendToJournal({old_epoch, first, ReleaseOf(second), ReleaseOf(first), first,
                                second, ReleaseOf(first), ReleaseOf(second)}));
  ASSERT_EQ(statuses.size(), 8u);
  EXPECT_THAT(statuses[0], FailsWith(ErrorReason::kPrimaryChanged));
  EXPECT_OK(statuses[1]);
  EXPECT_THAT(statuses[2], FailsWith(ErrorReason::kCertificateUnknown))
      << "its intent came after it";
  EXPECT_OK(statuses[3]);
  EXPECT_THAT(statuses[4], FailsWith(ErrorReason::kRequestIdReused));
  EXPECT_OK(statuses[5]);
  EXPECT_THAT(statuses[6], FailsWith(ErrorReason::kRequestIdReused));
  EXPECT_OK(statuses[7]);
  for (const char* table : {"journal_keys", "intents", "releases"}) {
    EXPECT_EQ(Count(table), 2) << table;
  }
  EXPECT_EQ(LastLeaf(), SecondsOf(first.not_after));
  ASSERT_OK_AND_ASSIGN(const std::vector<absl::Status> none, journal_.AppendToJournal({}));
  EXPECT_THAT(none, IsEmpty());
}

TEST_F(JournalAppenderTest, OfOneRequestInABatchTheFirstThatMayIsWritten) {
  Intent refused = SampleIntent("r-1");
  refused.epoch = 9;
  refused.caller = "refused";
  Intent of_no_intermediate = SampleIntent("r-1");
  of_no_intermediate.intermediate_serial_number = "unknown";
  Intent written = SampleIntent("r-1"), late = written;
  late.caller = "late";
  ASSERT_OK_AND_ASSIGN(const std::vector<absl::Status> statuses,
                       journal_.AppendToJournal({refused, of_no_intermediate, written, late}));
  EXPECT_THAT(statuses[0], FailsWith(ErrorReason::kPrimaryChanged));
  EXPECT_THAT(statuses[1], FailsWith(ErrorReason::kInternalError, "intermediate_serial_number"));
  EXPECT_OK(statuses[2]);
  EXPECT_THAT(statuses[3], FailsWith(ErrorReason::kRequestIdReused));
  ASSERT_OK_AND_ASSIGN(const JournalRecord found, journal_.FindByRequestId(kSampleTenant, "r-1"));
  EXPECT_EQ(found.intent, written);
}

TEST_F(JournalAppenderTest, ABatchMayBeOfSeveralTenants) {
  AddTenant("fabrikam");
  AddTenant("tailspin");
  Do("UPDATE tenants SET epoch = 2 WHERE tenant_id = 'fabrikam'");
  ASSERT_OK_AND_ASSIGN(
      const std::vector<absl::Status> statuses,
      journal_.AppendToJournal({SampleIntent("r-1", "tailspin"), SampleIntent("r-1", "fabrikam"),
                                SampleIntent("r-1"), SampleIntent("r-1", "nobody")}));
  EXPECT_OK(statuses[0]);
  EXPECT_THAT(statuses[1], FailsWith(ErrorReason::kPrimaryChanged));
  EXPECT_OK(statuses[2]);
  EXPECT_THAT(statuses[3], FailsWith(ErrorReason::kTenantUnknown));
  EXPECT_OK(journal_.FindByRequestId("tailspin", "r-1"));
  EXPECT_THAT(journal_.FindByRequestId("fabrikam", "r-1"),
              FailsWith(ErrorReason::kCertificateUnknown));
}

TEST_F(JournalAppenderTest, MakesThePartitionsThatLack) {
  EXPECT_EQ(Count("journal_partitions"), 0);
  Intent later = SampleIntent("r-2"), earlier = SampleIntent("r-3");
  later.intended_at += kSpan;
  earlier.intended_at -= 3 * kSpan;
  ASSERT_OK_AND_ASSIGN(
      const std::vector<absl::Status> statuses,
      journal_.AppendToJournal({SampleIntent("r-1"), later, earlier, ReleaseOf(later)}));
  for (const absl::Status& status : statuses) EXPECT_OK(status);
  EXPECT_EQ(Count("journal_partitions"), 3);
  EXPECT_EQ(Count("journal_keys"), 3) << "the first attempt left nothing";
}

TEST_F(JournalAppenderTest, NotesTheLastLeafOnlyWhereItIsALaterOne) {
  const std::string version = "SELECT xmin::text::bigint FROM last_leaves";
  Intent intent = SampleIntent("r-1");
  ASSERT_OK(Append(intent));
  const std::int64_t noted = Number(version);
  ASSERT_OK(Append(SampleIntent("r-2")));
  Intent earlier = SampleIntent("r-3");
  earlier.not_after -= std::chrono::seconds(1);
  ASSERT_OK(Append(earlier));
  EXPECT_EQ(Number(version), noted) << "was not written again";
  EXPECT_EQ(LastLeaf(), SecondsOf(intent.not_after));
  // One that is refused, and would be later yet, is not noted with it.
  Intent later = SampleIntent("r-4"), refused = SampleIntent("r-1");
  later.not_after += std::chrono::seconds(1);
  refused.not_after += std::chrono::seconds(2);
  ASSERT_OK(journal_.AppendToJournal({later, refused}));
  EXPECT_NE(Number(version), noted);
  EXPECT_EQ(LastLeaf(), SecondsOf(later.not_after));
  EXPECT_EQ(Count("last_leaves"), 1);
  PostgresqlJournal other(pool_.get(), kSpan);
  ASSERT_OK(other.AppendToJournal({SampleIntent("r-5")}));
  EXPECT_EQ(Count("last_leaves"), 2) << "no process waits for the row of another";
}

}  // namespace
}  // namespace hourglass::issuance::postgresql
