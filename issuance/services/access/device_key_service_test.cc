#include "issuance/services/access/device_key_service.h"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/device_keys/device_key.h"
#include "issuance/services/testing/service_test.h"
#include "issuance/wire/proto_time.h"
#include "tests/support/device_signer.h"

namespace hourglass::issuance {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class DeviceKeyServiceTest : public ServiceTest {
 protected:
  void SetUp() override {
    ServiceTest::SetUp();
    ASSERT_OK(store_->CreateTenant(SampleTenant()));
    ASSERT_OK(store_->CreateTenant(SampleTenant("fabrikam")));
    Serve(nullptr);
    broker_.name = "broker-1";
    broker_.roles = {Role::kBroker};
    broker_.tenants = {"contoso"};
  }

  void Serve(const EnrolmentToken& token) {
    service_.emplace(nullptr, store_.get(), store_.get(), &clock_, log_.log(), token);
  }

  v1::EnrolDeviceKeyRequest Enrolment(const DeviceSigner& device,
                                      const std::string& device_id = "laptop-1") const {
    v1::EnrolDeviceKeyRequest request;
    request.set_tenant_id("contoso");
    request.set_device_id(device_id);
    request.set_public_key(device.public_key());
    *request.mutable_proof() = device.Enrol("contoso", device_id, clock_.now);
    return request;
  }

  absl::StatusOr<v1::DeviceKey> Enrol(const v1::EnrolDeviceKeyRequest& request) {
    v1::DeviceKey key;
    const absl::Status status = service_->EnrolDeviceKey(broker_, request, &key);
    if (!status.ok()) return status;
    return key;
  }
  absl::StatusOr<v1::DeviceKey> Approve(const std::string& key_id, bool replace = false,
                                        const std::string& reason = "seen at the desk") {
    v1::ApproveDeviceKeyRequest request;
    request.set_tenant_id("contoso");
    request.set_key_id(key_id);
    request.set_reason(reason);
    request.set_replace(replace);
    v1::DeviceKey key;
    const absl::Status status = service_->ApproveDeviceKey(administrator_, request, &key);
    if (!status.ok()) return status;
    return key;
  }
  absl::StatusOr<v1::DeviceKey> Remove(const std::string& key_id, bool release = false,
                                       const std::string& reason = "lost on a train") {
    v1::RemoveDeviceKeyRequest request;
    request.set_tenant_id("contoso");
    request.set_key_id(key_id);
    request.set_reason(reason);
    request.set_release(release);
    v1::DeviceKey key;
    const absl::Status status = service_->RemoveDeviceKey(administrator_, request, &key);
    if (!status.ok()) return status;
    return key;
  }
  absl::StatusOr<v1::ListDeviceKeysResponse> List(const std::string& more = "") {
    v1::ListDeviceKeysResponse response;
    const absl::Status status = service_->ListDeviceKeys(
        administrator_,
        MessageOf<v1::ListDeviceKeysRequest>(absl::StrCat("tenant_id: 'contoso' ", more)),
        &response);
    if (!status.ok()) return status;
    return response;
  }

  DecisionFacts Facts() {
    return store_->ReadDecisionFacts({"contoso", "", "", "laptop-1"}, clock_.now).value();
  }

