#include "issuance/store/postgresql/tables/postgresql_device_keys.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/store/access_statements.h"
#include "issuance/store/postgresql/tables/postgresql_administrative_actions.h"
#include "issuance/store/postgresql/tables/testing/tables_test.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance::postgresql {
namespace {

using testing::Each;
using testing::HasSubstr;
using testing::Not;
constexpr auto kLater = DeviceKeyStore::Approval::kLater;

class PostgresqlDeviceKeysTest : public TablesTest {
 protected:
  absl::Status Enrol(const DeviceKeyRecord& key) {
    return Change(
        [&](Connection& c) { return EnrolDeviceKey(c, key, kLater, SampleCause()).status(); });
  }
  absl::Status Approve(const std::string& key_id, bool replaces) {
    return Change([&](Connection& c) {
      return ApproveDeviceKey(c, kSampleTenant, key_id, replaces, SampleCause()).status();
    });
  }
  std::vector<DeviceKeyRecord> Listed() {
    return ListDeviceKeys(*connection_, kSampleTenant, {}, 100, "")->records;
  }
  // How it is found out, a step each.
  std::vector<std::string> PlanOf(absl::string_view sql, const std::vector<Value>& values) {
    std::vector<std::string> plan;
    Rows rows = connection_->Query(absl::StrCat("EXPLAIN ", sql), values).value();
    while (rows.Next()) plan.push_back(rows.TakeOctets());
    return plan;
  }
};

TEST_F(PostgresqlDeviceKeysTest, AKeyIsReadBackInEveryField) {
  DeviceKeyRecord key = SampleDeviceKey("a", std::string("device ") + kUnusualText);
  key.public_key = AllOctets();
  ASSERT_OK(Enrol(key));
  EXPECT_EQ(Listed(), std::vector{key});
  ASSERT_OK(Approve(key.key_id, false));
  key.state = DeviceKeyRecord::State::kApproved;
  key.approved_at = SampleCause().now;
  key.approved_by = SampleCause().caller;
  key.approval_reason = SampleCause().reason;
  EXPECT_EQ(Listed(), std::vector{key});
}

// The table itself has no room for two, whoever writes it.
TEST_F(PostgresqlDeviceKeysTest, NoTwoKeysOfADeviceAreApproved) {
  ASSERT_OK(Enrol(SampleDeviceKey("a", "laptop-1")));
  ASSERT_OK(Enrol(SampleDeviceKey("b", "Laptop-1")));
  ASSERT_OK(Approve("id-of-a", false));
  EXPECT_FALSE(connection_
                   ->Change("UPDATE device_keys SET state = 'approved', approved_at = 1 "
                            "WHERE key_id = 'id-of-b'",
                            {})
                   .ok());
  ASSERT_OK(Approve("id-of-b", true));
}

TEST_F(PostgresqlDeviceKeysTest, WhatIsRefusedChangesNothing) {
  ASSERT_OK(Enrol(SampleDeviceKey("a", "laptop-1")));
  EXPECT_THAT(Enrol(SampleDeviceKey("a", "laptop-2")),
              FailsWith(ErrorReason::kDeviceKeyExists, "public_key"));
  EXPECT_THAT(Enrol(SampleDeviceKey("b", "d", "nobody")),
              FailsWith(ErrorReason::kTenantUnknown, "tenant_id"));
  EXPECT_EQ(Listed().size(), 1u);
  EXPECT_EQ(ListAdministrativeActions(*connection_, kSampleTenant, 9, "")->records.size(), 1u);
}

// However many keys there are.
TEST_F(PostgresqlDeviceKeysTest, KeysAreLookedUp) {
  const std::pair<absl::string_view, std::vector<Value>> statements[] = {
      {kSelectDeviceKey, {Text{"contoso"}, Text{"id"}}},
      {kSelectKeysOfDevice, {Text{"contoso"}, Text{"laptop-1"}}},
      {kCountPendingDeviceKeys, {Text{"contoso"}}},
  };
  for (const auto& [sql, values] : statements) {
    EXPECT_THAT(PlanOf(sql, values), Each(Not(HasSubstr("Seq Scan")))) << sql;
  }
}

}  // namespace
}  // namespace hourglass::issuance::postgresql
