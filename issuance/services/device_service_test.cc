#include "issuance/services/device_service.h"

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/services/testing/service_test.h"
#include "issuance/wire/proto_time.h"

namespace hourglass::issuance {
namespace {

using ProtoTime = google::protobuf::Timestamp;
using std::chrono::microseconds;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::IsEmpty;

class DeviceServiceTest : public ServiceTest {
 protected:
  void SetUp() override {
    ServiceTest::SetUp();
    ASSERT_OK(store_->CreateTenant(SampleTenant()));
    reporter_.name = "mdm";
    service_.emplace(nullptr, DeviceService::Means{.tenants = store_.get(),
                                                   .devices = store_.get(),
                                                   .decisions = store_.get(),
                                                   .journal = store_.get(),
                                                   .engine = nullptr,
                                                   .clock = &clock_,
                                                   .log = log_.log()});
  }

  static v1::ReportDeviceRequest Report(const std::string& device_id = "laptop-1") {
    return MessageOf<v1::ReportDeviceRequest>(absl::StrCat(
        "tenant_id: 'contoso' device_id: '", device_id,
        "' state { disk_encryption { enabled: true } automatic_update { os_version: '10.0' } }"));
  }

  absl::Status Send(const v1::ReportDeviceRequest& report) {
    v1::Device device;
    return service_->ReportDevice(reporter_, report, &device);
  }

  absl::StatusOr<v1::Device> Get(const std::string& device_id,
                                 const std::string& tenant_id = "contoso") {
    v1::GetDeviceRequest request;
    request.set_tenant_id(tenant_id);
    request.set_device_id(device_id);
    v1::Device device;
    const absl::Status status = service_->GetDevice(administrator_, request, &device);
    if (!status.ok()) return status;
    return device;
  }

  absl::StatusOr<v1::ListDevicesResponse> List(std::uint32_t page_size,
                                               const std::string& page_token = "",
                                               const std::string& tenant_id = "contoso") {
    v1::ListDevicesRequest request;
    request.set_tenant_id(tenant_id);
    request.set_page_size(page_size);
    request.set_page_token(page_token);
    v1::ListDevicesResponse response;
    const absl::Status status = service_->ListDevices(administrator_, request, &response);
    if (!status.ok()) return status;
    return response;
  }

  absl::Status Remove(const std::string& device_id, const std::string& tenant_id = "contoso") {
    v1::RemoveDeviceRequest request;
    request.set_tenant_id(tenant_id);
    request.set_device_id(device_id);
    v1::RemoveDeviceResponse response;
    return service_->RemoveDevice(administrator_, request, &response);
  }

