#include "issuance/compliance/embedded_stub.h"

#include <grpcpp/support/client_callback.h>

#include <functional>
#include <string>
#include <utility>

#include "issuance/wire/status_detail.h"

namespace hourglass::issuance {
namespace {

using Stub = v1::ComplianceService::StubInterface;
using AsyncStub = Stub::async_interface;

class EngineStub final : public DirectoryStub, public AsyncStub {
 public:
  explicit EngineStub(ComplianceEngine* engine) : engine_(engine) {}

  grpc::Status Evaluate(grpc::ClientContext*, const v1::EvaluateRequest& request,
                        v1::Verdict* verdict) override {
    std::string sid;
    return Answer(request, verdict, &sid);
  }

  void EvaluateWithSid(grpc::ClientContext*, const v1::EvaluateRequest* request,
                       v1::Verdict* verdict, std::string* sid,
                       std::function<void(grpc::Status)> done) override {
    done(Answer(*request, verdict, sid));
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

  grpc::Status Answer(const v1::EvaluateRequest& request, v1::Verdict* verdict, std::string* sid) {
    absl::StatusOr<v1::Verdict> answer = engine_->Evaluate(request, sid);
    if (!answer.ok()) return ToGrpcStatus(answer.status());
    *verdict = *std::move(answer);
    return grpc::Status::OK;
  }

  ComplianceEngine* const engine_;
};

}  // namespace

std::unique_ptr<DirectoryStub> EmbeddedComplianceStub(ComplianceEngine* engine) {
  return std::make_unique<EngineStub>(engine);
}

}  // namespace hourglass::issuance
