#include "tools/broker/keeping.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/software_key.h"
#include "tools/agent/event_log.h"
#include "tools/agent/hook.h"
#include "tools/broker/report.h"
#include "tools/broker/schedule.h"
#include "tools/client/files.h"
#include "tools/client/request_id.h"
#include "tools/client/wording.h"

namespace hourglass::broker {
namespace {

using agent::Awaited;
using agent::EventLog;
using agent::Random;
using agent::Waiter;

// What is asked for until it is answered: the same request under the same id, or a new one of
// either.
class CurrentRequest {
 public:
  CurrentRequest(const Options& options, OutputFiles& files) : options_(options), files_(files) {}

  absl::Status Renew(const Plan& plan) {
    if (plan.new_request_id) id_ = client::NewRequestId();
    if (!options_.csr_file.empty()) return ReadFromFile();
    return plan.new_key ? MakeKey() : absl::OkStatus();
  }

  const CertificateRequest& request() const { return request_; }
  const std::string& id() const { return id_; }

 private:
  absl::Status ReadFromFile() {
    // Once: the same id must ask for the same key, whatever becomes of the file.
    if (!request_.der.empty()) return absl::OkStatus();
    ASSIGN_OR_RETURN(const std::string content, client::ReadWholeFile(options_.csr_file));
    ASSIGN_OR_RETURN(request_, ReadCertificateRequest(content));
    return absl::OkStatus();
  }

  absl::Status MakeKey() {
    ASSIGN_OR_RETURN(std::string pem, hsm::GenerateSoftwareKeyPem(options_.key_type));
    ASSIGN_OR_RETURN(request_, MakeCertificateRequest(pem));
    return files_.StageKey(std::move(pem));
  }

  const Options& options_;
  OutputFiles& files_;
  CertificateRequest request_;
  std::string id_;
};

absl::Status ToldToStop() { return absl::CancelledError("told to stop"); }

// One broker that runs: its plan, and what the plan's steps do to the world.
class Keeper {
 public:
  Keeper(const Options& options, const client::ConnectionConfig& config, Waiter& waiter,
         const Random& random)
      : options_(options),
        config_(config),
        waiter_(waiter),
        random_(random),
        log_(options.json),
        files_(options.out),
        request_(options, files_) {}

  absl::Status Run() {
    waiter_.OnStraySignal([this](const std::string& name, int pid) {
      log_.Tell("signal_ignored", absl::StrCat("ignored ", name, " of process ", pid),
                {{"signal", name}, {"pid", pid}});
    });
    RETURN_IF_ERROR(files_.CheckWritable());
    const auto expiry = files_.ExpiryInPlace();
    std::optional<Instant> expires_at;
    if (expiry.has_value()) expires_at = waiter_.Now() + (*expiry - absl::Now());
    plan_ = FirstPlan(waiter_.Now(), expires_at);
    RETURN_IF_ERROR(request_.Renew(plan_));
    request_is_current_ = true;
    while (!waiter_.stopping()) {
      const Step step = NextStep(plan_, waiter_.Now());
      if (std::holds_alternative<RemoveCertificate>(step)) {
        Remove();
      } else if (std::holds_alternative<Ask>(step)) {
        AskAndFollow();
      } else {
        waiter_.Wait(std::get<WaitUntil>(step).instant);
      }
    }
    log_.Tell("stopped", "told to stop; the files stay as they are");
    return absl::OkStatus();
  }

 private:
  void Remove() {
    const auto removed = files_.RemoveCertificate();
    if (!removed.ok()) {
      log_.TellFailure("remove_failed", removed.status(), "the certificate in it has expired");
    } else if (*removed) {
      log_.Tell("removed", absl::StrCat("removed ", options_.out.certificate, ": it has expired"),
                {{"certificate_file", options_.out.certificate}});
    }
    plan_ = AfterRemoval(plan_);
  }

  absl::StatusOr<IssuedCertificate> AskUnderPlan() {
    if (!request_is_current_) RETURN_IF_ERROR(request_.Renew(plan_));
    request_is_current_ = true;
    return AskOnce(config_, options_.bearer, request_.request(), request_.id(), config_.timeout,
                   waiter_);
  }

