#include "issuance/server/upkeep.h"

#include <vector>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/store.h"

namespace hourglass::issuance {
namespace {

void AddOwn(const TlsMaterial& tls, absl::string_view field,
            std::vector<CertificateEnds::Own>* own) {
  own->push_back({absl::StrCat(field, ".certificate"), tls.certificate});
  own->push_back({absl::StrCat(field, ".trusted_roots"), tls.trusted_roots, true});
}

}  // namespace

absl::StatusOr<std::unique_ptr<Upkeep>> Upkeep::Start(const Config& config, const ServiceTls& tls,
                                                      const Subjects& subjects) {
  std::unique_ptr<Upkeep> upkeep = absl::WrapUnique(new Upkeep());
  upkeep->WatchEnds(tls, subjects);
  RETURN_IF_ERROR(upkeep->ServeMetrics(config, subjects));
  RETURN_IF_ERROR(upkeep->WarmUp(subjects));
  if (config.journal.retention.has_value()) {
    const ServiceState& state = *subjects.state;
    upkeep->retention_.emplace(*config.journal.retention, state.store(), state.time_records(),
                               state.clock(), *subjects.log);
  }
  upkeep->decisions_.emplace(config.journal.decisions, subjects.state->store(),
                             subjects.state->clock(), *subjects.log);
  if (AnyRotationPolicy(config)) {
    upkeep->rotation_.emplace(subjects.state->store(), subjects.roots, subjects.tenants,
                              subjects.state->clock(), subjects.log);
  }
  upkeep->completion_.emplace(subjects.bundles);
  return upkeep;
}

void Upkeep::WatchEnds(const ServiceTls& tls, const Subjects& subjects) {
  std::vector<CertificateEnds::Own> own;
  AddOwn(tls.own, "tls", &own);
  if (tls.compliance.has_value()) AddOwn(*tls.compliance, "compliance.tls", &own);
  ends_.emplace(own, subjects.state->store(), subjects.state->clock(), *subjects.log);
  elsewhere_.emplace(subjects.state->store());
  ends_->Watch([this] { elsewhere_->Look(); });
}

absl::Status Upkeep::ServeMetrics(const Config& config, const Subjects& subjects) {
  if (config.metrics_listen.empty()) return absl::OkStatus();
  const ServiceCounts& counts = *subjects.counts;
  ASSIGN_OR_RETURN(metrics_, Metrics::Serve(config.metrics_listen,
                                            {.keys = subjects.keys,
                                             .counters = &counts.issued,
                                             .load = &counts.load,
                                             .state = subjects.state,
                                             .ends = &*ends_,
                                             .failed_calls = &counts.failed_calls,
                                             .refusals_not_kept = &counts.refusals_not_kept,
                                             .limited = &counts.limited,
                                             .tokens = subjects.tokens,
                                             .compliance = config.compliance.endpoint.empty()
                                                               ? nullptr
                                                               : &counts.compliance}));
  return absl::OkStatus();
}

absl::Status Upkeep::WarmUp(const Subjects& subjects) {
  ASSIGN_OR_RETURN(const std::vector<TenantRecord> tenants, subjects.state->store()->ListTenants());
  std::vector<std::string> tenant_ids;
  tenant_ids.reserve(tenants.size());
  for (const TenantRecord& tenant : tenants) tenant_ids.push_back(tenant.tenant_id);
  warm_up_.emplace(tenant_ids, subjects.tenants, subjects.keys, *subjects.log);
  return absl::OkStatus();
}

std::string Upkeep::metrics_address() const {
  return metrics_ == nullptr ? "" : metrics_->address();
}

}  // namespace hourglass::issuance
