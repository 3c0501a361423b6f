#include "tools/doctor/radius/radius_doctor.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "tools/doctor/radius/radius_judgement.h"

namespace hourglass::doctor {
namespace {

absl::Status Invalid(absl::string_view field, absl::string_view message) {
  return Error(ErrorReason::kFieldInvalid, field, message);
}

// The examination of one server.
class Examination {
 public:
  Examination(const RadiusQuestion& question, const RadiusWays& ways, const UnixClock& now)
      : question_(question),
        ways_(ways),
        now_(now),
        findings_(absl::StrCat(question.target.host, ":", question.target.port)) {}

  absl::StatusOr<RadiusReport> Run();

 private:
  absl::Status Prepare();
  absl::StatusOr<bool> ServerAnswers();
  absl::Status AskCanary();
  absl::Status AskForged();
  absl::Status AskGiven();
  absl::Status AskPasswords();
  absl::Status Ask(const std::string& name, ProbeKind kind, const Conversation& conversation);
  Conversation OfCanary(EapMethod method, const std::string& identity) const {
    return {method, identity, question_.canary.certificate_pem, question_.canary.private_key_pem};
  }
  void CheckShownCertificate();
  void SayWhatWasNotTried();

  const RadiusQuestion& question_;
  const RadiusWays& ways_;
  const UnixClock& now_;
  FindingList findings_;
  std::string identity_;
  CredentialFacts canary_;
  bool an_expired_one_is_given_ = false;
  bool one_without_oid_is_given_ = false;
  std::vector<AskedProbe> probes_;
};

absl::Status Examination::Prepare() {
  ASSIGN_OR_RETURN(canary_, ReadCredential(question_.canary));
  const std::int64_t now = now_();
  if (canary_.not_after <= now) {
    return Invalid("certificate", "the canary has expired: get a fresh one");
  }
  if (canary_.not_before > now) return Invalid("certificate", "the canary is not valid yet");
  if (!canary_.has_conditional_access) {
    return Invalid("certificate",
                   "the canary has no conditional-access OID: a server is right to refuse it");
  }
  identity_ = question_.identity.empty() ? canary_.upn : question_.identity;
  if (identity_.empty()) {
    return Invalid("identity", "it is empty, and the canary has no user principal name");
  }
  if (identity_.find('\0') != std::string::npos) return Invalid("identity", "it holds a NUL");
  if (!question_.server.roots_pem.empty()) {
    RETURN_IF_ERROR(CheckRoots(question_.server.roots_pem));
  }
  for (const Credential& given : question_.refused) {
    ASSIGN_OR_RETURN(const CredentialFacts facts, ReadCredential(given));
    an_expired_one_is_given_ = an_expired_one_is_given_ || facts.not_after < now;
    one_without_oid_is_given_ = one_without_oid_is_given_ || !facts.has_conditional_access;
  }
  return absl::OkStatus();
}

absl::Status Examination::Ask(const std::string& name, ProbeKind kind,
                              const Conversation& conversation) {
  const std::int64_t asked_at = now_();
  ASSIGN_OR_RETURN(ProbeResult result, ways_.converse(conversation));
  probes_.push_back({name, kind, asked_at, std::move(result)});
  return absl::OkStatus();
}

absl::StatusOr<bool> Examination::ServerAnswers() {
  RETURN_IF_ERROR(
      Ask("canary, TLS 1.3", ProbeKind::kCanary, OfCanary(EapMethod::kTls13, identity_)));
  const ProbeResult& first = probes_.front().result;
  bool secret_differs = false;
  if (first.end == ProbeEnd::kSilent) {
    // A server that drops what is signed wrongly may still answer what is not signed.
    ASSIGN_OR_RETURN(const ProbeResult unsigned_one, ways_.ask_password(identity_, false));
    secret_differs = unsigned_one.end == ProbeEnd::kFalse;
  }
  findings_.GoTo(0, "");
  return JudgeReachability(first, secret_differs, findings_);
}

absl::Status Examination::AskCanary() {
  JudgeCanary(probes_.front(), canary_.not_after, findings_);
  RETURN_IF_ERROR(
      Ask("canary, TLS 1.2", ProbeKind::kCanary, OfCanary(EapMethod::kTls12, identity_)));
  JudgeCanary(probes_.back(), canary_.not_after, findings_);
  return absl::OkStatus();
}

absl::Status Examination::AskForged() {
  const std::size_t at = identity_.find('@');
  const std::string other =
      absl::StrCat("hourglass-doctor-nobody", at == std::string::npos ? "" : identity_.substr(at));
  RETURN_IF_ERROR(Ask("another user's name with the canary", ProbeKind::kAnotherName,
                      OfCanary(EapMethod::kTls13, other)));
  struct Kind {
    const char* name;
    Forgery forgery;
    ProbeKind probe;
  };
  for (const auto& [name, forgery, kind] :
       {Kind{"forged by a throw-away root of the same name", Forgery::kThrowAwayRoot,
             ProbeKind::kForged},
        Kind{"expired, of a throw-away root", Forgery::kExpired, ProbeKind::kExpired}}) {
    ASSIGN_OR_RETURN(const Credential forged, Forge(question_.canary, forgery, now_()));
    RETURN_IF_ERROR(
        Ask(name, kind,
            {EapMethod::kTls13, identity_, forged.certificate_pem, forged.private_key_pem}));
  }
  return absl::OkStatus();
}

absl::Status Examination::AskGiven() {
  int number = 0;
  for (const Credential& given : question_.refused) {
    ASSIGN_OR_RETURN(const CredentialFacts facts, ReadCredential(given));
    RETURN_IF_ERROR(Ask(absl::StrCat("given certificate ", ++number), ProbeKind::kGiven,
                        {EapMethod::kTls13, facts.upn.empty() ? identity_ : facts.upn,
                         given.certificate_pem, given.private_key_pem}));
  }
  return absl::OkStatus();
}

absl::Status Examination::AskPasswords() {
  RETURN_IF_ERROR(Ask("password in PEAP, no certificate", ProbeKind::kPassword,
                      {EapMethod::kPeapPasswd, identity_, "", ""}));
  RETURN_IF_ERROR(Ask("password in EAP-TTLS, no certificate", ProbeKind::kPassword,
                      {EapMethod::kTtlsPasswd, identity_, "", ""}));
  const std::int64_t asked_at = now_();
  ASSIGN_OR_RETURN(ProbeResult result, ways_.ask_password(identity_, true));
  probes_.push_back({"password without EAP", ProbeKind::kPassword, asked_at, std::move(result)});
  return absl::OkStatus();
}

void Examination::CheckShownCertificate() {
  findings_.GoTo(0, "server certificate");
  std::string shown;
  for (const AskedProbe& probe : probes_) {
    if (shown.empty()) shown = probe.result.server_pem;
  }
  CheckServerCertificate(shown, question_.server, now_(), findings_);
}

void Examination::SayWhatWasNotTried() {
  findings_.GoTo(0, "");
  const bool one_got_in = std::any_of(probes_.begin(), probes_.end(), [](const AskedProbe& probe) {
    return probe.kind == ProbeKind::kCanary && probe.result.end == ProbeEnd::kAccepted;
  });
  if (!one_got_in) {
    findings_.AddNote("radius-refusals-prove-nothing",
                      "the refusals prove nothing while the canary is refused as well", "",
                      "mend that first, and ask again");
  }
  if (!an_expired_one_is_given_) {
    findings_.AddNote("radius-expiry-not-tried",
                      "that an expired certificate of the tenant is refused was not tried: only "
                      "the tenant's root could make one",
                      "", "keep a canary until it has expired, and give it with --refuse");
  }
  if (!one_without_oid_is_given_) {
    findings_.AddNote("radius-oid-not-tried",
                      "that the OID is asked for was not tried: no root of Hourglass signs a "
                      "certificate without it",
                      "",
                      "give one of another authority that the server trusts, where there is one, "
                      "with --refuse");
  }
}

absl::StatusOr<RadiusReport> Examination::Run() {
  RETURN_IF_ERROR(Prepare());
  ASSIGN_OR_RETURN(const bool answers, ServerAnswers());
  if (answers) {
    RETURN_IF_ERROR(AskCanary());
    RETURN_IF_ERROR(AskForged());
    RETURN_IF_ERROR(AskGiven());
    RETURN_IF_ERROR(AskPasswords());
    JudgeRefusals(probes_, findings_);
    CheckShownCertificate();
    SayWhatWasNotTried();
  }
  return RadiusReport{std::move(probes_), findings_.Take()};
}

}  // namespace

RadiusWays RealWays(const RadiusTarget& target, std::chrono::milliseconds limit) {
  return {[target, limit](const Conversation& conversation) {
            return Converse(target, conversation, limit);
          },
          [target, limit](const std::string& identity, bool sign) {
            return AskWithPassword(target, identity, sign, limit);
          }};
}

absl::StatusOr<RadiusReport> ExamineRadius(const RadiusQuestion& question, const RadiusWays& ways,
                                           const UnixClock& now) {
  return Examination(question, ways, now).Run();
}

}  // namespace hourglass::doctor
