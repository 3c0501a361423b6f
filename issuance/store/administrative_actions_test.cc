#include "issuance/store/administrative_actions.h"

#include <gtest/gtest.h>

#include <chrono>

namespace hourglass::issuance {
namespace {

using ca::RootState;

constexpr Timestamp kAt{std::chrono::microseconds(7)};

TEST(AdministrativeActionsTest, OnlyFromStagedToPrimaryIsAPromotion) {
  EXPECT_TRUE(IsPromotion({"r2", RootState::kStaged, RootState::kPrimary}));
  EXPECT_FALSE(IsPromotion({"r1", RootState::kRetiring, RootState::kPrimary}));
  EXPECT_FALSE(IsPromotion({"r1", RootState::kPrimary, RootState::kRetiring}));
  EXPECT_FALSE(IsPromotion({"r2", RootState::kStaged, RootState::kDiscarded}));
}

TEST(AdministrativeActionsTest, ACreationIsOfWhoHadItMadeAndWhen) {
  RootRecord root;
  root.tenant_id = "contoso";
  root.root_id = "r3";
  root.created_at = kAt;
  root.created_by = "admin";
  EXPECT_EQ(CreationOf(root), (AdministrativeAction{"contoso", 0, kAt, "admin", "root_created",
                                                    "r3", "", "STAGED", "", false}));
}

TEST(AdministrativeActionsTest, AChangeSaysFromWhereToWhereAndWhy) {
  const RootChangeOrder order = {.now = kAt, .caller = "admin", .reason = "why", .overrides = true};
  EXPECT_EQ(ChangeOf("contoso", {"r2", RootState::kStaged, RootState::kPrimary}, order),
            (AdministrativeAction{"contoso", 0, kAt, "admin", "root_promoted", "r2", "STAGED",
                                  "PRIMARY", "why", true}));
  EXPECT_EQ(ChangeOf("contoso", {"r1", RootState::kPrimary, RootState::kRetiring}, order),
            (AdministrativeAction{"contoso", 0, kAt, "admin", "root_demoted", "r1", "PRIMARY",
                                  "RETIRING", "why", false}))
      << "what was overridden is the promotion's";
}

TEST(AdministrativeActionsTest, WhatIsDoneToARelyingPartyHasNoStates) {
  EXPECT_EQ(ActionOn("contoso", "vpn", "relying_party_removed", {kAt, "admin", "gone"}),
            (AdministrativeAction{"contoso", 0, kAt, "admin", "relying_party_removed", "vpn", "",
                                  "", "gone", false}));
}

TEST(AdministrativeActionsTest, AChangeOfAPolicySaysWhatBecameOfItsState) {
  PolicyRecord before;
  before.tenant_id = "contoso";
  before.policy_id = "p-1";
  before.state = "enabled";
  PolicyVersion made = {before, false, "why"};
  made.policy.state = "disabled";
  made.policy.changed_at = kAt;
  made.policy.changed_by = "admin";
  EXPECT_EQ(ChangeOfPolicy(&before, made),
            (AdministrativeAction{"contoso", 0, kAt, "admin", "policy_changed", "p-1", "enabled",
                                  "disabled", "why", false}));
  EXPECT_EQ(ChangeOfPolicy(nullptr, made),
            (AdministrativeAction{"contoso", 0, kAt, "admin", "policy_imported", "p-1", "",
                                  "disabled", "why", false}));
  made.is_deleted = true;
  EXPECT_EQ(ChangeOfPolicy(&before, made),
            (AdministrativeAction{"contoso", 0, kAt, "admin", "policy_deleted", "p-1", "enabled",
                                  "", "why", false}));
}

}  // namespace
}  // namespace hourglass::issuance
