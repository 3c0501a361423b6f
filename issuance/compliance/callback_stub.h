// The rest of gRPC's interface of a stub of the compliance service, for those that answer by a
// callback.
#ifndef HOURGLASS_ISSUANCE_COMPLIANCE_CALLBACK_STUB_H_
#define HOURGLASS_ISSUANCE_COMPLIANCE_CALLBACK_STUB_H_

#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>

#include <functional>
#include <future>
#include <utility>

#include "hourglass/v1/compliance.grpc.pb.h"

namespace hourglass::issuance {

// `Interface` is v1::ComplianceService::StubInterface, or derived from it. Calls that wait and
// calls with a reactor end with what Ask says. Calls by completion queue, which nobody here makes,
// give null. As safe to call from several threads as Ask.
template <typename Interface>
class CallbackStub : public Interface,
                     public v1::ComplianceService::StubInterface::async_interface {
 public:
  using Done = std::function<void(grpc::Status)>;

  // Calls `done` once, which may be before it returns. All must stay until then.
  virtual void Ask(grpc::ClientContext* context, const v1::EvaluateRequest* request,
                   v1::Verdict* verdict, Done done) = 0;

  grpc::Status Evaluate(grpc::ClientContext* context, const v1::EvaluateRequest& request,
                        v1::Verdict* verdict) final {
    std::promise<grpc::Status> answered;
    Ask(context, &request, verdict,
        [&answered](grpc::Status status) { answered.set_value(std::move(status)); });
    return answered.get_future().get();
  }
  v1::ComplianceService::StubInterface::async_interface* async() final { return this; }
  void Evaluate(grpc::ClientContext* context, const v1::EvaluateRequest* request,
                v1::Verdict* verdict, Done done) final {
    Ask(context, request, verdict, std::move(done));
  }
  void Evaluate(grpc::ClientContext* context, const v1::EvaluateRequest* request,
                v1::Verdict* verdict, grpc::ClientUnaryReactor* reactor) final {
    Ask(context, request, verdict,
        [reactor](const grpc::Status& status) { reactor->OnDone(status); });
  }

 private:
  using Reader = grpc::ClientAsyncResponseReaderInterface<v1::Verdict>;
  Reader* AsyncEvaluateRaw(grpc::ClientContext*, const v1::EvaluateRequest&,
                           grpc::CompletionQueue*) final {
    return nullptr;
  }
  Reader* PrepareAsyncEvaluateRaw(grpc::ClientContext*, const v1::EvaluateRequest&,
                                  grpc::CompletionQueue*) final {
    return nullptr;
  }
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_COMPLIANCE_CALLBACK_STUB_H_
