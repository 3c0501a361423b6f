#include <gmock/gmock.h>

#include <limits>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/conformance/store_conformance.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using ca::RootState;
using testing::ElementsAre;
using testing::IsEmpty;

// Of `count` requests one second apart, `PREFIX-0` first, released.
void AppendReleased(Store& store, const std::string& prefix, int count, Timestamp first) {
  for (int i = 0; i < count; ++i) {
    Intent intent = SampleIntent(absl::StrCat(prefix, i));
    intent.intended_at = first + std::chrono::seconds(i);
    intent.not_after = std::chrono::floor<std::chrono::seconds>(first) + std::chrono::hours(1);
    ASSERT_OK(Append(store, intent));
    ASSERT_OK(Append(store, ReleaseOf(intent)));
  }
}

TEST_P(JournalStoreConformance, JournalKeepsIntentThenRelease) {
  ASSERT_OK(AddSamplePrimary(*store_));
  Intent intent = SampleIntent("r-1");
  int suffix = 0;
  for (std::string* text : {&intent.request_id, &intent.caller, &intent.user_id, &intent.user_upn,
                            &intent.device_id, &intent.verdict_id, &intent.policy_version}) {
    *text = absl::StrCat(kUnusualText, ++suffix);
  }
  intent.request_digest = std::string(32, '\0');
  intent.serial_number = std::string("'\0\"\xff", 4) + std::string(12, '\0');
  intent.tbs_certificate = AllOctets();
  ASSERT_OK(Append(*store_, intent));
  ASSERT_OK_AND_ASSIGN(JournalRecord found,
                       store_->FindByRequestId(kSampleTenant, intent.request_id));
  EXPECT_EQ(found, (JournalRecord{intent, "", std::nullopt}));
  const Release release = ReleaseOf(intent);
  ASSERT_OK(Append(*store_, release));
  const JournalRecord released{intent, release.certificate, release.released_at};
  ASSERT_OK_AND_ASSIGN(found, store_->FindByRequestId(kSampleTenant, intent.request_id));
  EXPECT_EQ(found, released);
  ASSERT_OK_AND_ASSIGN(found, store_->FindBySerialNumber(kSampleTenant, intent.serial_number));
  EXPECT_EQ(found, released);
}

TEST_P(JournalStoreConformance, JournalFindsNothingElse) {
  ASSERT_OK(AddSamplePrimary(*store_));
  ASSERT_OK(store_->CreateTenant(SampleTenant("fabrikam")));
  const Intent intent = SampleIntent("r-1");
  ASSERT_OK(Append(*store_, intent));
  const auto unknown = FailsWith(ErrorReason::kCertificateUnknown);
  EXPECT_THAT(store_->FindByRequestId("fabrikam", "r-1"), unknown);
  EXPECT_THAT(store_->FindByRequestId(kSampleTenant, ""), unknown);
  EXPECT_THAT(store_->FindByRequestId(kSampleTenant, "' OR ''='"), unknown);
  EXPECT_THAT(store_->FindBySerialNumber("fabrikam", intent.serial_number), unknown);
  EXPECT_THAT(store_->FindBySerialNumber(kSampleTenant, std::string(16, '\0')), unknown);
  EXPECT_OK(store_->FindByRequestId(kSampleTenant, "r-1"));
}

TEST_P(JournalStoreConformance, JournalRefusesIntentsOutsideTheFence) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  ASSERT_OK(store_->AddRoot(SampleRoot(1)));
  Intent intent = SampleIntent("r-1");
  intent.epoch = 0;
  EXPECT_THAT(Append(*store_, intent), FailsWith(ErrorReason::kPrimaryChanged))
      << "the epoch is right, but nothing is primary";
  ASSERT_OK(store_->ChangeRootStates(
      kSampleTenant, 1, {{"root-1", RootState::kStaged, RootState::kPrimary}}, {SampleTime()}));
  ASSERT_OK(store_->AddRoot(SampleRoot(2)));
  for (const std::uint64_t epoch :
       {std::uint64_t{0}, std::uint64_t{2}, std::numeric_limits<std::uint64_t>::max()}) {
    intent.epoch = epoch;
    EXPECT_THAT(Append(*store_, intent), FailsWith(ErrorReason::kPrimaryChanged));
  }
  intent = SampleIntent("r-1");
  intent.root_id = "root-2";
  EXPECT_THAT(Append(*store_, intent), FailsWith(ErrorReason::kPrimaryChanged));
  EXPECT_THAT(Append(*store_, SampleIntent("r-1", "fabrikam")),
              FailsWith(ErrorReason::kTenantUnknown));
  EXPECT_THAT(store_->FindByRequestId(kSampleTenant, "r-1"),
              FailsWith(ErrorReason::kCertificateUnknown));
  EXPECT_OK(Append(*store_, SampleIntent("r-1")));
}

