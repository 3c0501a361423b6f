#include "issuance/store/sqlite/tables/sqlite_tenants.h"

#include <gmock/gmock.h>

#include <string>

#include "issuance/store/sqlite/tables/testing/tables_test.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance::sqlite {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class SqliteTenantsTest : public TablesTest {
 protected:
  SqliteTenantsTest() : TablesTest({}) {}

  static TenantRecord Named(const std::string& tenant_id, const std::string& display_name,
                            int created = 0) {
    TenantRecord tenant = SampleTenant(tenant_id);
    tenant.display_name = display_name;
    tenant.created_at = SampleTime(created);
    return tenant;
  }
  // The tenants whose roots have a name, by id.
  std::string Holders() {
    Rows rows = connection_
                    ->Query(
                        "SELECT ifnull(group_concat(tenant_id), '') FROM (SELECT tenant_id "
                        "FROM tenants WHERE root_name_key IS NOT NULL ORDER BY tenant_id)")
                    .value();
    EXPECT_OK(rows.Next());
    return rows.TakeOctets();
  }
};

TEST_F(SqliteTenantsTest, ATenantBeginsAtZeroWhateverItSays) {
  TenantRecord tenant = Named("contoso", kUnusualText);
  tenant.epoch = 7;
  tenant.revision = 8;
  ASSERT_OK(CreateTenant(*connection_, tenant));
  tenant.epoch = tenant.revision = 0;
  EXPECT_EQ(GetTenant(*connection_, "contoso").value(), tenant);
  EXPECT_EQ(ReserveGeneration(*connection_, "contoso").value(), 1);
  for (const char* nobody : {"", "Contoso", "contos", "%"}) {
    EXPECT_THAT(GetTenant(*connection_, nobody),
                FailsWith(ErrorReason::kTenantUnknown, "tenant_id"))
        << nobody;
  }
}

TEST_F(SqliteTenantsTest, NeitherAnIdNorANameIsTakenTwice) {
  ASSERT_OK(CreateTenant(*connection_, Named("contoso", "Contoso")));
  EXPECT_THAT(CreateTenant(*connection_, Named("contoso", "Other")),
              FailsWith(ErrorReason::kTenantExists, "tenant_id"));
  for (const char* name : {"Contoso", "CONTOSO", "\uff23ontoso"}) {
    EXPECT_THAT(CreateTenant(*connection_, Named("other", name)),
                FailsWith(ErrorReason::kDisplayNameTaken, "display_name"))
        << name;
  }
  EXPECT_OK(CreateTenant(*connection_, Named("other", "Contoso 2")));
  EXPECT_EQ(ListTenants(*connection_)->size(), 2u);
}

TEST_F(SqliteTenantsTest, AreListedById) {
  EXPECT_THAT(ListTenants(*connection_).value(), IsEmpty());
  for (const char* tenant : {"b", "a", "c"}) {
    ASSERT_OK(CreateTenant(*connection_, SampleTenant(tenant)));
  }
  EXPECT_THAT(ListTenants(*connection_).value(),
              ElementsAre(SampleTenant("a"), SampleTenant("b"), SampleTenant("c")));
}

TEST_F(SqliteTenantsTest, AGenerationIsReservedOnce) {
  EXPECT_THAT(ReserveGeneration(*connection_, "contoso"),
              FailsWith(ErrorReason::kTenantUnknown, "tenant_id"));
  for (const char* tenant : {"contoso", "fabrikam"}) {
    ASSERT_OK(CreateTenant(*connection_, SampleTenant(tenant)));
    for (const int generation : {1, 2, 3}) {
      EXPECT_EQ(ReserveGeneration(*connection_, tenant).value(), generation);
    }
    EXPECT_EQ(GetTenant(*connection_, tenant)->revision, 0u);
  }
}

// Of tenants that a program made which did not mind their names.
TEST_F(SqliteTenantsTest, TheOldestOfOneNameGetsIt) {
  for (const TenantRecord& tenant :
       {Named("a-young", "Contoso", 3), Named("b-old", "CONTOSO", 1), Named("c-old", "contoso", 1),
        Named("d-other", "Fabrikam", 9)}) {
    ASSERT_OK(connection_->Change("INSERT INTO tenants VALUES (?, ?, ?, 5, 6, 7, NULL, 0)",
                                  {Text{tenant.tenant_id}, Text{tenant.display_name},
                                   tenant.created_at.time_since_epoch().count()}));
  }
  ASSERT_OK(NameTenants(*connection_));
  EXPECT_EQ(Holders(), "b-old,d-other") << "by id where they are as old";
  ASSERT_OK(NameTenants(*connection_)) << "a second time";
  EXPECT_EQ(Holders(), "b-old,d-other");
  EXPECT_EQ(GetTenant(*connection_, "a-young")->epoch, 5u) << "it goes on";
  EXPECT_EQ(ListTenants(*connection_)->size(), 4u);
  EXPECT_THAT(CreateTenant(*connection_, Named("new", "Contoso")),
              FailsWith(ErrorReason::kDisplayNameTaken, "display_name"));
}

TEST_F(SqliteTenantsTest, NamesThatAreThereStay) {
  ASSERT_OK(CreateTenant(*connection_, Named("young", "Contoso", 9)));
  ASSERT_OK(
      connection_->Execute("INSERT INTO tenants VALUES ('old', 'Contoso', 1, 0, 0, 0, NULL, 0)"));
  ASSERT_OK(NameTenants(*connection_));
  EXPECT_EQ(Holders(), "young");
}

}  // namespace
}  // namespace hourglass::issuance::sqlite
