// The embedded compliance engine through the interface that gRPC generates for callers.
#ifndef HOURGLASS_ISSUANCE_COMPLIANCE_EMBEDDED_STUB_H_
#define HOURGLASS_ISSUANCE_COMPLIANCE_EMBEDDED_STUB_H_

#include <memory>

#include "issuance/compliance/directory_stub.h"
#include "issuance/compliance/engine.h"

namespace hourglass::issuance {

// A stub whose calls run the engine on the caller's own thread: no channel, no server, no other
// thread, and the callback of an asynchronous call runs before the call returns. Contexts are not
// looked at: the engine waits for nobody, so that no deadline can pass. Calls by completion queue,
// which has no place here, give null. Safe to call from several threads. `engine` must outlive it.
std::unique_ptr<DirectoryStub> EmbeddedComplianceStub(ComplianceEngine* engine);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_COMPLIANCE_EMBEDDED_STUB_H_
