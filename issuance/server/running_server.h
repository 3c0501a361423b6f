// The parts of the running service, in their order.
#ifndef HOURGLASS_ISSUANCE_SERVER_RUNNING_SERVER_H_
#define HOURGLASS_ISSUANCE_SERVER_RUNNING_SERVER_H_

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "issuance/base/clock.h"
#include "issuance/base/entropy.h"
#include "issuance/config/config.h"
#include "issuance/log/event_log.h"
#include "issuance/server/access_tokens.h"
#include "issuance/server/issuing.h"
#include "issuance/server/key_custody.h"
#include "issuance/server/known_callers.h"
#include "issuance/server/listener.h"
#include "issuance/server/served_calls.h"
#include "issuance/server/server.h"
#include "issuance/server/service_counts.h"
#include "issuance/server/service_state.h"
#include "issuance/server/tenant_authorities.h"
#include "issuance/server/upkeep.h"
#include "issuance/timekeeping/kernel_time.h"

namespace hourglass::issuance {

// Owns the parts, and knows nothing of what each does. Of this room only.
//
// They start in this order, so that each finds those that it uses:
//   1. KnownCallers       the callers, with their revocation lists
//   2. KeyCustody         the keys, without reaching a token
//   3. ServiceState       the store with its upkeep, the watched clock, the place among replicas
//   4. TenantAuthorities  what tenants sign with
//   5. AccessTokens       the tokens that tenants take, with their issuers' keys
//   6. Issuing            the compliance service, the pipeline, the lanes
//   7. Upkeep             ends of certificates, changes of others, metrics, keys opened ahead,
//                         retention, rotation by policy, bundles that lack signatures
//   8. ServedCalls        the services, with the threads of their calls
//   9. Listener           the edge, gRPC's server, the guard of their memory
//
// They stop in this order, so that each is there while it is used: 9, 8, 6, 7, 5, 4, 1, 2, 3. That
// is the reverse but for those that do not use each other: metrics are told until the lanes have
// finished, and the store is the last to go.
class RunningServer final : public Server {
 public:
  RunningServer() = default;
  ~RunningServer() override = default;

  // To be called once. What did start when a part fails is stopped by the destructor. As
  // Server::Start.
  absl::Status StartParts(const Config& config, const Clock* clock, const KernelTime* kernel,
                          Entropy* entropy, const EventLog* log);

  const std::string& address() const override { return listener_->address(); }
  std::string metrics_address() const override { return upkeep_->metrics_address(); }
  void Stop(std::chrono::milliseconds grace) override { listener_->Stop(grace); }

 private:
  // The last is stopped first.
  std::unique_ptr<ServiceState> state_;
  std::unique_ptr<KeyCustody> custody_;
  std::unique_ptr<KnownCallers> callers_;
  std::optional<TenantAuthorities> authorities_;
  std::optional<AccessTokens> tokens_;
  ServiceCounts counts_;  // of 6, 7 and 8
  std::unique_ptr<Upkeep> upkeep_;
  std::unique_ptr<Issuing> issuing_;
  std::optional<ServedCalls> calls_;
  std::unique_ptr<Listener> listener_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVER_RUNNING_SERVER_H_
