#include "issuance/store/device_key_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using State = DeviceKeyRecord::State;
using testing::ElementsAre;
using testing::IsEmpty;
constexpr auto kLater = DeviceKeyStore::Approval::kLater;
constexpr auto kIfFirst = DeviceKeyStore::Approval::kIfFirst;

DeviceKeyRecord Approved(DeviceKeyRecord key) {
  key.state = State::kApproved;
  key.approved_at = SampleTime(1);
  key.approved_by = "approver";
  key.approval_reason = "seen";
  return key;
}

DeviceKeyRecord Removed(DeviceKeyRecord key) {
  key.state = State::kRemoved;
  key.removed_at = SampleTime(2);
  key.removed_by = "remover";
  key.removal_reason = "lost";
  return key;
}

std::vector<std::string> ActionsOf(const DeviceKeyChange& change) {
  std::vector<std::string> actions;
  for (const AdministrativeAction& action : change.actions) {
    actions.push_back(absl::StrCat(action.action, " ", action.subject, ": ", action.from_state,
                                   " to ", action.to_state));
  }
  return actions;
}

TEST(DeviceKeyRulesTest, EachStateHasANameOfItsOwn) {
  for (const State state : {State::kPending, State::kApproved, State::kRemoved}) {
    EXPECT_EQ(DeviceKeyStateNamed(NameOf(state)).value(), state);
  }
  EXPECT_EQ(NameOf(State::kPending), "pending");
  for (const char* name : {"", "Pending", "lost"}) {
    EXPECT_THAT(DeviceKeyStateNamed(name), FailsWith(ErrorReason::kJournalUnavailable)) << name;
  }
}

TEST(DeviceKeyRulesTest, ADeviceHasAName) {
  EXPECT_EQ(FoldedDevice("Laptop-1").value(), "laptop-1");
  for (const char* id : {"", " "}) {
    EXPECT_THAT(FoldedDevice(id), FailsWith(ErrorReason::kFieldInvalid, "device_id"));
  }
}

TEST(DeviceKeyRulesTest, ANewKeyWaits) {
  DeviceKeyRecord boasting = Approved(SampleDeviceKey("a", "laptop-1"));
  boasting.enrolled_by = "itself";
  ASSERT_OK_AND_ASSIGN(const DeviceKeyChange change,
                       PlanEnrolment(boasting, {}, kLater, SampleCause()));
  EXPECT_EQ(change.result, SampleDeviceKey("a", "laptop-1"));
  EXPECT_THAT(change.puts, ElementsAre(change.result));
  EXPECT_THAT(ActionsOf(change), ElementsAre("device_key_enrolled laptop-1 id-of-a:  to pending"));
}

TEST(DeviceKeyRulesTest, ATokenApprovesTheFirstAndNoOther) {
  const ChangeCause cause = {SampleTime(5), "broker", "by a token"};
  const DeviceKeyRecord key = SampleDeviceKey("a", "laptop-1");
  ASSERT_OK_AND_ASSIGN(const DeviceKeyChange first, PlanEnrolment(key, {}, kIfFirst, cause));
  EXPECT_EQ(first.result.state, State::kApproved);
  EXPECT_EQ(first.result.approved_by, "broker");
  EXPECT_EQ(first.result.approval_reason, "by a token");
  EXPECT_EQ(first.puts.size(), 2u);
  EXPECT_THAT(ActionsOf(first),
              ElementsAre("device_key_enrolled laptop-1 id-of-a:  to pending",
                          "device_key_approved laptop-1 id-of-a: pending to approved"));
  // Another that waits is none that the device had; one that was approved is, also afterwards.
  const DeviceKeyRecord other = SampleDeviceKey("b", "laptop-1");
  for (const auto& [there, state] :
       {std::pair{other, State::kApproved}, std::pair{Removed(other), State::kApproved},
        std::pair{Approved(other), State::kPending},
        std::pair{Removed(Approved(other)), State::kPending}}) {
    ASSERT_OK_AND_ASSIGN(const DeviceKeyChange change,
                         PlanEnrolment(key, {{}, {there}, 0}, kIfFirst, cause));
    EXPECT_EQ(change.result.state, state);
  }
}

TEST(DeviceKeyRulesTest, TheSameKeyAgainIsAsItStands) {
  const DeviceKeyRecord key = SampleDeviceKey("a", "laptop-1");
  for (const DeviceKeyRecord& there : {key, Approved(key)}) {
    DeviceKeyRecord again = key;
    again.device_id = "LAPTOP-1";
    ASSERT_OK_AND_ASSIGN(
        const DeviceKeyChange change,
        PlanEnrolment(again, {there, {there}, DeviceKeyStore::kMostPendingOfTenant}, kLater, {}));
    EXPECT_EQ(change.result, there);
    EXPECT_THAT(change.puts, IsEmpty());
    EXPECT_THAT(change.actions, IsEmpty());
  }
  ASSERT_OK_AND_ASSIGN(const DeviceKeyChange approved,
                       PlanEnrolment(key, {key, {key}, 1}, kIfFirst, {}));
  EXPECT_EQ(approved.result.state, State::kApproved);
}

