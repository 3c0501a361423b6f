// The built binary against a scripted service over mutual TLS, for its tests.
#ifndef HOURGLASS_TOOLS_HOURGLASS_SCRIPTED_SERVICE_H_
#define HOURGLASS_TOOLS_HOURGLASS_SCRIPTED_SERVICE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "hourglass/v1/error.pb.h"
#include "tests/support/subprocess.h"
#include "tools/client/testing/loopback_service.h"
#include "tools/client/wording.h"
#include "tools/hourglass/scripted_services.h"

namespace hourglass::cli {

using client::LoopbackService;
using client::OpensslAuthority;
using client::TimestampOf;
using Json = nlohmann::json;

inline constexpr char kProgram[] = "tools/hourglass/hourglass";
inline const std::string kSerial("\x4f\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f",
                                 16);
inline constexpr char kSerialInHex[] = "4f0102030405060708090a0b0c0d0e0f";

// PROMOTION_BLOCKED by these, as the service says it.
inline grpc::Status BlockedBy(const std::vector<v1::PromotionObstacle>& obstacles) {
  v1::ErrorDetail detail;
  detail.set_reason(v1::PROMOTION_BLOCKED);
  detail.set_field("root_id");
  for (const v1::PromotionObstacle& obstacle : obstacles) *detail.add_obstacles() = obstacle;
  v1::RpcStatus wire;
  wire.set_code(static_cast<int>(grpc::StatusCode::FAILED_PRECONDITION));
  wire.set_message("root_id: the promotion is blocked");
  wire.add_details()->PackFrom(detail);
  return grpc::Status(grpc::StatusCode::FAILED_PRECONDITION, wire.message(),
                      wire.SerializeAsString());
}

inline v1::PromotionObstacle Obstacle(v1::PromotionObstacle::Kind kind, const std::string& message,
                                      const std::string& relying_party = "") {
  v1::PromotionObstacle obstacle;
  obstacle.set_kind(kind);
  obstacle.set_message(message);
  obstacle.set_relying_party(relying_party);
  return obstacle;
}

inline std::vector<std::string> Words(const std::string& text) { return absl::StrSplit(text, ' '); }

class HourglassTest : public testing::Test {
 protected:
  HourglassTest()
      : tenants_(script_),
        roots_(script_),
        bundles_(script_),
        rotations_(script_),
        journal_(script_),
        devices_(script_),
        keys_(script_),
        compliance_(script_),
        authority_("root-one"),
        service_({&tenants_, &roots_, &bundles_, &rotations_, &journal_, &devices_, &keys_,
                  &compliance_}) {
    const absl::Time now = absl::Now();
    tenants_.tenant.set_tenant_id("contoso");
    tenants_.tenant.set_display_name("Contoso Ltd");
    tenants_.tenant.set_epoch(3);
    *tenants_.tenant.mutable_created_at() = TimestampOf(now - absl::Hours(3));
    v1::Root& root = roots_.root;
    root.set_root_id("r1");
    root.set_tenant_id("contoso");
    root.set_generation(1);
    root.set_state(v1::STAGED);
    root.set_key_type(v1::EC_P256);
    root.set_key_uri("pkcs11:token=contoso;object=r1");
    root.set_certificate(authority_.root());
    *root.mutable_not_after() = TimestampOf(now + absl::Hours(24 * 730) + absl::Minutes(1));
    bundles_.bundle.set_version(7);
    bundles_.bundle.add_roots(authority_.root());
    v1::JournalEntry& entry = journal_.entry;
    entry.set_tenant_id("contoso");
    entry.set_serial_number(kSerial);
    entry.set_root_id("r1");
    entry.set_user_upn("user@contoso.example");
    entry.set_device_id("laptop-1");
    entry.set_certificate(authority_.root());
    *entry.mutable_not_after() = TimestampOf(now + absl::Seconds(42 * 60 + 30));
    *entry.mutable_intended_at() = TimestampOf(now);
    *entry.mutable_released_at() = TimestampOf(now);
    devices_.device.set_tenant_id("contoso");
    devices_.device.set_device_id("laptop-1");
    devices_.device.set_reported_by("inventory");
    *devices_.device.mutable_reported_at() = TimestampOf(now - absl::Minutes(5));
    compliance_.verdict.set_policy_version("7");
    compliance_.verdict.mutable_allow();
  }

  CommandResult Run(const std::vector<std::string>& words) const {
    std::vector<std::string> command = {kProgram, "--config", service_.config_file()};
    command.insert(command.end(), words.begin(), words.end());
    return RunCommand(command);
  }
  CommandResult Run(const std::string& words) const { return Run(Words(words)); }

  // What the command prints with --json; discarded where it is no JSON.
  Json RunJson(const std::string& words) const {
    const CommandResult result = Run(words + " --json");
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return Json::parse(result.output, nullptr, false);
  }

  std::string OpensslSays(const std::string& words) const {
    return RunCommand(Words("openssl " + words)).output;
  }

  Script script_;
  Tenants tenants_;
  Roots roots_;
  TrustBundles bundles_;
  Rotations rotations_;
  Journal journal_;
  Devices devices_;
  Keys keys_;
  Compliance compliance_;
  OpensslAuthority authority_;
  LoopbackService service_;
};

}  // namespace hourglass::cli

#endif  // HOURGLASS_TOOLS_HOURGLASS_SCRIPTED_SERVICE_H_
