// What holds a promotion up, in the whole service: how it is refused, who lets it pass, and what is
// on record of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hourglass/v1/rotation.grpc.pb.h"
#include "issuance/wire/status_detail.h"
#include "tests/support/grpc_matchers.h"
#include "tests/support/service_in_process.h"

namespace hourglass {
namespace {

using testing::ElementsAre;

// A primary r1 that issues, and a STAGED r2.
class PromotionGateTest : public testing::Test {
 protected:
  PromotionGateTest() {
    service_.MakeReady();
    service_.CreateRoot("contoso", false);
  }

  grpc::Status Promote(const std::string& override_reason = "",
                       bool without_relying_parties = false) {
    v1::PromoteRootRequest request;
    request.set_tenant_id("contoso");
    request.set_root_id("r2");
    request.set_override_reason(override_reason);
    request.set_without_relying_parties(without_relying_parties);
    v1::Root root;
    grpc::ClientContext context;
    return service_.As<v1::RootService>(kAdministrator)->PromoteRoot(&context, request, &root);
  }

  grpc::Status Register(const std::string& name, absl::string_view caller = kAdministrator) {
    v1::RegisterRelyingPartyRequest request;
    request.set_tenant_id("contoso");
    request.set_name(name);
    request.set_manual(true);
    v1::RelyingParty party;
    grpc::ClientContext context;
    return service_.As<v1::RotationService>(caller)->RegisterRelyingParty(&context, request,
                                                                          &party);
  }

  grpc::Status Attest(const std::string& name) {
    v1::AttestRelyingPartyRequest request;
    request.set_tenant_id("contoso");
    request.set_name(name);
    request.set_version(Rotation().bundle_version());
    request.set_reason("installed by hand");
    v1::RelyingParty party;
    grpc::ClientContext context;
    return service_.As<v1::RotationService>(kAdministrator)
        ->AttestRelyingParty(&context, request, &party);
  }

  v1::Rotation Rotation() {
    v1::GetRotationRequest request;
    request.set_tenant_id("contoso");
    v1::Rotation rotation;
    grpc::ClientContext context;
    EXPECT_THAT(
        service_.As<v1::RotationService>(kAuditor)->GetRotation(&context, request, &rotation),
        Succeeded());
    return rotation;
  }

  // Of a refusal, or of where the rotation stands.
  template <typename Message>
  static std::vector<std::string> Obstacles(const Message& message) {
    std::vector<std::string> said;
    for (const v1::PromotionObstacle& obstacle : message.obstacles()) {
      said.push_back(absl::StrCat(v1::PromotionObstacle::Kind_Name(obstacle.kind()), " ",
                                  obstacle.relying_party()));
    }
    return said;
  }
  static std::vector<std::string> WhyBlocked(const grpc::Status& refused) {
    EXPECT_THAT(refused, RefusedWith(v1::PROMOTION_BLOCKED, "root_id"));
    EXPECT_EQ(refused.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
    return Obstacles(issuance::ErrorDetailOf(refused).value_or(v1::ErrorDetail()));
  }

  // Of r2 and of relying parties, the newest first.
  std::vector<std::string> Recorded() {
    v1::ListAdministrativeActionsRequest request;
    request.set_tenant_id("contoso");
    v1::ListAdministrativeActionsResponse response;
    grpc::ClientContext context;
    EXPECT_THAT(service_.As<v1::JournalService>(kAuditor)->ListAdministrativeActions(
                    &context, request, &response),
                Succeeded());
    std::vector<std::string> actions;
    for (const v1::AdministrativeAction& action : response.actions()) {
      if (action.subject() == "r1") continue;
      actions.push_back(absl::StrCat(action.action(), " ", action.subject(), " ", action.reason(),
                                     action.override() ? " override" : ""));
    }
    return actions;
  }

  ServiceInProcess service_;
};

TEST_F(PromotionGateTest, NobodyIsCutOffWithoutAWord) {
  EXPECT_THAT(WhyBlocked(Promote()), ElementsAre("NO_RELYING_PARTY "));
  EXPECT_THAT(Obstacles(Rotation()), ElementsAre("NO_RELYING_PARTY "));
  v1::IssueCertificateResponse response;
  ASSERT_THAT(service_.Issue(service_.Request(), &response), Succeeded());
  EXPECT_EQ(response.chain(0), Rotation().roots(0).certificate());
  EXPECT_THAT(Promote("", true), Succeeded());
  EXPECT_THAT(Recorded(), ElementsAre("root_promoted r2  override", "root_created r2 "));
}

TEST_F(PromotionGateTest, APromotionWaitsForEachRelyingParty) {
  ASSERT_THAT(Register("nps-1"), Succeeded());
  ASSERT_THAT(Register("nps-2"), Succeeded());
  EXPECT_THAT(WhyBlocked(Promote("", true)),
              ElementsAre("NOT_ACKNOWLEDGED nps-1", "NOT_ACKNOWLEDGED nps-2"));
  ASSERT_THAT(Attest("nps-1"), Succeeded());
  EXPECT_THAT(WhyBlocked(Promote()), ElementsAre("NOT_ACKNOWLEDGED nps-2"));
  EXPECT_THAT(Obstacles(Rotation()), ElementsAre("NOT_ACKNOWLEDGED nps-2"));
  ASSERT_THAT(Attest("nps-2"), Succeeded());
  EXPECT_THAT(Promote(), Succeeded());
  EXPECT_THAT(service_.Issue(service_.Request()), Succeeded());
  EXPECT_THAT(Recorded(),
              ElementsAre("root_promoted r2 ", "relying_party_attested nps-2 installed by hand",
                          "relying_party_attested nps-1 installed by hand",
                          "relying_party_registered nps-2 ", "relying_party_registered nps-1 ",
                          "root_created r2 "));
}

TEST_F(PromotionGateTest, AnOverrideIsOnRecord) {
  ASSERT_THAT(Register("nps-1"), Succeeded());
  EXPECT_THAT(WhyBlocked(Promote()), ElementsAre("NOT_ACKNOWLEDGED nps-1"));
  EXPECT_THAT(Promote("the old key leaked"), Succeeded());
  EXPECT_EQ(Recorded().front(), "root_promoted r2 the old key leaked override");
}

TEST_F(PromotionGateTest, OnlyAdministratorsSayWhoIsWaitedFor) {
  for (const absl::string_view caller : {kAuditor, kBroker, kDeviceReporter}) {
    EXPECT_THAT(Register("nps-1", caller), RefusedWith(v1::ROLE_NOT_PERMITTED)) << caller;
  }
  EXPECT_EQ(Rotation().relying_parties_size(), 0);
  EXPECT_THAT(Register("nps-1"), Succeeded());
  EXPECT_EQ(Rotation().relying_parties_size(), 1);
}

}  // namespace
}  // namespace hourglass
