#include "tools/broker/asking.h"

#include <functional>
#include <utility>

#include "absl/strings/ascii.h"
#include "ca/encoding/digest.h"
#include "hourglass/v1/issuance.grpc.pb.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/device_keys/statements.h"
#include "tools/agent/call.h"
#include "tools/broker/device_signer.h"
#include "tools/client/failure.h"
#include "tools/client/files.h"
#include "tools/client/wording.h"

namespace hourglass::broker {
namespace {

absl::StatusOr<v1::IssueCertificateRequest> Question(const Bearer& bearer,
                                                     const CertificateRequest& request,
                                                     const std::string& request_id) {
  v1::IssueCertificateRequest question;
  question.set_tenant_id(bearer.tenant);
  question.mutable_user()->set_id(bearer.user_id);
  question.mutable_user()->set_upn(bearer.user);
  question.set_device_id(bearer.device);
  question.set_pkcs10(request.der);
  question.set_request_id(request_id);
  if (bearer.access_token_file.empty()) return question;
  ASSIGN_OR_RETURN(const std::string token, client::ReadWholeFile(bearer.access_token_file));
  question.set_access_token(std::string(absl::StripAsciiWhitespace(token)));
  return question;
}

// Anew for each question: a signature is of now.
absl::StatusOr<v1::DeviceProof> ProofOf(const Bearer& bearer, const CertificateRequest& request,
                                        const std::string& request_id, agent::Waiter& waiter) {
  const std::string sha256 = ca::Sha256(request.public_key);
  const issuance::DeviceQuestion subject = {bearer.tenant, bearer.user_id, bearer.user,
                                            bearer.device, sha256,         request_id};
  return SignByDevice(
      bearer.sign_with,
      [&subject](const issuance::StatementMark& mark) { return StatementOf(subject, mark); },
      waiter);
}

absl::StatusOr<IssuedCertificate> Check(const v1::IssueCertificateResponse& response,
                                        const CertificateRequest& request) {
  IssuedCertificate issued;
  issued.der = response.certificate();
  issued.chain.assign(response.chain().begin(), response.chain().end());
  ASSIGN_OR_RETURN(issued.facts, client::ReadCertificate(issued.der));
  if (issued.facts.public_key != request.public_key) {
    return Error(ErrorReason::kKeyMismatch, "certificate",
                 "the service answered with a certificate for another key");
  }
  issued.renew_after = client::TimeOf(response.renew_after());
  issued.server_time = client::TimeOf(response.server_time());
  issued.clock_lag = issued.server_time - absl::Now();
  issued.verdict_id = response.verdict_id();
  return issued;
}

}  // namespace

absl::StatusOr<IssuedCertificate> AskOnce(const client::ConnectionConfig& config,
                                          const Bearer& bearer, const CertificateRequest& request,
                                          const std::string& request_id, absl::Duration timeout,
                                          agent::Waiter& waiter) {
  ASSIGN_OR_RETURN(const client::Connection connection, client::Connection::Open(config));
  v1::IssueCertificateResponse response;
  ASSIGN_OR_RETURN(v1::IssueCertificateRequest question, Question(bearer, request, request_id));
  if (!bearer.sign_with.empty()) {
    ASSIGN_OR_RETURN(*question.mutable_device_proof(),
                     ProofOf(bearer, request, request_id, waiter));
  }
  v1::CertificateIssuer::Stub stub(connection.channel());
  const grpc::Status status = agent::CallUnlessStopped(
      waiter, timeout, [&](grpc::ClientContext* context, std::function<void(grpc::Status)> done) {
        stub.async()->IssueCertificate(context, &question, &response, std::move(done));
      });
  if (!status.ok()) return client::CallError(status, connection.server());
  return Check(response, request);
}

Outcome OutcomeOf(const absl::StatusOr<IssuedCertificate>& answer) {
  if (answer.ok()) {
    // The last second of validity belongs to it (RFC 5280 section 4.1.2.5).
    const absl::Duration until_expiry =
        answer->facts.not_after + absl::Seconds(1) - answer->server_time;
    if (until_expiry <= absl::ZeroDuration()) return Superseded{};
    return Issued{answer->renew_after - answer->server_time, until_expiry};
  }
  const absl::Status& status = answer.status();
  if (ReasonOf(status) == ErrorReason::kPrimaryChanged) return Superseded{};
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kDeadlineExceeded:
    // A service that stops may drop what it had not begun: gRPC says no more of it.
    case absl::StatusCode::kCancelled:
      return Unavailable{client::ReasonInWords(status), agent::RetryDelayOf(status)};
    default:
      return Refused{client::FailureInWords(status), agent::RetryDelayOf(status)};
  }
}

}  // namespace hourglass::broker
