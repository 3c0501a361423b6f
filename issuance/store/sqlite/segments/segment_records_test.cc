#include "issuance/store/sqlite/segments/segment_records.h"

#include <gmock/gmock.h>

#include <chrono>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/store/sqlite/segments/segment_file.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance::sqlite {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr HashKey kKey{3, 4};
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

// Each field another value, with all that text and octets may be.
Intent UnusualIntent() {
  Intent intent;
  intent.tenant_id = std::string("tenant ") + kUnusualText;
  intent.epoch = 11;
  intent.root_id = std::string("root ") + kUnusualText;
  intent.request_id = std::string("request ") + kUnusualText;
  intent.request_digest = AllOctets() + "digest";
  intent.caller = std::string("caller ") + kUnusualText;
  intent.user_id = std::string("user ") + kUnusualText;
  intent.user_upn = std::string("upn ") + kUnusualText;
  intent.device_id = std::string("device ") + kUnusualText;
  intent.verdict_id = std::string("verdict ") + kUnusualText;
  intent.policy_version = std::string("policy ") + kUnusualText;
  intent.verdict_evaluated_at = SampleTime(1);
  intent.serial_number = AllOctets() + "serial";
  intent.not_before = ca::Time(std::chrono::seconds(-2));
  intent.not_after = ca::Time(std::chrono::seconds(253402300799));
  intent.tbs_certificate = AllOctets() + "tbs";
  intent.intended_at = Timestamp(std::chrono::microseconds(-3));
  intent.intermediate_serial_number = AllOctets() + "intermediate";
  intent.identity = std::string("identity ") + kUnusualText;
  intent.token_issuer = std::string("issuer ") + kUnusualText;
  intent.token_id = std::string("token ") + kUnusualText;
  return intent;
}

class SegmentRecordsTest : public testing::Test {
 protected:
  JournalRecord Read(std::int64_t sequence) {
    std::optional<NumberedRecord> read = ReadRecord(*segment_, sequence).value();
    EXPECT_TRUE(read.has_value()) << sequence;
    if (!read.has_value()) return {};
    EXPECT_EQ(read->sequence, sequence);
    return std::move(read->record);
  }

  // What ReadKeysAfter gives.
  std::vector<std::int64_t> SequencesAfter(std::int64_t sequence) {
    std::vector<std::int64_t> sequences;
    EXPECT_OK(ReadKeysAfter(*segment_, kKey, sequence,
                            [&](const IntentKeys& keys) { sequences.push_back(keys.sequence); }));
    return sequences;
  }

  const TemporaryDirectory directory_;
  const JournalFolder folder_ =
      JournalFolder::Open(directory_.File("store"), std::chrono::milliseconds(1000)).value();
  const std::unique_ptr<Connection> segment_ = folder_.MakeSegment(1).value();
};

TEST_F(SegmentRecordsTest, AnIntentIsReadBackInEveryField) {
  const Intent intent = UnusualIntent();
  ASSERT_OK(InsertIntent(*segment_, 5, intent));
  ASSERT_OK(InsertIntent(*segment_, kMost, Intent()));
  EXPECT_EQ(Read(5), (JournalRecord{intent, "", std::nullopt}));
  EXPECT_EQ(Read(kMost).intent, Intent()) << "empty in every field";
  for (const std::int64_t sequence : {0, 1, 4, 6}) {
    EXPECT_EQ(ReadRecord(*segment_, sequence)->has_value(), false) << sequence;
  }
  EXPECT_THAT(InsertIntent(*segment_, 5, Intent()), FailsWith(ErrorReason::kInternalError));
  EXPECT_EQ(Read(5).intent, intent);
}

// As a program of schema version 10 made it.
TEST_F(SegmentRecordsTest, AnOlderSegmentIsReadAsItIsAndWrittenOnceItIsCompleted) {
  Intent old = UnusualIntent();
  old.identity = old.token_issuer = old.token_id = "";
  ASSERT_OK(InsertIntent(*segment_, 1, old));
  ASSERT_EQ(HasIdentity(*segment_).value(), true);
  ASSERT_OK(
      segment_->Execute("ALTER TABLE intents DROP COLUMN token_id;"
                        "ALTER TABLE intents DROP COLUMN token_issuer;"
                        "ALTER TABLE intents DROP COLUMN identity"));
  ASSERT_EQ(HasIdentity(*segment_).value(), false);
  EXPECT_EQ(Read(1).intent, old);
  EXPECT_THAT(InsertIntent(*segment_, 2, UnusualIntent()), FailsWith(ErrorReason::kInternalError));
  ASSERT_OK(AddIdentityColumns(*segment_));
  ASSERT_OK(AddIdentityColumns(*segment_)) << "a second time";
  ASSERT_OK(InsertIntent(*segment_, 2, UnusualIntent()));
  EXPECT_EQ(Read(1).intent, old);
  EXPECT_EQ(Read(2).intent, UnusualIntent());
}

