#include "issuance/compliance/embedded_stub.h"

#include <string>
#include <utility>

#include "issuance/compliance/callback_stub.h"
#include "issuance/wire/status_detail.h"

namespace hourglass::issuance {
namespace {

class EngineStub final : public CallbackStub<DirectoryStub> {
 public:
  explicit EngineStub(ComplianceEngine* engine) : engine_(engine) {}

  void Ask(grpc::ClientContext*, const v1::EvaluateRequest* request, v1::Verdict* verdict,
           Done done) override {
    std::string sid;
    done(Answer(*request, verdict, &sid));
  }

  void EvaluateWithSid(grpc::ClientContext*, const v1::EvaluateRequest* request,
                       v1::Verdict* verdict, std::string* sid, Done done) override {
    done(Answer(*request, verdict, sid));
  }

 private:
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
