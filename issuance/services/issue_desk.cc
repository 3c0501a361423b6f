#include "issuance/services/issue_desk.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "hourglass/v1/decisions.pb.h"
#include "hsm/base/error.h"
#include "issuance/calls/malformed_message.h"
#include "issuance/identity/methods.h"

namespace hourglass::issuance {
namespace {

// Whom the pipeline found, or whom the request names where it did not come to that.
const std::string& UserOf(const IssueTask& task) {
  return task.user_upn.empty() ? task.request->user().upn() : task.user_upn;
}
const std::string& DeviceOf(const IssueTask& task) {
  return task.device_id.empty() ? task.request->device_id() : task.device_id;
}

// For whom, which the line about the failed call does not say.
void LogRefusal(const EventLog& log, const IssueTask& task, const absl::Status& refusal) {
  std::vector<absl::string_view> settings;
  settings.reserve(task.deny_reasons.size());
  for (const v1::DenyReason& reason : task.deny_reasons) settings.push_back(reason.setting());
  log.Info("certificate_refused",
           {{"tenant", task.request->tenant_id()},
            {"caller", task.caller->name},
            {"user", UserOf(task)},
            {"device", DeviceOf(task)},
            {"request", task.request->request_id()},
            {"reason", ErrorReasonName(ReasonOf(refusal))},
            {"settings", absl::StrJoin(settings, " ")},
            {"verdict", task.denial.has_value() ? task.denial->verdict_id : ""}});
}

RefusalRecord RecordOf(const IssueTask& task, const IssueTask::Denial& denial) {
  v1::DenyReasons reasons;
  reasons.mutable_reasons()->Assign(task.deny_reasons.begin(), task.deny_reasons.end());
  RefusalRecord refusal;
  refusal.tenant_id = task.request->tenant_id();
  refusal.verdict_id = denial.verdict_id;
  refusal.at = denial.evaluated_at;
  refusal.caller = task.caller->name;
  refusal.user_id = denial.user_id;
  refusal.user_upn = denial.user_upn;
  refusal.device_id = denial.device_id;
  refusal.request_id = task.request->request_id();
  refusal.policy_version = denial.policy_version;
  refusal.reasons = reasons.SerializeAsString();
  return refusal;
}

void LogIssued(const EventLog& log, const IssueTask& task) {
  log.Info("certificate_issued",
           {{"tenant", task.request->tenant_id()},
            {"caller", task.caller->name},
            {"user", UserOf(task)},
            {"device", DeviceOf(task)},
            {"request", task.request->request_id()},
            {"serial", absl::BytesToHexString(task.response->serial_number())},
            {"verdict", task.response->verdict_id()}});
}

// gRPC says it by the machine's clock; what is left until then is the same by any.
Timestamp DeadlineBy(const Clock& clock, std::chrono::system_clock::time_point deadline) {
  if (deadline == std::chrono::system_clock::time_point::max()) return Timestamp::max();
  const auto left = deadline - std::chrono::system_clock::now();
  return clock.Now() + std::chrono::floor<std::chrono::microseconds>(left);
}

}  // namespace

std::optional<grpc::Status> IssueDesk::HandIn(IssueTask* task,
                                              const grpc::ServerContextBase& context,
                                              absl::string_view method) {
  const absl::Status permitted =
      Permit(*task->caller, MethodNamed(method), task->request->tenant_id());
  if (!permitted.ok()) return Refuse(*task, permitted, context, method);
  // Whose device a token is of is known once it is verified, and charged then.
  const absl::string_view device_id =
      task->request->access_token().empty() ? task->request->device_id() : absl::string_view();
  const std::optional<RequestLimits::Refusal> limited =
      limits_->Admit({task->caller->name, task->request->tenant_id(), device_id}, clock_->Now());
  if (limited.has_value()) return RefuseTooFrequent(*task, limited->limit, TooFrequent(*limited));
  task->deadline = DeadlineBy(*clock_, context.deadline());
  const std::optional<std::chrono::milliseconds> come_back = lanes_->Submit(task);
  if (!come_back.has_value()) return std::nullopt;
  const absl::Status overloaded = Error(ErrorReason::kOverloaded, "", "");
  counters_->Count(overloaded);
  calls_->CountFailure(overloaded);
  return OverloadedUntil(*come_back);
}

// Who loops must not fill the log: a line a second, with one of those that were refused.
grpc::Status IssueDesk::RefuseTooFrequent(const IssueTask& task, RequestLimit limit,
                                          const absl::Status& refusal) {
  counters_->Count(refusal);
  calls_->CountFailure(refusal);
  const std::optional<std::uint64_t> refused = limits_->Unreported(clock_->Now());
  if (refused.has_value()) {
    log_->Warning("requests_too_frequent", {{"limit", RequestLimitName(limit)},
                                            {"tenant", task.request->tenant_id()},
                                            {"caller", task.caller->name},
                                            {"device", DeviceOf(task)},
                                            {"refused", absl::StrCat(*refused)}});
  }
  return FailureOf(refusal, {});
}

grpc::Status IssueDesk::HandOut(const IssueTask& task, const grpc::ServerContextBase& context,
                                absl::string_view method) {
  if (task.status.ok()) {
    counters_->Count(task.status);
    LogIssued(*log_, task);
    return grpc::Status::OK;
  }
  // Nobody waits any more, and nothing was decided.
  if (absl::IsCancelled(task.status) || absl::IsDeadlineExceeded(task.status)) {
    return FailureOf(task.status, {});
  }
  // By the pipeline, which knows devices by their tokens.
  if (ReasonOf(task.status) == ErrorReason::kRequestsTooFrequent) {
    return RefuseTooFrequent(task, RequestLimit::kDevice, task.status);
  }
  return Refuse(task, task.status, context, method);
}

grpc::Status IssueDesk::RefuseMalformed(const Caller* caller,
                                        const grpc::ServerContextBase& context,
                                        absl::string_view method) {
  const absl::Status refusal = MalformedMessage(v1::IssueCertificateRequest::descriptor()->name());
  calls_->LogFailure(context, method, caller, refusal);
  counters_->Count(refusal);
  return FailureOf(refusal, {});
}

grpc::Status IssueDesk::Refuse(const IssueTask& task, const absl::Status& refusal,
                               const grpc::ServerContextBase& context, absl::string_view method) {
  calls_->LogFailure(context, method, task.caller, refusal);
  counters_->Count(refusal);
  LogRefusal(*log_, task, refusal);
  if (!task.denial.has_value()) return FailureOf(refusal, task.deny_reasons);
  if (refusals_ != nullptr) refusals_->Note(RecordOf(task, *task.denial));
  return FailureOf(refusal, task.deny_reasons, task.denial->verdict_id);
}

}  // namespace hourglass::issuance
