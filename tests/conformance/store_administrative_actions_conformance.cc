#include <gmock/gmock.h>

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>
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

// Newest first; without their sequences, which are checked to fall.
std::vector<AdministrativeAction> TakeActions(Store& store,
                                              absl::string_view tenant_id = kSampleTenant) {
  std::vector<AdministrativeAction> actions =
      store.ListAdministrativeActions(tenant_id, kMaxPageSize, "")->records;
  for (std::size_t i = 0; i < actions.size(); ++i) {
    EXPECT_GT(actions[i].sequence, i + 1 < actions.size() ? actions[i + 1].sequence : 0u);
  }
  for (AdministrativeAction& action : actions) action.sequence = 0;
  return actions;
}

AdministrativeAction ByThe(const RootChangeOrder& order, const std::string& action,
                           const std::string& root_id, const std::string& from,
                           const std::string& to, bool overrides = false) {
  return {std::string(kSampleTenant),
          0,
          order.now,
          order.caller,
          action,
          root_id,
          from,
          to,
          order.reason,
          overrides};
}

AdministrativeAction ByThe(const ChangeCause& cause, const std::string& action,
                           const std::string& name) {
  return {std::string(kSampleTenant),
          0,
          cause.now,
          cause.caller,
          action,
          name,
          "",
          "",
          cause.reason,
          false};
}

RootChangeOrder Order(int seconds, const std::string& reason = "") {
  RootChangeOrder order;
  order.now = SampleTime(seconds);
  order.caller = absl::StrCat("caller ", seconds);
  order.reason = reason;
  return order;
}

TEST_P(AdministrativeJournalStoreConformance, RecordsWhatIsDoneToRoots) {
  EXPECT_THAT(TakeActions(*store_), IsEmpty()) << "of a tenant that there is not";
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  EXPECT_THAT(TakeActions(*store_), IsEmpty());
  for (const int generation : {1, 2, 3}) {
    RootRecord root = SampleRoot(generation);
    root.created_at = SampleTime(generation);
    root.created_by = absl::StrCat("caller ", generation);
    ASSERT_OK(store_->AddRoot(root));
  }
  const RootChangeOrder first = Order(11), rollback = Order(13, kUnusualText), end = Order(14),
                        discarding = Order(15, "never needed");
  RootChangeOrder second = Order(12, "the gateway is lost");
  second.overrides = true;
  ASSERT_OK(store_->ChangeRootStates(kSampleTenant, 3,
                                     {{"root-1", RootState::kStaged, RootState::kPrimary}}, first));
  ASSERT_OK(store_->ChangeRootStates(kSampleTenant, 4,
                                     {{"root-2", RootState::kStaged, RootState::kPrimary},
                                      {"root-1", RootState::kPrimary, RootState::kRetiring}},
                                     second));
  ASSERT_OK(store_->ChangeRootStates(kSampleTenant, 5,
                                     {{"root-1", RootState::kRetiring, RootState::kPrimary},
                                      {"root-2", RootState::kPrimary, RootState::kRetiring}},
                                     rollback));
  ASSERT_OK(store_->ChangeRootStates(kSampleTenant, 6,
                                     {{"root-2", RootState::kRetiring, RootState::kRetired}}, end));
  ASSERT_OK(store_->ChangeRootStates(
      kSampleTenant, 7, {{"root-3", RootState::kStaged, RootState::kDiscarded}}, discarding));
  EXPECT_THAT(TakeActions(*store_),
              ElementsAre(ByThe(discarding, "root_discarded", "root-3", "STAGED", "DISCARDED"),
                          ByThe(end, "root_retired", "root-2", "RETIRING", "RETIRED"),
                          ByThe(rollback, "root_rolled_back", "root-1", "RETIRING", "PRIMARY"),
                          ByThe(rollback, "root_demoted", "root-2", "PRIMARY", "RETIRING"),
                          ByThe(second, "root_promoted", "root-2", "STAGED", "PRIMARY", true),
                          ByThe(second, "root_demoted", "root-1", "PRIMARY", "RETIRING"),
                          ByThe(first, "root_promoted", "root-1", "STAGED", "PRIMARY"),
                          ByThe(Order(3), "root_created", "root-3", "", "STAGED"),
                          ByThe(Order(2), "root_created", "root-2", "", "STAGED"),
                          ByThe(Order(1), "root_created", "root-1", "", "STAGED")));
}

