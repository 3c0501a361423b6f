// The services that a scripted one is made of, for tests of the administrator's program.
#ifndef HOURGLASS_TOOLS_HOURGLASS_SCRIPTED_SERVICES_H_
#define HOURGLASS_TOOLS_HOURGLASS_SCRIPTED_SERVICES_H_

#include <grpcpp/grpcpp.h>

#include <map>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "hourglass/v1/compliance.grpc.pb.h"
#include "hourglass/v1/devices.grpc.pb.h"
#include "hourglass/v1/journal.grpc.pb.h"
#include "hourglass/v1/keys.grpc.pb.h"
#include "hourglass/v1/roots.grpc.pb.h"
#include "hourglass/v1/rotation.grpc.pb.h"
#include "hourglass/v1/tenants.grpc.pb.h"
#include "hourglass/v1/trust_bundles.grpc.pb.h"

namespace hourglass::cli {

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

}  // namespace hourglass::cli

#endif  // HOURGLASS_TOOLS_HOURGLASS_SCRIPTED_SERVICES_H_
