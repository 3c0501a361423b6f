#include "issuance/server/server.h"

#include <utility>

#include "hsm/base/status_macros.h"
#include "hsm/store/key_store.h"
#include "issuance/authorities/tenants.h"
#include "issuance/server/running_server.h"
#include "issuance/server/tls_material.h"
#include "issuance/store/store.h"

namespace hourglass::issuance {

absl::Status RunningServer::StartParts(const Config& config, const Clock* clock,
                                       const KernelTime* kernel, Entropy* entropy,
                                       const EventLog* log) {
  // Once for all parts: what is watched is what is served, whatever the files hold by then.
  ASSIGN_OR_RETURN(ServiceTls tls, ReadServiceTls(config));
  ASSIGN_OR_RETURN(callers_, KnownCallers::Start(config, tls.own.trusted_roots, clock, *log));
  ASSIGN_OR_RETURN(custody_, KeyCustody::Start(config.keys, log));
  ASSIGN_OR_RETURN(state_, ServiceState::Start(config, {clock, kernel, entropy}, log));
  Store* const store = state_->store();
  hsm::KeyStore* const keys = custody_->keys();
  // From here on nobody asks but the guard what time it is.
  const Clock* const guarded = state_->clock();
  authorities_.emplace(config, store, keys, entropy, guarded, *log);
  Tenants* const tenants = authorities_->tenants();
  tokens_.emplace(config.identity, guarded, log);
  issuing_ = Issuing::Start(config, tls.compliance,
                            {.store = store,
                             .tenants = tenants,
                             .entropy = entropy,
                             .clock = guarded,
                             .tokens = tokens_->tenants(),
                             .load = &counts_.load,
                             .compliance = &counts_.compliance,
                             .limited = &counts_.limited,
                             .log = log});
  ASSIGN_OR_RETURN(upkeep_, Upkeep::Start(config, tls,
                                          {.state = state_.get(),
                                           .keys = keys,
                                           .tenants = tenants,
                                           .roots = authorities_->roots(),
                                           .bundles = authorities_->bundles(),
                                           .counts = &counts_,
                                           .tokens = &*tokens_,
                                           .log = log}));
  calls_.emplace(config, ServedCalls::Subjects{.callers = callers_->directory(),
                                               .state = state_.get(),
                                               .authorities = &*authorities_,
                                               .issuing = issuing_.get(),
                                               .counts = &counts_,
                                               .tokens = tokens_->tenants(),
                                               .log = log});
  ASSIGN_OR_RETURN(listener_, Listener::Start(config, std::move(tls.own), callers_.get(), &*calls_,
                                              guarded, log));
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const Config& config, const Clock* clock,
                                                      const KernelTime* kernel, Entropy* entropy,
                                                      const EventLog* log) {
  auto server = std::make_unique<RunningServer>();
  RETURN_IF_ERROR(server->StartParts(config, clock, kernel, entropy, log));
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace hourglass::issuance
