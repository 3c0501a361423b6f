#include "issuance/admission/lanes.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace hourglass::issuance {
namespace {

using Steady = std::chrono::steady_clock;

// What was left to busy lanes is taken up by another where none of them comes back for so long.
constexpr std::chrono::milliseconds kLongForABatch(20);

}  // namespace

Lanes::Lanes(Pipeline* pipeline, const LaneOptions& options, const Clock* clock,
             const EventLog* log, IssuanceLoad* load)
    : pipeline_(pipeline),
      options_(options),
      clock_(clock),
      log_(log),
      load_(load),
      queue_(options.queue_length, std::max(1, options.patient_lanes / 2), options.batch_size),
      gauge_(Steady::now()) {
  for (int i = 0; i < options.swift_lanes; ++i) {
    swift_lanes_.emplace_back([this] { RunSwift(); });
  }
  if (options.swift_lanes > 0) swift_lanes_.emplace_back([this] { RunExpress(); });
  for (int i = 0; i < options.patient_lanes; ++i) {
    patient_lanes_.emplace_back([this] { RunPatient(); });
  }
}

Lanes::~Lanes() {
  {
    const MutexLock lock(mutex_);
    swift_stopping_ = true;
  }
  swift_comes_.notify_all();
  lone_comes_.notify_all();
  for (std::thread& lane : swift_lanes_) lane.join();
  // After the swift ones, which may have passed tasks on.
  {
    const MutexLock lock(mutex_);
    patient_stopping_ = true;
  }
  patient_comes_.notify_all();
  for (std::thread& lane : patient_lanes_) lane.join();
}

std::optional<std::chrono::milliseconds> Lanes::Submit(IssueTask* task) {
  const bool swift = options_.swift_lanes > 0 && pipeline_->IsReady(task->request->tenant_id());
  MutexLock lock(mutex_);
  if (!queue_.Add(task, swift ? AdmissionQueue::Kind::kSwift : AdmissionQueue::Kind::kPatient)) {
    const Steady::time_point now = Steady::now();
    const std::chrono::milliseconds come_back = gauge_.Refused(queue_.waiting(), now);
    ReportRefusals(now);
    return come_back;
  }
  TellWaiting();
  const bool wake = swift ? idle_swift_lanes_ > 0 && MayTakeSwift()
                          : idle_patient_lanes_ > 0 && queue_.HasPatient();
  const bool is_left = swift && !wake;
  const bool wake_express = (express_is_idle_ && queue_.HasLone()) || (express_sleeps_ && is_left);
  lock.unlock();
  if (wake) (swift ? swift_comes_ : patient_comes_).notify_one();
  if (wake_express) lone_comes_.notify_one();
  return std::nullopt;
}

bool Lanes::MayTakeSwift() const {
  if (swift_is_overdue_ && queue_.HasSwift()) return true;
  const auto busy = options_.swift_lanes - idle_swift_lanes_;
  return gate_.IsOpen(queue_.swift_waiting(), static_cast<std::size_t>(busy));
}

void Lanes::TellWaiting() {
  if (load_ != nullptr) load_->SetWaiting(queue_.waiting());
}

void Lanes::ReportRefusals(OverloadGauge::Time now) {
  const std::optional<std::uint64_t> refused = gauge_.Unreported(now);
  if (!refused.has_value()) return;
  log_->Warning("overloaded",
                {{"refused", absl::StrCat(*refused)}, {"waiting", absl::StrCat(queue_.waiting())}});
}

void Lanes::DropLate(std::vector<IssueTask*>& batch, std::chrono::microseconds service_time) {
  const Timestamp answered = clock_->Now() + service_time;
  std::erase_if(batch, [&](IssueTask* task) {
    if (task->CallerIsGone()) {
      task->status = absl::CancelledError("the caller gave up before its turn came");
    } else if (task->deadline <= answered) {
      task->status = absl::DeadlineExceededError("the caller's turn came too late");
    } else {
      return false;
    }
    task->Finished();
    return true;
  });
}

void Lanes::Finish(const std::vector<IssueTask*>& batch) {
  for (IssueTask* task : batch) task->Finished();
}