TEST_P(JournalStoreConformance, JournalRefusesIntentsThatCollide) {
  ASSERT_OK(AddSamplePrimary(*store_));
  ASSERT_OK(Append(*store_, SampleIntent("r-1")));
  Intent other_content = SampleIntent("r-1");
  other_content.serial_number = std::string(16, '\x01');
  EXPECT_THAT(Append(*store_, other_content),
              FailsWith(ErrorReason::kRequestIdReused, "request_id"));
  Intent same_serial = SampleIntent("r-2");
  same_serial.serial_number = SampleIntent("r-1").serial_number;
  EXPECT_THAT(Append(*store_, same_serial), FailsWith(ErrorReason::kInternalError));
  ASSERT_OK_AND_ASSIGN(const JournalRecord found, store_->FindByRequestId(kSampleTenant, "r-1"));
  EXPECT_EQ(found.intent, SampleIntent("r-1"));
  EXPECT_OK(Append(*store_, SampleIntent("r-2")));

  // Another tenant and another root may use the same.
  ASSERT_OK(AddSamplePrimary(*store_, "fabrikam"));
  EXPECT_OK(Append(*store_, SampleIntent("r-1", "fabrikam")));
  ASSERT_OK(SwitchToSecondRoot(*store_));
  Intent of_another_root = SampleIntent("r-3");
  of_another_root.serial_number = SampleIntent("r-1").serial_number;
  of_another_root.epoch = 2;
  of_another_root.root_id = "root-2";
  of_another_root.intended_at = SampleTime(10);
  EXPECT_OK(Append(*store_, of_another_root));
  ASSERT_OK_AND_ASSIGN(const JournalRecord newest,
                       store_->FindBySerialNumber(kSampleTenant, of_another_root.serial_number));
  EXPECT_EQ(newest.intent.request_id, "r-3");
}

TEST_P(JournalStoreConformance, JournalRefusesReleases) {
  ASSERT_OK(AddSamplePrimary(*store_));
  const Intent intent = SampleIntent("r-1");
  EXPECT_THAT(Append(*store_, ReleaseOf(intent)),
              FailsWith(ErrorReason::kCertificateUnknown, "request_id"));
  ASSERT_OK(Append(*store_, intent));
  Release release = ReleaseOf(intent);
  release.epoch = 2;
  EXPECT_THAT(Append(*store_, release), FailsWith(ErrorReason::kPrimaryChanged));
  release = ReleaseOf(intent);
  release.tenant_id = "fabrikam";
  EXPECT_THAT(Append(*store_, release), FailsWith(ErrorReason::kCertificateUnknown));
  ASSERT_OK_AND_ASSIGN(JournalRecord found, store_->FindByRequestId(kSampleTenant, "r-1"));
  EXPECT_FALSE(found.released_at.has_value());
  ASSERT_OK(Append(*store_, ReleaseOf(intent)));
  release = ReleaseOf(intent);
  release.certificate = "another";
  EXPECT_THAT(Append(*store_, release), FailsWith(ErrorReason::kRequestIdReused, "request_id"));
  ASSERT_OK_AND_ASSIGN(found, store_->FindByRequestId(kSampleTenant, "r-1"));
  EXPECT_EQ(found.certificate, ReleaseOf(intent).certificate);
}