TEST_P(AdministrativeJournalStoreConformance, RecordsWhatIsDoneToRelyingParties) {
  ASSERT_OK(AddSamplePrimary(*store_));
  const std::size_t before = TakeActions(*store_).size();
  const ChangeCause registered = {SampleTime(1), "one", "a new gateway"},
                    attested = {SampleTime(2), "two", kUnusualText},
                    removed = {SampleTime(3), kUnusualText, "it burnt"};
  ASSERT_OK(store_->AddRelyingParty(SampleManualParty("nps"), registered));
  ASSERT_OK(store_->AddRelyingParty(SampleRelyingParty("vpn"), registered));
  ASSERT_OK(store_->Acknowledge(SampleAttestation("nps", 2), attested));
  ASSERT_OK(store_->Acknowledge(SampleAttestation("nps", 2), removed)) << "changes nothing";
  ASSERT_OK(store_->Acknowledge(SampleAcknowledgement("vpn", 2), {SampleTime(2), "vpn-caller", ""}))
      << "nobody administers what a gateway says of itself";
  ASSERT_OK(store_->NoteFetched(kSampleTenant, "vpn-caller", 2, SampleTime(2)));
  ASSERT_OK(store_->RemoveRelyingParty(kSampleTenant, "vpn", removed));
  std::vector<AdministrativeAction> actions = TakeActions(*store_);
  actions.resize(actions.size() - before);
  EXPECT_THAT(actions, ElementsAre(ByThe(removed, "relying_party_removed", "vpn"),
                                   ByThe(attested, "relying_party_attested", "nps"),
                                   ByThe(registered, "relying_party_registered", "vpn"),
                                   ByThe(registered, "relying_party_registered", "nps")));
}

TEST_P(AdministrativeJournalStoreConformance, WhatIsRefusedIsNotRecorded) {
  ASSERT_OK(AddSamplePrimary(*store_));
  ASSERT_OK(store_->AddRoot(SampleRoot(2)));
  ASSERT_OK(store_->AddRelyingParty(SampleManualParty("nps"), SampleCause()));
  ASSERT_OK(store_->Acknowledge(SampleAttestation("nps", 3), SampleCause()));
  ASSERT_OK(store_->AddRelyingParty(SampleManualParty("late"), SampleCause()));
  const std::vector<AdministrativeAction> before = TakeActions(*store_);
  ASSERT_EQ(before.size(), 6u);
  const RootStateChange demotes = {"root-1", RootState::kPrimary, RootState::kRetiring},
                        promotes = {"root-2", RootState::kStaged, RootState::kPrimary},
                        unknown = {"root-9", RootState::kStaged, RootState::kDiscarded};
  RootChangeOrder awaiting = Order(30);
  awaiting.awaits_acknowledgements = true;
  const auto change = [&](std::uint64_t revision, const std::vector<RootStateChange>& changes,
                          const RootChangeOrder& order) {
    return store_->ChangeRootStates(kSampleTenant, revision, changes, order);
  };
  EXPECT_THAT(change(2, {promotes, demotes}, Order(30)), FailsWith(ErrorReason::kPrimaryChanged));
  EXPECT_THAT(change(3, {promotes}, Order(30)), FailsWith(ErrorReason::kRootMoveIllegal));
  EXPECT_THAT(change(3, {promotes, demotes, unknown}, Order(30)),
              FailsWith(ErrorReason::kRootUnknown));
  EXPECT_THAT(change(3, {promotes, demotes}, awaiting), FailsWith(ErrorReason::kPromotionBlocked));
  EXPECT_THAT(store_->ChangeRootStates("nobody", 0, {}, Order(30)),
              FailsWith(ErrorReason::kTenantUnknown));
  EXPECT_THAT(store_->AddRoot(SampleRoot(2)), FailsWith(ErrorReason::kRequestIdReused));
  RootRecord without_plan = SampleRoot(3);
  without_plan.key_made_for_root = true;
  EXPECT_THAT(store_->AddRoot(without_plan), FailsWith(ErrorReason::kKeyDestroyed));
  EXPECT_THAT(store_->AddRelyingParty(SampleManualParty("nps"), SampleCause()),
              FailsWith(ErrorReason::kRelyingPartyExists));
  EXPECT_THAT(store_->RemoveRelyingParty(kSampleTenant, "vpn", SampleCause()),
              FailsWith(ErrorReason::kRelyingPartyUnknown));
  Acknowledgement mismatch = SampleAttestation("nps", 3);
  mismatch.document_sha256 = "another";
  EXPECT_THAT(store_->Acknowledge(mismatch, SampleCause()),
              FailsWith(ErrorReason::kBundleMismatch));
  EXPECT_THAT(store_->Acknowledge(SampleAttestation("late", 4), SampleCause()),
              FailsWith(ErrorReason::kBundleUnknown));
  EXPECT_THAT(store_->Acknowledge(SampleAcknowledgement("late", 3), SampleCause()),
              FailsWith(ErrorReason::kRelyingPartyUnknown));
  EXPECT_EQ(TakeActions(*store_), before);
  EXPECT_THAT(TakeActions(*store_, "nobody"), IsEmpty());
  ASSERT_OK(change(3, {promotes, demotes}, Order(31)));
  EXPECT_EQ(TakeActions(*store_).size(), 8u);
}

