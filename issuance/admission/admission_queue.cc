#include "issuance/admission/admission_queue.h"

#include <algorithm>
#include <utility>

namespace hourglass::issuance {
namespace {

// So many batches of a tenant may be under way whatever waits; for each further one there must be
// this many tasks more, or a busy tenant's would be taken up one by one as they come, and what a
// batch shares would be paid for each of them.
constexpr int kUnconditionalPatientBatches = 4;
constexpr std::size_t kTasksForAnotherBatch = 16;
// More than these are a crowd themselves.
constexpr std::size_t kMostOfALoneTenant = 8;
constexpr std::size_t kMostLone = 32;

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
  bool in_swift_turns = false;
  bool in_lone_turns = false;
  bool in_patient_turns = false;
  bool is_lone = false;  // as TakeLone says
};

AdmissionQueue::AdmissionQueue(std::size_t bound, int most_patient_batches, std::size_t crowd)
    : bound_(bound), most_patient_batches_(most_patient_batches), crowd_(crowd) {}

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
  if (tenant.waiting == 0 && tenant.patient_batches == 0 && !tenant.in_swift_turns &&
      !tenant.in_lone_turns) {
    tenants_.erase(std::string(tenant.id));
  }
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
    AppendSwift(tenant, task);
    return;
  }
  tenant.patient.Append(task);
  ++tenant.patient_waiting;
  TakePatientTurn(tenant);
}

void AdmissionQueue::AppendSwift(Tenant& tenant, IssueTask* task) {
  const std::size_t before = tenant.waiting - 1 - tenant.patient_waiting;
  if (before == 0 && swift_waiting_ >= crowd_ && lone_waiting_ < kMostLone) {
    tenant.is_lone = true;
    TakeTurn(tenant, tenant.in_lone_turns, lone_turns_);
  } else if (tenant.is_lone && before >= kMostOfALoneTenant) {
    tenant.is_lone = false;
    lone_waiting_ -= before;
  }
  if (tenant.is_lone) {
    ++lone_waiting_;
  } else {
    TakeTurn(tenant, tenant.in_swift_turns, swift_turns_);
  }
  tenant.swift.Append(task);
  ++swift_waiting_;
}

void AdmissionQueue::TakeTurn(Tenant& tenant, bool& has_one, Turns& turns) {
  if (!std::exchange(has_one, true)) turns.push_back(&tenant);
}

void AdmissionQueue::TakePatientTurn(Tenant& tenant) {
  const int further = tenant.patient_batches - kUnconditionalPatientBatches + 1;
  const std::size_t must_wait =
      further <= 0 ? 1 : kTasksForAnotherBatch * static_cast<std::size_t>(further);
  if (tenant.in_patient_turns || tenant.patient_batches >= most_patient_batches_ ||
      tenant.patient_waiting < must_wait) {
    return;
  }
  TakeTurn(tenant, tenant.in_patient_turns, patient_turns_);
}

void AdmissionQueue::TakeFirstSwift(Tenant& tenant, std::vector<IssueTask*>& batch) {
  batch.push_back(tenant.swift.TakeFirst());
  --waiting_;
  --swift_waiting_;
  if (--tenant.waiting == 0) --tenants_waiting_;
  if (tenant.is_lone) --lone_waiting_;
  if (tenant.swift.empty()) tenant.is_lone = false;
}

void AdmissionQueue::TakeSwift(std::size_t most, std::vector<IssueTask*>& batch) {
  std::size_t taken = 0;
  for (; taken < most && !swift_turns_.empty(); ++taken) {
    Tenant& tenant = *swift_turns_.front();
    swift_turns_.pop_front();
    tenant.in_swift_turns = false;
    TakeFirstSwift(tenant, batch);
    if (!tenant.swift.empty()) TakeTurn(tenant, tenant.in_swift_turns, swift_turns_);
    ForgetIfIdle(tenant);
  }
  TakeLone(most - taken, batch);
}

void AdmissionQueue::TakeLone(std::size_t most, std::vector<IssueTask*>& batch) {
  for (std::size_t taken = 0; taken < most && !lone_turns_.empty();) {
    Tenant& tenant = *lone_turns_.front();
    lone_turns_.pop_front();
    tenant.in_lone_turns = false;
    for (; taken < most && tenant.is_lone; ++taken) TakeFirstSwift(tenant, batch);
    if (tenant.is_lone) TakeTurn(tenant, tenant.in_lone_turns, lone_turns_);
    ForgetIfIdle(tenant);
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
