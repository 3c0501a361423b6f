#include "issuance/pipeline/pipeline.h"

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "ca/authority.h"
#include "ca/names/name.h"
#include "ca/request/certificate_request.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/compliance/mapped_sid.h"
#include "issuance/identity/methods.h"
#include "issuance/pipeline/pipeline_work.h"
#include "issuance/pipeline/renewal.h"
#include "issuance/pipeline/request_digest.h"
#include "issuance/timekeeping/deciding_time.h"
#include "issuance/wire/proto_time.h"
#include "issuance/wire/request_fields.h"

namespace hourglass::issuance {
namespace {

absl::Status CheckSomebodyWaits(const IssueTask& task, Timestamp now) {
  if (task.CallerIsGone()) return absl::CancelledError("the caller gave up");
  if (now < task.deadline) return absl::OkStatus();
  return absl::DeadlineExceededError("the caller's deadline passed before anything was recorded");
}

bool SignsWithoutWaiting(const TenantSnapshot* tenant) {
  return tenant != nullptr && tenant->primary != nullptr && tenant->primary->signs_in_process();
}

absl::string_view IdentityOf(bool by_token, bool by_device_key) {
  if (by_token) return by_device_key ? kAccessTokenAndDeviceKey : kAccessToken;
  return by_device_key ? kDeviceKey : kAssertedByBroker;
}

// A caller who waits for ever.
class PatientTask final : public IssueTask {
 public:
  bool CallerIsGone() const override { return false; }
  void Finished() override {}
};

}  // namespace

void Pipeline::IssueAll(absl::Span<IssueTask* const> tasks, Patience patience) {
  IssuanceLoad::Batch measured(load_, tasks.size());
  Batch batch(tasks.size());
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    batch[i].task = tasks[i];
    tasks[i]->needs_patience = false;
  }
  ForEach(batch, [this](Work& work) { return CheckCaller(work); });
  ForEach(batch, [decided = DecidingTime(*clock_).status()](Work&) { return decided; });
  ForEach(batch, [this](Work& work) { return CheckRequest(work); });
  measured.Done(IssuanceLoad::Step::kCheck);
  FactsReadAhead::Batch facts_ahead(identities_.facts);
  ForEach(batch, [&](Work& work) { return CheckDeviceKey(work, facts_ahead); });
  ObtainVerdicts(batch);
  measured.Done(IssuanceLoad::Step::kVerdict);
  TakeSnapshots(batch, patience);
  FillTemplates(batch);
  measured.Done(IssuanceLoad::Step::kTemplate);
  WriteIntents(batch);
  measured.Done(IssuanceLoad::Step::kIntent);
  SignAndVerify(batch);
  measured.Done(IssuanceLoad::Step::kSign);
  WriteReleases(batch);
  measured.Done(IssuanceLoad::Step::kRelease);
  for (Work& work : batch) Answer(work);
}

IssueOutcome Pipeline::Issue(const Caller& caller, const v1::IssueCertificateRequest& request,
                             absl::string_view certificate_sha256) {
  IssueOutcome outcome;
  PatientTask task;
  task.caller = &caller;
  task.request = &request;
  task.response = &outcome.response;
  task.caller_certificate_sha256 = std::string(certificate_sha256);
  IssueTask* const tasks[] = {&task};
  IssueAll(tasks, Patience::kWaits);
  outcome.status = std::move(task.status);
  outcome.deny_reasons = std::move(task.deny_reasons);
  if (task.denial.has_value()) outcome.correlation_id = std::move(task.denial->verdict_id);
  return outcome;
}

bool Pipeline::IsReady(absl::string_view tenant_id) {
  return SignsWithoutWaiting(tenants_->IfLoaded(tenant_id).get());
}

// 1: who is calling, for which tenant (promise 7).
absl::Status Pipeline::CheckCaller(Work& work) {
  const std::string& tenant_id = work.task->request->tenant_id();
  static const Method& method = MethodNamed("IssueCertificate");
  RETURN_IF_ERROR(Permit(*work.task->caller, method, tenant_id));
  return tenants_->CheckExists(tenant_id);
}

