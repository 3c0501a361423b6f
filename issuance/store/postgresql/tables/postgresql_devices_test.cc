#include "issuance/store/postgresql/tables/postgresql_devices.h"

#include <gmock/gmock.h>

#include <string>

#include "issuance/store/page_token.h"
#include "issuance/store/postgresql/tables/testing/tables_test.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance::postgresql {
namespace {

using testing::IsEmpty;

class PostgresqlDevicesTest : public TablesTest {
 protected:
  absl::Status Put(const std::string& device_id, absl::string_view tenant = kSampleTenant) {
    return PutDevice(*connection_, SampleDevice(device_id, tenant));
  }
  absl::StatusOr<Page<DeviceRecord>> List(int page_size, const std::string& token,
                                          absl::string_view tenant = kSampleTenant) {
    return ListDevices(*connection_, tenant, page_size, token);
  }
  // The ids of a page, one behind the other.
  static std::string Ids(const absl::StatusOr<Page<DeviceRecord>>& page) {
    EXPECT_OK(page);
    std::string ids;
    if (!page.ok()) return ids;
    for (const DeviceRecord& device : page->records) ids += device.device_id;
    return ids;
  }
};

TEST_F(PostgresqlDevicesTest, AReportReplacesTheOneBeforeWhole) {
  DeviceRecord device = SampleDevice(kUnusualText);
  device.state = AllOctets();
  ASSERT_OK(PutDevice(*connection_, device));
  ASSERT_OK(PutDevice(*connection_, SampleDevice(kUnusualText, "fabrikam")));
  EXPECT_EQ(GetDevice(*connection_, kSampleTenant, kUnusualText).value(), device);
  device.state = "";
  device.reported_at = SampleTime(-99);
  device.reported_by = "another";
  ASSERT_OK(PutDevice(*connection_, device));
  EXPECT_EQ(GetDevice(*connection_, kSampleTenant, kUnusualText).value(), device);
  EXPECT_EQ(GetDevice(*connection_, "fabrikam", kUnusualText).value(),
            SampleDevice(kUnusualText, "fabrikam"));
}

TEST_F(PostgresqlDevicesTest, WhatIsUnknownIsSaid) {
  EXPECT_THAT(Put("a", "nobody"), FailsWith(ErrorReason::kTenantUnknown, "tenant_id"));
  ASSERT_OK(Put("a"));
  const auto unknown = FailsWith(ErrorReason::kDeviceUnknown, "device_id");
  for (const char* device : {"", "A", "b", "%", "a "}) {
    EXPECT_THAT(GetDevice(*connection_, kSampleTenant, device), unknown) << device;
    EXPECT_THAT(RemoveDevice(*connection_, kSampleTenant, device), unknown) << device;
  }
  EXPECT_THAT(GetDevice(*connection_, "fabrikam", "a"), unknown);
  EXPECT_THAT(RemoveDevice(*connection_, "fabrikam", "a"), unknown);
  ASSERT_OK(RemoveDevice(*connection_, kSampleTenant, "a"));
  EXPECT_THAT(RemoveDevice(*connection_, kSampleTenant, "a"), unknown);
  EXPECT_THAT(GetDevice(*connection_, kSampleTenant, "a"), unknown);
}

TEST_F(PostgresqlDevicesTest, PagesAreInTheOrderOfOctets) {
  for (const char* device : {"b", "a", "B", "\xc3\xa9", "", "~", "1"}) ASSERT_OK(Put(device));
  ASSERT_OK(Put("x", "fabrikam"));
  const std::string all = "1Bab~\xc3\xa9";
  EXPECT_EQ(Ids(List(7, "")), all) << "the empty id is the first";
  EXPECT_EQ(List(7, "")->next_page_token, "");
  EXPECT_EQ(List(7, "")->records[0].device_id, "");
  std::string ids, token;
  int pages = 0;
  do {
    const auto page = List(2, token);
    ids += Ids(page);
    token = page->next_page_token;
    ++pages;
  } while (!token.empty());
  EXPECT_EQ(ids, all);
  EXPECT_EQ(pages, 4);
}

TEST_F(PostgresqlDevicesTest, APageGoesOnBehindItsTokenThoughTheDeviceIsGone) {
  for (const char* device : {"a", "b", "c"}) ASSERT_OK(Put(device));
  EXPECT_EQ(Ids(List(9, DevicePageToken("b"))), "c");
  ASSERT_OK(RemoveDevice(*connection_, kSampleTenant, "b"));
  EXPECT_EQ(Ids(List(9, DevicePageToken("b"))), "c");
  EXPECT_EQ(Ids(List(9, DevicePageToken(""))), "ac");
  EXPECT_THAT(List(9, DevicePageToken("c"))->records, IsEmpty());
  EXPECT_THAT(List(9, "", "nobody")->records, IsEmpty());
}

TEST_F(PostgresqlDevicesTest, RefusesPagesThatAreNone) {
  for (const int size : {-1, 0, kMaxPageSize + 1}) {
    EXPECT_THAT(List(size, ""), FailsWith(ErrorReason::kFieldInvalid, "page_size")) << size;
  }
  for (const std::string& token : {std::string("x"), IntermediatePageToken(1)}) {
    EXPECT_THAT(List(1, token), FailsWith(ErrorReason::kFieldInvalid, "page_token")) << token;
  }
  EXPECT_OK(List(kMaxPageSize, DevicePageToken("a")));
}

}  // namespace
}  // namespace hourglass::issuance::postgresql
