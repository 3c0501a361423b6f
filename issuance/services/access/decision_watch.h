// Streams of decisions.
#ifndef HOURGLASS_ISSUANCE_SERVICES_ACCESS_DECISION_WATCH_H_
#define HOURGLASS_ISSUANCE_SERVICES_ACCESS_DECISION_WATCH_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hourglass/v1/decisions.pb.h"
#include "hsm/base/mutex.h"
#include "issuance/base/clock.h"
#include "issuance/base/recurring.h"
#include "issuance/calls/call_runner.h"
#include "issuance/calls/unary_service.h"
#include "issuance/store/decision_store.h"
#include "issuance/store/journal_store.h"
#include "issuance/store/tenant_store.h"

namespace hourglass::issuance {

// Where events and what they concern are found; all must outlive whoever uses them.
struct DecisionSources {
  TenantStore* tenants;
  DecisionStore* decisions;
  JournalStore* journal;
  const Clock* clock;
};

// What a gateway is told of the event now, with the certificates that it concerns; without any, and
// not complete, while the clock is not believed. Errors: JOURNAL_UNAVAILABLE.
absl::StatusOr<v1::DecisionEvent> Told(const DecisionSources& sources, const DecisionEvent& event);

// The open streams of v1::DecisionService.WatchDecisions. Its one thread looks each second whether
// there are new events, of whichever process, while somebody watches; all else that may block is
// done in turn with the other calls of who watches. Safe to call from several threads.
class DecisionWatches {
 public:
  using Request = Asked<v1::WatchDecisionsRequest>;
  using Reactor = grpc::ServerWriteReactor<v1::DecisionEvent>;

  // `calls` must outlive this object, and that every stream.
  DecisionWatches(CallRunner* calls, const DecisionSources& sources);
  DecisionWatches(const DecisionWatches&) = delete;
  DecisionWatches& operator=(const DecisionWatches&) = delete;

  // The stream keeps itself until it is done. It sends each event after the cursor once, in their
  // order. It ends with an error and never with OK: CallRunner::Identify, which is asked before
  // each event; FIELD_INVALID for a message that is none; those of Permit; TENANT_UNKNOWN;
  // CURSOR_UNKNOWN; those of Told; OVERLOADED where there are as many as CallLimits has, where more
  // of the caller's calls wait than may, or where it reads nothing and holds as many octets as it
  // may; STOPPING; CANCELLED where the caller is gone. All but the last two are logged and counted.
  Reactor* Open(grpc::CallbackServerContext* context, const Request& asked);

  // Sends no more, and opens none: they end with STOPPING.
  void Stop();

 private:
  class Watch;
  using OfTenant = absl::flat_hash_set<std::shared_ptr<Watch>>;

  bool Add(const std::string& tenant_id, std::shared_ptr<Watch> watch);
  void Remove(const std::string& tenant_id, const std::shared_ptr<Watch>& watch);
  // Wakes those of whose tenants there are others than at the last look.
  void Look();

  CallRunner* const calls_;
  const DecisionSources sources_;
  Mutex mutex_;  // held while no watch is called
  absl::flat_hash_map<std::string, OfTenant> open_
      ABSL_GUARDED_BY(mutex_);  // by tenant, none empty
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::map<std::string, std::uint64_t> newest_;  // of the thread, by tenant
  const Recurring looking_;                      // the last: it uses what is above
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVICES_ACCESS_DECISION_WATCH_H_