TEST_P(JournalStoreConformance, RefusedWritesDoNotHinderTheOthers) {
  ASSERT_OK(AddSamplePrimary(*store_));
  Intent old_epoch = SampleIntent("old");
  old_epoch.epoch = 0;
  const Intent first = SampleIntent("r-1"), second = SampleIntent("r-2");
  ASSERT_OK_AND_ASSIGN(
      const std::vector<absl::Status> statuses,
      store_->AppendToJournal({old_epoch, first, ReleaseOf(second), ReleaseOf(first), first, second,
                               ReleaseOf(first), ReleaseOf(second)}));
  ASSERT_EQ(statuses.size(), 8u);
  EXPECT_THAT(statuses[0], FailsWith(ErrorReason::kPrimaryChanged));
  EXPECT_OK(statuses[1]);
  EXPECT_THAT(statuses[2], FailsWith(ErrorReason::kCertificateUnknown));
  EXPECT_OK(statuses[3]);
  EXPECT_THAT(statuses[4], FailsWith(ErrorReason::kRequestIdReused));
  EXPECT_OK(statuses[5]);
  EXPECT_THAT(statuses[6], FailsWith(ErrorReason::kRequestIdReused));
  EXPECT_OK(statuses[7]);
  EXPECT_THAT(ListAll(*store_, {}, 10), ElementsAre("r-2", "r-1"));
  ASSERT_OK_AND_ASSIGN(const std::vector<absl::Status> none, store_->AppendToJournal({}));
  EXPECT_THAT(none, IsEmpty());
}

TEST_P(JournalStoreConformance, IntentsRaiseTheRootsLastLeaf) {
  ASSERT_OK(AddSamplePrimary(*store_));
  const auto last_leaf = [&] {
    return store_->GetRoot(kSampleTenant, "root-1")->last_leaf_not_after;
  };
  EXPECT_FALSE(last_leaf().has_value());
  const Intent later = SampleIntent("later");
  ASSERT_OK(Append(*store_, later));
  EXPECT_EQ(last_leaf(), later.not_after);
  Intent earlier = SampleIntent("earlier");
  earlier.not_after -= std::chrono::seconds(1);
  ASSERT_OK(Append(*store_, earlier));
  EXPECT_EQ(last_leaf(), later.not_after);
  Intent refused = SampleIntent("refused");
  refused.not_after += std::chrono::hours(1);
  refused.epoch = 0;
  EXPECT_THAT(Append(*store_, refused), FailsWith(ErrorReason::kPrimaryChanged));
  EXPECT_EQ(last_leaf(), later.not_after);
}

TEST_P(JournalStoreConformance, AReleaseMayComeLongAfterItsIntent) {
  ASSERT_OK(AddSamplePrimary(*store_));
  constexpr int kCount = 9;
  for (int i = 0; i < kCount; ++i) ASSERT_OK(Append(*store_, SampleIntent(absl::StrCat(i))));
  Release twice = ReleaseOf(SampleIntent("0"));
  ASSERT_OK_AND_ASSIGN(const std::vector<absl::Status> statuses,
                       store_->AppendToJournal({twice, SampleIntent("new"), twice}));
  EXPECT_OK(statuses[0]);
  EXPECT_OK(statuses[1]);
  EXPECT_THAT(statuses[2], FailsWith(ErrorReason::kRequestIdReused));
  for (int i = 0; i < kCount; ++i) {
    const Intent intent = SampleIntent(absl::StrCat(i));
    const auto expected = i == 0 ? ErrorReason::kRequestIdReused : ErrorReason::kUnspecified;
    EXPECT_EQ(ReasonOf(Append(*store_, ReleaseOf(intent))), expected) << i;
    EXPECT_THAT(Append(*store_, ReleaseOf(intent)), FailsWith(ErrorReason::kRequestIdReused));
    EXPECT_THAT(Append(*store_, intent), FailsWith(ErrorReason::kRequestIdReused));
    const JournalRecord released{intent, ReleaseOf(intent).certificate,
                                 ReleaseOf(intent).released_at};
    ASSERT_OK_AND_ASSIGN(const JournalRecord found,
                         store_->FindByRequestId(kSampleTenant, intent.request_id));
    EXPECT_EQ(found, released);
  }
  ASSERT_OK_AND_ASSIGN(const Page<JournalRecord> page,
                       store_->ListJournal(kSampleTenant, {}, kCount + 1, ""));
  EXPECT_THAT(RequestIds(page.records),
              ElementsAre("new", "8", "7", "6", "5", "4", "3", "2", "1", "0"));
  for (const JournalRecord& record : page.records) {
    EXPECT_EQ(record.released_at.has_value(), record.intent.request_id != "new");
  }
}

