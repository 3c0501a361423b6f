// Requests for certificates that wait for a lane: bounded, and fair to every tenant.
#ifndef HOURGLASS_ISSUANCE_ADMISSION_QUEUE_H_
#define HOURGLASS_ISSUANCE_ADMISSION_QUEUE_H_

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "issuance/issue_task.h"

namespace hourglass::issuance {

// Not safe to call from several threads: whoever shares it locks it. It owns no task, and allocates
// nothing for one. Tenants are told apart by the tenant id of the requests.
class AdmissionQueue {
 public:
  // A swift task waits for nobody but the journal; a patient one may, and its tenant's others with
  // it.
  enum class Kind { kSwift, kPatient };

  // At least 1 each. `bound` tasks may wait; at most `most_patient_batches` of a tenant are under
  // way at once.
  AdmissionQueue(std::size_t bound, int most_patient_batches);
  ~AdmissionQueue();
  AdmissionQueue(const AdmissionQueue&) = delete;
  AdmissionQueue& operator=(const AdmissionQueue&) = delete;

  // False, and the task does not wait, where `bound` others do and its tenant has its fair share of
  // them, an equal part for each tenant that waits, or more. So a tenant that floods the queue is
  // refused, and one that does not is admitted; never more than twice `bound` wait in all.
  bool Add(IssueTask* task, Kind kind);

  // Lets a task that was taken as a swift one wait as a patient one, whatever the bound says.
  void AddAgain(IssueTask* task);

  // Moves up to `most` swift tasks to `batch`: one of each tenant in turn, those of a tenant in the
  // order in which they came.
  void TakeSwift(std::size_t most, std::vector<IssueTask*>& batch);

  // Moves up to `most` patient tasks of one tenant to `batch`: of the one whose turn it is among
  // those with fewer than `most_patient_batches` under way; from the fifth batch on, 16 more must
  // wait for each. This batch is under way until EndPatient is told the tenant. Takes nothing where
  // there is no such tenant.
  void TakePatient(std::size_t most, std::vector<IssueTask*>& batch);
  void EndPatient(const std::string& tenant_id);

  // Whether the next call would take something.
  bool HasSwift() const { return !swift_turns_.empty(); }
  bool HasPatient() const { return !patient_turns_.empty(); }
  std::size_t waiting() const { return waiting_; }

 private:
  struct Tenant;

  Tenant& TenantOf(const std::string& tenant_id);
  void Append(Tenant& tenant, IssueTask* task, Kind kind);
  // If something may be taken from it.
  void TakePatientTurn(Tenant& tenant);
  void ForgetIfIdle(Tenant& tenant);

  const std::size_t bound_;
  const int most_patient_batches_;
  std::size_t waiting_ = 0;
  std::size_t tenants_waiting_ = 0;
  absl::flat_hash_map<std::string, std::unique_ptr<Tenant>> tenants_;
  // Tenants from which something may be taken, each once, in the order of their turns.
  std::deque<Tenant*> swift_turns_;
  std::deque<Tenant*> patient_turns_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_ADMISSION_QUEUE_H_