TEST_P(AdministrativeJournalStoreConformance, PagesAreCompleteNewestFirstAndOfOneTenant) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  ASSERT_OK(store_->CreateTenant(SampleTenant("fabrikam")));
  std::vector<std::string> in_order;
  for (int i = 1; i <= 6; ++i) {
    // Their times tell nothing of their order.
    const ChangeCause cause = {SampleTime(-i), "administrator", ""};
    const std::string name = absl::StrCat("vpn-", i);
    ASSERT_OK(store_->AddRelyingParty(SampleRelyingParty(name), cause));
    ASSERT_OK(store_->AddRelyingParty(SampleRelyingParty("of fabrikam" + name, "fabrikam"), cause));
    in_order.insert(in_order.begin(), name);
  }
  for (const int page_size : {1, 2, 3, 5, 6, 7, kMaxPageSize}) {
    std::vector<std::string> subjects;
    std::optional<std::uint64_t> last;
    std::string token;
    do {
      ASSERT_OK_AND_ASSIGN(const Page<AdministrativeAction> page,
                           store_->ListAdministrativeActions(kSampleTenant, page_size, token));
      ASSERT_LE(page.records.size(), static_cast<std::size_t>(page_size));
      for (const AdministrativeAction& action : page.records) {
        subjects.push_back(action.subject);
        if (last.has_value()) {
          EXPECT_LT(action.sequence, *last);
        }
        last = action.sequence;
      }
      token = page.next_page_token;
    } while (!token.empty());
    EXPECT_EQ(subjects, in_order) << page_size;
  }
  EXPECT_EQ(TakeActions(*store_, "fabrikam").size(), 6u);
}

TEST_P(AdministrativeJournalStoreConformance, APageGoesOnWhereTheOneBeforeEndedWhateverIsDone) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  for (const char* name : {"a", "b", "c"}) {
    ASSERT_OK(store_->AddRelyingParty(SampleManualParty(name), SampleCause()));
  }
  ASSERT_OK_AND_ASSIGN(const Page<AdministrativeAction> first,
                       store_->ListAdministrativeActions(kSampleTenant, 2, ""));
  ASSERT_OK(store_->RemoveRelyingParty(kSampleTenant, "a", SampleCause()));
  ASSERT_OK_AND_ASSIGN(const Page<AdministrativeAction> second,
                       store_->ListAdministrativeActions(kSampleTenant, 2, first.next_page_token));
  ASSERT_EQ(second.records.size(), 1u) << "what is newer is not behind it";
  EXPECT_EQ(second.records[0].subject, "a");
  EXPECT_EQ(second.records[0].action, "relying_party_registered")
      << "stays, whatever became of its subject";
  EXPECT_EQ(second.next_page_token, "");
}

