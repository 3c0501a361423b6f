// Streams of decisions.
#ifndef HOURGLASS_ISSUANCE_SERVICES_ACCESS_DECISION_WATCH_H_
#define HOURGLASS_ISSUANCE_SERVICES_ACCESS_DECISION_WATCH_H_

#include <grpcpp/server_context.h>

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "hourglass/v1/decisions.pb.h"
#include "issuance/base/clock.h"
#include "issuance/base/recurring.h"
#include "issuance/calls/call_runner.h"
#include "issuance/calls/watches.h"
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
  using Streams = Watches<v1::WatchDecisionsRequest, v1::DecisionEvent>;

  // `calls` must outlive this object, and that every stream.
  DecisionWatches(CallRunner* calls, const DecisionSources& sources);

  // The stream keeps itself until it is done. It sends each event after the cursor once, in their
  // order. It ends as Watches says, and with TENANT_UNKNOWN, CURSOR_UNKNOWN and the errors of Told.
  Streams::Reactor* Open(grpc::CallbackServerContext* context, const Streams::Request& asked) {
    return streams_.Open(context, asked);
  }

  // Those that somebody watches now, in no order.
  std::vector<std::string> Tenants() const { return streams_.Tenants(); }

  // Sends no more, and opens none: they end with STOPPING.
  void Stop() { streams_.Stop(); }

 private:
  // Wakes those of whose tenants there are others than at the last look.
  void Look();

  const DecisionSources sources_;
  Streams streams_;
  std::map<std::string, std::uint64_t> newest_;  // of the thread, by tenant
  const Recurring looking_;                      // the last: it uses what is above
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVICES_ACCESS_DECISION_WATCH_H_
