// Requests for certificates that wait for a lane: bounded, and fair to every tenant.
#ifndef HOURGLASS_ISSUANCE_ADMISSION_ADMISSION_QUEUE_H_
#define HOURGLASS_ISSUANCE_ADMISSION_ADMISSION_QUEUE_H_

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "issuance/pipeline/issue_task.h"

namespace hourglass::issuance {

// Not safe to call from several threads: whoever shares it locks it. It owns no task, and allocates
// nothing for one. Tenants are told apart by the tenant id of the requests.
class AdmissionQueue {
 public:
  // A swift task waits for nobody but the journal; a patient one may, and its tenant's others with
  // it.
  enum class Kind { kSwift, kPatient };

  // At least 1 each. `bound` tasks may wait; at most `most_patient_batches` of a tenant are under
  // way at once. Swift tasks are a crowd where `crowd` or more wait.
  AdmissionQueue(std::size_t bound, int most_patient_batches, std::size_t crowd);
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
  // order in which they came. Those of lone tenants, only where there is room left.
  void TakeSwift(std::size_t most, std::vector<IssueTask*>& batch);

  // Moves up to `most` swift tasks of lone tenants to `batch`. A tenant is lone when one of its
  // tasks comes while none of its others waits, but a crowd of others' does, until nothing waits of
  // it, or more than 8. So one that asks for little need not wait for what a crowd asked for. When
  // 32 tasks of lone tenants wait, these are a crowd themselves, and no further one becomes lone.
  void TakeLone(std::size_t most, std::vector<IssueTask*>& batch);

  // Moves up to `most` patient tasks of one tenant to `batch`: of the one whose turn it is among
  // those with fewer than `most_patient_batches` under way; from the fifth batch on, 16 more must
  // wait for each. This batch is under way until EndPatient is told the tenant. Takes nothing where
  // there is no such tenant.
  void TakePatient(std::size_t most, std::vector<IssueTask*>& batch);
  void EndPatient(const std::string& tenant_id);

  // Whether the next call would take something. What is lone is swift as well.
  bool HasSwift() const { return swift_waiting_ > 0; }
  bool HasLone() const { return lone_waiting_ > 0; }
  bool HasPatient() const { return !patient_turns_.empty(); }
  std::size_t waiting() const { return waiting_; }
  std::size_t swift_waiting() const { return swift_waiting_; }

 private:
  struct Tenant;
  using Turns = std::deque<Tenant*>;

  Tenant& TenantOf(const std::string& tenant_id);
  void Append(Tenant& tenant, IssueTask* task, Kind kind);
  void AppendSwift(Tenant& tenant, IssueTask* task);
  void TakeTurn(Tenant& tenant, bool& has_one, Turns& turns);
  void TakeFirstSwift(Tenant& tenant, std::vector<IssueTask*>& batch);
  // If something may be taken from it.
  void TakePatientTurn(Tenant& tenant);
  void ForgetIfIdle(Tenant& tenant);

  const std::size_t bound_;
  const int most_patient_batches_;
  const std::size_t crowd_;
  std::size_t waiting_ = 0;
  std::size_t swift_waiting_ = 0;
  std::size_t lone_waiting_ = 0;
  std::size_t tenants_waiting_ = 0;
  absl::flat_hash_map<std::string, std::unique_ptr<Tenant>> tenants_;
  // Tenants from which something may be taken, each once in a row, in the order of their turns. One
  // of which swift tasks wait is in the second if it is lone, else in the first.
  Turns swift_turns_;
  Turns lone_turns_;  // and some that are lone no more
  Turns patient_turns_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_ADMISSION_ADMISSION_QUEUE_H_
