#include "issuance/services/issue_desk.h"

#include <chrono>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_join.h"
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
  log.Info("certificate_refused", {{"tenant", task.request->tenant_id()},
                                   {"caller", task.caller->name},
                                   {"user", UserOf(task)},
                                   {"device", DeviceOf(task)},
                                   {"request", task.request->request_id()},
                                   {"reason", ErrorReasonName(ReasonOf(refusal))},
                                   {"settings", absl::StrJoin(settings, " ")}});
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
  task->deadline = DeadlineBy(*clock_, context.deadline());
  const std::optional<std::chrono::milliseconds> come_back = lanes_->Submit(task);
  if (!come_back.has_value()) return std::nullopt;
  const absl::Status overloaded = Error(ErrorReason::kOverloaded, "", "");
  counters_->Count(overloaded);
  calls_->CountFailure(overloaded);
  return OverloadedUntil(*come_back);
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
  return FailureOf(refusal, task.deny_reasons);
}

}  // namespace hourglass::issuance
