// A fault for each rule, in a history that keeps them all. What the faults are is what a broken
// build would do: to lose what was released, to release under an old root, to answer one request
// twice.
#include "tests/history/checker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <ostream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/history/summary.h"
#include "tests/history/testing/small_history.h"

namespace hourglass::history {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;
using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::IsEmpty;

using Names = std::set<std::string>;

Names BrokenRules(const History& history) {
  Names names;
  for (const Violation& violation : Check(history)) names.emplace(RuleName(violation.rule));
  return names;
}

void Remove(SmallHistory& small, absl::string_view request_id) {
  std::erase_if(small.tenant().certificates,
                [&](const RecordedCertificate& record) { return record.request_id == request_id; });
}

void Unrelease(RecordedCertificate& record) {
  record.certificate.clear();
  record.released_at.reset();
  record.release_committed_at.reset();
}

void PlaceAt(Call& call, int from, int to) {
  call.sent = seconds(from);
  call.answered = seconds(to);
}

void Repeat(SmallHistory& small, absl::string_view request_id, int from, int to) {
  IssueCall again = small.CallOf(request_id);
  again.call.client = "broker-3";
  PlaceAt(again.call, from, to);
  small.history.issuing.push_back(std::move(again));
}

void Refuse(SmallHistory& small, const char* code, const char* reason) {
  IssueCall call = small.CallOf("new");
  call.request_id = "refused";
  call.outcome = Refused{code, reason, "no"};
  small.history.issuing.push_back(std::move(call));
}

struct Fault {
  const char* what;
  std::function<void(SmallHistory&)> make;
  Names found;  // the first is the one that it is about
};

const std::vector<Fault> kFaultsOfDelivery = {
    {"what was received is lost", [](auto& small) { Remove(small, "new"); }, {"received_missing"}},
    {"what was received is not released",
     [](auto& small) { Unrelease(small.RecordOf("new")); },
     {"received_missing"}},
    {"all of a tenant is lost",
     [](auto& small) { small.history.tenants.clear(); },
     {"change_missing", "primary_not_changed", "received_missing", "signature"}},
    {"other octets are recorded",
     [](auto& small) {
       std::string& received = CertificateOf(small.CallOf("new"));
       received = Damaged(received);
     },
     {"received_differs", "request_answered_twice", "serial_number_twice"}},
    {"a request is answered with another certificate",
     [](auto& small) {
       Repeat(small, "new", 40, 41);
       CertificateOf(small.history.issuing.back()) = CertificateOf(small.CallOf("old"));
     },
     {"request_answered_twice", "received_differs"}},
    {"a request is recorded twice",
     [](auto& small) { small.RecordOf("unreleased").request_id = "old"; },
     {"request_recorded_twice"}},
    {"nobody asked",
     [](auto& small) {
       std::erase_if(small.history.issuing,
                     [](const IssueCall& call) { return call.request_id == "unreleased"; });
     },
     {"recorded_unasked"}},
    {"two records have a serial number",
     [](auto& small) {
       RecordedCertificate& record = small.RecordOf("unreleased");
       record.serial_number = small.RecordOf("old").serial_number;
       record.to_be_signed = small.RecordOf("old").to_be_signed;
     },
     {"serial_number_twice"}},
};

const std::vector<Fault> kFaultsOfRecords = {
    {"another serial number is recorded",
     [](auto& small) { small.RecordOf("new").serial_number.back() ^= 1; },
     {"record_contradicts"}},
    {"another serial number was to be signed",
     [](auto& small) { small.RecordOf("unreleased").serial_number.back() ^= 1; },
     {"record_contradicts"}},
    {"something else was to be signed",
     [](auto& small) { small.RecordOf("new").to_be_signed.back() ^= 1; },
     {"record_contradicts"}},
    {"it was released without a certificate",
     [](auto& small) { small.RecordOf("unreleased").released_at = Timestamp(); },
     {"record_contradicts"}},
    {"it was not released, and has a certificate",
     [](auto& small) { small.RecordOf("new").released_at.reset(); },
     {"record_contradicts"}},
    {"the root is none",
     [](auto& small) { small.tenant().roots[1].certificate.pop_back(); },
     {"record_contradicts", "signature"}},
    {"a signature does not verify",
     [](auto& small) {
       const std::string damaged = Damaged(small.RecordOf("old").certificate);
       small.RecordOf("old").certificate = CertificateOf(small.CallOf("old")) = damaged;
     },
     {"signature"}},
    {"another root signed",
     [](auto& small) {
       std::swap(small.tenant().roots[0].certificate, small.tenant().roots[1].certificate);
     },
     {"signature"}},
    {"what was received is of nobody",
     [](auto& small) {
       small.tenant().roots.pop_back();
       Remove(small, "new");
     },
     {"received_missing", "signature", "tenant_contradicts_itself"}},
};

const std::vector<Fault> kFaultsOfRoots = {
    {"a move that is not legal",
     [](auto& small) {
       RootAction& action = small.ActionOf("root_created", "r2");
       action.to_state = "RETIRED";
     },
     {"change_missing", "move_illegal"}},
    {"a root is retired before its last leaf has expired",
     [](auto& small) {
       RootAction action = small.ActionOf("root_demoted", "r1");
       action.sequence = 1000;
       action.action = "root_retired";
       action.from_state = "RETIRING";
       action.to_state = "RETIRED";
       small.tenant().actions.push_back(action);
       small.tenant().roots[0].state = ca::RootState::kRetired;
       ++small.tenant().revision;
     },
     {"move_illegal"}},
    {"an action has another name",
     [](auto& small) { small.ActionOf("root_promoted", "r2").action = "root_rolled_back"; },
     {"move_illegal"}},
    {"two actions have a sequence number",
     [](auto& small) {
       small.ActionOf("root_promoted", "r2").sequence =
           small.ActionOf("root_demoted", "r1").sequence;
     },
     {"move_illegal"}},
    {"a root is demoted, and none promoted",
     [](auto& small) {
       std::erase_if(small.tenant().actions, [](const RootAction& action) {
         return action.action == "root_promoted" && action.root_id == "r2";
       });
     },
     {"change_missing", "epoch_of_another_root", "move_illegal", "tenant_contradicts_itself"}},
    {"two roots are primary",
     [](auto& small) {
       std::erase_if(small.tenant().actions,
                     [](const RootAction& action) { return action.action == "root_demoted"; });
       small.tenant().roots[0].state = ca::RootState::kPrimary;
     },
     {"two_primaries"}},
    {"the epoch is another",
     [](auto& small) { ++small.tenant().epoch; },
     {"tenant_contradicts_itself"}},
    {"the revision is another",
     [](auto& small) { --small.tenant().revision; },
     {"tenant_contradicts_itself"}},
    {"a root's state is another",
     [](auto& small) { small.tenant().roots[0].state = ca::RootState::kRetired; },
     {"tenant_contradicts_itself"}},
    {"a promotion is lost",
     [](auto& small) {
       AdministrativeCall& call = small.ChangeOf(AdministrativeMethod::kPromoteRoot, "r2");
       std::get<Changed>(call.outcome).since += microseconds(1);
     },
     {"change_missing"}},
    {"an answered promotion is recorded after one that was asked for later",
     [](auto& small) {
       PlaceAt(small.ChangeOf(AdministrativeMethod::kPromoteRoot, "r1").call, 25, 26);
     },
     {"promotions_reordered", "released_before_promotion"}},
};

const std::vector<Fault> kFaultsOfTheFence = {
    {"the epoch is one of another root",
     [](auto& small) { small.RecordOf("unreleased").epoch = 2; },
     {"epoch_of_another_root"}},
    {"there is no such epoch",
     [](auto& small) { small.RecordOf("unreleased").epoch = 7; },
     {"epoch_of_another_root"}},
    {"a release commits after the promotion of another root",
     [](auto& small) {
       *small.RecordOf("old").release_committed_at =
           *small.ActionOf("root_promoted", "r2").committed_at + microseconds(1);
     },
     {"outside_primacy"}},
    {"an intent commits after the promotion of another root",
     [](auto& small) {
       *small.RecordOf("unreleased").intent_committed_at =
           *small.ActionOf("root_promoted", "r2").committed_at + microseconds(1);
     },
     {"outside_primacy"}},
    {"an intent commits before the promotion of its root",
     [](auto& small) {
       *small.RecordOf("new").intent_committed_at =
           *small.ActionOf("root_promoted", "r2").committed_at - microseconds(1);
     },
     {"outside_primacy"}},
    {"an old certificate is given to who asks after the answer to the promotion",
     [](auto& small) {
       Call& call = small.CallOf("old").call;
       call.sent = seconds(24) + microseconds(1);
       call.answered = seconds(25);
     },
     {"released_after_successor"}},
    {"an old certificate is given again to who asks after the answer to the promotion",
     [](auto& small) { Repeat(small, "old", 25, 26); },
     {"repeated_after_successor"}},
    {"a new certificate is there before anybody asked for the promotion",
     [](auto& small) {
       Call& call = small.CallOf("new").call;
       call.sent = seconds(21);
       call.answered = seconds(22) - microseconds(1);
     },
     {"released_before_promotion"}},
};

const std::vector<Fault> kFaultsOfErrors = {
    {"an error of the service itself",
     [](auto& small) { Refuse(small, "INTERNAL", "INTERNAL_ERROR"); },
     {"error_not_retryable"}},
    {"no primary for a moment",
     [](auto& small) { Refuse(small, "FAILED_PRECONDITION", "NO_PRIMARY_ROOT"); },
     {"error_not_retryable"}},
    {"an error that says nothing",
     [](auto& small) { Refuse(small, "UNKNOWN", ""); },
     {"error_not_retryable"}},
    {"an error of the service itself, to an administrator",
     [](auto& small) {
       AdministrativeCall& call = small.ChangeOf(AdministrativeMethod::kPromoteRoot, "r2");
       call.outcome = Refused{"INTERNAL", "INTERNAL_ERROR", "no"};
     },
     {"error_not_retryable"}},
    {"the primary has not changed for long",
     [](auto& small) {
       Refuse(small, "ABORTED", "PRIMARY_CHANGED");
       PlaceAt(small.history.issuing.back().call, 145, 146);
     },
     {"primary_not_changed"}},
};

std::vector<Fault> Faults() {
  std::vector<Fault> all;
  for (const auto& some :
       {kFaultsOfDelivery, kFaultsOfRecords, kFaultsOfRoots, kFaultsOfTheFence, kFaultsOfErrors}) {
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

class FaultTest : public testing::TestWithParam<Fault> {};

void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.what; }

TEST_P(FaultTest, IsFound) {
  SmallHistory small;
  ASSERT_THAT(BrokenRules(small.history), IsEmpty());
  GetParam().make(small);
  EXPECT_THAT(BrokenRules(small.history), ElementsAreArray(GetParam().found));
}

INSTANTIATE_TEST_SUITE_P(Faults, FaultTest, testing::ValuesIn(Faults()));

TEST(CheckerTest, EveryRuleHasAFault) {
  Names found;
  for (const Fault& fault : Faults()) found.insert(fault.found.begin(), fault.found.end());
  Names all;
  for (const Rule rule : AllRules()) all.emplace(RuleName(rule));
  EXPECT_EQ(found, all);
}

TEST(CheckerTest, ACallMayMeetAPromotionOnItsWay) {
  SmallHistory small;
  // Asked for before the promotion was answered, and answered long after it.
  PlaceAt(small.CallOf("old").call, 24, 60);
  // Answered when somebody may have promoted its root, whose answer came later.
  PlaceAt(small.CallOf("new").call, 5, 22);
  EXPECT_THAT(BrokenRules(small.history), IsEmpty());
}

TEST(CheckerTest, WhatNobodyKnowsOfAPromotionIsHeldAgainstNobody) {
  SmallHistory small;
  small.ChangeOf(AdministrativeMethod::kPromoteRoot, "r2").outcome =
      Unanswered{"DEADLINE_EXCEEDED", ""};
  PlaceAt(small.CallOf("old").call, 50, 51);
  PlaceAt(small.CallOf("new").call, 5, 6);
  EXPECT_THAT(BrokenRules(small.history), IsEmpty());
}

TEST(CheckerTest, ALaterChangeShowsAnEarlierOne) {
  SmallHistory small;
  // Nobody was answered that r2 is primary; but that r3 was made after it.
  small.ChangeOf(AdministrativeMethod::kPromoteRoot, "r2").outcome =
      Unanswered{"DEADLINE_EXCEEDED", ""};
  AdministrativeCall created = small.ChangeOf(AdministrativeMethod::kCreateRoot, "r2");
  PlaceAt(created.call, 26, 27);
  created.root_id = "r3";
  RootAction action = small.ActionOf("root_created", "r2");
  action.root_id = "r3";
  action.sequence = 1000;
  small.tenant().actions.push_back(action);
  small.tenant().roots.push_back(small.tenant().roots[1]);
  small.tenant().roots.back().root_id = "r3";
  small.tenant().roots.back().state = ca::RootState::kStaged;
  ++small.tenant().revision;
  small.history.administration.push_back(created);
  ASSERT_THAT(BrokenRules(small.history), IsEmpty());
  PlaceAt(small.CallOf("old").call, 28, 29);
  EXPECT_EQ(BrokenRules(small.history), Names{"released_after_successor"});
}

TEST(CheckerTest, WithoutTimesOfCommitTheRestIsCheckedAllTheSame) {
  SmallHistory small;
  for (RootAction& action : small.tenant().actions) action.committed_at.reset();
  for (RecordedCertificate& record : small.tenant().certificates) {
    record.intent_committed_at.reset();
    record.release_committed_at.reset();
  }
  EXPECT_THAT(BrokenRules(small.history), IsEmpty());
  small.RecordOf("unreleased").epoch = 2;
  EXPECT_EQ(BrokenRules(small.history), Names{"epoch_of_another_root"});
}

TEST(CheckerTest, WhoeverWasKilledMayHaveAskedForMore) {
  SmallHistory small;
  std::erase_if(small.history.issuing,
                [](const IssueCall& call) { return call.request_id == "unreleased"; });
  ASSERT_EQ(BrokenRules(small.history), Names{"recorded_unasked"});
  small.history.logs_are_whole = false;
  EXPECT_THAT(BrokenRules(small.history), IsEmpty());
}

TEST(CheckerTest, ErrorsThatGoAwayAreNoViolations) {
  SmallHistory small;
  for (const char* reason : {"JOURNAL_UNAVAILABLE", "OVERLOADED", "STOPPING", "KEY_UNAVAILABLE",
                             "CLOCK_UNTRUSTED", "COMPLIANCE_UNAVAILABLE"}) {
    Refuse(small, "UNAVAILABLE", reason);
  }
  // The promotion was answered at 24.
  Refuse(small, "ABORTED", "PRIMARY_CHANGED");
  PlaceAt(small.history.issuing.back().call, 140, 141);
  EXPECT_THAT(BrokenRules(small.history), IsEmpty());
}

TEST(CheckerTest, WhatAGoneIntermediateWasToSignIsRefusedLikeAnOldRequest) {
  SmallHistory small(true);
  RecordedCertificate record = small.RecordOf("new");
  Unrelease(record);
  record.request_id = "refused";
  small.tenant().certificates.push_back(record);
  Refuse(small, "ABORTED", "PRIMARY_CHANGED");
  PlaceAt(small.history.issuing.back().call, 500, 501);
  const Names rules = BrokenRules(small.history);
  // It has the serial number of the record that it was copied from.
  EXPECT_EQ(rules, Names{"serial_number_twice"});
  small.tenant().certificates.pop_back();
  EXPECT_EQ(BrokenRules(small.history), Names{"primary_not_changed"});
}

TEST(CheckerTest, IntermediatesAreJudgedLikeWhatTheyIssue) {
  SmallHistory small(true);
  ASSERT_EQ(small.tenant().intermediates.size(), 2U);
  EXPECT_THAT(BrokenRules(small.history), IsEmpty());
  const TenantHistory sound = small.tenant();
  RecordedIntermediate& last = small.tenant().intermediates[1];
  last.epoch = 1;
  EXPECT_EQ(BrokenRules(small.history), Names{"epoch_of_another_root"});
  small.tenant() = sound;
  last.certificate = Damaged(last.certificate);
  EXPECT_EQ(BrokenRules(small.history), Names{"signature"});
  small.tenant() = sound;
  last.serial_number.back() ^= 1;
  EXPECT_EQ(BrokenRules(small.history), (Names{"record_contradicts", "signature"}));
  small.tenant() = sound;
  last.certificate.clear();
  last.released_at.reset();
  EXPECT_EQ(BrokenRules(small.history), Names{"signature"});
  small.tenant() = sound;
  last.serial_number = small.RecordOf("new").serial_number;
  EXPECT_THAT(BrokenRules(small.history), testing::Contains("serial_number_twice"));
}

TEST(CheckerTest, AViolationNamesBothRecords) {
  SmallHistory small;
  Unrelease(small.RecordOf("new"));
  const std::vector<Violation> violations = Check(small.history);
  ASSERT_EQ(violations.size(), 2U) << "two clients received it";
  const std::string words = InWords(violations[1]);
  EXPECT_THAT(words, HasSubstr("received_missing: the journal has not released it\n    broker-2"));
  EXPECT_THAT(words, HasSubstr("from 33.000000 s to 35.000000 s, request new: certificate "));
  EXPECT_THAT(words, HasSubstr("\n    contoso recorded request new, epoch 2, root r2"));
}

TEST(CheckerTest, AnyNumberOfThreadsFindsTheSame) {
  SmallHistory small;
  small.RecordOf("old").serial_number.back() ^= 1;
  small.RecordOf("new").serial_number.back() ^= 1;
  const auto found = [&small](int threads) {
    std::vector<std::string> words;
    CheckOptions options;
    options.threads = threads;
    for (const Violation& violation : Check(small.history, options)) {
      words.push_back(InWords(violation));
    }
    return words;
  };
  EXPECT_EQ(found(1).size(), 2U);
  EXPECT_EQ(found(1), found(2));
  EXPECT_EQ(found(1), found(9));
}

TEST(CheckerTest, TheSummaryCounts) {
  SmallHistory small;
  Refuse(small, "RESOURCE_EXHAUSTED", "OVERLOADED");
  Unrelease(small.RecordOf("new"));
  const Summary summary = Summarize(small.history, Check(small.history));
  EXPECT_EQ(summary.clients, 3);
  EXPECT_EQ(summary.calls, 6);
  EXPECT_EQ(summary.received, 3);
  EXPECT_EQ(summary.received_again, 1);
  EXPECT_EQ(summary.recorded, 3);
  EXPECT_EQ(summary.released, 1);
  EXPECT_EQ(summary.promotions, 2);
  const std::string words = InWords(summary);
  EXPECT_THAT(words, HasSubstr("refused               1  OVERLOADED\n"));
  EXPECT_THAT(words, HasSubstr("refused               1  PRIMARY_CHANGED\n"));
  EXPECT_THAT(words, HasSubstr("unanswered            1  UNAVAILABLE\n"));
  EXPECT_THAT(words, HasSubstr("administration        2  PromoteRoot done\n"));
  EXPECT_THAT(words, HasSubstr("rule                  2  received_missing\n"));
  EXPECT_THAT(words, HasSubstr("rule                  0  signature\n"));
  EXPECT_THAT(words, HasSubstr("\n2 violations\n"));
}

}  // namespace
}  // namespace hourglass::history
