#include "tools/broker/asking.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "absl/cleanup/cleanup.h"
#include "hourglass/v1/issuance.grpc.pb.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "tools/client/failure.h"
#include "tools/client/wording.h"

namespace hourglass::broker {
namespace {

v1::IssueCertificateRequest Question(const Bearer& bearer, const CertificateRequest& request,
                                     const std::string& request_id) {
  v1::IssueCertificateRequest question;
  question.set_tenant_id(bearer.tenant);
  question.mutable_user()->set_id(bearer.user_id);
  question.mutable_user()->set_upn(bearer.user);
  question.set_device_id(bearer.device);
  question.set_pkcs10(request.der);
  question.set_request_id(request_id);
  return question;
}

// The call is made in gRPC's threads so that this one can hear a signal meanwhile.
grpc::Status CallUnlessStopped(const client::Connection& connection,
                               const v1::IssueCertificateRequest& question, absl::Duration timeout,
                               Waiter& waiter, v1::IssueCertificateResponse& response) {
  const int done = eventfd(0, EFD_CLOEXEC);
  if (done < 0) return grpc::Status(grpc::StatusCode::INTERNAL, "no event descriptor");
  const absl::Cleanup close_done = [done] { close(done); };
  v1::CertificateIssuer::Stub stub(connection.channel());
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
  grpc::Status status;
  stub.async()->IssueCertificate(&context, &question, &response, [&status, done](grpc::Status s) {
    status = std::move(s);
    eventfd_write(done, 1);
  });
  if (waiter.Wait(absl::InfiniteDuration(), done) != Awaited::kEvent) {
    context.TryCancel();
    waiter.Wait(absl::InfiniteDuration(), done, /*although_stopping=*/true);
  }
  return status;
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

absl::Duration RetryDelayOf(const absl::Status& status) {
  const v1::ErrorDetail detail = client::DetailOf(status);
  return absl::Seconds(detail.retry_delay().seconds()) +
         absl::Nanoseconds(detail.retry_delay().nanos());
}

}  // namespace

absl::StatusOr<IssuedCertificate> AskOnce(const client::ConnectionConfig& config,
                                          const Bearer& bearer, const CertificateRequest& request,
                                          const std::string& request_id, absl::Duration timeout,
                                          Waiter& waiter) {
  ASSIGN_OR_RETURN(const client::Connection connection, client::Connection::Open(config));
  v1::IssueCertificateResponse response;
  const grpc::Status status = CallUnlessStopped(connection, Question(bearer, request, request_id),
                                                timeout, waiter, response);
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
      return Unavailable{client::ReasonInWords(status), RetryDelayOf(status)};
    default:
      return Refused{client::FailureInWords(status), RetryDelayOf(status)};
  }
}

}  // namespace hourglass::broker