// 2: is the request sound.
absl::Status Pipeline::CheckRequest(Work& work) {
  const v1::IssueCertificateRequest& request = *work.task->request;
  RETURN_IF_ERROR(CheckId(request.request_id(), kMaxRequestIdSize, "request_id"));
  TenantTokens* const tokens = TokensOf(request.tenant_id());
  absl::StatusOr<Holder> holder;
  if (tokens == nullptr) {
    holder = AssertedHolder(request);
    RETURN_IF_ERROR(holder.status());
  }
  if (request.pkcs10().empty()) {
    return Error(ErrorReason::kFieldMissing, "pkcs10", "is required");
  }
  const IssuingConfig& issuing = tenants_->Issuing(request.tenant_id());
  ASSIGN_OR_RETURN(ca::RequestedKey key,
                   ca::ParseCertificateRequest(request.pkcs10(), issuing.key_policy));
  if (tokens != nullptr) {
    holder = HolderByToken(*work.task, *tokens);
    RETURN_IF_ERROR(holder.status());
  }
  work.task->user_upn = holder->subject.upn();
  work.task->device_id = holder->device_id;
  std::string digest =
      RequestDigest(*work.task->caller, request,
                    {holder->subject.user_id(), holder->subject.upn(), holder->device_id});
  work.sound = {*std::move(holder), std::move(key), std::move(digest)};
  return absl::OkStatus();
}

// 3: may this device connect now (promise 2). Asked anew for every request, repeated ones too.
void Pipeline::ObtainVerdicts(Batch& batch) {
  std::vector<ComplianceQuestion> questions;
  questions.reserve(batch.size());
  for (const Work& work : batch) {
    const v1::IssueCertificateRequest& request = *work.task->request;
    const Holder& holder = work.sound->holder;
    questions.push_back({request.tenant_id(), holder.subject.user_id(), holder.subject.upn(),
                         holder.device_id, work.sound->key.sha256(), work.task->deadline,
                         holder.SignIn()});
  }
  std::vector<absl::StatusOr<ComplianceVerdict>> verdicts = compliance_->AskAll(questions);
  // Not DecidingTime: how long somebody waits is no matter of the date.
  const Timestamp now = clock_->Now();
  std::size_t next = 0;
  ForEach(batch, [this, &verdicts, &questions, &next, now](Work& work) -> absl::Status {
    absl::StatusOr<ComplianceVerdict>& verdict = verdicts[next];
    const ComplianceQuestion& question = questions[next++];
    RETURN_IF_ERROR(CheckSomebodyWaits(*work.task, now));
    RETURN_IF_ERROR(verdict.status());
    if (!verdict->allowed()) {
      work.task->deny_reasons = std::move(verdict->deny_reasons);
      work.task->denial = {verdict->verdict_id, verdict->policy_version, verdict->evaluated_at,
                           question.user_id,    question.user_upn,       question.device_id};
      return Error(ErrorReason::kDeviceNotCompliant, "device_id",
                   "the compliance service does not allow this device to connect now");
    }
    work.verdict = *std::move(verdict);
    return MapStrongly(work);
  });
}

// Still 3: which account the certificate maps to is the directory's word or the token's, and never
// the request's. The directory was read for the verdict.
absl::Status Pipeline::MapStrongly(Work& work) {
  const std::string& tenant_id = work.task->request->tenant_id();
  const StrongMapping& mapping = tenants_->Issuing(tenant_id).strong_mapping;
  if (!mapping.sid_extension) return absl::OkStatus();
  Holder& holder = work.sound->holder;
  ASSIGN_OR_RETURN(const std::string sid,
                   AgreedSid(work.verdict->directory_sid,
                             holder.token.has_value() ? holder.token->onprem_sid : ""));
  if (!sid.empty()) {
    ASSIGN_OR_RETURN(holder.subject,
                     ca::Subject::Create(holder.subject.upn(), holder.subject.user_id(), sid));
  } else if (mapping.required) {
    return Error(ErrorReason::kSidUnknown, "user.upn",
                 "nobody knows this user's security identifier, without which this tenant issues "
                 "nothing");
  }
  return absl::OkStatus();
}

