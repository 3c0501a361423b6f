#include "tools/scaling/replica.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace hourglass::scaling {
namespace {

// About what Linux lets a thread have before it is another's turn.
constexpr Time kQuantum = std::chrono::milliseconds(1);
// What the gate left to busy lanes is taken up by an idle one then (issuance/admission/lanes.h).
constexpr Time kOverdue = std::chrono::milliseconds(20);
constexpr int kPatientLanes = 32;

int LanesOf(const ReplicaModel& model, bool waits_for_signatures) {
  if (model.lanes > 0) return model.lanes;
  return waits_for_signatures ? kPatientLanes : model.cores + 1;
}

}  // namespace

Replica::Replica(Simulation* simulation, const ReplicaModel& model, Commit commit, Station* hsm,
                 const HsmModel& hsm_model, Answered answered)
    : simulation_(simulation),
      model_(model),
      lanes_(LanesOf(model, hsm != nullptr)),
      hsm_(hsm),
      hsm_model_(hsm_model),
      answered_(std::move(answered)),
      cores_(simulation, model.cores, kQuantum),
      commits_(simulation, model.commits_at_once, std::move(commit)),
      lanes_in_use_(simulation) {}

void Replica::Arrive() {
  const Time due = simulation_->now();
  cores_.Submit(Microseconds((model_.cost.call + model_.cost.generator) / 2),
                [this, due] { Admit(due); });
}

void Replica::Admit(Time due) {
  if (static_cast<std::int64_t>(waiting_.size()) >= model_.queue) {
    Answer(false, std::make_shared<const std::vector<Time>>(1, due));
    return;
  }
  waiting_.push_back(due);
  TakeUp();
}

bool Replica::MayTakeUp() const {
  const int busy = lanes_in_use_.in_use();
  if (waiting_.empty() || busy == lanes_) return false;
  // Patient lanes wait most of the time: they do not take each other's.
  if (hsm_ != nullptr) return true;
  return gate_.IsOpen(waiting_.size(), busy) || simulation_->now() - waiting_.front() >= kOverdue;
}

void Replica::TakeUp() {
  while (MayTakeUp()) {
    const auto size = std::min<std::size_t>(waiting_.size(), model_.batch);
    auto batch = std::make_shared<std::vector<Time>>(waiting_.begin(), waiting_.begin() + size);
    waiting_.erase(waiting_.begin(), waiting_.begin() + size);
    lanes_in_use_.Change(1);
    ++batches_;
    Serve(batch);
  }
}

void Replica::Serve(const Batch& batch) {
  const Time began = simulation_->now();
  const auto size = static_cast<std::int64_t>(batch->size());
  const double work = model_.cost.batch + model_.cost.lane * static_cast<double>(size);
  cores_.Submit(Microseconds(work), [this, batch, began, size] {
    commits_.Submit(size, [this, batch, began, size] {
      Sign(batch, [this, batch, began, size] {
        commits_.Submit(size, [this, batch, began, size] {
          gate_.Served(size, simulation_->now() - began);
          lanes_in_use_.Change(-1);
          Answer(true, batch);
          TakeUp();
        });
      });
    });
  });
}

void Replica::Sign(const Batch& batch, Done done) {
  const auto size = static_cast<std::int64_t>(batch->size());
  const Time work = Microseconds(model_.cost.signature * static_cast<double>(size));
  if (hsm_ == nullptr) {
    cores_.Submit(work, std::move(done));
    return;
  }
  const Time signature = Microseconds(1e6 * hsm_model_.sessions / hsm_model_.signatures_per_second);
  auto left = std::make_shared<std::int64_t>(size);
  // What the service computes for a signature that it waits for: sending it, and verifying it.
  Done signed_one = [this, left, work, done = std::move(done)] {
    if (--*left == 0) cores_.Submit(work, done);
  };
  simulation_->After(Microseconds(hsm_model_.round_trip_us), [this, size, signature, signed_one] {
    for (std::int64_t i = 0; i < size; ++i) hsm_->Submit(signature, signed_one);
  });
}

void Replica::Answer(bool issued, const Batch& batch) {
  const double work = (model_.cost.call + model_.cost.generator) / 2;
  for (const Time due : *batch) {
    cores_.Submit(Microseconds(work), [this, issued, due] { answered_(issued, due); });
  }
}

}  // namespace hourglass::scaling
