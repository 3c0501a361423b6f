// A compliance service that is not asked about what is blocked.
#ifndef HOURGLASS_ISSUANCE_COMPLIANCE_GUARDED_STUB_H_
#define HOURGLASS_ISSUANCE_COMPLIANCE_GUARDED_STUB_H_

#include <memory>

#include "hourglass/v1/compliance.grpc.pb.h"
#include "issuance/base/clock.h"
#include "issuance/compliance/directory_stub.h"
#include "issuance/store/access_store.h"

namespace hourglass::issuance {

// A stub that answers a deny itself where FindBlocks (issuance/compliance/blocks.h) finds
// something, and asks `next` about all else: for a compliance service elsewhere, which knows
// nothing of blocks and may be away. Reads the store on the caller's thread, which may block; such
// an answer's callback runs before the call returns. Where the store cannot be read, or the clock
// not be believed, nobody is asked and the call fails with that error. Calls by completion queue
// give null. Safe to call from several threads. `store` and `clock` must outlive it.
std::unique_ptr<DirectoryStub> GuardedComplianceStub(
    std::unique_ptr<v1::ComplianceService::StubInterface> next, DecisionFactsStore* store,
    const Clock* clock);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_COMPLIANCE_GUARDED_STUB_H_
