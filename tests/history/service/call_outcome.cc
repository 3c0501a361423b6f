#include "tests/history/service/call_outcome.h"

#include <chrono>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "ca/issuers/root_states.h"
#include "issuance/wire/status_detail.h"

namespace hourglass::history {
namespace {

bool IsNoAnswer(grpc::StatusCode code) {
  return code == grpc::StatusCode::UNAVAILABLE || code == grpc::StatusCode::DEADLINE_EXCEEDED ||
         code == grpc::StatusCode::CANCELLED;
}

template <typename Outcome>
Outcome FailureOf(const grpc::Status& status) {
  const std::string code =
      absl::StatusCodeToString(static_cast<absl::StatusCode>(status.error_code()));
  const std::optional<v1::ErrorDetail> detail = issuance::ErrorDetailOf(status);
  if (detail.has_value()) {
    return Refused{code, v1::ErrorReason_Name(detail->reason()), status.error_message()};
  }
  if (IsNoAnswer(status.error_code())) return Unanswered{code, status.error_message()};
  return Refused{code, "", status.error_message()};
}

}  // namespace

IssueOutcome OutcomeOf(const grpc::Status& status, const v1::IssueCertificateResponse& response) {
  if (status.ok()) return Received{response.certificate()};
  return FailureOf<IssueOutcome>(status);
}

IssueOutcome OutcomeOf(const v1::IssueCertificatesResponse& response) {
  if (response.has_issued()) return Received{response.issued().certificate()};
  const v1::RpcStatus& refused = response.refused();
  return FailureOf<IssueOutcome>(grpc::Status(static_cast<grpc::StatusCode>(refused.code()),
                                              refused.message(), refused.SerializeAsString()));
}

AdministrativeOutcome OutcomeOf(const grpc::Status& status, const v1::Root& root) {
  if (!status.ok()) return FailureOf<AdministrativeOutcome>(status);
  // A state that is no state is no action either: the checker misses it in the journal.
  const std::optional<ca::RootState> state = ca::RootStateNamed(v1::RootState_Name(root.state()));
  const google::protobuf::Timestamp& since = root.state_since();
  return Changed{state.value_or(ca::RootState::kStaged),
                 Timestamp(std::chrono::seconds(since.seconds()) +
                           std::chrono::microseconds(since.nanos() / 1000))};
}

}  // namespace hourglass::history
