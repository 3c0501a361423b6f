// A stub of the compliance service that also says what the service's own directory has of a user.
#ifndef HOURGLASS_ISSUANCE_COMPLIANCE_DIRECTORY_STUB_H_
#define HOURGLASS_ISSUANCE_COMPLIANCE_DIRECTORY_STUB_H_

#include <functional>
#include <string>

#include "hourglass/v1/compliance.grpc.pb.h"

namespace hourglass::issuance {

// Whoever reads the facts of a decision for a verdict has read the user, too; this saves a second
// read. What it says comes from this service's store and never from an answer, wherever that is
// made.
class DirectoryStub : public v1::ComplianceService::StubInterface {
 public:
  // As async()->Evaluate; `sid` gets the DirectorySid (issuance/compliance/mapped_sid.h) of whom
  // the question is about before the call returns, or `done` is called, whatever the answer will
  // be. All must stay until `done` is called.
  virtual void EvaluateWithSid(grpc::ClientContext* context, const v1::EvaluateRequest* request,
                               v1::Verdict* verdict, std::string* sid,
                               std::function<void(grpc::Status)> done) = 0;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_COMPLIANCE_DIRECTORY_STUB_H_