TEST_P(JournalStoreConformance, CertificatesAreReadBackOctetForOctet) {
  ASSERT_OK(AddSamplePrimary(*store_));
  const std::string tbs = SampleIntent("").tbs_certificate;
  const std::string certificates[] = {"",
                                      tbs,
                                      "before" + tbs,
                                      tbs + "after",
                                      tbs + tbs,
                                      "x" + tbs + "y" + tbs,
                                      "without",
                                      AllOctets(),
                                      tbs.substr(1),
                                      "\x30\x82" + tbs + AllOctets()};
  int number = 0;
  for (const std::string& certificate : certificates) {
    const Intent intent = SampleIntent(absl::StrCat("r-", ++number));
    Release release = ReleaseOf(intent);
    release.certificate = certificate;
    ASSERT_OK(Append(*store_, intent));
    ASSERT_OK(Append(*store_, release));
    ASSERT_OK_AND_ASSIGN(const JournalRecord found,
                         store_->FindByRequestId(kSampleTenant, intent.request_id));
    EXPECT_EQ(found.certificate, certificate) << number;
  }
}

// As two replicas have them whose clocks differ.
TEST_P(JournalStoreConformance, DropsWhatIsOldAndExpiredOnly) {
  ASSERT_OK(AddSamplePrimary(*store_));
  const Timestamp start = SampleTime();
  AppendReleased(*store_, "old-", 7, start);
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> other, place_->Open());
  const auto count = [&](Store& store) { return ListAll(store, {}, 3).size(); };
  ASSERT_EQ(count(*other), 7u);

  ASSERT_OK(store_->DropJournalBefore(start));
  EXPECT_EQ(count(*store_), 7u) << "nothing is older";
  ASSERT_OK(store_->DropJournalBefore(start + std::chrono::minutes(30)));
  EXPECT_EQ(count(*store_), 7u) << "nothing has expired";
  AppendReleased(*store_, "new-", 5, start + std::chrono::hours(48));
  ASSERT_OK(store_->DropJournalBefore(start + std::chrono::hours(47)));
  for (int i = 0; i < 5; ++i) {
    EXPECT_OK(store_->FindByRequestId(kSampleTenant, absl::StrCat("new-", i)));
    EXPECT_OK(other->FindByRequestId(kSampleTenant, absl::StrCat("new-", i)));
  }
  EXPECT_EQ(count(*store_), count(*other));

  // Now nothing young keeps any of them.
  ASSERT_OK(store_->DropJournalBefore(start + std::chrono::hours(100)));
  for (Store* store : {store_.get(), other.get()}) {
    EXPECT_EQ(count(*store), 0u);
    EXPECT_THAT(store->FindByRequestId(kSampleTenant, "old-0"),
                FailsWith(ErrorReason::kCertificateUnknown));
    EXPECT_THAT(store->FindBySerialNumber(kSampleTenant, SampleIntent("old-0").serial_number),
                FailsWith(ErrorReason::kCertificateUnknown));
  }
  EXPECT_THAT(Append(*other, ReleaseOf(SampleIntent("old-0"))),
              FailsWith(ErrorReason::kCertificateUnknown));
  EXPECT_EQ(other->GetRoot(kSampleTenant, "root-1")->last_leaf_not_after,
            std::chrono::floor<std::chrono::seconds>(start) + std::chrono::hours(49))
      << "a root does not forget what it signed";
  AppendReleased(*other, "old-", 7, start + std::chrono::hours(200));
  EXPECT_EQ(count(*store_), 7u) << "the ids are free again";
}

}  // namespace
}  // namespace hourglass::issuance