  void AskAndFollow() {
    const absl::StatusOr<IssuedCertificate> answer = AskUnderPlan();
    if (waiter_.stopping()) return;
    Outcome outcome = OutcomeOf(answer);
    absl::Status status = answer.status();
    if (std::holds_alternative<Issued>(outcome)) {
      status = files_.Replace(*answer);
      // The same request gets the same certificate once there is room for it.
      if (!status.ok()) outcome = Unavailable{client::ReasonInWords(status), {}};
    }
    plan_ = AfterAnswer(plan_, outcome, waiter_.Now(), random_());
    request_is_current_ = false;
    if (std::holds_alternative<Issued>(outcome)) {
      TellIssued(*answer);
      FollowUp();
    } else if (plan_.tell) {
      TellTrouble(outcome, status);
    }
  }

  void TellIssued(const IssuedCertificate& issued) const {
    const absl::Time next = issued.server_time + (plan_.ask_at - waiter_.Now());
    const std::string clock = ClockInWords(issued.clock_lag);
    log_.Tell("issued",
              absl::StrCat("certificate ", client::Hex(issued.facts.serial_number), " for ",
                           options_.bearer.user, ", good until ",
                           client::TimeInWords(issued.facts.not_after, issued.server_time),
                           "; asking again at ", client::TimeInWords(next, issued.server_time),
                           clock.empty() ? "" : "; ", clock),
              CertificateAsJson(issued, options_.bearer, options_.out));
  }

  void TellTrouble(const Outcome& outcome, const absl::Status& status) const {
    const std::string pause =
        client::LengthInWords(absl::Ceil(plan_.ask_at - waiter_.Now(), absl::Seconds(1)));
    if (std::holds_alternative<Refused>(outcome)) {
      log_.TellFailure("refused", status,
                       absl::StrCat("asking again in ", pause, ", silently while nothing changes"));
    } else {
      log_.TellFailure("unavailable", status,
                       absl::StrCat("asking again in ", pause, ", then less often"));
    }
  }

  void FollowUp() {
    if (options_.on_renew.empty()) return;
    const absl::Status status =
        agent::RunHook("--on-renew", options_.on_renew,
                       {absl::StrCat("HOURGLASS_CERTIFICATE=", options_.out.certificate),
                        absl::StrCat("HOURGLASS_KEY=", options_.out.key)},
                       waiter_);
    if (!status.ok()) {
      log_.TellFailure("on_renew_failed", status, "the certificate is in place all the same");
    }
  }

  const Options& options_;
  const client::ConnectionConfig& config_;
  Waiter& waiter_;
  const Random& random_;
  const EventLog log_;
  OutputFiles files_;
  CurrentRequest request_;
  bool request_is_current_ = false;
  Plan plan_;
};

}  // namespace

absl::StatusOr<IssuedCertificate> IssueOne(const Options& options,
                                           const client::ConnectionConfig& config,
                                           agent::Waiter& waiter, const agent::Random& random) {
  const Instant deadline = waiter.Now() + options.timeout;
  OutputFiles files(options.out);
  CurrentRequest request(options, files);
  RETURN_IF_ERROR(files.CheckWritable());
  Plan plan = FirstPlan(waiter.Now(), std::nullopt);
  absl::Status told = absl::DeadlineExceededError("the service answers with expired certificates");
  for (;;) {
    RETURN_IF_ERROR(request.Renew(plan));
    const absl::Duration timeout = std::min(config.timeout, deadline - waiter.Now());
    const auto answer =
        AskOnce(config, options.bearer, request.request(), request.id(), timeout, waiter);
    if (waiter.stopping()) return ToldToStop();
    const Outcome outcome = OutcomeOf(answer);
    if (std::holds_alternative<Issued>(outcome)) {
      RETURN_IF_ERROR(files.Replace(*answer));
      return answer;
    }
    plan = AfterAnswer(plan, outcome, waiter.Now(), random());
    // That the time for the last answer was over says less than the answer before.
    const bool says_why = !answer.ok() && ReasonOf(answer.status()) != ErrorReason::kUnspecified;
    if (says_why || (!answer.ok() && ReasonOf(told) == ErrorReason::kUnspecified)) {
      told = answer.status();
    }
    if (std::holds_alternative<Refused>(outcome) || plan.ask_at >= deadline) return told;
    if (waiter.Wait(plan.ask_at) == Awaited::kStop) return ToldToStop();
  }
}

absl::Status KeepFresh(const Options& options, const client::ConnectionConfig& config,
                       agent::Waiter& waiter, const agent::Random& random) {
  return Keeper(options, config, waiter, random).Run();
}

}  // namespace hourglass::broker
