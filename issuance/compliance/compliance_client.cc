#include "issuance/compliance/compliance_client.h"

#include <grpcpp/client_context.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "ca/encoding/utf8.h"
#include "hsm/base/error.h"
#include "hsm/base/mutex.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/custodian.h"
#include "issuance/base/entropy.h"
#include "issuance/wire/proto_time.h"
#include "issuance/wire/request_fields.h"
#include "issuance/wire/status_detail.h"

namespace hourglass::issuance {
namespace {

constexpr std::size_t kNonceSize = 32;
constexpr std::size_t kMaxVerdictIdSize = 64;
constexpr std::size_t kMaxPolicyVersionSize = 256;
constexpr int kMaxDenyReasons = 256;
// Octets; a verdict with every reason of the embedded engine is a tenth of it.
constexpr int kMaxAnswerSize = 64 * 1024;
// Another's word counts for no longer.
constexpr std::chrono::minutes kLongestRetryDelay(1);

absl::Status Invalid(absl::string_view field, absl::string_view message) {
  return Error(ErrorReason::kComplianceAnswerInvalid, field, message);
}

// With the time to come back, where the answer says one: the circuit does, or an hourglassd that
// has too much to do.
absl::Status NoVerdict(const grpc::Status& status) {
  const absl::Status told =
      Error(ErrorReason::kComplianceUnavailable, "",
            absl::StrCat("the compliance service gave no verdict, gRPC status ",
                         status.error_code(), ": ", status.error_message()));
  const std::optional<v1::ErrorDetail> detail = ErrorDetailOf(status);
  if (!detail.has_value() || !detail->has_retry_delay()) return told;
  const auto delay = std::chrono::seconds(detail->retry_delay().seconds()) +
                     std::chrono::ceil<std::chrono::milliseconds>(
                         std::chrono::nanoseconds(detail->retry_delay().nanos()));
  return hsm::WithRetryDelay(told, std::clamp<std::chrono::milliseconds>(
                                       delay, std::chrono::milliseconds(0), kLongestRetryDelay));
}

bool IsPlainText(absl::string_view text) {
  const std::optional<ca::Utf8Text> decoded = ca::DecodeUtf8(text);
  return decoded.has_value() && !decoded->has_controls;
}

bool IsHttpsUrl(absl::string_view text) {
  return absl::ConsumePrefix(&text, "https://") && !text.empty() &&
         std::all_of(text.begin(), text.end(), absl::ascii_isgraph);
}

absl::StatusOr<std::vector<v1::DenyReason>> CheckOutcome(const v1::Verdict& verdict) {
  std::vector<v1::DenyReason> reasons;
  if (verdict.has_allow()) return reasons;
  if (!verdict.has_deny()) return Invalid("outcome", "is not set");
  if (verdict.deny().reasons().empty()) return Invalid("deny.reasons", "is empty");
  if (verdict.deny().reasons_size() > kMaxDenyReasons) {
    return Invalid("deny.reasons", "has too many");
  }
  for (const v1::DenyReason& reason : verdict.deny().reasons()) {
    if (reason.setting().empty() || reason.message().empty()) {
      return Invalid("deny.reasons", "one has no setting or no message");
    }
    if (!IsPlainText(reason.setting()) || !IsPlainText(reason.message())) {
      return Invalid("deny.reasons", "one has a control character");
    }
    if (!reason.remediation_url().empty() && !IsHttpsUrl(reason.remediation_url())) {
      return Invalid("deny.reasons", "one has a remediation URL that is no https URL");
    }
    reasons.push_back(reason);
  }
  return reasons;
}

}  // namespace

absl::Status ComplianceVerdict::CheckIsFor(const VerdictSubject& subject) const {
  const auto other = [](absl::string_view field) {
    return Invalid(field, "is not what was asked about");
  };
  if (tenant_id_ != subject.tenant_id) return other("tenant_id");
  if (user_id_ != subject.user_id) return other("user_id");
  if (user_upn_ != subject.user_upn) return other("user_upn");
  if (device_id_ != subject.device_id) return other("device_id");
  if (public_key_sha256_ != subject.public_key_sha256) return other("public_key_sha256");
  return absl::OkStatus();
}

// One question under way.
struct ComplianceClient::Call {
  void Ask(const ComplianceQuestion& question, absl::string_view nonce,
           std::chrono::system_clock::time_point no_later_than) {
    request.set_tenant_id(question.tenant_id);
    request.set_user_id(question.user_id);
    request.set_user_upn(question.user_upn);
    request.set_device_id(question.device_id);
    request.set_public_key_sha256(question.public_key_sha256);
    request.set_nonce(nonce.data(), nonce.size());
    if (question.sign_in.has_value()) *request.mutable_sign_in() = *question.sign_in;
    context.set_deadline(no_later_than);
  }

  grpc::ClientContext context;
  v1::EvaluateRequest request;
  v1::Verdict answer;
  std::string directory_sid;
  grpc::Status status;
  Timestamp answered_at;
};

// Waits for a number of answers, which may come on any thread, this one included.
class ComplianceClient::Countdown {
 public:
  explicit Countdown(std::size_t left) : left_(left) {}
  void One() {
    // Notified under the lock: the one that waits destroys this object as soon as it can.
    const MutexLock lock(mutex_);
    if (--left_ == 0) over_.notify_one();
  }
  void Wait() {
    MutexLock lock(mutex_);
    over_.wait(lock, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return left_ == 0; });
  }

