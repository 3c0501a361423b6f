// Part of the running service: the way of a request for a certificate.
#ifndef HOURGLASS_ISSUANCE_SERVER_ISSUING_H_
#define HOURGLASS_ISSUANCE_SERVER_ISSUING_H_

#include <memory>
#include <optional>

#include "issuance/admission/lanes.h"
#include "issuance/admission/request_limits.h"
#include "issuance/authorities/tenants.h"
#include "issuance/base/clock.h"
#include "issuance/base/entropy.h"
#include "issuance/compliance/compliance_client.h"
#include "issuance/compliance/compliance_counts.h"
#include "issuance/compliance/engine.h"
#include "issuance/compliance/facts_read_ahead.h"
#include "issuance/config/config.h"
#include "issuance/log/event_log.h"
#include "issuance/pipeline/group_commit.h"
#include "issuance/pipeline/issuance_load.h"
#include "issuance/pipeline/pipeline.h"
#include "issuance/server/tls_material.h"
#include "issuance/store/store.h"
#include "issuance/tokens/tenant_tokens.h"

namespace hourglass::issuance {

// Where verdicts come from, the pipeline, and the lanes that carry requests through it.
class Issuing {
 public:
  // What it works with; all must outlive it.
  struct Means {
    Store* store;
    Tenants* tenants;
    Entropy* entropy;
    const Clock* clock;
    const TokensByTenant* tokens;
    IssuanceLoad* load;
    ComplianceCounts* compliance;  // of questions to a service elsewhere
    RequestLimitCounts* limited;
    const EventLog* log;
  };

  // `compliance_tls` is what a compliance service that is elsewhere is met with; nothing, where the
  // configuration names none. Waits for no compliance service.
  static std::unique_ptr<Issuing> Start(const Config& config,
                                        std::optional<TlsMaterial> compliance_tls,
                                        const Means& means);
  // Finishes what waits in the lanes; nobody may hand in anything any more.
  ~Issuing() = default;
  Issuing(const Issuing&) = delete;
  Issuing& operator=(const Issuing&) = delete;

  ComplianceClient* compliance() { return &*compliance_; }
  // Null where verdicts come from a service elsewhere.
  ComplianceEngine* engine() { return engine_.has_value() ? &*engine_ : nullptr; }
  RequestLimits* limits() { return &*limits_; }
  Lanes* lanes() { return &*lanes_; }

 private:
  explicit Issuing(Store* store) : journal_(store, store), facts_(store) {}
  void ConnectCompliance(const Config& whole, std::optional<TlsMaterial> tls, const Means& means);
  void OpenLanes(const LimitsConfig& limits, const Means& means);

  // Each uses those before it.
  GroupCommit journal_;
  FactsReadAhead facts_;
  std::optional<ComplianceEngine> engine_;  // none where the service is elsewhere
  std::optional<ComplianceClient> compliance_;
  std::optional<RequestLimits> limits_;
  std::optional<Pipeline> pipeline_;
  std::optional<Lanes> lanes_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVER_ISSUING_H_
