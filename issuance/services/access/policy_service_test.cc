#include "issuance/services/access/policy_service.h"

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/services/testing/service_test.h"
#include "issuance/wire/proto_time.h"

namespace hourglass::issuance {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kVpn[] = "6be0f1f2-0000-4f6a-9c3c-0123456789ab";
constexpr char kBlock[] = R"("grantControls": {"operator": "OR", "builtInControls": ["block"]})";
constexpr char kCompliant[] =
    R"("grantControls": {"operator": "OR", "builtInControls": ["compliantDevice"]})";

std::string Policy(const std::string& id, const std::string& grant,
                   const std::string& more_conditions = "", const std::string& state = "enabled") {
  return absl::StrCat(R"({"id": ")", id, R"(", "displayName": "Policy )", id, R"(", "state": ")",
                      state, R"(", "conditions": {"users": {"includeUsers": ["All"]},
      "applications": {"includeApplications": [")",
                      kVpn, R"("]})", more_conditions, "}, ", grant, "}");
}

std::string Export(const std::vector<std::string>& objects) {
  std::string text;
  for (const std::string& object : objects) absl::StrAppend(&text, text.empty() ? "" : ",", object);
  return absl::StrCat(R"({"value": [)", text, "]}");
}

constexpr char kOffice[] = R"({"@odata.type": "#microsoft.graph.ipNamedLocation", "id": "office",
  "displayName": "Office", "isTrusted": true,
  "ipRanges": [{"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "192.0.2.0/24"}]})";

class PolicyServiceTest : public ServiceTest {
 protected:
  void SetUp() override {
    ServiceTest::SetUp();
    ASSERT_OK(store_->CreateTenant(SampleTenant()));
    access_["contoso"].options.vpn_applications = {kVpn};
    std::filesystem::create_directory(directory_.File("policies"));
    engine_.emplace(directory_.File("policies"), store_.get(), &clock_, EventLog::Silent(),
                    ComplianceEngine::Access{store_.get(), access_});
    service_.emplace(nullptr, PolicyService::Means{store_.get(), store_.get(), &*engine_, access_,
                                                   &clock_, log_.log()});
  }

  absl::StatusOr<v1::ImportPoliciesResponse> Import(const std::string& document,
                                                    bool dry_run = false, bool report_only = false,
                                                    std::uint64_t expected = 0) {
    v1::ImportPoliciesRequest request;
    request.set_tenant_id("contoso");
    request.set_document(document);
    request.set_dry_run(dry_run);
    request.set_as_report_only(report_only);
    request.set_expected_revision(expected);
    request.set_reason("as exported");
    v1::ImportPoliciesResponse response;
    const absl::Status status = service_->ImportPolicies(administrator_, request, &response);
    if (!status.ok()) return status;
    return response;
  }

  absl::StatusOr<v1::Policy> Get(const std::string& id) {
    v1::GetPolicyRequest request;
    request.set_tenant_id("contoso");
    request.set_policy_id(id);
    v1::Policy policy;
    const absl::Status status = service_->GetPolicy(administrator_, request, &policy);
    if (!status.ok()) return status;
    return policy;
  }

  absl::StatusOr<v1::Policy> SetState(const std::string& id, v1::PolicyState state) {
    v1::SetPolicyStateRequest request;
    request.set_tenant_id("contoso");
    request.set_policy_id(id);
    request.set_state(state);
    v1::Policy policy;
    const absl::Status status = service_->SetPolicyState(administrator_, request, &policy);
    if (!status.ok()) return status;
    return policy;
  }

  absl::Status Delete(const std::string& id) {
    v1::DeletePolicyRequest request;
    request.set_tenant_id("contoso");
    request.set_policy_id(id);
    v1::DeletePolicyResponse response;
    return service_->DeletePolicy(administrator_, request, &response);
  }

  absl::StatusOr<v1::WhatIfResponse> WhatIf(const std::string& text = "") {
    auto request = MessageOf<v1::WhatIfRequest>(
        absl::StrCat("tenant_id: 'contoso' device_id: 'laptop-1' ", text));
    if (request.user_upn().empty()) request.set_user_upn("anna@contoso.example");
    v1::WhatIfResponse response;
    const absl::Status status = service_->WhatIf(administrator_, request, &response);
    if (!status.ok()) return status;
    return response;
  }

  std::map<std::string, AccessConfig> access_;
  std::optional<ComplianceEngine> engine_;
  std::optional<PolicyService> service_;
};

TEST_F(PolicyServiceTest, ImportsWhatGraphExports) {
  ASSERT_OK_AND_ASSIGN(const auto made, Import(Export({Policy("a", kBlock), kOffice})));
  EXPECT_THAT(made.created(), ElementsAre("a", "office"));
  EXPECT_EQ(made.revision(), 1U);
  EXPECT_THAT(Logged(), ElementsAre(LoggedLine{{"event", "policies_imported"},
                                               {"level", "info"},
                                               {"tenant", "contoso"},
                                               {"created", "2"},
                                               {"changed", "0"},
                                               {"revision", "1"},
                                               {"caller", "cli"}}));
  ASSERT_OK_AND_ASSIGN(const v1::Policy policy, Get("a"));
  EXPECT_EQ(policy.kind(), v1::CONDITIONAL_ACCESS);
  EXPECT_EQ(policy.state(), v1::POLICY_ENABLED);
  EXPECT_EQ(policy.changed_by(), "cli");
  EXPECT_THAT(policy.document(), HasSubstr("\"builtInControls\""));
  ASSERT_OK_AND_ASSIGN(const v1::Policy location, Get("office"));
  EXPECT_EQ(location.kind(), v1::NAMED_LOCATION);
  EXPECT_EQ(location.state(), v1::POLICY_STATE_UNSPECIFIED);

  ASSERT_OK_AND_ASSIGN(const auto again,
                       Import(Export({Policy("a", kCompliant), kOffice, Policy("b", kBlock)})));
  EXPECT_THAT(again.created(), ElementsAre("b"));
  EXPECT_THAT(again.changed(), ElementsAre("a"));
  EXPECT_THAT(again.unchanged(), ElementsAre("office"));
  EXPECT_EQ(again.revision(), 2U);
}

TEST_F(PolicyServiceTest, ADryRunChangesNothing) {
  ASSERT_OK_AND_ASSIGN(const auto would, Import(Policy("a", kBlock), /*dry_run=*/true));
  EXPECT_THAT(would.created(), ElementsAre("a"));
  EXPECT_EQ(would.revision(), 0U);
  EXPECT_THAT(Get("a"), FailsWith(ErrorReason::kPolicyUnknown, "policy_id"));
  EXPECT_THAT(Logged(), IsEmpty());
  EXPECT_THAT(Import("{", /*dry_run=*/true), FailsWith(ErrorReason::kFieldInvalid, "document"));
}

TEST_F(PolicyServiceTest, WhatCannotBeEnforcedIsTold) {
  ASSERT_OK_AND_ASSIGN(
      const auto made,
      Import(Policy("a", kBlock,
                    R"(, "times": {"all": true}, "locations": {"includeLocations": ["gone"]})")));
  std::vector<std::string> told;
  for (const v1::PolicyNotice& notice : made.notices()) {
    EXPECT_EQ(notice.policy_id(), "a");
    EXPECT_NE(notice.message(), "");
    told.push_back(notice.path());
  }
  EXPECT_THAT(told, ElementsAre("conditions.times", HasSubstr("conditions.locations")));
  ASSERT_OK_AND_ASSIGN(const v1::Policy policy, Get("a"));
  EXPECT_EQ(policy.notices_size(), 2);
}

TEST_F(PolicyServiceTest, UnsoundImportsChangeNothing) {
  for (const std::string& document :
       {std::string("{"), Export({}), Export({Policy("", kBlock)}), Export({Policy("a b", kBlock)}),
        Export({Policy("a", kBlock), Policy("A", kBlock)}),
        Export({Policy("office", kBlock), kOffice})}) {
    EXPECT_THAT(Import(document), FailsWith(ErrorReason::kFieldInvalid, "document")) << document;
  }
  EXPECT_THAT(Import(""), FailsWith(ErrorReason::kFieldMissing, "document"));
  ASSERT_OK(Import(Policy("a", kBlock)));
  // By other letters it would be another for the store, and the same for who evaluates.
  EXPECT_THAT(Import(Policy("A", kBlock)), FailsWith(ErrorReason::kFieldInvalid, "document"));
  EXPECT_THAT(Import(Policy("b", kBlock), false, false, 7),
              FailsWith(ErrorReason::kPoliciesChanged, "expected_revision"));
  EXPECT_OK(Import(Policy("b", kBlock), false, false, 1));
}

TEST_F(PolicyServiceTest, StatesAreSetAndRemembered) {
  ASSERT_OK(Import(Export({Policy("a", kBlock), kOffice}), false, /*report_only=*/true));
  ASSERT_OK_AND_ASSIGN(const v1::Policy imported, Get("a"));
  EXPECT_EQ(imported.state(), v1::POLICY_REPORT_ONLY);
  ASSERT_OK_AND_ASSIGN(const v1::Policy enabled, SetState("a", v1::POLICY_ENABLED));
  EXPECT_EQ(enabled.state(), v1::POLICY_ENABLED);
  EXPECT_THAT(enabled.document(), HasSubstr("\"state\": \"enabled\""));
  EXPECT_THAT(SetState("a", v1::POLICY_STATE_UNSPECIFIED),
              FailsWith(ErrorReason::kFieldInvalid, "state"));
  EXPECT_THAT(SetState("office", v1::POLICY_ENABLED),
              FailsWith(ErrorReason::kFieldInvalid, "policy_id"));
  EXPECT_THAT(SetState("gone", v1::POLICY_ENABLED),
              FailsWith(ErrorReason::kPolicyUnknown, "policy_id"));
  ASSERT_OK(Delete("a"));
  EXPECT_THAT(Delete("a"), FailsWith(ErrorReason::kPolicyUnknown, "policy_id"));
  v1::ListPolicyVersionsRequest request;
  request.set_tenant_id("contoso");
  request.set_policy_id("a");
  v1::ListPolicyVersionsResponse versions;
  ASSERT_OK(service_->ListPolicyVersions(administrator_, request, &versions));
  ASSERT_EQ(versions.versions_size(), 3);
  EXPECT_TRUE(versions.versions(0).deleted());
  EXPECT_EQ(versions.versions(1).policy().state(), v1::POLICY_ENABLED);
  EXPECT_EQ(versions.versions(2).policy().state(), v1::POLICY_REPORT_ONLY);
  EXPECT_EQ(versions.versions(2).reason(), "as exported");
  request.set_policy_id("never");
  EXPECT_THAT(service_->ListPolicyVersions(administrator_, request, &versions),
              FailsWith(ErrorReason::kPolicyUnknown, "policy_id"));
}

TEST_F(PolicyServiceTest, ALocationInUseStays) {
  ASSERT_OK(Import(Export(
      {Policy("a", kBlock, R"(, "locations": {"includeLocations": ["OFFICE"]})"), kOffice})));
  const absl::Status refused = Delete("office");
  EXPECT_THAT(refused, FailsWith(ErrorReason::kFieldInvalid, "policy_id"));
  EXPECT_THAT(refused.message(), HasSubstr("Policy a"));
  ASSERT_OK(Delete("a"));
  EXPECT_OK(Delete("office"));
}

TEST_F(PolicyServiceTest, TellsWhatIf) {
  ASSERT_OK(Import(
      Export({Policy("block", kBlock, R"(, "locations": {"includeLocations": ["All"],
                                   "excludeLocations": ["office"]})"),
              Policy("mfa", R"("grantControls": {"operator": "OR", "builtInControls": ["mfa"]})"),
              Policy("off", kBlock, "", "disabled"),
              Policy("report", kCompliant, "", "enabledForReportingButNotEnforced"), kOffice})));
  ASSERT_OK_AND_ASSIGN(const auto allowed, WhatIf("sign_in { ip_address: '192.0.2.7' mfa: true }"));
  EXPECT_TRUE(allowed.allowed()) << allowed.DebugString();
  EXPECT_EQ(allowed.policy_version(), "ca:1");
  EXPECT_EQ(allowed.device_compliance(), "unknown");
  ASSERT_EQ(allowed.policies_size(), 4);
  EXPECT_EQ(allowed.policies(0).application(), v1::PolicyOutcome::NOT_APPLIED);
  EXPECT_EQ(allowed.policies(0).excluded_by(), "conditions.locations");
  EXPECT_EQ(allowed.policies(1).satisfaction(), v1::PolicyOutcome::SATISFIED);
  EXPECT_EQ(allowed.policies(2).state(), v1::POLICY_DISABLED);
  EXPECT_EQ(allowed.policies(2).excluded_by(), "state");
  EXPECT_EQ(allowed.policies(3).state(), v1::POLICY_REPORT_ONLY);
  EXPECT_EQ(allowed.policies(3).satisfaction(), v1::PolicyOutcome::UNSATISFIED);

  ASSERT_OK_AND_ASSIGN(const auto denied,
                       WhatIf("sign_in { ip_address: '198.51.100.7' mfa: false }"));
  EXPECT_FALSE(denied.allowed());
  ASSERT_EQ(denied.reasons_size(), 2);
  EXPECT_EQ(denied.reasons(0).setting(), "block");
  EXPECT_EQ(denied.reasons(1).setting(), "mfa");
  EXPECT_EQ(denied.policies(0).satisfaction(), v1::PolicyOutcome::BLOCKS);
  // What is not known is in nobody's favour.
  ASSERT_OK_AND_ASSIGN(const auto unknown, WhatIf());
  EXPECT_FALSE(unknown.allowed());
  EXPECT_EQ(unknown.policies(0).application(), v1::PolicyOutcome::POSSIBLY_APPLIES);
}

TEST_F(PolicyServiceTest, WhatIfRefusesWhatIsNoSignIn) {
  const std::pair<const char*, const char*> mistakes[] = {
      {"sign_in.ip_address", "sign_in { ip_address: '192.0.2' }"},
      {"sign_in.country", "sign_in { country: 'Norway' }"},
      {"sign_in.sign_in_risk", "sign_in { sign_in_risk: 'some' }"},
      {"sign_in.user_risk", "sign_in { user_risk: 'some' }"},
      {"sign_in.client_app", "sign_in { client_app: 'all' }"},
      {"sign_in.authenticated_at", "sign_in { authenticated_at { nanos: -1 } }"},
      {"at", "at { nanos: -1 }"},
      {"user_id", "user_id: 'a b'"}};
  for (const auto& [field, text] : mistakes) {
    EXPECT_THAT(WhatIf(text), FailsWith(ErrorReason::kFieldInvalid, field));
  }
  v1::WhatIfResponse response;
  EXPECT_THAT(
      service_->WhatIf(administrator_,
                       MessageOf<v1::WhatIfRequest>("tenant_id: 'contoso' device_id: 'laptop-1'"),
                       &response),
      FailsWith(ErrorReason::kFieldMissing, "user_upn"));
  EXPECT_OK(WhatIf());
}

TEST_F(PolicyServiceTest, WithVerdictsFromElsewhereThereIsNoWhatIf) {
  service_.emplace(nullptr, PolicyService::Means{store_.get(), store_.get(), nullptr, access_,
                                                 &clock_, log_.log()});
  EXPECT_THAT(WhatIf(), FailsWith(ErrorReason::kComplianceUnavailable));
}

TEST_F(PolicyServiceTest, PoliciesAreOfTheirTenantOnly) {
  ASSERT_OK(store_->CreateTenant(SampleTenant("fabrikam")));
  ASSERT_OK(Import(Policy("a", kBlock)));
  v1::ListPoliciesRequest request;
  request.set_tenant_id("fabrikam");
  v1::ListPoliciesResponse list;
  ASSERT_OK(service_->ListPolicies(administrator_, request, &list));
  EXPECT_THAT(list.policies(), IsEmpty());
  request.set_tenant_id("contoso");
  ASSERT_OK(service_->ListPolicies(administrator_, request, &list));
  ASSERT_EQ(list.policies_size(), 1);
  EXPECT_EQ(list.policies(0).document(), "");
  request.set_tenant_id("unknown");
  EXPECT_THAT(service_->ListPolicies(administrator_, request, &list),
              FailsWith(ErrorReason::kTenantUnknown, "tenant_id"));
}

}  // namespace
}  // namespace hourglass::issuance