// 4: one immutable snapshot of the tenant (promise 1), the same for all of its requests in the
// batch: a key that cannot be opened is tried once.
void Pipeline::TakeSnapshots(Batch& batch, Patience patience) {
  std::map<absl::string_view, absl::StatusOr<std::shared_ptr<const TenantSnapshot>>> tenants;
  ForEach(batch, [&](Work& work) -> absl::Status {
    const std::string& tenant_id = work.task->request->tenant_id();
    const auto [tenant, is_new] = tenants.try_emplace(tenant_id);
    if (is_new) tenant->second = SnapshotOf(tenant_id, patience);
    // Without patience that is the only error.
    work.task->needs_patience = patience == Patience::kNone && !tenant->second.ok();
    ASSIGN_OR_RETURN(work.tenant, tenant->second);
    return absl::OkStatus();
  });
}

absl::StatusOr<std::shared_ptr<const TenantSnapshot>> Pipeline::SnapshotOf(
    const std::string& tenant_id, Patience patience) {
  if (patience == Patience::kNone) {
    std::shared_ptr<const TenantSnapshot> loaded = tenants_->IfLoaded(tenant_id);
    if (SignsWithoutWaiting(loaded.get())) return loaded;
    return absl::UnavailableError("needs a thread that may wait");
  }
  absl::StatusOr<std::shared_ptr<const TenantSnapshot>> tenant = tenants_->Snapshot(tenant_id);
  if (!tenant.ok()) return KeyFailure(tenant_id, tenant.status());
  if ((*tenant)->primary == nullptr) {
    return Error(ErrorReason::kNoPrimaryRoot, "tenant_id",
                 "the tenant has no primary root, so nothing is issued");
  }
  return tenant;
}

// 5: fill the template (promise 4), of what its verdict is for and nothing else (promise 2).
void Pipeline::FillTemplates(Batch& batch) {
  // Again: the verdict may have taken its time.
  const absl::StatusOr<Timestamp> now = DecidingTime(*clock_);
  const absl::StatusOr<std::string> entropy = entropy_->Take(ca::kSerialSize * batch.size());
  std::size_t used = 0;
  ForEach(batch, [&](Work& work) -> absl::Status {
    RETURN_IF_ERROR(entropy.status());
    RETURN_IF_ERROR(now.status());
    const Holder& holder = work.sound->holder;
    RETURN_IF_ERROR(work.verdict->CheckIsFor({work.task->request->tenant_id(),
                                              holder.subject.user_id(), holder.subject.upn(),
                                              holder.device_id, work.sound->key.sha256()}));
    std::string serial_entropy = entropy->substr(used, ca::kSerialSize);
    used += ca::kSerialSize;
    absl::StatusOr<ca::TbsCertificate> tbs =
        work.tenant->primary->Prepare({holder.subject, work.sound->key, std::move(serial_entropy),
                                       std::chrono::floor<std::chrono::seconds>(*now)});
    if (!tbs.ok()) {
      // Another process may have promoted a root that is good for longer.
      tenants_->LookAgain(work.tenant->tenant_id);
      return tbs.status();
    }
    work.tbs = *std::move(tbs);
    work.filled_at = *now;
    return absl::OkStatus();
  });
}

Intent Pipeline::IntentOf(Work& work) const {
  const v1::IssueCertificateRequest& request = *work.task->request;
  Intent intent;
  intent.tenant_id = request.tenant_id();
  intent.epoch = work.tenant->epoch;
  intent.root_id = work.tenant->primary_root_id;
  intent.request_id = request.request_id();
  intent.request_digest = work.sound->digest;
  intent.caller = work.task->caller->name;
  const Holder& holder = work.sound->holder;
  intent.user_id = holder.subject.user_id();
  intent.user_upn = holder.subject.upn();
  intent.device_id = holder.device_id;
  intent.identity = std::string(IdentityOf(holder.token.has_value(), work.device_is_proven));
  if (holder.token.has_value()) {
    intent.token_issuer = holder.token->issuer;
    intent.token_id = holder.token->token_id;
  }
  intent.verdict_id = std::move(work.verdict->verdict_id);
  intent.policy_version = std::move(work.verdict->policy_version);
  intent.verdict_evaluated_at = work.verdict->evaluated_at;
  intent.serial_number = work.tbs->serial_number();
  intent.not_before = work.tbs->not_before();
  intent.not_after = work.tbs->not_after();
  intent.tbs_certificate = work.tbs->der();
  intent.intended_at = work.filled_at;
  intent.intermediate_serial_number = IntermediateSerial(*work.tenant->primary);
  return intent;
}

