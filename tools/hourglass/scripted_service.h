// The built binary against a scripted service over mutual TLS, for its tests.
#ifndef HOURGLASS_TOOLS_HOURGLASS_SCRIPTED_SERVICE_H_
#define HOURGLASS_TOOLS_HOURGLASS_SCRIPTED_SERVICE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "hourglass/v1/compliance.grpc.pb.h"
#include "hourglass/v1/devices.grpc.pb.h"
#include "hourglass/v1/error.pb.h"
#include "hourglass/v1/journal.grpc.pb.h"
#include "hourglass/v1/keys.grpc.pb.h"
#include "hourglass/v1/roots.grpc.pb.h"
#include "hourglass/v1/rotation.grpc.pb.h"
#include "hourglass/v1/tenants.grpc.pb.h"
#include "hourglass/v1/trust_bundles.grpc.pb.h"
#include "tests/support/subprocess.h"
#include "tools/client/testing/loopback_service.h"
#include "tools/client/wording.h"

namespace hourglass::cli {

using client::LoopbackService;
using client::OpensslAuthority;
using client::TimestampOf;
using Json = nlohmann::json;

inline constexpr char kProgram[] = "tools/hourglass/hourglass";
inline const std::string kSerial("\x4f\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f",
                                 16);
inline constexpr char kSerialInHex[] = "4f0102030405060708090a0b0c0d0e0f";

// Answers every call with what the test wrote down for it, and keeps what was asked.
struct Script {
  grpc::Status status = grpc::Status::OK;
  std::map<std::string, std::vector<std::string>> asked;  // by message type, serialized

  template <typename Request>
  grpc::Status Take(const Request& request) {
    asked[request.GetTypeName()].push_back(request.SerializeAsString());
    return status;
  }

  template <typename Request>
  Request Last() const {
    Request request;
    const auto found = asked.find(request.GetTypeName());
    if (found != asked.end()) request.ParseFromString(found->second.back());
    return request;
  }
};

class Tenants final : public v1::TenantService::Service {
 public:
  explicit Tenants(Script& script) : script_(script) {}
  v1::Tenant tenant;
  bool none = false;

  grpc::Status CreateTenant(grpc::ServerContext*, const v1::CreateTenantRequest* request,
                            v1::Tenant* answer) override {
    *answer = tenant;
    return script_.Take(*request);
  }
  grpc::Status ListTenants(grpc::ServerContext*, const v1::ListTenantsRequest* request,
                           v1::ListTenantsResponse* answer) override {
    if (!none) *answer->add_tenants() = tenant;
    return script_.Take(*request);
  }
  grpc::Status GetTenant(grpc::ServerContext*, const v1::GetTenantRequest* request,
                         v1::Tenant* answer) override {
    *answer = tenant;
    return script_.Take(*request);
  }

 private:
  Script& script_;
};

class Roots final : public v1::RootService::Service {
 public:
  explicit Roots(Script& script) : script_(script) {}
  v1::Root root;
  std::vector<v1::Root> others;                 // listed behind it
  std::vector<v1::Intermediate> intermediates;  // one a page

  grpc::Status ListIntermediates(grpc::ServerContext*, const v1::ListIntermediatesRequest* request,
                                 v1::ListIntermediatesResponse* answer) override {
    std::size_t page = 0;
    if (!request->page_token().empty() && !absl::SimpleAtoi(request->page_token(), &page)) {
      return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, request->page_token());
    }
    if (page < intermediates.size()) *answer->add_intermediates() = intermediates[page];
    if (page + 1 < intermediates.size()) answer->set_next_page_token(std::to_string(page + 1));
    return script_.Take(*request);
  }

  grpc::Status CreateRoot(grpc::ServerContext*, const v1::CreateRootRequest* request,
                          v1::Root* answer) override {
    *answer = root;
    return script_.Take(*request);
  }
  grpc::Status ListRoots(grpc::ServerContext*, const v1::ListRootsRequest* request,
                         v1::ListRootsResponse* answer) override {
    *answer->add_roots() = root;
    for (const v1::Root& other : others) *answer->add_roots() = other;
    return script_.Take(*request);
  }
  grpc::Status GetRoot(grpc::ServerContext*, const v1::GetRootRequest* request,
                       v1::Root* answer) override {
    *answer = root;
    return script_.Take(*request);
  }
  grpc::Status PromoteRoot(grpc::ServerContext*, const v1::PromoteRootRequest* request,
                           v1::Root* answer) override {
    return Move(*request, v1::PRIMARY, answer);
  }
  grpc::Status RollBackRoot(grpc::ServerContext*, const v1::RollBackRootRequest* request,
                            v1::Root* answer) override {
    return Move(*request, v1::PRIMARY, answer);
  }
  grpc::Status RetireRoot(grpc::ServerContext*, const v1::MoveRootRequest* request,
                          v1::Root* answer) override {
    return Move(*request, v1::RETIRED, answer);
  }
  grpc::Status DiscardRoot(grpc::ServerContext*, const v1::MoveRootRequest* request,
                           v1::Root* answer) override {
    return Move(*request, v1::DISCARDED, answer);
  }

 private:
  template <typename Request>
  grpc::Status Move(const Request& request, v1::RootState state, v1::Root* answer) {
    *answer = root;
    answer->set_state(state);
    return script_.Take(request);
  }

  Script& script_;
};

class TrustBundles final : public v1::TrustBundleService::Service {
 public:
  explicit TrustBundles(Script& script) : script_(script) {}
  v1::TrustBundle bundle;

  grpc::Status GetTrustBundle(grpc::ServerContext*, const v1::GetTrustBundleRequest* request,
                              v1::TrustBundle* answer) override {
    *answer = bundle;
    return script_.Take(*request);
  }