std::size_t Lanes::ServeSwift(std::vector<IssueTask*>& batch, Steady::duration& service_time) {
  const Steady::time_point begun = Steady::now();
  DropLate(batch, std::chrono::floor<std::chrono::microseconds>(service_time));
  const std::size_t served = batch.size();
  pipeline_->IssueAll(batch, Pipeline::Patience::kNone);
  std::vector<IssueTask*> passed_on;
  const auto needs_patience = [](const IssueTask* task) { return task->needs_patience; };
  std::ranges::copy_if(batch, std::back_inserter(passed_on), needs_patience);
  std::erase_if(batch, needs_patience);
  Finish(batch);
  const Steady::time_point ended = Steady::now();
  service_time += (ended - begun - service_time) / 8;

  const MutexLock lock(mutex_);
  for (IssueTask* task : passed_on) queue_.AddAgain(task);
  if (!passed_on.empty()) patient_comes_.notify_all();
  gauge_.Served(batch.size(), ended);
  ReportRefusals(ended);
  return served;
}

void Lanes::RunSwift() {
  std::vector<IssueTask*> batch;
  // What a batch took lately.
  Steady::duration service_time{0};
  MutexLock lock(mutex_);
  for (;;) {
    ++idle_swift_lanes_;
    swift_comes_.wait(lock, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return MayTakeSwift() || swift_stopping_;
    });
    --idle_swift_lanes_;
    if (!queue_.HasSwift()) return;
    batch.clear();
    queue_.TakeSwift(options_.batch_size, batch);
    ++swift_batches_;
    swift_is_overdue_ = false;
    TellWaiting();
    const bool wake_another = idle_swift_lanes_ > 0 && MayTakeSwift();
    lock.unlock();
    if (wake_another) swift_comes_.notify_one();
    const Steady::time_point begun = Steady::now();
    const std::size_t served = ServeSwift(batch, service_time);
    lock.lock();
    if (served > 0) gate_.Served(served, Steady::now() - begun);
  }
}

void Lanes::RunExpress() {
  std::vector<IssueTask*> batch;
  Steady::duration service_time{0};
  MutexLock lock(mutex_);
  for (;;) {
    express_is_idle_ = true;
    express_sleeps_ = true;  // until there is something to watch over
    lone_comes_.wait(lock, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return queue_.HasSwift() || swift_stopping_;
    });
    express_sleeps_ = false;
    const std::uint64_t batches_before = swift_batches_;
    const bool is_called =
        lone_comes_.wait_for(lock, kLongForABatch, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
          return queue_.HasLone() || swift_stopping_;
        });
    express_is_idle_ = false;
    if (!is_called) {
      swift_is_overdue_ = queue_.HasSwift() && swift_batches_ == batches_before;
      if (swift_is_overdue_ && idle_swift_lanes_ > 0) swift_comes_.notify_one();
      continue;
    }
    if (!queue_.HasLone()) return;
    batch.clear();
    queue_.TakeLone(options_.batch_size, batch);
    TellWaiting();
    lock.unlock();
    ServeSwift(batch, service_time);
    lock.lock();
  }
}

void Lanes::RunPatient() {
  std::vector<IssueTask*> batch;
  MutexLock lock(mutex_);
  for (;;) {
    ++idle_patient_lanes_;
    patient_comes_.wait(lock, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return queue_.HasPatient() || patient_stopping_;
    });
    --idle_patient_lanes_;
    if (!queue_.HasPatient()) return;
    batch.clear();
    queue_.TakePatient(options_.batch_size, batch);
    TellWaiting();
    const std::string tenant_id = batch.front()->request->tenant_id();
    lock.unlock();

    DropLate(batch, std::chrono::microseconds(0));
    pipeline_->IssueAll(batch, Pipeline::Patience::kWaits);
    Finish(batch);

    lock.lock();
    queue_.EndPatient(tenant_id);
    // Tasks of this tenant may have waited for one of its lanes to be free, and more lanes than
    // this one may be.
    if (queue_.HasPatient() && idle_patient_lanes_ > 0) patient_comes_.notify_one();
    const Steady::time_point now = Steady::now();
    gauge_.Served(batch.size(), now);
    ReportRefusals(now);
  }
}

}  // namespace hourglass::issuance