TEST(DeviceKeyRulesTest, AKeyIsOfOneDeviceAndDoesNotComeBack) {
  const DeviceKeyRecord key = SampleDeviceKey("a", "laptop-1");
  const auto exists = FailsWith(ErrorReason::kDeviceKeyExists, "public_key");
  EXPECT_THAT(PlanEnrolment(SampleDeviceKey("a", "laptop-2"), {key, {}, 0}, kLater, {}), exists);
  EXPECT_THAT(PlanEnrolment(key, {Removed(key), {Removed(key)}, 0}, kIfFirst, {}), exists);
}

TEST(DeviceKeyRulesTest, OnlySoManyWait) {
  const DeviceKeyRecord key = SampleDeviceKey("new", "laptop-1");
  EnrolledBefore before;
  for (std::size_t i = 1; i < DeviceKeyStore::kMostPendingOfDevice; ++i) {
    before.of_device.push_back(SampleDeviceKey(absl::StrCat(i), "laptop-1"));
  }
  before.of_device.push_back(Approved(SampleDeviceKey("in use", "laptop-1")));
  before.of_device.push_back(Removed(SampleDeviceKey("gone", "laptop-1")));
  before.pending_of_tenant = DeviceKeyStore::kMostPendingOfTenant - 1;
  EXPECT_OK(PlanEnrolment(key, before, kLater, {}));
  before.pending_of_tenant = DeviceKeyStore::kMostPendingOfTenant;
  EXPECT_THAT(PlanEnrolment(key, before, kLater, {}),
              FailsWith(ErrorReason::kQuotaExceeded, "tenant_id"));
  before.of_device.push_back(SampleDeviceKey("one more", "laptop-1"));
  EXPECT_THAT(PlanEnrolment(key, before, kLater, {}),
              FailsWith(ErrorReason::kQuotaExceeded, "device_id"));
}

TEST(DeviceKeyRulesTest, AnApprovedKeyIsTheOnlyOne) {
  const DeviceKeyRecord key = SampleDeviceKey("a", "laptop-1");
  const DeviceKeyRecord old = Approved(SampleDeviceKey("old", "laptop-1"));
  const ChangeCause cause = {SampleTime(9), "admin", "reinstalled"};
  ASSERT_OK_AND_ASSIGN(const DeviceKeyChange alone,
                       PlanApproval(key, {key, Removed(old)}, false, cause));
  EXPECT_THAT(ActionsOf(alone),
              ElementsAre("device_key_approved laptop-1 id-of-a: pending to approved"));
  EXPECT_EQ(alone.result.approval_reason, "reinstalled");
  EXPECT_THAT(PlanApproval(key, {key, old}, false, cause),
              FailsWith(ErrorReason::kDeviceKeyExists, "key_id"));
  ASSERT_OK_AND_ASSIGN(const DeviceKeyChange replaced, PlanApproval(key, {key, old}, true, cause));
  EXPECT_THAT(ActionsOf(replaced),
              ElementsAre("device_key_removed laptop-1 id-of-old: approved to removed",
                          "device_key_approved laptop-1 id-of-a: pending to approved"));
  EXPECT_EQ(replaced.puts[0].removal_reason, "reinstalled");
  EXPECT_EQ(replaced.puts[0].approval_reason, "seen");
  EXPECT_EQ(replaced.result.state, State::kApproved);
  ASSERT_OK_AND_ASSIGN(const DeviceKeyChange again, PlanApproval(old, {key, old}, false, cause));
  EXPECT_EQ(again.result, old);
  EXPECT_THAT(again.puts, IsEmpty());
}

TEST(DeviceKeyRulesTest, WhatIsGoneIsUnknown) {
  const DeviceKeyRecord gone = Removed(SampleDeviceKey("a", "laptop-1"));
  const auto unknown = FailsWith(ErrorReason::kDeviceKeyUnknown, "key_id");
  EXPECT_THAT(PlanApproval(gone, {gone}, true, {}), unknown);
  EXPECT_THAT(PlanApproval(std::nullopt, {}, true, {}), unknown);
  EXPECT_THAT(PlanRemoval(gone, true, {}), unknown);
  EXPECT_THAT(PlanRemoval(std::nullopt, true, {}), unknown);
}

TEST(DeviceKeyRulesTest, WhatIsRemovedSaysByWhomAndWhy) {
  const ChangeCause cause = {SampleTime(9), "admin", "lost"};
  for (const bool releases : {false, true}) {
    ASSERT_OK_AND_ASSIGN(const DeviceKeyChange change,
                         PlanRemoval(Approved(SampleDeviceKey("a", "laptop-1")), releases, cause));
    EXPECT_EQ(change.result.state, State::kRemoved);
    EXPECT_EQ(change.result.removed_at, cause.now);
    EXPECT_EQ(change.result.removed_by, "admin");
    EXPECT_EQ(change.result.removal_reason, "lost");
    EXPECT_EQ(change.result.is_released, releases);
    EXPECT_EQ(change.result.approved_by, "approver");
    EXPECT_THAT(ActionsOf(change),
                ElementsAre("device_key_removed laptop-1 id-of-a: approved to removed"));
  }
}

}  // namespace
}  // namespace hourglass::issuance
