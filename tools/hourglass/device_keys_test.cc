// The program as its users meet it: keys of devices.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "hourglass/v1/device_keys.grpc.pb.h"
#include "hsm/base/error.h"
#include "issuance/wire/status_detail.h"
#include "tests/support/subprocess.h"
#include "tools/client/testing/loopback_service.h"
#include "tools/client/wording.h"

namespace hourglass::cli {
namespace {

using Json = nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

constexpr char kProgram[] = "tools/hourglass/hourglass";
constexpr char kKey[] = "a8eb2f1ab5ef7c9c3ee4a5ddaeb7ab5fae7e1f0b2c6c2d9d0e4c7a1b3f5d7e9b";

v1::DeviceKey Key(v1::DeviceKeyState state) {
  v1::DeviceKey key;
  key.set_tenant_id("contoso");
  key.set_key_id(kKey);
  key.set_device_id("laptop-1");
  key.set_public_key("spki");
  key.set_state(state);
  *key.mutable_enrolled_at() = client::TimestampOf(absl::Now() - absl::Minutes(9));
  key.set_enrolled_by("broker-1");
  if (state == v1::DEVICE_KEY_PENDING) return key;
  *key.mutable_approved_at() = client::TimestampOf(absl::Now() - absl::Minutes(5));
  key.set_approved_by("admin");
  key.set_approval_reason("seen");
  if (state == v1::DEVICE_KEY_APPROVED) return key;
  *key.mutable_removed_at() = client::TimestampOf(absl::Now() - absl::Minutes(2));
  key.set_removed_by("boss");
  key.set_removal_reason("lost");
  return key;
}

class ScriptedKeys final : public v1::DeviceKeyService::Service {
 public:
  grpc::Status ApproveDeviceKey(grpc::ServerContext*, const v1::ApproveDeviceKeyRequest* request,
                                v1::DeviceKey* answer) override {
    approved = *request;
    *answer = Key(v1::DEVICE_KEY_APPROVED);
    return status;
  }
  grpc::Status RemoveDeviceKey(grpc::ServerContext*, const v1::RemoveDeviceKeyRequest* request,
                               v1::DeviceKey* answer) override {
    removed = *request;
    *answer = Key(v1::DEVICE_KEY_REMOVED);
    answer->set_released(request->release());
    return status;
  }
  grpc::Status ListDeviceKeys(grpc::ServerContext*, const v1::ListDeviceKeysRequest* request,
                              v1::ListDeviceKeysResponse* answer) override {
    listed = *request;
    if (empty) return status;
    const bool is_first = request->page_token().empty();
    *answer->add_device_keys() = Key(is_first ? v1::DEVICE_KEY_PENDING : v1::DEVICE_KEY_REMOVED);
    if (is_first) answer->set_next_page_token("next");
    return status;
  }

  grpc::Status status;
  bool empty = false;
  v1::ApproveDeviceKeyRequest approved;
  v1::RemoveDeviceKeyRequest removed;
  v1::ListDeviceKeysRequest listed;
};

class DeviceKeysTest : public testing::Test {
 protected:
  CommandResult Run(const std::string& words) const {
    std::vector<std::string> command = {kProgram, "--config", service_.config_file(),
                                        "device-keys"};
    for (const absl::string_view word : absl::StrSplit(words, ' ')) command.emplace_back(word);
    return RunCommand(command);
  }
  Json RunJson(const std::string& words) const {
    const CommandResult result = Run(words + " --json");
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return Json::parse(result.output, nullptr, false);
  }
  static std::string Words(const char* verb) {
    return std::string(verb) + " --tenant contoso " + kKey + " --reason why";
  }

  ScriptedKeys keys_;
  client::LoopbackService service_{{&keys_}};
};

TEST_F(DeviceKeysTest, ListsThoseThatThereAreAndWere) {
  const CommandResult listed = Run("list --tenant contoso");
  EXPECT_EQ(listed.exit_code, 0) << listed.output;
  EXPECT_THAT(listed.output,
              AllOf(StartsWith("DEVICE"), HasSubstr("pending"), HasSubstr("removed"),
                    HasSubstr("broker-1"), HasSubstr("boss"), HasSubstr("lost"), HasSubstr(kKey)));
  EXPECT_EQ(keys_.listed.tenant_id(), "contoso");
  EXPECT_EQ(keys_.listed.state(), v1::DEVICE_KEY_STATE_UNSPECIFIED);
  const Json json = RunJson("list --tenant contoso --device laptop-1 --state pending");
  EXPECT_EQ(keys_.listed.device_id(), "laptop-1");
  EXPECT_EQ(keys_.listed.state(), v1::DEVICE_KEY_PENDING);
  ASSERT_EQ(json["device_keys"].size(), 2u);
  EXPECT_EQ(json["device_keys"][0]["state"], "pending");
  EXPECT_EQ(json["device_keys"][0]["public_key"], "c3BraQ==");
  EXPECT_FALSE(json["device_keys"][0].contains("approved_by"));
  EXPECT_EQ(json["device_keys"][1]["removal_reason"], "lost");
  EXPECT_EQ(json["device_keys"][1]["approved_by"], "admin");
  keys_.empty = true;
  EXPECT_EQ(Run("list --tenant contoso").output, "No device has a key.\n");
  EXPECT_EQ(Run("list --tenant contoso --state lost").exit_code, 2);
}

TEST_F(DeviceKeysTest, ApprovesOne) {
  const CommandResult approved = Run(Words("approve"));
  EXPECT_EQ(approved.exit_code, 0) << approved.output;
  EXPECT_EQ(keys_.approved.tenant_id(), "contoso");
  EXPECT_EQ(keys_.approved.key_id(), kKey);
  EXPECT_EQ(keys_.approved.reason(), "why");
  EXPECT_FALSE(keys_.approved.replace());
  EXPECT_THAT(approved.output, AllOf(StartsWith("Approved: from now on laptop-1 "), HasSubstr(kKey),
                                     HasSubstr("seen")));
  EXPECT_EQ(RunJson(Words("approve") + " --replace")["state"], "approved");
  EXPECT_TRUE(keys_.approved.replace());
  EXPECT_EQ(Run(std::string("approve --tenant contoso ") + kKey).exit_code, 2)
      << "without a reason";
}

TEST_F(DeviceKeysTest, RemovesOneAndSaysWhatFollows) {
  EXPECT_THAT(Run(Words("remove")).output,
              AllOf(StartsWith("Removed. Nothing is issued to the device until another "),
                    HasSubstr("lost")));
  EXPECT_FALSE(keys_.removed.release());
  EXPECT_THAT(Run(Words("remove") + " --release").output,
              StartsWith("Removed. The device may ask without a key, "));
  EXPECT_TRUE(keys_.removed.release());
  EXPECT_EQ(keys_.removed.key_id(), kKey);
  EXPECT_EQ(keys_.removed.reason(), "why");
}

TEST_F(DeviceKeysTest, ARefusalSaysWhatHelps) {
  keys_.status = issuance::ToGrpcStatus(Error(ErrorReason::kDeviceKeyUnknown, "key_id", "no key"));
  const CommandResult unknown = Run(Words("approve"));
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_THAT(unknown.output, AllOf(StartsWith("hourglass: DEVICE_KEY_UNKNOWN: "),
                                    HasSubstr("hourglass device-keys list --tenant TENANT")));
  keys_.status = issuance::ToGrpcStatus(Error(ErrorReason::kDeviceKeyExists, "key_id", "another"));
  EXPECT_THAT(Run(Words("approve")).output, HasSubstr("--replace"));
}

}  // namespace
}  // namespace hourglass::cli
