#include "tools/client/strict_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "hourglass/v1/devices.pb.h"
#include "tests/support/status_matchers.h"

namespace hourglass::client {
namespace {

absl::Status Read(const std::string& json, v1::DeviceState* state = nullptr) {
  v1::DeviceState unused;
  return ReadStrictJson(json, state != nullptr ? state : &unused);
}

TEST(StrictJsonTest, ReadsWhatIsPlain) {
  v1::DeviceState state;
  ASSERT_OK(Read(R"({"disk_encryption": {"enabled": true},
                     "passwordPolicy": {"required": false, "minimum_length": 12},
                     "antivirus": {"signatures_updated_at": "2026-11-20T10:42:07Z"},
                     "automatic_update": {"os_version": "10.0.22631"}})",
                 &state));
  EXPECT_TRUE(state.disk_encryption().enabled());
  EXPECT_TRUE(state.password_policy().has_required());
  EXPECT_EQ(state.password_policy().minimum_length(), 12u);
  EXPECT_EQ(state.antivirus().signatures_updated_at().seconds(), 1795171327);
  EXPECT_EQ(state.automatic_update().os_version(), "10.0.22631");
  EXPECT_OK(Read("\xEF\xBB\xBF{}"));
}

TEST(StrictJsonTest, GuessesNothing) {
  const std::pair<const char*, const char*> mistakes[] = {
      {R"({"antivirus":{"enabled":false},"antivirus":{"enabled":true}})", "antivirus"},
      {R"({"antivirus":{"enabled":false,"enabled":true}})", "enabled"},
      {R"({"disk_encryption":{"enabled":false},"diskEncryption":{"enabled":true}})",
       "disk_encryption"},
      {R"({"disk_encryption":{"enabled":"yes"}})", "disk_encryption.enabled"},
      {R"({"disk_encryption":{"enabled":"true"}})", "disk_encryption.enabled"},
      {R"({"disk_encryption":{"enabled":1}})", "disk_encryption.enabled"},
      {R"({"disk_encryption":{"enabled":null}})", "disk_encryption.enabled"},
      {R"({"disk_encryption":null})", "disk_encryption"},
      {R"({"disk_encryption":true})", "disk_encryption"},
      {R"({"password_policy":{"minimum_length":"12"}})", "password_policy.minimum_length"},
      {R"({"password_policy":{"minimum_length":-1}})", "password_policy.minimum_length"},
      {R"({"password_policy":{"minimum_length":12.0}})", "password_policy.minimum_length"},
      {R"({"antivirus":{"signatures_updated_at":1795171327}})", "antivirus.signatures_updated_at"},
      {R"({"automatic_update":{"os_version":10}})", "automatic_update.os_version"},
      {R"({"disk_encryption":{"on":true}})", "disk_encryption.on"},
      {R"([])", ""},
      {R"({"disk_encryption":{"enabled":true}} // sound)", ""},
      {R"({'disk_encryption':{'enabled':true}})", ""},
      {R"({"disk_encryption":{"enabled":True}})", ""},
      {R"({"disk_encryption":{"enabled":true},})", ""},
      {R"({"antivirus":{"signatures_updated_at":"yesterday"}})", ""},
      {R"({"password_policy":{"minimum_length":99999999999}})", ""},
      {"", ""},
  };
  for (const auto& [json, field] : mistakes) {
    EXPECT_THAT(Read(json), FailsWith(ErrorReason::kFieldInvalid, field)) << json;
  }
}

}  // namespace
}  // namespace hourglass::client