// 6: write the intents (promise 3), fenced by the epoch (promise 6). From here on a request is
// carried to its end, whether or not somebody still waits.
void Pipeline::WriteIntents(Batch& batch) {
  ForEach(batch, [now = clock_->Now()](Work& work) { return CheckSomebodyWaits(*work.task, now); });
  std::vector<JournalWrite> writes;
  writes.reserve(batch.size());
  for (Work& work : batch) writes.emplace_back(IntentOf(work));
  const std::vector<absl::Status> statuses = journal_->WriteAll(writes);
  std::size_t next = 0;
  ForEach(batch, [&](Work& work) -> absl::Status {
    work.intent = std::get<Intent>(std::move(writes[next]));
    const absl::Status& status = statuses[next++];
    if (status.ok()) return status;
    if (ReasonOf(status) == ErrorReason::kRequestIdReused) return TakeUpRecordedIntent(work);
    return status;
  });
}

// 8: write the releases (promise 3), under the same fence (promise 6). A certificate that the
// journal has released already passes the fence again.
void Pipeline::WriteReleases(Batch& batch) {
  std::vector<JournalWrite> writes;
  writes.reserve(batch.size());
  const Timestamp now = clock_->Now();
  for (Work& work : batch) {
    const Intent& intent = work.intent;
    writes.emplace_back(Release{intent.tenant_id, intent.epoch, intent.request_id,
                                std::move(work.certificate), now});
  }
  const std::vector<absl::Status> statuses = journal_->WriteAll(writes);
  std::size_t next = 0;
  ForEach(batch, [&](Work& work) -> absl::Status {
    const Intent& intent = work.intent;
    work.certificate = std::get<Release>(std::move(writes[next])).certificate;
    const absl::Status& status = statuses[next++];
    if (ReasonOf(status) == ErrorReason::kRequestIdReused) {
      // Released before, or just now by a request of the same id that ran beside this one: what the
      // journal holds is the certificate.
      ASSIGN_OR_RETURN(JournalRecord record, journal_->Find(intent.tenant_id, intent.request_id));
      if (record.certificate.empty() || record.intent.serial_number != intent.serial_number) {
        return Error(ErrorReason::kJournalUnavailable, "",
                     "what the journal says was released is not what it has");
      }
      work.certificate = std::move(record.certificate);
      return absl::OkStatus();
    }
    return status;
  });
}

// 9: certificate, chain, when to come back.
void Pipeline::Answer(Work& work) {
  const Intent& intent = work.intent;
  const Timestamp now = clock_->Now();
  v1::IssueCertificateResponse& response = *work.task->response;
  response.set_certificate(std::move(work.certificate));
  if (work.other_chain.empty()) {
    const ca::Authority& primary = *work.tenant->primary;
    if (primary.intermediate() != nullptr) response.add_chain(primary.intermediate()->der());
    response.add_chain(primary.root().der());
  } else {
    for (std::string& above : work.other_chain) response.add_chain(std::move(above));
  }
  response.set_serial_number(intent.serial_number);
  *response.mutable_not_before() = ToProto(intent.not_before);
  *response.mutable_not_after() = ToProto(intent.not_after);
  *response.mutable_renew_after() = ToProto(RenewAfter(now, intent));
  *response.mutable_server_time() = ToProto(now);
  response.set_verdict_id(intent.verdict_id);
}

}  // namespace hourglass::issuance
