// Part of the running service: what goes on by itself, whoever calls.
#ifndef HOURGLASS_ISSUANCE_SERVER_UPKEEP_H_
#define HOURGLASS_ISSUANCE_SERVER_UPKEEP_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hsm/store/key_store.h"
#include "issuance/authorities/key_warm_up.h"
#include "issuance/authorities/tenants.h"
#include "issuance/config/config.h"
#include "issuance/log/event_log.h"
#include "issuance/rotation/trust_bundles.h"
#include "issuance/server/access_tokens.h"
#include "issuance/server/bundle_completion.h"
#include "issuance/server/certificate_ends.h"
#include "issuance/server/changes_elsewhere.h"
#include "issuance/server/decision_retention.h"
#include "issuance/server/journal_retention.h"
#include "issuance/server/metrics.h"
#include "issuance/server/service_counts.h"
#include "issuance/server/service_state.h"
#include "issuance/server/timed_rotation.h"
#include "issuance/server/tls_material.h"

namespace hourglass::issuance {

// The watch over certificates that end and over what other processes change, the metrics, the keys
// that are opened ahead, the end of old records, rotation by policy, and trust bundles that lack
// signatures: started in this order, and stopped in the reverse. Each has its own threads, but both
// watches share one.
class Upkeep {
 public:
  // What it looks at; all must outlive it.
  struct Subjects {
    ServiceState* state;
    hsm::KeyStore* keys;
    Tenants* tenants;
    RootAdministration* roots;
    TrustBundles* bundles;
    const ServiceCounts* counts;
    const AccessTokens* tokens;
    const EventLog* log;
  };

  // Watches over the certificates in `tls`, which the service uses, and opens no file of theirs.
  // Errors: JOURNAL_UNAVAILABLE; UNAVAILABLE without a reason where the address of the metrics
  // cannot be listened on.
  static absl::StatusOr<std::unique_ptr<Upkeep>> Start(const Config& config, const ServiceTls& tls,
                                                       const Subjects& subjects);
  // Waits for keys that are being opened or made, and records that are being dropped.
  ~Upkeep() = default;
  Upkeep(const Upkeep&) = delete;
  Upkeep& operator=(const Upkeep&) = delete;

  // `host:port` of the metrics; empty where the configuration wants none.
  std::string metrics_address() const;

 private:
  Upkeep() = default;
  void WatchEnds(const ServiceTls& tls, const Subjects& subjects);
  absl::Status ServeMetrics(const Config& config, const Subjects& subjects);
  absl::Status WarmUp(const Subjects& subjects);

  std::optional<ChangesElsewhere> elsewhere_;
  std::optional<CertificateEnds> ends_;  // its thread looks elsewhere, too
  std::unique_ptr<Metrics> metrics_;     // reads the ends
  std::optional<KeyWarmUp> warm_up_;
  std::optional<JournalRetention> retention_;
  std::optional<DecisionRetention> decisions_;
  std::optional<TimedRotation> rotation_;
  std::optional<BundleCompletion> completion_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVER_UPKEEP_H_
