#include "issuance/services/tenant_service.h"

#include <optional>
#include <string>
#include <vector>

#include "issuance/services/testing/service_test.h"
#include "issuance/wire/proto_time.h"

namespace hourglass::issuance {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class TenantServiceTest : public ServiceTest {
 protected:
  void SetUp() override {
    ServiceTest::SetUp();
    service_.emplace(nullptr, store_.get(), &clock_, log_.log());
  }

  absl::StatusOr<v1::Tenant> Create(const std::string& tenant_id,
                                    const std::string& display_name = "") {
    v1::CreateTenantRequest request;
    request.set_tenant_id(tenant_id);
    request.set_display_name(display_name);
    v1::Tenant tenant;
    const absl::Status status = service_->CreateTenant(administrator_, request, &tenant);
    if (!status.ok()) return status;
    return tenant;
  }

  absl::StatusOr<v1::Tenant> Get(const std::string& tenant_id) {
    v1::GetTenantRequest request;
    request.set_tenant_id(tenant_id);
    v1::Tenant tenant;
    const absl::Status status = service_->GetTenant(administrator_, request, &tenant);
    if (!status.ok()) return status;
    return tenant;
  }

  std::vector<std::string> ListedTo(const Caller& caller) {
    v1::ListTenantsResponse response;
    EXPECT_OK(service_->ListTenants(caller, v1::ListTenantsRequest(), &response));
    std::vector<std::string> ids;
    for (const v1::Tenant& tenant : response.tenants()) ids.push_back(tenant.tenant_id());
    return ids;
  }

  std::optional<TenantService> service_;
};

TEST_F(TenantServiceTest, ANewTenantIsAnsweredKeptAndLogged) {
  ASSERT_OK_AND_ASSIGN(const v1::Tenant made, Create("contoso", "Contoso Ltd."));
  v1::Tenant wanted;
  wanted.set_tenant_id("contoso");
  wanted.set_display_name("Contoso Ltd.");
  *wanted.mutable_created_at() = ToProto(clock_.now);
  EXPECT_THAT(made, IsMessage(wanted));
  ASSERT_OK_AND_ASSIGN(const v1::Tenant kept, Get("contoso"));
  EXPECT_THAT(kept, IsMessage(wanted));
  EXPECT_THAT(Logged(), ElementsAre(LoggedLine{{"event", "tenant_created"},
                                               {"level", "info"},
                                               {"tenant", "contoso"},
                                               {"caller", "cli"}}));
}

TEST_F(TenantServiceTest, ATenantWithoutANameHasItsIdForOne) {
  ASSERT_OK_AND_ASSIGN(const v1::Tenant made, Create("contoso"));
  EXPECT_EQ(made.display_name(), "contoso");
}

// The longest fits as a name, too.
TEST_F(TenantServiceTest, TenantIdsHave1To63Characters) {
  EXPECT_OK(Create("a"));
  EXPECT_OK(Create(std::string(63, 'b')));
  EXPECT_THAT(Create(""), FailsWith(ErrorReason::kFieldMissing, "tenant_id"));
  for (const std::string& id : {std::string(64, 'c'), std::string("Contoso"), std::string("c-"),
                                std::string("../c"), std::string("*")}) {
    EXPECT_THAT(Create(id, "Another"), FailsWith(ErrorReason::kFieldInvalid, "tenant_id")) << id;
  }
}

TEST_F(TenantServiceTest, NamesHaveAtMost64Octets) {
  EXPECT_THAT(Create("contoso", std::string(65, 'x')),
              FailsWith(ErrorReason::kFieldInvalid, "display_name"));
  // 33 characters.
  std::string octets;
  for (int i = 0; i < 33; ++i) octets += "\xc3\xa9";
  EXPECT_THAT(Create("contoso", octets), FailsWith(ErrorReason::kFieldInvalid, "display_name"));
  EXPECT_THAT(Get("contoso"), FailsWith(ErrorReason::kTenantUnknown));
  EXPECT_OK(Create("contoso", octets.substr(2)));
  EXPECT_OK(Create("fabrikam", std::string(64, 'x')));
}

TEST_F(TenantServiceTest, NamesThatMisleadAreRefused) {
  for (const char* name : {" ", "Contoso ", "Con\ntoso", "Con\u202etoso", "C\u043entoso", "\xff"}) {
    EXPECT_THAT(Create("contoso", name), FailsWith(ErrorReason::kFieldInvalid, "display_name"))
        << name;
  }
  EXPECT_THAT(Get("contoso"), FailsWith(ErrorReason::kTenantUnknown));
  EXPECT_THAT(Logged(), IsEmpty());
  EXPECT_OK(Create("contoso", "M\u00fcller & S\u00f6hne"));
}

TEST_F(TenantServiceTest, NoTwoHaveOneIdOrOneName) {
  ASSERT_OK(Create("contoso", "Contoso"));
  static_cast<void>(Logged());
  EXPECT_THAT(Create("contoso", "Another"), FailsWith(ErrorReason::kTenantExists, "tenant_id"));
  EXPECT_THAT(Create("another", "CONTOSO"),
              FailsWith(ErrorReason::kDisplayNameTaken, "display_name"));
  EXPECT_THAT(Logged(), IsEmpty());
  ASSERT_OK_AND_ASSIGN(const v1::Tenant first, Get("contoso"));
  EXPECT_EQ(first.display_name(), "Contoso");
}

TEST_F(TenantServiceTest, ATenantIsShownWithItsPrimaryAndEpoch) {
  ASSERT_OK(AddSamplePrimary(*store_, "contoso"));
  ASSERT_OK(SwitchToSecondRoot(*store_));
  ASSERT_OK_AND_ASSIGN(const v1::Tenant tenant, Get("contoso"));
  EXPECT_EQ(tenant.primary_root_id(), "root-2");
  EXPECT_EQ(tenant.epoch(), 2u);
  v1::ListTenantsResponse listed;
  ASSERT_OK(service_->ListTenants(administrator_, v1::ListTenantsRequest(), &listed));
  ASSERT_EQ(listed.tenants_size(), 1);
  EXPECT_THAT(listed.tenants(0), IsMessage(tenant));
  EXPECT_THAT(Get("unknown"), FailsWith(ErrorReason::kTenantUnknown, "tenant_id"));
}

// Who else is served here is nobody's business.
TEST_F(TenantServiceTest, EachCallerSeesItsOwnTenants) {
  for (const char* id : {"fabrikam", "contoso", "adatum"}) ASSERT_OK(Create(id));
  EXPECT_THAT(ListedTo(administrator_), ElementsAre("adatum", "contoso", "fabrikam"));
  Caller auditor;
  auditor.name = "auditor";
  auditor.tenants = {"fabrikam", "unknown", "adatum"};
  EXPECT_THAT(ListedTo(auditor), ElementsAre("adatum", "fabrikam"));
  auditor.tenants = {};
  EXPECT_THAT(ListedTo(auditor), IsEmpty());
}

}  // namespace
}  // namespace hourglass::issuance