  const DeviceSigner device_;
  const std::string key_id_ = DeviceKeyId(device_.public_key());
  Caller broker_;
  std::optional<DeviceKeyService> service_;
};

TEST_F(DeviceKeyServiceTest, AKeyIsEnrolledApprovedAndRemoved) {
  ASSERT_OK_AND_ASSIGN(const v1::DeviceKey enrolled, Enrol(Enrolment(device_)));
  v1::DeviceKey expected;
  expected.set_tenant_id("contoso");
  expected.set_key_id(key_id_);
  expected.set_device_id("laptop-1");
  expected.set_public_key(device_.public_key());
  expected.set_state(v1::DEVICE_KEY_PENDING);
  *expected.mutable_enrolled_at() = ToProto(clock_.now);
  expected.set_enrolled_by("broker-1");
  EXPECT_THAT(enrolled, IsMessage(expected));
  EXPECT_FALSE(Facts().device_is_bound);
  clock_.now += minutes(1);
  ASSERT_OK_AND_ASSIGN(const v1::DeviceKey approved, Approve(key_id_));
  expected.set_state(v1::DEVICE_KEY_APPROVED);
  *expected.mutable_approved_at() = ToProto(clock_.now);
  expected.set_approved_by("cli");
  expected.set_approval_reason("seen at the desk");
  EXPECT_THAT(approved, IsMessage(expected));
  EXPECT_EQ(Facts().device_key->key_id, key_id_);
  clock_.now += minutes(1);
  ASSERT_OK_AND_ASSIGN(const v1::DeviceKey removed, Remove(key_id_));
  expected.set_state(v1::DEVICE_KEY_REMOVED);
  *expected.mutable_removed_at() = ToProto(clock_.now);
  expected.set_removed_by("cli");
  expected.set_removal_reason("lost on a train");
  EXPECT_THAT(removed, IsMessage(expected));
  EXPECT_FALSE(Facts().device_key.has_value());
  EXPECT_TRUE(Facts().device_is_bound);
  ASSERT_OK_AND_ASSIGN(const v1::ListDeviceKeysResponse listed, List());
  ASSERT_EQ(listed.device_keys_size(), 1);
  EXPECT_THAT(listed.device_keys(0), IsMessage(expected));
  const auto line = [&](const char* event, const char* state, const char* caller) {
    return LoggedLine{{"event", event},       {"level", "info"}, {"tenant", "contoso"},
                      {"device", "laptop-1"}, {"key", key_id_},  {"state", state},
                      {"caller", caller}};
  };
  EXPECT_THAT(Logged(), ElementsAre(line("device_key_enrolled", "pending", "broker-1"),
                                    line("device_key_approved", "approved", "cli"),
                                    line("device_key_removed", "removed", "cli")));
}

// A broker that has no such device.
TEST_F(DeviceKeyServiceTest, NobodyEnrolsAKeyThatHeHasNot) {
  const auto refused = FailsWith(ErrorReason::kDeviceProofRefused, "proof.signature");
  v1::EnrolDeviceKeyRequest request = Enrolment(device_);
  request.set_public_key(DeviceSigner().public_key());
  EXPECT_THAT(Enrol(request), refused);
  request = Enrolment(device_);
  request.set_device_id("laptop-2");
  EXPECT_THAT(Enrol(request), refused);
  request = Enrolment(device_);
  request.set_tenant_id("fabrikam");
  EXPECT_THAT(Enrol(request), refused);
  request = Enrolment(device_);
  clock_.now += minutes(5) + seconds(1);
  EXPECT_THAT(Enrol(request), FailsWith(ErrorReason::kDeviceProofRefused, "proof.signed_at"));
  EXPECT_THAT(List()->device_keys(), IsEmpty());
}

TEST_F(DeviceKeyServiceTest, EveryFieldIsChecked) {
  const v1::EnrolDeviceKeyRequest good = Enrolment(device_);
  const auto with = [&](const std::function<void(v1::EnrolDeviceKeyRequest&)>& change) {
    v1::EnrolDeviceKeyRequest request = good;
    change(request);
    return Enrol(request);
  };
  EXPECT_THAT(with([](auto& r) { r.clear_device_id(); }),
              FailsWith(ErrorReason::kFieldMissing, "device_id"));
  EXPECT_THAT(with([](auto& r) { r.set_device_id("a b"); }),
              FailsWith(ErrorReason::kFieldInvalid, "device_id"));
  EXPECT_THAT(with([](auto& r) { r.clear_public_key(); }),
              FailsWith(ErrorReason::kFieldMissing, "public_key"));
  EXPECT_THAT(with([](auto& r) { r.set_public_key("no key"); }),
              FailsWith(ErrorReason::kRequestMalformed, "public_key"));
  EXPECT_THAT(with([](auto& r) { r.clear_proof(); }),
              FailsWith(ErrorReason::kFieldMissing, "proof.signed_at"));
  EXPECT_THAT(with([](auto& r) { r.set_tenant_id("nobody"); }),
              FailsWith(ErrorReason::kTenantUnknown, "tenant_id"));
  EXPECT_THAT(with([](auto& r) { r.set_access_token("ey.J"); }),
              FailsWith(ErrorReason::kFieldInvalid, "access_token"));
  EXPECT_OK(Enrol(good));
  EXPECT_THAT(Approve(""), FailsWith(ErrorReason::kFieldMissing, "key_id"));
  EXPECT_THAT(Approve(key_id_ + "0"), FailsWith(ErrorReason::kFieldInvalid, "key_id"));
  EXPECT_THAT(Approve(key_id_, false, ""), FailsWith(ErrorReason::kFieldMissing, "reason"));
  EXPECT_THAT(Approve(std::string(64, '0')), FailsWith(ErrorReason::kDeviceKeyUnknown, "key_id"));
  EXPECT_THAT(Remove(""), FailsWith(ErrorReason::kFieldMissing, "key_id"));
  EXPECT_THAT(Remove(key_id_, false, ""), FailsWith(ErrorReason::kFieldMissing, "reason"));
  EXPECT_THAT(Remove(std::string(64, '0')), FailsWith(ErrorReason::kDeviceKeyUnknown, "key_id"));
  EXPECT_THAT(List("state: 9"), FailsWith(ErrorReason::kFieldInvalid, "state"));
  EXPECT_THAT(List("device_id: 'a b'"), FailsWith(ErrorReason::kFieldInvalid, "device_id"));
  EXPECT_THAT(List("page_size: 1001"), FailsWith(ErrorReason::kFieldInvalid, "page_size"));
}

TEST_F(DeviceKeyServiceTest, AnotherKeyTakesThePlaceOfTheOldOneOnlyWhereThatIsSaid) {
  ASSERT_OK(Enrol(Enrolment(device_)));
  ASSERT_OK(Approve(key_id_));
  const DeviceSigner reinstalled;
  ASSERT_OK_AND_ASSIGN(const v1::DeviceKey next, Enrol(Enrolment(reinstalled)));
  EXPECT_THAT(Approve(next.key_id()), FailsWith(ErrorReason::kDeviceKeyExists, "key_id"));
  EXPECT_EQ(Facts().device_key->key_id, key_id_);
  ASSERT_OK(Approve(next.key_id(), /*replace=*/true));
  EXPECT_EQ(Facts().device_key->key_id, next.key_id());
  EXPECT_THAT(Enrol(Enrolment(device_)), FailsWith(ErrorReason::kDeviceKeyExists, "public_key"));
  EXPECT_EQ(List("state: DEVICE_KEY_APPROVED")->device_keys_size(), 1);
  EXPECT_EQ(List("state: DEVICE_KEY_REMOVED")->device_keys(0).key_id(), key_id_);
  EXPECT_EQ(List("device_id: 'LAPTOP-1'")->device_keys_size(), 2);
  EXPECT_EQ(List("device_id: 'laptop-2'")->device_keys_size(), 0);
  ASSERT_OK(Remove(next.key_id(), /*release=*/true));
  EXPECT_FALSE(Facts().device_is_bound);
}

TEST_F(DeviceKeyServiceTest, AnAccessTokenApprovesTheFirstKeyOfItsDevice) {
  std::vector<std::string> used_for;
  Serve([&](const Caller& caller, const v1::EnrolDeviceKeyRequest& request,
            absl::string_view key_id, Timestamp) -> absl::StatusOr<std::string> {
    if (request.access_token() != "alice's") {
      return Error(ErrorReason::kTokenRefused, "access_token", "is another's");
    }
    used_for.push_back(absl::StrCat(caller.name, " ", key_id));
    return std::string("u-17");
  });
  v1::EnrolDeviceKeyRequest request = Enrolment(device_);
  request.set_access_token("bob's");
  EXPECT_THAT(Enrol(request), FailsWith(ErrorReason::kTokenRefused, "access_token"));
  EXPECT_THAT(List()->device_keys(), IsEmpty());
  request.set_access_token("alice's");
  ASSERT_OK_AND_ASSIGN(const v1::DeviceKey first, Enrol(request));
  EXPECT_EQ(first.state(), v1::DEVICE_KEY_APPROVED);
  EXPECT_EQ(first.approved_by(), "broker-1");
  EXPECT_THAT(first.approval_reason(), HasSubstr("u-17"));
  EXPECT_THAT(used_for, ElementsAre(absl::StrCat("broker-1 ", key_id_)));
  request = Enrolment(DeviceSigner());
  request.set_access_token("alice's");
  EXPECT_EQ(Enrol(request)->state(), v1::DEVICE_KEY_PENDING) << "for an administrator to look at";
  request = Enrolment(DeviceSigner(), "laptop-2");
  EXPECT_EQ(Enrol(request)->state(), v1::DEVICE_KEY_PENDING) << "without a token";
}

// A proof is of now by a clock that is believed; what is lost can be removed by any.
TEST_F(DeviceKeyServiceTest, ByAClockThatLeaptNothingIsEnrolled) {
  ASSERT_OK(Enrol(Enrolment(device_)));
  clock_.believed = false;
  EXPECT_THAT(Enrol(Enrolment(DeviceSigner())), FailsWith(ErrorReason::kClockUntrusted));
  EXPECT_OK(Approve(key_id_));
  EXPECT_OK(Remove(key_id_));
}

}  // namespace
}  // namespace hourglass::issuance
