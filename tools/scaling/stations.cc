#include "tools/scaling/stations.h"

#include <algorithm>
#include <utility>

namespace hourglass::scaling {

void UseMeter::Change(int by) {
  sum_ = Sum();
  changed_at_ = simulation_->now();
  in_use_ += by;
}

Time UseMeter::Sum() const { return sum_ + (simulation_->now() - changed_at_) * in_use_; }

Station::Station(Simulation* simulation, int servers, Time quantum)
    : simulation_(simulation), servers_(servers), quantum_(quantum), use_(simulation) {}

void Station::Submit(Time work, Done done) {
  if (use_.in_use() == servers_) {
    waiting_.push_back({work, std::move(done)});
    return;
  }
  use_.Change(1);
  Start({work, std::move(done)});
}

void Station::Start(Job job) {
  const Time slice = std::min(job.left, quantum_);
  job.left -= slice;
  simulation_->After(slice, [this, job = std::move(job)]() mutable {
    Done done;
    if (job.left > Time(0)) {
      waiting_.push_back(std::move(job));
    } else {
      done = std::move(job.done);
    }
    if (waiting_.empty()) {
      use_.Change(-1);
    } else {
      Job next = std::move(waiting_.front());
      waiting_.pop_front();
      Start(std::move(next));
    }
    if (done) done();
  });
}

GroupStation::GroupStation(Simulation* simulation, int at_once, Turn turn)
    : at_once_(at_once), turn_(std::move(turn)), use_(simulation) {}

void GroupStation::Submit(std::int64_t size, Done done) {
  waiting_size_ += size;
  waiting_.push_back(std::move(done));
  StartIfAny();
}

void GroupStation::StartIfAny() {
  if (waiting_.empty() || use_.in_use() == at_once_) return;
  use_.Change(1);
  ++turns_;
  const std::int64_t size = std::exchange(waiting_size_, 0);
  turn_(size, [this, group = std::exchange(waiting_, {})] {
    use_.Change(-1);
    // What came meanwhile goes first: who is told now may come again at this instant, for a turn
    // of its own.
    StartIfAny();
    for (const Done& done : group) done();
  });
}

}  // namespace hourglass::scaling
