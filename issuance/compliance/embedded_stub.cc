#include "issuance/compliance/embedded_stub.h"

#include <grpcpp/support/client_callback.h>

#include <functional>
#include <utility>

#include "issuance/wire/status_detail.h"

namespace hourglass::issuance {
namespace {

using Stub = v1::ComplianceService::StubInterface;
using AsyncStub = Stub::async_interface;

class EngineStub final : public Stub, public AsyncStub {
 public:
  explicit EngineStub(ComplianceEngine* engine) : engine_(engine) {}

  grpc::Status Evaluate(grpc::ClientContext*, const v1::EvaluateRequest& request,
                        v1::Verdict* verdict) override {
    absl::StatusOr<v1::Verdict> answer = engine_->Evaluate(request);
    if (!answer.ok()) return ToGrpcStatus(answer.status());
    *verdict = *std::move(answer);
    return grpc::Status::OK;
  }

  AsyncStub* async() override { return this; }

  void Evaluate(grpc::ClientContext* context, const v1::EvaluateRequest* request,
                v1::Verdict* verdict, std::function<void(grpc::Status)> done) override {
    done(Evaluate(context, *request, verdict));
  }
  void Evaluate(grpc::ClientContext* context, const v1::EvaluateRequest* request,
                v1::Verdict* verdict, grpc::ClientUnaryReactor* reactor) override {
    reactor->OnDone(Evaluate(context, *request, verdict));
  }

 private:
  using Reader = grpc::ClientAsyncResponseReaderInterface<v1::Verdict>;
  Reader* AsyncEvaluateRaw(grpc::ClientContext*, const v1::EvaluateRequest&,
                           grpc::CompletionQueue*) override {
    return nullptr;
  }
  Reader* PrepareAsyncEvaluateRaw(grpc::ClientContext*, const v1::EvaluateRequest&,
                                  grpc::CompletionQueue*) override {
    return nullptr;
  }

  ComplianceEngine* const engine_;
};

}  // namespace

std::unique_ptr<Stub> EmbeddedComplianceStub(ComplianceEngine* engine) {
  return std::make_unique<EngineStub>(engine);
}

}  // namespace hourglass::issuance
