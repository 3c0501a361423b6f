// A compliance service elsewhere, which may be away, slow, or about to come back.
#ifndef HOURGLASS_ISSUANCE_COMPLIANCE_REMOTE_STUB_H_
#define HOURGLASS_ISSUANCE_COMPLIANCE_REMOTE_STUB_H_

#include <chrono>
#include <functional>
#include <memory>

#include "hourglass/v1/compliance.grpc.pb.h"
#include "issuance/base/clock.h"
#include "issuance/compliance/circuit_breaker.h"
#include "issuance/compliance/compliance_counts.h"
#include "issuance/log/event_log.h"

namespace hourglass::issuance {

struct RemoteComplianceOptions {
  CircuitOptions circuit;
  // The configured wait for an answer. A question that was given less than half of it, since its
  // caller had no more time, and got no answer in that tells nothing of the service.
  std::chrono::milliseconds deadline = std::chrono::seconds(2);
  // The time of the circuits.
  std::function<CircuitBreaker::Time()> now = CircuitBreaker::Time::clock::now;
};

// A stub over that of the service's channel, `next`, of which it needs Evaluate of async() only.
//
// A question that could not be sent, since there is no connection, waits for one and is asked
// again, within the deadline of its context; if none is made it fails as it did at first. What was
// sent is never sent again: an answer may have been on its way.
//
// Each tenant has a circuit (CircuitBreaker). Failures are questions without an answer: no
// connection, none in time, and gRPC's UNAVAILABLE, RESOURCE_EXHAUSTED, INTERNAL, UNKNOWN,
// DATA_LOSS and ABORTED. Every verdict is an answer, and so is an error that speaks of the question
// or of who asks. While it is open questions fail at once with COMPLIANCE_UNAVAILABLE and a time to
// come back (v1::ErrorDetail). Says `compliance_circuit_opened` and `compliance_circuit_closed`.
//
// Of a context only the deadline counts. Calls by completion queue give null. Safe to call from
// several threads; no call may be under way when it goes. `clock` says when a circuit opened, and
// no more; it and `counts` must outlive it.
std::unique_ptr<v1::ComplianceService::StubInterface> RemoteComplianceStub(
    std::unique_ptr<v1::ComplianceService::StubInterface> next,
    const RemoteComplianceOptions& options, EventLog log, const Clock* clock,
    ComplianceCounts* counts);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_COMPLIANCE_REMOTE_STUB_H_
