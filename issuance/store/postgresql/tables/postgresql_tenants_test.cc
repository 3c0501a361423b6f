#include "issuance/store/postgresql/tables/postgresql_tenants.h"

#include <gmock/gmock.h>

#include <string>

#include "issuance/store/postgresql/tables/testing/tables_test.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance::postgresql {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class PostgresqlTenantsTest : public TablesTest {
 protected:
  PostgresqlTenantsTest() : TablesTest({}) {}

  static TenantRecord Named(const std::string& tenant_id, const std::string& display_name,
                            int created = 0) {
    TenantRecord tenant = SampleTenant(tenant_id);
    tenant.display_name = display_name;
    tenant.created_at = SampleTime(created);
    return tenant;
  }
  absl::Status Create(const TenantRecord& tenant) {
    return Change([&](Connection& c) { return CreateTenant(c, tenant); });
  }
};

TEST_F(PostgresqlTenantsTest, ATenantBeginsAtZeroWhateverItSays) {
  TenantRecord tenant = Named("contoso", kUnusualText);
  tenant.epoch = 7;
  tenant.revision = 8;
  ASSERT_OK(Create(tenant));
  tenant.epoch = tenant.revision = 0;
  EXPECT_EQ(GetTenant(*connection_, "contoso").value(), tenant);
  EXPECT_EQ(ReserveGeneration(*connection_, "contoso").value(), 1);
  for (const char* nobody : {"", "Contoso", "contos", "%"}) {
    EXPECT_THAT(GetTenant(*connection_, nobody),
                FailsWith(ErrorReason::kTenantUnknown, "tenant_id"))
        << nobody;
  }
}

TEST_F(PostgresqlTenantsTest, NeitherAnIdNorANameIsTakenTwice) {
  ASSERT_OK(Create(Named("contoso", "Contoso")));
  EXPECT_THAT(Create(Named("contoso", "Other")),
              FailsWith(ErrorReason::kTenantExists, "tenant_id"));
  for (const char* name : {"Contoso", "CONTOSO", "\uff23ontoso"}) {
    EXPECT_THAT(Create(Named("other", name)),
                FailsWith(ErrorReason::kDisplayNameTaken, "display_name"))
        << name;
  }
  EXPECT_OK(Create(Named("other", "Contoso 2")));
  EXPECT_EQ(ListTenants(*connection_)->size(), 2u);
}

TEST_F(PostgresqlTenantsTest, AreListedById) {
  EXPECT_THAT(ListTenants(*connection_).value(), IsEmpty());
  for (const char* tenant : {"b", "a", "c"}) {
    ASSERT_OK(Create(SampleTenant(tenant)));
  }
  EXPECT_THAT(ListTenants(*connection_).value(),
              ElementsAre(SampleTenant("a"), SampleTenant("b"), SampleTenant("c")));
}

TEST_F(PostgresqlTenantsTest, AGenerationIsReservedOnce) {
  EXPECT_THAT(ReserveGeneration(*connection_, "contoso"),
              FailsWith(ErrorReason::kTenantUnknown, "tenant_id"));
  for (const char* tenant : {"contoso", "fabrikam"}) {
    ASSERT_OK(Create(SampleTenant(tenant)));
    for (const int generation : {1, 2, 3}) {
      EXPECT_EQ(ReserveGeneration(*connection_, tenant).value(), generation);
    }
    EXPECT_EQ(GetTenant(*connection_, tenant)->revision, 0u);
  }
}

}  // namespace
}  // namespace hourglass::issuance::postgresql