TEST_F(SegmentRecordsTest, TextIsKeptAsText) {
  ASSERT_OK(InsertIntent(*segment_, 1, UnusualIntent()));
  EXPECT_EQ(segment_
                ->QueryInteger("SELECT typeof(user_upn) = 'text' AND typeof(serial_number) = "
                               "'blob' AND typeof(request_digest) = 'blob' FROM intents")
                .value(),
            1);
}

TEST_F(SegmentRecordsTest, WhatLaterWritesAreCheckedAgainstIsReadAlone) {
  const Intent intent = UnusualIntent();
  ASSERT_OK(InsertIntent(*segment_, 5, intent));
  ASSERT_OK_AND_ASSIGN(const std::optional<RecordedIntent> read, ReadIntent(*segment_, 5));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->tenant_id, intent.tenant_id);
  EXPECT_EQ(read->epoch, intent.epoch);
  EXPECT_EQ(read->root_id, intent.root_id);
  EXPECT_EQ(read->request_id, intent.request_id);
  EXPECT_EQ(read->serial_number, intent.serial_number);
  EXPECT_EQ(read->tbs_certificate, intent.tbs_certificate);
  EXPECT_FALSE(ReadIntent(*segment_, 4)->has_value());
}

TEST_F(SegmentRecordsTest, CertificatesAreReadBackOctetForOctet) {
  const struct {
    std::string tbs, certificate;
    bool inside;
  } kCases[] = {
      {"tbs", "30tbs40", true},
      {"tbs", "tbs", true},
      {"tbs", "tbs40", true},
      {"tbs", "30tbs", true},
      {"tbs", "30tbstbs40", true},
      {"tbs", "30tb40", false},
      {"tbs", "", false},
      {"", "3040", true},
      {"", "", true},
      {"tbs", "30TBS40", false},
      {AllOctets(), "0" + AllOctets() + AllOctets(), true},
      {"longer", "longe", false},
  };
  std::int64_t sequence = 0;
  for (const auto& test : kCases) {
    Intent intent = SampleIntent("r");
    intent.tbs_certificate = test.tbs;
    ASSERT_OK(InsertIntent(*segment_, ++sequence, intent));
    EXPECT_TRUE(
        InsertRelease(*segment_, sequence, test.certificate, test.tbs, SampleTime(3)).value());
    EXPECT_EQ(Read(sequence), (JournalRecord{intent, test.certificate, SampleTime(3)})) << sequence;
    EXPECT_EQ(segment_
                  ->QueryInteger("SELECT tbs_inside * 1000 + length(before_tbs) + "
                                 "length(after_tbs) FROM releases WHERE sequence = ?",
                                 {sequence})
                  .value(),
              test.inside ? 1000 + static_cast<std::int64_t>(test.certificate.size()) -
                                static_cast<std::int64_t>(test.tbs.size())
                          : static_cast<std::int64_t>(test.certificate.size()))
        << "it is kept without what the intent has: " << sequence;
  }
}

TEST_F(SegmentRecordsTest, TheFirstReleaseStays) {
  const Intent intent = SampleIntent("r");
  ASSERT_OK(InsertIntent(*segment_, 1, intent));
  ASSERT_OK(InsertIntent(*segment_, 2, SampleIntent("other")));
  EXPECT_FALSE(HasRelease(*segment_, 1).value());
  EXPECT_TRUE(InsertRelease(*segment_, 1, "first", "tbs", SampleTime(1)).value());
  EXPECT_FALSE(InsertRelease(*segment_, 1, "second", "tbs", SampleTime(2)).value());
  EXPECT_EQ(Read(1), (JournalRecord{intent, "first", SampleTime(1)}));
  EXPECT_TRUE(HasRelease(*segment_, 1).value());
  EXPECT_FALSE(HasRelease(*segment_, 2).value());
  EXPECT_FALSE(HasRelease(*segment_, 3).value());
}

