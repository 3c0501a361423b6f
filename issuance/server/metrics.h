// The service's metrics, for Prometheus.
#ifndef HOURGLASS_ISSUANCE_SERVER_METRICS_H_
#define HOURGLASS_ISSUANCE_SERVER_METRICS_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "hsm/store/key_store.h"
#include "issuance/admission/request_limits.h"
#include "issuance/calls/issuance_counters.h"
#include "issuance/compliance/compliance_counts.h"
#include "issuance/pipeline/issuance_load.h"
#include "issuance/server/access_tokens.h"
#include "issuance/server/certificate_ends.h"
#include "issuance/server/service_state.h"

namespace hourglass::issuance {

// Serves `GET /metrics` in Prometheus' text format (version 0.0.4) over plain HTTP. What it says is
// read when it is asked for. docs/operations.md lists the names.
class Metrics {
 public:
  // All must outlive the metrics.
  struct Sources {
    const hsm::KeyStore* keys;
    const IssuanceCounters* counters;
    const IssuanceLoad* load;
    const ServiceState* state;
    const CertificateEnds* ends;
    const IssuanceCounters* failed_calls;
    const std::atomic<std::uint64_t>* refusals_not_kept;
    const RequestLimitCounts* limited;
    const AccessTokens* tokens;
    const ComplianceCounts* compliance = nullptr;  // null: the engine is embedded
  };

  // `listen` is `host:port`; port 0 takes a free one. Errors: UNAVAILABLE without a reason where
  // the address cannot be listened on.
  static absl::StatusOr<std::unique_ptr<Metrics>> Serve(const std::string& listen,
                                                        const Sources& sources);

  virtual ~Metrics() = default;
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // `host:port` listened on.
  virtual const std::string& address() const = 0;

 protected:
  Metrics() = default;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVER_METRICS_H_
