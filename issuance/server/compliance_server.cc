#include "issuance/server/compliance_server.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "hsm/base/status_macros.h"
#include "issuance/compliance/engine.h"
#include "issuance/server/certificate_ends.h"
#include "issuance/server/known_callers.h"
#include "issuance/server/listener.h"
#include "issuance/server/served_verdicts.h"
#include "issuance/server/service_state.h"
#include "issuance/server/tls_material.h"

namespace hourglass::issuance {
namespace {

// The parts of hourglassd that decide, and no others.
class ComplianceServer final : public Server {
 public:
  absl::Status StartParts(const Config& config, const Clock* clock, const KernelTime* kernel,
                          Entropy* entropy, const EventLog* log);

  const std::string& address() const override { return listener_->address(); }
  std::string metrics_address() const override { return ""; }
  void Stop(std::chrono::milliseconds grace) override { listener_->Stop(grace); }

 private:
  // Each uses those before it; the last is stopped first.
  std::unique_ptr<ServiceState> state_;
  std::unique_ptr<KnownCallers> callers_;
  std::optional<CertificateEnds> ends_;
  std::optional<ComplianceEngine> engine_;
  std::optional<ServedVerdicts> calls_;
  std::unique_ptr<Listener> listener_;
};

absl::Status ComplianceServer::StartParts(const Config& config, const Clock* clock,
                                          const KernelTime* kernel, Entropy* entropy,
                                          const EventLog* log) {
  // Once for all parts: what is watched is what is served, whatever the files hold by then.
  ASSIGN_OR_RETURN(ServiceTls tls, ReadServiceTls(config));
  ASSIGN_OR_RETURN(callers_, KnownCallers::Start(config, tls.own.trusted_roots, clock, *log));
  ASSIGN_OR_RETURN(state_, ServiceState::Start(config, {clock, kernel, entropy}, log));
  Store* const store = state_->store();
  const Clock* const guarded = state_->clock();
  ends_.emplace(
      std::vector<CertificateEnds::Own>{{"tls.certificate", tls.own.certificate},
                                        {"tls.trusted_roots", tls.own.trusted_roots, true}},
      store, guarded, *log);
  ends_->Watch();
  engine_.emplace(config.compliance.policy_directory, store, guarded, *log,
                  ComplianceEngine::Access{store, config.access});
  calls_.emplace(config, ServedVerdicts::Subjects{.callers = callers_->directory(),
                                                  .state = state_.get(),
                                                  .engine = &*engine_,
                                                  .log = log});
  ASSIGN_OR_RETURN(listener_, Listener::Start(config, std::move(tls.own), callers_.get(), &*calls_,
                                              guarded, log));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> StartComplianceServer(const Config& config,
                                                              const Clock* clock,
                                                              const KernelTime* kernel,
                                                              Entropy* entropy,
                                                              const EventLog* log) {
  auto server = std::make_unique<ComplianceServer>();
  RETURN_IF_ERROR(server->StartParts(config, clock, kernel, entropy, log));
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace hourglass::issuance