TEST_F(SegmentRecordsTest, ASelectionIsReadAsItOrders) {
  for (const int i : {1, 2, 3}) {
    Intent intent = SampleIntent(absl::StrCat("r-", i));
    intent.intended_at = SampleTime(i);
    ASSERT_OK(InsertIntent(*segment_, i, intent));
  }
  ASSERT_OK(InsertRelease(*segment_, 2, "signed", "tbs", SampleTime(9)));
  ASSERT_OK_AND_ASSIGN(
      const std::vector<NumberedRecord> records,
      ReadRecords(*segment_, SelectJournal(kSampleTenant, {}, std::nullopt, 2, UserRows())));
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].sequence, 3);
  EXPECT_EQ(records[0].record.released_at, std::nullopt);
  EXPECT_EQ(records[1].sequence, 2);
  EXPECT_EQ(records[1].record.certificate, "signed");
  ASSERT_OK_AND_ASSIGN(
      const std::vector<NumberedRecord> none,
      ReadRecords(*segment_, SelectJournal("fabrikam", {}, std::nullopt, 2, UserRows())));
  EXPECT_THAT(none, IsEmpty());
}

TEST_F(SegmentRecordsTest, KeysAreOfTheIntent) {
  const Intent intent = UnusualIntent();
  ASSERT_OK(InsertIntent(*segment_, 7, intent));
  const IntentKeys expected = KeysOf(kKey, 7, intent);
  EXPECT_EQ(expected.request_hash, HashOfRequestId(kKey, intent.tenant_id, intent.request_id));
  EXPECT_EQ(expected.serial_hash, HashOfSerialNumber(kKey, intent.tenant_id, intent.serial_number));
  int taken = 0;
  ASSERT_OK(ReadKeysAfter(*segment_, kKey, 0, [&](const IntentKeys& keys) {
    ++taken;
    for (const IntentKeys& both : {keys, expected}) {
      EXPECT_EQ(both.sequence, 7);
      EXPECT_EQ(both.tenant_id, intent.tenant_id);
      EXPECT_EQ(both.root_id, intent.root_id);
      EXPECT_EQ(both.request_hash, expected.request_hash);
      EXPECT_EQ(both.serial_hash, expected.serial_hash);
      EXPECT_EQ(both.intended_at, intent.intended_at);
      EXPECT_EQ(both.not_after, intent.not_after);
    }
  }));
  EXPECT_EQ(taken, 1);
}

TEST_F(SegmentRecordsTest, KeysAreReadInOrderAndFromTheNextOn) {
  for (const int i : {9, 3, 4}) ASSERT_OK(InsertIntent(*segment_, i, SampleIntent("r")));
  EXPECT_THAT(SequencesAfter(0), ElementsAre(3, 4, 9));
  EXPECT_THAT(SequencesAfter(2), ElementsAre(3, 4, 9));
  EXPECT_THAT(SequencesAfter(3), ElementsAre(4, 9));
  EXPECT_THAT(SequencesAfter(8), ElementsAre(9));
  EXPECT_THAT(SequencesAfter(9), IsEmpty());
}

TEST_F(SegmentRecordsTest, ASegmentHasIndicesOnceItWasIndexed) {
  EXPECT_FALSE(HasIndices(*segment_).value());
  ASSERT_OK(folder_.IndexSegment(1));
  EXPECT_TRUE(HasIndices(*segment_).value());
}

TEST_F(SegmentRecordsTest, SaysThatASegmentCannotBeRead) {
  ASSERT_OK(segment_->Execute("DROP TABLE releases"));
  EXPECT_THAT(ReadRecord(*segment_, 1), FailsWith(ErrorReason::kInternalError));
  EXPECT_THAT(HasRelease(*segment_, 1), FailsWith(ErrorReason::kInternalError));
  EXPECT_OK(ReadIntent(*segment_, 1));
  ASSERT_OK(segment_->Execute("DROP TABLE intents"));
  EXPECT_THAT(ReadIntent(*segment_, 1), FailsWith(ErrorReason::kInternalError));
  EXPECT_THAT(ReadKeysAfter(*segment_, kKey, 0, [](const IntentKeys&) {}),
              FailsWith(ErrorReason::kInternalError));
}

}  // namespace
}  // namespace hourglass::issuance::sqlite