TEST_P(AdministrativeJournalStoreConformance, RefusesPagesThatThereAreNot) {
  ASSERT_OK(AddSamplePrimary(*store_));
  for (const int page_size : {-1, 0, kMaxPageSize + 1}) {
    EXPECT_THAT(store_->ListAdministrativeActions(kSampleTenant, page_size, ""),
                FailsWith(ErrorReason::kFieldInvalid, "page_size"));
  }
  ASSERT_OK_AND_ASSIGN(const Page<AdministrativeAction> first,
                       store_->ListAdministrativeActions(kSampleTenant, 1, ""));
  for (const std::string& token :
       {std::string("x"), absl::WebSafeBase64Escape("i1:2"), absl::WebSafeBase64Escape("j1:1:2"),
        absl::WebSafeBase64Escape("d1:2"), first.next_page_token + "="}) {
    EXPECT_THAT(store_->ListAdministrativeActions(kSampleTenant, 1, token),
                FailsWith(ErrorReason::kFieldInvalid, "page_token"))
        << token;
  }
  EXPECT_OK(store_->ListAdministrativeActions(kSampleTenant, 1, first.next_page_token));
}

// Two replicas: as many promotions as there were, and of each the two halves side by side.
TEST_P(AdministrativeJournalStoreConformance, OfRivalsOnlyWhatWonIsRecorded) {
  constexpr int kRivals = 6;
  ASSERT_OK(AddSamplePrimary(*store_));
  for (int i = 2; i <= kRivals + 1; ++i) ASSERT_OK(store_->AddRoot(SampleRoot(i)));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> other, place_->Open());
  std::atomic<int> winner = 0;
  std::vector<std::thread> threads;
  for (int i = 2; i <= kRivals + 1; ++i) {
    threads.emplace_back([&, i] {
      Store& store = i % 2 == 0 ? *store_ : *other;
      const absl::Status status = store.ChangeRootStates(
          kSampleTenant, kRivals + 2,
          {{absl::StrCat("root-", i), RootState::kStaged, RootState::kPrimary},
           {"root-1", RootState::kPrimary, RootState::kRetiring}},
          Order(i));
      if (status.ok()) winner = i;
    });
  }
  for (std::thread& thread : threads) thread.join();
  ASSERT_GT(winner, 0);
  std::vector<std::string> actions = ActionsOf(*other);
  ASSERT_EQ(actions.size(), std::size_t{kRivals} + 4);
  actions.resize(3);
  EXPECT_THAT(actions,
              ElementsAre(absl::StrCat("root_promoted root-", winner.load()), "root_demoted root-1",
                          absl::StrCat("root_created root-", kRivals + 1)));
  EXPECT_EQ(TakeActions(*store_)[0].caller, absl::StrCat("caller ", winner.load()));
}

TEST_P(AdministrativeJournalStoreConformance, SequencesGrowOverTenantsStoresAndStarts) {
  ASSERT_OK(AddSamplePrimary(*store_));
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<Store> other, place_->Open());
  ASSERT_OK(AddSamplePrimary(*other, "fabrikam"));
  const auto newest = [](Store& store, absl::string_view tenant) {
    return store.ListAdministrativeActions(tenant, 1, "")->records.at(0).sequence;
  };
  const std::uint64_t of_contoso = newest(*other, "contoso"),
                      of_fabrikam = newest(*store_, "fabrikam");
  EXPECT_GT(of_contoso, 0u);
  EXPECT_GT(of_fabrikam, of_contoso);
  other.reset();
  store_.reset();
  ASSERT_OK_AND_ASSIGN(store_, place_->Open());
  ASSERT_OK(store_->AddRelyingParty(SampleManualParty("nps"), SampleCause()));
  EXPECT_GT(newest(*store_, "contoso"), of_fabrikam);
  EXPECT_EQ(newest(*store_, "fabrikam"), of_fabrikam);
}

}  // namespace
}  // namespace hourglass::issuance
