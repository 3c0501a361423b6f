// Certificate requests from beginning to end, in nine steps.
#ifndef HOURGLASS_ISSUANCE_PIPELINE_PIPELINE_H_
#define HOURGLASS_ISSUANCE_PIPELINE_PIPELINE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "hourglass/v1/issuance.pb.h"
#include "issuance/authorities/tenants.h"
#include "issuance/base/clock.h"
#include "issuance/base/entropy.h"
#include "issuance/compliance/compliance_client.h"
#include "issuance/compliance/facts_read_ahead.h"
#include "issuance/identity/caller.h"
#include "issuance/log/event_log.h"
#include "issuance/pipeline/device_allowance.h"
#include "issuance/pipeline/group_commit.h"
#include "issuance/pipeline/issuance_load.h"
#include "issuance/pipeline/issue_task.h"
#include "issuance/store/access_store.h"
#include "issuance/tokens/access_token.h"
#include "issuance/tokens/tenant_tokens.h"

namespace hourglass::issuance {

struct IssueOutcome {
  // As IssueTask's.
  absl::Status status;
  v1::IssueCertificateResponse response;
  std::vector<v1::DenyReason> deny_reasons;
  std::string correlation_id;
};

// Safe to call from several threads.
class Pipeline {
 public:
  // By what users and devices are known who are not taken at the broker's word. Any may be null.
  struct Identities {
    const TokensByTenant* tokens;  // null: every tenant takes the broker's word
    DirectoryStore* directory;     // UPNs of users whose token has none; null: there is no such
    DeviceAllowance* devices;      // of devices that tokens name; null: as often as they like
    // By which keys devices prove that they ask: what whoever decides in this process reads, too.
    // Null: no device has one.
    FactsReadAhead* facts;
  };

  // All pointers must outlive this object. `load` may be null: nothing is measured. `log` learns
  // what is wrong with a key; callers only learn that it cannot be used.
  Pipeline(Tenants* tenants, ComplianceClient* compliance, GroupCommit* journal, Entropy* entropy,
           const Clock* clock, EventLog log = EventLog::Silent(), IssuanceLoad* load = nullptr,
           Identities identities = {nullptr, nullptr, nullptr, nullptr})
      : tenants_(tenants),
        compliance_(compliance),
        journal_(journal),
        entropy_(entropy),
        clock_(clock),
        log_(std::move(log)),
        load_(load),
        identities_(identities) {}

  enum class Patience {
    // Loads tenants, opens keys, and waits for keys in other processes.
    kWaits,
    // Waits for the verdict and the journal alone; tasks that need more are given back with
    // needs_patience.
    kNone,
  };

  // Whether a request for the tenant would now be served without patience.
  bool IsReady(absl::string_view tenant_id);

  // Issues a batch, of any number, of any tenants: each task as if it were alone, but with one
  // commit for all intents, one SignAll for each key, and one commit for all releases. Two tasks of
  // the same request id get the same certificate.
  void IssueAll(absl::Span<IssueTask* const> tasks, Patience patience);

  // One request, of a caller who waits and showed a certificate of this hash, as IssueTask has it.
  IssueOutcome Issue(const Caller& caller, const v1::IssueCertificateRequest& request,
                     absl::string_view certificate_sha256 = "");

 private:
  struct Holder;
  struct Work;
  using Batch = std::vector<Work>;

  absl::Status CheckCaller(Work& work);
  absl::Status CheckRequest(Work& work);
  TenantTokens* TokensOf(const std::string& tenant_id) const;
  absl::StatusOr<Holder> AssertedHolder(const v1::IssueCertificateRequest& request) const;
  absl::StatusOr<Holder> HolderByToken(IssueTask& task, TenantTokens& tokens) const;
  absl::Status CompleteUpn(const std::string& tenant_id, TokenIdentity* identity) const;
  absl::Status CheckDeviceKey(Work& work, FactsReadAhead::Batch& facts_ahead);
  void ObtainVerdicts(Batch& batch);
  absl::Status MapStrongly(Work& work);
  void TakeSnapshots(Batch& batch, Patience patience);
  void FillTemplates(Batch& batch);
  void WriteIntents(Batch& batch);
  void SignAndVerify(Batch& batch);
  void WriteReleases(Batch& batch);
  void Answer(Work& work);

  absl::StatusOr<std::shared_ptr<const TenantSnapshot>> SnapshotOf(const std::string& tenant_id,
                                                                   Patience patience);
  Intent IntentOf(Work& work) const;
  absl::Status TakeUpRecordedIntent(Work& work);
  absl::Status TakeUpFromAnotherIssuer(Work& work, JournalRecord record);
  absl::Status KeyFailure(absl::string_view tenant_id, const absl::Status& cause) const;

  Tenants* const tenants_;
  ComplianceClient* const compliance_;
  GroupCommit* const journal_;
  Entropy* const entropy_;
  const Clock* const clock_;
  const EventLog log_;
  IssuanceLoad* const load_;
  const Identities identities_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_PIPELINE_PIPELINE_H_
