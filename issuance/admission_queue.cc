#include "issuance/admission_queue.h"

#include <algorithm>
#include <utility>

namespace hourglass::issuance {
namespace {

// So many batches of a tenant may be under way whatever waits; for each further one there must be
// this many tasks more, or a busy tenant's would be taken up one by one as they come, and what a
// batch shares would be paid for each of them.
constexpr int kUnconditionalPatientBatches = 4;
constexpr std::size_t kTasksForAnotherBatch = 16;

// The tasks themselves are the links.
class Line {
 public:
  bool empty() const { return first_ == nullptr; }
  void Append(IssueTask* task) {
    task->behind = nullptr;
    (empty() ? first_ : last_->behind) = task;
    last_ = task;
  }
  IssueTask* TakeFirst() { return std::exchange(first_, first_->behind); }

 private:
  IssueTask* first_ = nullptr;
  IssueTask* last_ = nullptr;
};

}  // namespace

// One that waits, or has a patient batch under way.
struct AdmissionQueue::Tenant {
  std::string id;
  Line swift;
  Line patient;
  std::size_t waiting = 0;
  std::size_t patient_waiting = 0;
  int patient_batches = 0;
  bool in_patient_turns = false;
};

AdmissionQueue::AdmissionQueue(std::size_t bound, int most_patient_batches)
    : bound_(bound), most_patient_batches_(most_patient_batches) {}

AdmissionQueue::~AdmissionQueue() = default;

AdmissionQueue::Tenant& AdmissionQueue::TenantOf(const std::string& tenant_id) {
  std::unique_ptr<Tenant>& tenant = tenants_[tenant_id];
  if (tenant == nullptr) {
    tenant = std::make_unique<Tenant>();
    tenant->id = tenant_id;
  }
  return *tenant;
}

void AdmissionQueue::ForgetIfIdle(Tenant& tenant) {
  if (tenant.waiting == 0 && tenant.patient_batches == 0) tenants_.erase(std::string(tenant.id));
}

bool AdmissionQueue::Add(IssueTask* task, Kind kind) {
  if (waiting_ >= bound_) {
    const auto found = tenants_.find(task->request->tenant_id());
    const std::size_t its = found == tenants_.end() ? 0 : found->second->waiting;
    const std::size_t sharers = tenants_waiting_ + (its == 0 ? 1 : 0);
    const std::size_t fair_share = std::max<std::size_t>(1, bound_ / sharers);
    if (its >= fair_share || waiting_ >= 2 * bound_) return false;
  }
  Append(TenantOf(task->request->tenant_id()), task, kind);
  return true;
}

void AdmissionQueue::AddAgain(IssueTask* task) {
  Append(TenantOf(task->request->tenant_id()), task, Kind::kPatient);
}

void AdmissionQueue::Append(Tenant& tenant, IssueTask* task, Kind kind) {
  if (tenant.waiting++ == 0) ++tenants_waiting_;
  ++waiting_;
  if (kind == Kind::kSwift) {
    if (tenant.swift.empty()) swift_turns_.push_back(&tenant);
    tenant.swift.Append(task);
    return;
  }
  tenant.patient.Append(task);
  ++tenant.patient_waiting;
  TakePatientTurn(tenant);
}

void AdmissionQueue::TakePatientTurn(Tenant& tenant) {
  const int further = tenant.patient_batches - kUnconditionalPatientBatches + 1;
  const std::size_t must_wait =
      further <= 0 ? 1 : kTasksForAnotherBatch * static_cast<std::size_t>(further);
  if (tenant.in_patient_turns || tenant.patient_batches >= most_patient_batches_ ||
      tenant.patient_waiting < must_wait) {
    return;
  }
  tenant.in_patient_turns = true;
  patient_turns_.push_back(&tenant);
}

void AdmissionQueue::TakeSwift(std::size_t most, std::vector<IssueTask*>& batch) {
  for (std::size_t taken = 0; taken < most && !swift_turns_.empty(); ++taken) {
    Tenant& tenant = *swift_turns_.front();
    swift_turns_.pop_front();
    batch.push_back(tenant.swift.TakeFirst());
    --waiting_;
    if (--tenant.waiting == 0) --tenants_waiting_;
    if (!tenant.swift.empty()) {
      swift_turns_.push_back(&tenant);
    } else {
      ForgetIfIdle(tenant);
    }
  }
}

void AdmissionQueue::TakePatient(std::size_t most, std::vector<IssueTask*>& batch) {
  if (patient_turns_.empty()) return;
  Tenant& tenant = *patient_turns_.front();
  patient_turns_.pop_front();
  tenant.in_patient_turns = false;
  ++tenant.patient_batches;
  for (std::size_t taken = 0; taken < most && !tenant.patient.empty(); ++taken) {
    batch.push_back(tenant.patient.TakeFirst());
    --waiting_;
    --tenant.patient_waiting;
    if (--tenant.waiting == 0) --tenants_waiting_;
  }
  TakePatientTurn(tenant);
}

void AdmissionQueue::EndPatient(const std::string& tenant_id) {
  Tenant& tenant = *tenants_.at(tenant_id);
  --tenant.patient_batches;
  TakePatientTurn(tenant);
  ForgetIfIdle(tenant);
}

}  // namespace hourglass::issuance
