// Asks the compliance service whether a device may connect now, and takes only a sound ALLOW for a
// yes.
#ifndef HOURGLASS_ISSUANCE_COMPLIANCE_COMPLIANCE_CLIENT_H_
#define HOURGLASS_ISSUANCE_COMPLIANCE_COMPLIANCE_CLIENT_H_

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "hourglass/v1/compliance.grpc.pb.h"
#include "issuance/base/clock.h"
#include "issuance/compliance/directory_stub.h"

namespace hourglass::issuance {

// Whom and what a verdict is for (promise 2: this user, this device, this key). Refers to texts of
// others.
struct VerdictSubject {
  absl::string_view tenant_id;
  absl::string_view user_id;
  absl::string_view user_upn;
  absl::string_view device_id;
  absl::string_view public_key_sha256;
};

// What a verdict is asked about.
struct ComplianceQuestion {
  std::string tenant_id;
  std::string user_id;
  std::string user_upn;
  std::string device_id;
  std::string public_key_sha256;  // 32 octets; empty when no certificate hangs on the answer
  // By the client's clock: whoever asks has no use for an answer that comes later.
  Timestamp no_use_after = Timestamp::max();
  // How the user signed in, by his token; none where the broker's word is taken.
  std::optional<v1::SignIn> sign_in = std::nullopt;

  VerdictSubject subject() const {
    return {tenant_id, user_id, user_upn, device_id, public_key_sha256};
  }
};

// A checked answer. Either it allows, or deny_reasons is not empty. Only a ComplianceClient makes
// one, of an answer that it has checked: whoever holds one need not ask where it is from, and asks
// CheckIsFor whether it is his.
class ComplianceVerdict {
 public:
  std::string verdict_id;
  std::string policy_version;
  Timestamp evaluated_at;
  std::vector<v1::DenyReason> deny_reasons;
  // Not of the answer: the DirectorySid of whom was asked about, where the stub is a DirectoryStub;
  // else empty.
  std::string directory_sid = {};

  bool allowed() const { return deny_reasons.empty(); }

  // Whether it is for exactly these, octet for octet, by what the compliance service has said.
  // Errors: COMPLIANCE_ANSWER_INVALID with the verdict's field that says something else.
  absl::Status CheckIsFor(const VerdictSubject& subject) const;

 private:
  friend class ComplianceClient;
  ComplianceVerdict() = default;

  std::string tenant_id_;
  std::string user_id_;
  std::string user_upn_;
  std::string device_id_;
  std::string public_key_sha256_;
};

struct ComplianceClientOptions {
  // Longest wait for an answer.
  std::chrono::milliseconds deadline = std::chrono::seconds(2);
  // An answer evaluated earlier than this before it was asked for, or later than this after it
  // came, is no verdict.
  std::chrono::seconds clock_tolerance = std::chrono::seconds(30);
};

// Safe to call from several threads.
class ComplianceClient {
 public:
  // `clock` must outlive this object. `stub` is of the service, wherever that is: it needs Evaluate
  // of its async() interface only.
  ComplianceClient(std::unique_ptr<v1::ComplianceService::StubInterface> stub,
                   const ComplianceClientOptions& options, const Clock* clock);
  ComplianceClient(std::unique_ptr<DirectoryStub> stub, const ComplianceClientOptions& options,
                   const Clock* clock);

  // One call and a fresh nonce for each question, all under way at the same time; nothing is
  // cached. Returns one result each, in order. Fails closed: an answer is returned only if it came
  // in time, repeats the nonce and all that was asked about, was evaluated now, has a valid verdict
  // id, and its outcome is set
  // (a deny without reasons is malformed). Blocks for at most the deadline. Errors:
  // COMPLIANCE_UNAVAILABLE (unreachable, deadline, any gRPC error; its code and message are in the
  // message, and hsm::RetryDelayOf has the time to come back where it says one, of a minute at
  // most), COMPLIANCE_ANSWER_INVALID with the verdict's field.
  std::vector<absl::StatusOr<ComplianceVerdict>> AskAll(
      absl::Span<const ComplianceQuestion> questions);

  // The same for one.
  absl::StatusOr<ComplianceVerdict> Ask(const ComplianceQuestion& question);

 private:
  struct Call;
  class Countdown;

  // Both take what they need out of the call.
  absl::StatusOr<ComplianceVerdict> CheckCall(Call& call, const VerdictSubject& subject,
                                              Timestamp asked_at) const;
  absl::StatusOr<ComplianceVerdict> CheckAnswer(Call& call, const VerdictSubject& subject,
                                                Timestamp asked_at) const;
  absl::StatusOr<Timestamp> CheckTime(const Call& call, Timestamp asked_at) const;

  const std::unique_ptr<v1::ComplianceService::StubInterface> stub_;
  DirectoryStub* const directory_ = nullptr;  // the same, where it is one
  const ComplianceClientOptions options_;
  const Clock* const clock_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_COMPLIANCE_COMPLIANCE_CLIENT_H_