 private:
  Script& script_;
};

class Rotations final : public v1::RotationService::Service {
 public:
  explicit Rotations(Script& script) : script_(script) {}
  v1::Rotation rotation;
  v1::PlanRotationResponse plan;
  v1::RelyingParty party;  // what each change answers with

  grpc::Status GetRotation(grpc::ServerContext*, const v1::GetRotationRequest* request,
                           v1::Rotation* answer) override {
    *answer = rotation;
    return script_.Take(*request);
  }
  grpc::Status PlanRotation(grpc::ServerContext*, const v1::PlanRotationRequest* request,
                            v1::PlanRotationResponse* answer) override {
    *answer = plan;
    return script_.Take(*request);
  }
  grpc::Status RegisterRelyingParty(grpc::ServerContext*,
                                    const v1::RegisterRelyingPartyRequest* request,
                                    v1::RelyingParty* answer) override {
    *answer = party;
    return script_.Take(*request);
  }
  grpc::Status ListRelyingParties(grpc::ServerContext*,
                                  const v1::ListRelyingPartiesRequest* request,
                                  v1::ListRelyingPartiesResponse* answer) override {
    *answer->mutable_relying_parties() = rotation.relying_parties();
    return script_.Take(*request);
  }
  grpc::Status RemoveRelyingParty(grpc::ServerContext*,
                                  const v1::RemoveRelyingPartyRequest* request,
                                  v1::RelyingParty* answer) override {
    *answer = party;
    return script_.Take(*request);
  }
  grpc::Status AttestRelyingParty(grpc::ServerContext*,
                                  const v1::AttestRelyingPartyRequest* request,
                                  v1::RelyingParty* answer) override {
    *answer = party;
    return script_.Take(*request);
  }

 private:
  Script& script_;
};

class Journal final : public v1::JournalService::Service {
 public:
  explicit Journal(Script& script) : script_(script) {}
  v1::JournalEntry entry;
  int pages = 1;  // of one entry each, and of one action each
  v1::AdministrativeAction action;
  bool no_actions = false;

  grpc::Status ListCertificates(grpc::ServerContext*, const v1::ListCertificatesRequest* request,
                                v1::ListCertificatesResponse* answer) override {
    *answer->add_entries() = entry;
    return TakePage(*request, answer);
  }
  grpc::Status ListAdministrativeActions(grpc::ServerContext*,
                                         const v1::ListAdministrativeActionsRequest* request,
                                         v1::ListAdministrativeActionsResponse* answer) override {
    if (!no_actions) *answer->add_actions() = action;
    return TakePage(*request, answer);
  }
  grpc::Status GetCertificate(grpc::ServerContext*, const v1::GetCertificateRequest* request,
                              v1::JournalEntry* answer) override {
    *answer = entry;
    return script_.Take(*request);
  }

 private:
  template <typename Request, typename Response>
  grpc::Status TakePage(const Request& request, Response* answer) {
    int page = 1;
    if (!request.page_token().empty() && !absl::SimpleAtoi(request.page_token(), &page)) {
      return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, request.page_token());
    }
    if (page < pages) answer->set_next_page_token(absl::StrCat(page + 1));
    return script_.Take(request);
  }

  Script& script_;
};

class Devices final : public v1::DeviceService::Service {
 public:
  explicit Devices(Script& script) : script_(script) {}
  v1::Device device;

  grpc::Status ReportDevice(grpc::ServerContext*, const v1::ReportDeviceRequest* request,
                            v1::Device* answer) override {
    *answer = device;
    *answer->mutable_state() = request->state();
    return script_.Take(*request);
  }
  grpc::Status ListDevices(grpc::ServerContext*, const v1::ListDevicesRequest* request,
                           v1::ListDevicesResponse* answer) override {
    *answer->add_devices() = device;
    if (request->page_token().empty()) answer->set_next_page_token("2");
    return script_.Take(*request);
  }
  grpc::Status GetDevice(grpc::ServerContext*, const v1::GetDeviceRequest* request,
                         v1::Device* answer) override {
    *answer = device;
    return script_.Take(*request);
  }
  grpc::Status RemoveDevice(grpc::ServerContext*, const v1::RemoveDeviceRequest* request,
                            v1::RemoveDeviceResponse*) override {
    return script_.Take(*request);
  }

 private:
  Script& script_;
};

class Keys final : public v1::KeyService::Service {
 public:
  explicit Keys(Script& script) : script_(script) {}
  v1::ListKeysResponse list;
  v1::CreateKeyResponse creation;
  v1::DestroyKeyResponse destruction;

  grpc::Status ListKeys(grpc::ServerContext*, const v1::ListKeysRequest* request,
                        v1::ListKeysResponse* answer) override {
    *answer = list;
    return script_.Take(*request);
  }
  grpc::Status CreateKey(grpc::ServerContext*, const v1::CreateKeyRequest* request,
                         v1::CreateKeyResponse* answer) override {
    *answer = creation;
    return script_.Take(*request);
  }
  grpc::Status DestroyKey(grpc::ServerContext*, const v1::DestroyKeyRequest* request,
                          v1::DestroyKeyResponse* answer) override {
    *answer = destruction;
    return script_.Take(*request);
  }

 private:
  Script& script_;
};

class Compliance final : public v1::ComplianceService::Service {
 public:
  explicit Compliance(Script& script) : script_(script) {}
  v1::Verdict verdict;
  bool repeat_nonce = true;

  grpc::Status Evaluate(grpc::ServerContext*, const v1::EvaluateRequest* request,
                        v1::Verdict* answer) override {
    *answer = verdict;
    if (repeat_nonce) answer->set_nonce(request->nonce());
    return script_.Take(*request);
  }

 private:
  Script& script_;
};

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
