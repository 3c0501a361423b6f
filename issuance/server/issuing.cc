#include "issuance/server/issuing.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <thread>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/status/statusor.h"
#include "issuance/compliance/directory_stub.h"
#include "issuance/compliance/embedded_stub.h"
#include "issuance/compliance/guarded_stub.h"
#include "issuance/compliance/remote_stub.h"

namespace hourglass::issuance {
namespace {

using ComplianceStub = std::unique_ptr<v1::ComplianceService::StubInterface>;

ComplianceStub ChannelTo(const ComplianceConfig& config, TlsMaterial tls) {
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = std::move(tls.trusted_roots);
  options.pem_private_key = std::move(tls.private_key);
  options.pem_cert_chain = std::move(tls.certificate);
  grpc::ChannelArguments arguments;
  if (!config.server_name.empty()) arguments.SetSslTargetNameOverride(config.server_name);
  // Where verdicts come from is for the configuration to say, and not for https_proxy.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // After an outage verdicts are to be had again within seconds of the other's return.
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2000);
  return v1::ComplianceService::NewStub(
      grpc::CreateCustomChannel(config.endpoint, grpc::SslCredentials(options), arguments));
}

// Without entropy nothing is issued anyway.
std::uint64_t SeedFrom(Entropy& entropy) {
  std::uint64_t seed = 0;
  const absl::StatusOr<std::string> octets = entropy.Take(sizeof(seed));
  if (octets.ok()) std::memcpy(&seed, octets->data(), sizeof(seed));
  return seed;
}

}  // namespace

std::unique_ptr<Issuing> Issuing::Start(const Config& config,
                                        std::optional<TlsMaterial> compliance_tls,
                                        const Means& means) {
  std::unique_ptr<Issuing> issuing = absl::WrapUnique(new Issuing(means.store));
  issuing->ConnectCompliance(config, std::move(compliance_tls), means);
  issuing->limits_.emplace(config.limits.requests, SeedFrom(*means.entropy), means.limited);
  issuing->pipeline_.emplace(
      means.tenants, &*issuing->compliance_, &issuing->journal_, means.entropy, means.clock,
      *means.log, means.load,
      Pipeline::Identities{means.tokens, means.store, &*issuing->limits_, &issuing->facts_});
  issuing->OpenLanes(config.limits, means);
  return issuing;
}

void Issuing::ConnectCompliance(const Config& whole, std::optional<TlsMaterial> tls,
                                const Means& means) {
  const ComplianceConfig& config = whole.compliance;
  std::unique_ptr<DirectoryStub> stub;
  if (config.endpoint.empty()) {
    engine_.emplace(config.policy_directory, &facts_, means.clock, *means.log,
                    ComplianceEngine::Access{means.store, whole.access});
    stub = EmbeddedComplianceStub(&*engine_);
  } else {
    // With nothing to prove itself by it is answered nothing, and denies.
    RemoteComplianceOptions remote;
    remote.circuit = {config.circuit.failures, config.circuit.open_for};
    remote.deadline = config.deadline;
    ComplianceStub elsewhere =
        RemoteComplianceStub(ChannelTo(config, tls.has_value() ? *std::move(tls) : TlsMaterial()),
                             remote, *means.log, means.clock, means.compliance);
    // Outermost: what is blocked is denied also while nobody is asked.
    stub = GuardedComplianceStub(std::move(elsewhere), &facts_, means.clock);
  }
  ComplianceClientOptions options;
  options.deadline = config.deadline;
  compliance_.emplace(std::move(stub), options, means.clock);
}

void Issuing::OpenLanes(const LimitsConfig& limits, const Means& means) {
  LaneOptions options;
  // A compliance service elsewhere may take its time for every request.
  if (engine_.has_value()) {
    options.swift_lanes = static_cast<int>(std::max(1U, std::thread::hardware_concurrency())) + 1;
  }
  options.patient_lanes = limits.workers;
  options.queue_length = static_cast<std::size_t>(limits.queue_length);
  lanes_.emplace(&*pipeline_, options, means.clock, means.log, means.load);
}

}  // namespace hourglass::issuance
