#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "issuance/store/testing/sample_records.h"
#include "tests/conformance/store_conformance.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

TEST_P(DeviceStoreConformance, KeepsDevices) {
  EXPECT_THAT(store_->PutDevice(SampleDevice("laptop-1")), FailsWith(ErrorReason::kTenantUnknown));
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  ASSERT_OK(store_->CreateTenant(SampleTenant("fabrikam")));
  const auto unknown = FailsWith(ErrorReason::kDeviceUnknown, "device_id");
  EXPECT_THAT(store_->GetDevice(kSampleTenant, "laptop-1"), unknown);
  DeviceRecord device = SampleDevice(kUnusualText);
  device.state = AllOctets();
  ASSERT_OK(store_->PutDevice(device));
  ASSERT_OK_AND_ASSIGN(DeviceRecord found, store_->GetDevice(kSampleTenant, kUnusualText));
  EXPECT_EQ(found, device);
  device.state = "";
  device.reported_at = SampleTime(-100);
  device.reported_by = "another";
  ASSERT_OK(store_->PutDevice(device));
  ASSERT_OK_AND_ASSIGN(found, store_->GetDevice(kSampleTenant, kUnusualText));
  EXPECT_EQ(found, device) << "replaced whole";
  EXPECT_THAT(store_->GetDevice("fabrikam", kUnusualText), unknown);
  EXPECT_THAT(store_->RemoveDevice("fabrikam", kUnusualText), unknown);
  ASSERT_OK(store_->RemoveDevice(kSampleTenant, kUnusualText));
  EXPECT_THAT(store_->GetDevice(kSampleTenant, kUnusualText), unknown);
  EXPECT_THAT(store_->RemoveDevice(kSampleTenant, kUnusualText), unknown);
}

TEST_P(DeviceStoreConformance, PagesOfDevicesAreCompleteAndInOrder) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  ASSERT_OK(store_->CreateTenant(SampleTenant("fabrikam")));
  ASSERT_OK(store_->PutDevice(SampleDevice("c", "fabrikam")));
  const std::vector<std::string> in_order = {"", "B", "a", "aa", "b'", "\xc3\xa9"};
  for (const char* id : {"aa", "\xc3\xa9", "", "b'", "B", "a"}) {
    ASSERT_OK(store_->PutDevice(SampleDevice(id)));
  }
  for (const int page_size : {1, 2, 3, 5, 6, 7}) {
    std::vector<std::string> ids;
    std::string token;
    do {
      ASSERT_OK_AND_ASSIGN(const Page<DeviceRecord> page,
                           store_->ListDevices(kSampleTenant, page_size, token));
      for (const DeviceRecord& device : page.records) ids.push_back(device.device_id);
      token = page.next_page_token;
    } while (!token.empty());
    EXPECT_EQ(ids, in_order) << page_size;
  }
}

}  // namespace
}  // namespace hourglass::issuance
