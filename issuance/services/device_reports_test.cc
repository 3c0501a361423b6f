#include "issuance/services/device_reports.h"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "hourglass/v1/decisions.pb.h"
#include "hourglass/v1/devices.pb.h"
#include "issuance/services/testing/service_test.h"

namespace hourglass::issuance {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

class DeviceReportsTest : public ServiceTest {
 protected:
  void SetUp() override {
    ServiceTest::SetUp();
    ASSERT_OK(AddSamplePrimary(*store_));
    std::filesystem::create_directory(directory_.File("policies"));
    directory_.Write("policies/contoso.yaml",
                     "version: \"1\"\nreport_validity: 24h\ndisk_encryption: {enabled: true}\n");
    engine_.emplace(directory_.File("policies"), store_.get(), &clock_);
    reports_.emplace(store_.get(), store_.get(), store_.get(), &*engine_);
  }

  void Issue(const std::string& request_id) {
    Intent intent = SampleIntent(request_id);
    intent.intended_at = clock_.now;
    ASSERT_OK(Append(*store_, intent));
    ASSERT_OK(Append(*store_, ReleaseOf(intent)));
  }
  void Report(bool encrypted, const std::string& device_id = "laptop-1") {
    clock_.now += std::chrono::seconds(1);
    v1::DeviceState state;
    state.mutable_disk_encryption()->set_enabled(encrypted);
    DeviceRecord device = SampleDevice(device_id);
    device.state = state.SerializeAsString();
    device.reported_at = clock_.now;
    ASSERT_OK(reports_->Put(device, clock_.now));
    EXPECT_EQ(store_->GetDevice(kSampleTenant, device_id)->state, device.state);
  }
  std::vector<DecisionEvent> Events() { return store_->ListEvents(kSampleTenant, 0, 9).value(); }

  std::optional<ComplianceEngine> engine_;
  std::optional<DeviceReports> reports_;
};

TEST_F(DeviceReportsTest, ALossIsToldOnceForTheCertificatesThatThereAre) {
  Report(true);
  Issue("r-1");
  Report(true);
  EXPECT_THAT(Events(), IsEmpty());
  Report(false);
  ASSERT_THAT(Events(), SizeIs(1));
  EXPECT_EQ(Events()[0].kind, DecisionEvent::Kind::kDeviceNotCompliant);
  EXPECT_EQ(Events()[0].device_id, "laptop-1");
  EXPECT_EQ(Events()[0].at, clock_.now);
  v1::DenyReasons reasons;
  ASSERT_TRUE(reasons.ParseFromString(Events()[0].reasons));
  ASSERT_EQ(reasons.reasons_size(), 1);
  EXPECT_EQ(reasons.reasons(0).setting(), "disk_encryption.enabled");
  Report(false);
  Report(true);
  Report(false);
  EXPECT_THAT(Events(), SizeIs(1)) << "nothing was issued since";
  Report(true);
  Issue("r-2");
  Report(false);
  EXPECT_THAT(Events(), SizeIs(2));
}

TEST_F(DeviceReportsTest, ADeviceWithoutALiveCertificateIsNotToldOf) {
  Report(true);
  Report(false);
  Report(true, "laptop-2");
  Issue("r-1");
  Report(false, "laptop-2");
  EXPECT_THAT(Events(), IsEmpty());
  Report(true);
  clock_.now += std::chrono::hours(2);
  Report(false);
  EXPECT_THAT(Events(), IsEmpty()) << "it has expired";
}

TEST_F(DeviceReportsTest, WhatCannotBeJudgedIsKept) {
  Report(true);
  Issue("r-1");
  directory_.Write("policies/contoso.yaml", "version: [");
  engine_.emplace(directory_.File("policies"), store_.get(), &clock_);
  Report(false);
  EXPECT_THAT(Events(), IsEmpty());
  reports_.emplace(store_.get(), store_.get(), store_.get(), nullptr);
  Report(true);
  Report(false);
  EXPECT_THAT(Events(), IsEmpty()) << "others decide";
}

}  // namespace
}  // namespace hourglass::issuance