  Caller reporter_;
  std::optional<DeviceService> service_;
};

std::vector<std::string> IdsOf(const v1::ListDevicesResponse& page) {
  std::vector<std::string> ids;
  for (const v1::Device& device : page.devices()) ids.push_back(device.device_id());
  return ids;
}

TEST_F(DeviceServiceTest, AReportIsKeptWholeWithWhoSentItAndWhen) {
  v1::ReportDeviceRequest report = MessageOf<v1::ReportDeviceRequest>(R"pb(
    tenant_id: "contoso"
    device_id: "laptop-1"
    state {
      antivirus {
        enabled: true
        real_time_protection: false
        signatures_updated_at { seconds: 1767000001 nanos: 1 }
      }
      automatic_update {
        enabled: true
        last_installed_at { seconds: 1767000002 nanos: 2 }
        os_version: "10.0.22631.3880"
      }
      password_policy { required: true minimum_length: 12 lock_after_minutes: 0 }
      disk_encryption { enabled: false }
      device_health_attestation {
        attested_at { seconds: 1767000003 nanos: 3 }
        secure_boot: true
        code_integrity: false
        boot_debugging: false
        kernel_debugging: true
        test_signing: false
        early_launch_antimalware: true
      }
    })pb");
  v1::Device wanted;
  wanted.set_tenant_id("contoso");
  wanted.set_device_id("laptop-1");
  *wanted.mutable_state() = report.state();
  *wanted.mutable_reported_at() = ToProto(clock_.now);
  wanted.set_reported_by("mdm");
  v1::Device answered;
  ASSERT_OK(service_->ReportDevice(reporter_, report, &answered));
  EXPECT_THAT(answered, IsMessage(wanted));
  ASSERT_OK_AND_ASSIGN(const v1::Device kept, Get("laptop-1"));
  EXPECT_THAT(kept, IsMessage(wanted));
  EXPECT_THAT(Logged(), ElementsAre(LoggedLine{{"event", "device_reported"},
                                               {"level", "info"},
                                               {"tenant", "contoso"},
                                               {"device", "laptop-1"},
                                               {"caller", "mdm"}}));
}

// What the newest does not mention is unknown, and unknown is not compliant.
TEST_F(DeviceServiceTest, AReportReplacesTheOneBeforeItWhole) {
  ASSERT_OK(Send(Report()));
  clock_.now += microseconds(1);
  ASSERT_OK(Send(MessageOf<v1::ReportDeviceRequest>(
      "tenant_id: 'contoso' device_id: 'laptop-1' state { antivirus { enabled: true } }")));
  ASSERT_OK_AND_ASSIGN(const v1::Device kept, Get("laptop-1"));
  EXPECT_THAT(kept.state(), IsMessage(MessageOf<v1::DeviceState>("antivirus { enabled: true }")));
  EXPECT_THAT(kept.reported_at(), IsMessage(ToProto(clock_.now)));
}

TEST_F(DeviceServiceTest, AnEmptyStateIsAReport) {
  ASSERT_OK(Send(
      MessageOf<v1::ReportDeviceRequest>("tenant_id: 'contoso' device_id: 'laptop-1' state {}")));
  ASSERT_OK_AND_ASSIGN(const v1::Device kept, Get("laptop-1"));
  EXPECT_TRUE(kept.has_state());
}

TEST_F(DeviceServiceTest, AReportWithoutAStateIsRefused) {
  v1::ReportDeviceRequest report = Report();
  report.clear_state();
  EXPECT_THAT(Send(report), FailsWith(ErrorReason::kFieldMissing, "state"));
  EXPECT_THAT(Get("laptop-1"), FailsWith(ErrorReason::kDeviceUnknown));
  EXPECT_THAT(Logged(), IsEmpty());
}

TEST_F(DeviceServiceTest, DeviceIdsHave1To128CharactersThatNoSearchTakesForItsOwn) {
  for (const std::string& id : {std::string("a"), std::string(128, 'x'), std::string("7f3c:a{}")}) {
    EXPECT_OK(Send(Report(id))) << id;
  }
  EXPECT_THAT(Send(Report("")), FailsWith(ErrorReason::kFieldMissing, "device_id"));
  for (const std::string& id : {std::string(129, 'x'), std::string("a b"), std::string("a*"),
                                std::string("\x7f"), std::string("\xc3\xa9")}) {
    EXPECT_THAT(Send(Report(id)), FailsWith(ErrorReason::kFieldInvalid, "device_id")) << id;
  }
}

// So that those from before the rule can be looked at and taken away.
TEST_F(DeviceServiceTest, IdsThatWouldNotBeTakenNowAreStillFound) {
  DeviceRecord old = SampleDevice("laptop*");
  old.state = "";
  ASSERT_OK(store_->PutDevice(old));
  EXPECT_OK(Get("laptop*"));
  EXPECT_OK(Remove("laptop*"));
  for (const std::string& id : {std::string(129, 'x'), std::string("a b")}) {
    EXPECT_THAT(Get(id), FailsWith(ErrorReason::kFieldInvalid, "device_id")) << id;
    EXPECT_THAT(Remove(id), FailsWith(ErrorReason::kFieldInvalid, "device_id")) << id;
  }
  EXPECT_THAT(Get(std::string(128, 'x')), FailsWith(ErrorReason::kDeviceUnknown, "device_id"));
  EXPECT_THAT(Get(""), FailsWith(ErrorReason::kFieldMissing, "device_id"));
  EXPECT_THAT(Remove(""), FailsWith(ErrorReason::kFieldMissing, "device_id"));
}

TEST_F(DeviceServiceTest, TimesMayLieFiveMinutesInTheFuture) {
  const std::pair<const char*, std::function<ProtoTime*(v1::DeviceState*)>> times[] = {
      {"state.antivirus.signatures_updated_at",
       [](v1::DeviceState* state) {
         return state->mutable_antivirus()->mutable_signatures_updated_at();
       }},
      {"state.automatic_update.last_installed_at",
       [](v1::DeviceState* state) {
         return state->mutable_automatic_update()->mutable_last_installed_at();
       }},
      {"state.device_health_attestation.attested_at", [](v1::DeviceState* state) {
         return state->mutable_device_health_attestation()->mutable_attested_at();
       }}};
  for (const auto& [field, time_in] : times) {
    v1::ReportDeviceRequest report = Report();
    ProtoTime* const time = time_in(report.mutable_state());
    *time = ToProto(clock_.now + minutes(5));
    EXPECT_OK(Send(report)) << field;
    *time = ToProto(clock_.now + minutes(5) + microseconds(1));
    EXPECT_THAT(Send(report), FailsWith(ErrorReason::kFieldInvalid, field));
    // The first that there is, and what is none.
    *time = MessageOf<ProtoTime>("seconds: -62135596800");
    EXPECT_OK(Send(report)) << field;
    *time = MessageOf<ProtoTime>("seconds: -62135596801");
    EXPECT_THAT(Send(report), FailsWith(ErrorReason::kFieldInvalid, field));
    *time = MessageOf<ProtoTime>("nanos: -1");
    EXPECT_THAT(Send(report), FailsWith(ErrorReason::kFieldInvalid, field));
  }
}

TEST_F(DeviceServiceTest, VersionsAreUpToFourNumbers) {
  v1::ReportDeviceRequest report = Report();
  std::string* const version =
      report.mutable_state()->mutable_automatic_update()->mutable_os_version();
  for (const char* sound : {"", "0", "10.0.22631.3880", "999999999"}) {
    *version = sound;
    EXPECT_OK(Send(report)) << sound;
  }
  for (const char* bad : {"10.", "1.2.3.4.5", "1000000000", "10.0a", " 10", "-1"}) {
    *version = bad;
    EXPECT_THAT(Send(report),
                FailsWith(ErrorReason::kFieldInvalid, "state.automatic_update.os_version"))
        << bad;
  }
}

TEST_F(DeviceServiceTest, WhatTheDirectoryAndTheManagementKnowIsKept) {
  const v1::ReportDeviceRequest report = MessageOf<v1::ReportDeviceRequest>(R"pb(
    tenant_id: "contoso"
    device_id: "laptop-1"
    state {
      antivirus { antispyware: true defender_version: "4.18.24090" }
      automatic_update { os_build: "23G93" security_patch: "2026-11-01" }
      password_policy { type: "alphanumeric" character_sets: 3 }
      device_health_attestation { bitlocker: true safe_mode: false }
      protection { firewall: true threat_level: "low" }
      management {
        managed: true
        noncompliant_since { seconds: 1767000001 }
        mdm_app_id: ""
      }
      directory {
        trust_type: "ServerAD"
        ownership: "Company"
        display_name: "Anna's laptop"
        physical_ids { values: "[ZTDId]:1" }
        system_labels {}
        extension_attribute15: "SAW"
      }
    })pb");
  ASSERT_OK(Send(report));
  ASSERT_OK_AND_ASSIGN(const v1::Device kept, Get("laptop-1"));
  EXPECT_THAT(kept.state(), IsMessage(report.state()));
  // Nothing that is known to be nothing is not the same as nothing known.
  EXPECT_TRUE(kept.state().management().has_mdm_app_id());
  EXPECT_TRUE(kept.state().directory().has_system_labels());
  EXPECT_FALSE(kept.state().directory().has_model());
}

TEST_F(DeviceServiceTest, TextsHaveTheirForms) {
  const std::pair<const char*, const char*> mistakes[] = {
      {"state.antivirus.defender_version", "antivirus { defender_version: 'new' }"},
      {"state.automatic_update.os_build", "automatic_update { os_build: '23 G' }"},
      {"state.automatic_update.security_patch", "automatic_update { security_patch: '2026-11' }"},
      {"state.password_policy.type", "password_policy { type: 'Numeric' }"},
      {"state.protection.threat_level", "protection { threat_level: 'none' }"},
      {"state.directory.trust_type", "directory { trust_type: 'serverAd' }"},
      {"state.directory.ownership", "directory { ownership: 'mine' }"},
      {"state.directory.model", "directory { model: 'a\\001b' }"},
      {"state.directory.physical_ids.values[1]",
       "directory { physical_ids { values: 'a' values: '\\177' } }"},
      {"state.management.noncompliant_since",
       "management { noncompliant_since { seconds: 9999999999 } }"}};
  for (const auto& [field, state] : mistakes) {
    EXPECT_THAT(Send(MessageOf<v1::ReportDeviceRequest>(absl::StrCat(
                    "tenant_id: 'contoso' device_id: 'laptop-1' state { ", state, " }"))),
                FailsWith(ErrorReason::kFieldInvalid, field));
  }
  EXPECT_THAT(Get("laptop-1"), FailsWith(ErrorReason::kDeviceUnknown));
  v1::ReportDeviceRequest report = Report();
  v1::DirectoryEntry* const directory = report.mutable_state()->mutable_directory();
  directory->set_model(std::string(256, 'm'));
  for (int i = 0; i < 64; ++i) directory->mutable_physical_ids()->add_values("p");
  EXPECT_OK(Send(report));
  directory->mutable_physical_ids()->add_values("p");
  EXPECT_THAT(Send(report),
              FailsWith(ErrorReason::kFieldInvalid, "state.directory.physical_ids.values"));
  directory->clear_physical_ids();
  directory->set_model(std::string(257, 'm'));
  EXPECT_THAT(Send(report), FailsWith(ErrorReason::kFieldInvalid, "state.directory.model"));
}

TEST_F(DeviceServiceTest, SeveralDevicesAreReportedTogetherOrNone) {
  v1::ReportDevicesRequest batch = MessageOf<v1::ReportDevicesRequest>(R"pb(
    tenant_id: "contoso"
    reports {
      device_id: "a"
      state { disk_encryption { enabled: true } }
    }
    reports {
      device_id: "b"
      state {}
    })pb");
  const auto send = [&] {
    v1::ReportDevicesResponse response;
    return service_->ReportDevices(reporter_, batch, &response);
  };
  batch.mutable_reports(1)->mutable_state()->mutable_directory()->set_ownership("x");
  EXPECT_THAT(send(),
              FailsWith(ErrorReason::kFieldInvalid, "reports[1].state.directory.ownership"));
  batch.mutable_reports(1)->clear_state();
  EXPECT_THAT(send(), FailsWith(ErrorReason::kFieldMissing, "reports[1].state"));
  batch.mutable_reports(1)->mutable_state();
  batch.mutable_reports(1)->set_device_id("a");
  EXPECT_THAT(send(), FailsWith(ErrorReason::kFieldInvalid, "reports[1].device_id"));
  batch.mutable_reports(1)->set_device_id("");
  EXPECT_THAT(send(), FailsWith(ErrorReason::kFieldMissing, "reports[1].device_id"));
  EXPECT_THAT(Get("a"), FailsWith(ErrorReason::kDeviceUnknown));
  EXPECT_THAT(Logged(), IsEmpty());
  batch.mutable_reports(1)->set_device_id("b");
  ASSERT_OK(send());
  ASSERT_OK_AND_ASSIGN(const v1::Device kept, Get("a"));
  EXPECT_TRUE(kept.state().disk_encryption().enabled());
  EXPECT_EQ(kept.reported_by(), "mdm");
  EXPECT_OK(Get("b"));
  EXPECT_THAT(Logged(), ElementsAre(LoggedLine{{"event", "devices_reported"},
                                               {"level", "info"},
                                               {"tenant", "contoso"},
                                               {"devices", "2"},
                                               {"caller", "mdm"}}));
}

TEST_F(DeviceServiceTest, FiveHundredAreReportedTogetherAtMost) {
  v1::ReportDevicesRequest batch;
  batch.set_tenant_id("contoso");
  v1::ReportDevicesResponse response;
  EXPECT_THAT(service_->ReportDevices(reporter_, batch, &response),
              FailsWith(ErrorReason::kFieldMissing, "reports"));
  for (int i = 0; i < 500; ++i) {
    v1::DeviceReport& report = *batch.add_reports();
    report.set_device_id(absl::StrCat("d", i));
    report.mutable_state();
  }
  EXPECT_OK(service_->ReportDevices(reporter_, batch, &response));
  *batch.add_reports() = MessageOf<v1::DeviceReport>("device_id: 'more' state {}");
  EXPECT_THAT(service_->ReportDevices(reporter_, batch, &response),
              FailsWith(ErrorReason::kFieldInvalid, "reports"));
}

// Else a caller could keep what it likes in the database.
TEST_F(DeviceServiceTest, WhatIsNotKnownIsNotKept) {
  v1::ReportDeviceRequest report = Report();
  v1::DeviceState* const state = report.mutable_state();
  state->GetReflection()->MutableUnknownFields(state)->AddVarint(1000, 1);
  v1::DiskEncryption* const disk = state->mutable_disk_encryption();
  disk->GetReflection()->MutableUnknownFields(disk)->AddLengthDelimited(9, "ballast");
  ASSERT_OK(Send(report));
  ASSERT_OK_AND_ASSIGN(const DeviceRecord kept, store_->GetDevice("contoso", "laptop-1"));
  EXPECT_EQ(kept.state, Report().state().SerializeAsString());
}

TEST_F(DeviceServiceTest, NothingIsDatedByAClockThatLeapt) {
  clock_.believed = false;
  EXPECT_THAT(Send(Report()), FailsWith(ErrorReason::kClockUntrusted));
  EXPECT_THAT(Get("laptop-1"), FailsWith(ErrorReason::kDeviceUnknown));
  EXPECT_THAT(Logged(), IsEmpty());
  // What is on record is there all the same, and may be taken away.
  clock_.believed = true;
  ASSERT_OK(Send(Report()));
  clock_.believed = false;
  EXPECT_OK(Get("laptop-1"));
  EXPECT_OK(List(0));
  EXPECT_OK(Remove("laptop-1"));
}

TEST_F(DeviceServiceTest, DevicesAreOfTheirTenantOnly) {
  ASSERT_OK(store_->CreateTenant(SampleTenant("fabrikam")));
  ASSERT_OK(Send(Report()));
  v1::ReportDeviceRequest elsewhere = Report();
  elsewhere.set_tenant_id("unknown");
  EXPECT_THAT(Send(elsewhere), FailsWith(ErrorReason::kTenantUnknown, "tenant_id"));
  EXPECT_THAT(Get("laptop-1", "fabrikam"), FailsWith(ErrorReason::kDeviceUnknown));
  EXPECT_THAT(Remove("laptop-1", "fabrikam"), FailsWith(ErrorReason::kDeviceUnknown));
  ASSERT_OK_AND_ASSIGN(const v1::ListDevicesResponse none, List(0, "", "fabrikam"));
  EXPECT_THAT(IdsOf(none), IsEmpty());
  EXPECT_THAT(List(0, "", "unknown"), FailsWith(ErrorReason::kTenantUnknown, "tenant_id"));
  EXPECT_OK(Get("laptop-1"));
}

TEST_F(DeviceServiceTest, ListsPageByPage) {
  for (const char* id : {"c", "a", "e", "b", "d"}) ASSERT_OK(Send(Report(id)));
  ASSERT_OK_AND_ASSIGN(const v1::ListDevicesResponse whole, List(5));
  EXPECT_THAT(IdsOf(whole), ElementsAre("a", "b", "c", "d", "e"));
  EXPECT_EQ(whole.next_page_token(), "");
  EXPECT_EQ(whole.devices(2).reported_by(), "mdm");
  ASSERT_OK_AND_ASSIGN(const v1::ListDevicesResponse first, List(2));
  EXPECT_THAT(IdsOf(first), ElementsAre("a", "b"));
  ASSERT_OK_AND_ASSIGN(const v1::ListDevicesResponse second, List(2, first.next_page_token()));
  EXPECT_THAT(IdsOf(second), ElementsAre("c", "d"));
  ASSERT_OK_AND_ASSIGN(const v1::ListDevicesResponse last, List(2, second.next_page_token()));
  EXPECT_THAT(IdsOf(last), ElementsAre("e"));
  EXPECT_EQ(last.next_page_token(), "");
  EXPECT_THAT(List(2, "forged"), FailsWith(ErrorReason::kFieldInvalid, "page_token"));
  EXPECT_THAT(List(1001), FailsWith(ErrorReason::kFieldInvalid, "page_size"));
  EXPECT_OK(List(1000));
}

TEST_F(DeviceServiceTest, APageHasAHundredWhereNobodySays) {
  DeviceRecord device = SampleDevice("");
  device.state = "";
  for (int i = 0; i < 101; ++i) {
    device.device_id = absl::StrCat("laptop-", 1000 + i);
    ASSERT_OK(store_->PutDevice(device));
  }
  ASSERT_OK_AND_ASSIGN(const v1::ListDevicesResponse page, List(0));
  EXPECT_EQ(page.devices_size(), 100);
  ASSERT_OK_AND_ASSIGN(const v1::ListDevicesResponse rest, List(0, page.next_page_token()));
  EXPECT_THAT(IdsOf(rest), ElementsAre("laptop-1100"));
}

TEST_F(DeviceServiceTest, AStateThatIsDamagedIsToldAndNotTakenForAnother) {
  ASSERT_OK(Send(Report("sound")));
  ASSERT_OK(store_->PutDevice(SampleDevice("damaged")));
  EXPECT_THAT(Get("damaged"), FailsWith(ErrorReason::kJournalUnavailable, "device_id"));
  EXPECT_THAT(List(0), FailsWith(ErrorReason::kJournalUnavailable, "device_id"));
  ASSERT_OK(Remove("damaged"));
  EXPECT_OK(List(0));
}

TEST_F(DeviceServiceTest, RemovingIsLoggedWhereSomethingWasRemoved) {
  ASSERT_OK(Send(Report()));
  ASSERT_OK(Send(Report("laptop-2")));
  static_cast<void>(Logged());
  EXPECT_OK(Remove("laptop-1"));
  EXPECT_THAT(Logged(), ElementsAre(LoggedLine{{"event", "device_removed"},
                                               {"level", "info"},
                                               {"tenant", "contoso"},
                                               {"device", "laptop-1"},
                                               {"caller", "cli"}}));
  EXPECT_THAT(Remove("laptop-1"), FailsWith(ErrorReason::kDeviceUnknown, "device_id"));
  EXPECT_THAT(Logged(), IsEmpty());
  EXPECT_THAT(Get("laptop-1"), FailsWith(ErrorReason::kDeviceUnknown, "device_id"));
  EXPECT_OK(Get("laptop-2"));
}

}  // namespace
}  // namespace hourglass::issuance