 private:
  Mutex mutex_;
  ConditionVariable over_;
  std::size_t left_ ABSL_GUARDED_BY(mutex_);
};

ComplianceClient::ComplianceClient(std::unique_ptr<v1::ComplianceService::StubInterface> stub,
                                   const ComplianceClientOptions& options, const Clock* clock)
    : stub_(std::move(stub)), options_(options), clock_(clock) {}

ComplianceClient::ComplianceClient(std::unique_ptr<DirectoryStub> stub,
                                   const ComplianceClientOptions& options, const Clock* clock)
    : stub_(std::move(stub)),
      directory_(static_cast<DirectoryStub*>(stub_.get())),
      options_(options),
      clock_(clock) {}

std::vector<absl::StatusOr<ComplianceVerdict>> ComplianceClient::AskAll(
    absl::Span<const ComplianceQuestion> questions) {
  const absl::StatusOr<std::string> nonces = SystemEntropy().Take(kNonceSize * questions.size());
  if (!nonces.ok()) return {questions.size(), nonces.status()};
  const Timestamp asked_at = clock_->Now();
  // gRPC measures the wait, and by the machine's clock.
  const auto begun = std::chrono::system_clock::now();
  std::deque<Call> calls(questions.size());
  Countdown countdown(questions.size());
  for (std::size_t i = 0; i < questions.size(); ++i) {
    Call& call = calls[i];
    const auto longest = std::min<std::chrono::microseconds>(options_.deadline,
                                                             questions[i].no_use_after - asked_at);
    call.Ask(questions[i], absl::string_view(*nonces).substr(i * kNonceSize, kNonceSize),
             begun + longest);
    const auto done = [this, &call, &countdown](grpc::Status status) {
      call.status = std::move(status);
      call.answered_at = clock_->Now();
      countdown.One();
    };
    if (directory_ != nullptr) {
      directory_->EvaluateWithSid(&call.context, &call.request, &call.answer, &call.directory_sid,
                                  done);
    } else {
      stub_->async()->Evaluate(&call.context, &call.request, &call.answer, done);
    }
  }
  countdown.Wait();
  std::vector<absl::StatusOr<ComplianceVerdict>> verdicts;
  verdicts.reserve(questions.size());
  for (std::size_t i = 0; i < questions.size(); ++i) {
    verdicts.push_back(CheckCall(calls[i], questions[i].subject(), asked_at));
  }
  return verdicts;
}

absl::StatusOr<ComplianceVerdict> ComplianceClient::Ask(const ComplianceQuestion& question) {
  return AskAll({&question, 1}).front();
}

absl::StatusOr<ComplianceVerdict> ComplianceClient::CheckCall(Call& call,
                                                              const VerdictSubject& subject,
                                                              Timestamp asked_at) const {
  if (!call.status.ok()) return NoVerdict(call.status);
  ASSIGN_OR_RETURN(ComplianceVerdict verdict, CheckAnswer(call, subject, asked_at));
  verdict.directory_sid = call.directory_sid;
  return verdict;
}

absl::StatusOr<Timestamp> ComplianceClient::CheckTime(const Call& call, Timestamp asked_at) const {
  const auto evaluated_at = FromProto(call.answer.evaluated_at(), "evaluated_at");
  if (!call.answer.has_evaluated_at() || !evaluated_at.ok()) {
    return Invalid("evaluated_at", "is missing or no time");
  }
  if (*evaluated_at < asked_at - options_.clock_tolerance) {
    return Invalid("evaluated_at", "lies before the question");
  }
  if (*evaluated_at > call.answered_at + options_.clock_tolerance) {
    return Invalid("evaluated_at", "lies in the future");
  }
  return *evaluated_at;
}

absl::StatusOr<ComplianceVerdict> ComplianceClient::CheckAnswer(Call& call,
                                                                const VerdictSubject& subject,
                                                                Timestamp asked_at) const {
  v1::Verdict& answer = call.answer;
  if (answer.ByteSizeLong() > kMaxAnswerSize) return Invalid("", "the verdict is too large");
  if (answer.nonce() != call.request.nonce()) {
    return Invalid("nonce", "is not that of the question");
  }
  ComplianceVerdict verdict;
  verdict.tenant_id_ = std::move(*answer.mutable_tenant_id());
  verdict.user_id_ = std::move(*answer.mutable_user_id());
  verdict.user_upn_ = std::move(*answer.mutable_user_upn());
  verdict.device_id_ = std::move(*answer.mutable_device_id());
  verdict.public_key_sha256_ = std::move(*answer.mutable_public_key_sha256());
  RETURN_IF_ERROR(verdict.CheckIsFor(subject));
  if (!CheckId(answer.verdict_id(), kMaxVerdictIdSize, "verdict_id").ok()) {
    return Invalid("verdict_id", "must be 1 to 64 characters of printable ASCII without space");
  }
  if (answer.policy_version().size() > kMaxPolicyVersionSize) {
    return Invalid("policy_version",
                   absl::StrCat("has more than ", kMaxPolicyVersionSize, " octets"));
  }
  if (!IsPlainText(answer.policy_version())) {
    return Invalid("policy_version", "has a control character");
  }
  ASSIGN_OR_RETURN(verdict.evaluated_at, CheckTime(call, asked_at));
  ASSIGN_OR_RETURN(verdict.deny_reasons, CheckOutcome(answer));
  verdict.verdict_id = std::move(*answer.mutable_verdict_id());
  verdict.policy_version = std::move(*answer.mutable_policy_version());
  return verdict;
}

}  // namespace hourglass::issuance
