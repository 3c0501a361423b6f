#include "tools/scaling/cell.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>
#include <utility>

#include "tools/scaling/random.h"
#include "tools/scaling/replica.h"
#include "tools/scaling/stations.h"

namespace hourglass::scaling {
namespace {

constexpr Time kDatabaseQuantum = std::chrono::milliseconds(1);

// The primary and the standby that its commits wait for.
//
// The log is written while a transaction computes, by whoever finds it full of what is not written,
// and sent to the standby, whose disk is as fast; what a commit waits for at the end is a flush of
// the primary's disk and, after it, one of the standby's.
class Database {
 public:
  Database(Simulation* simulation, const DatabaseModel& model)
      : simulation_(simulation),
        model_(model),
        cores_(simulation, std::max(1, model.cores), kDatabaseQuantum),
        disk_(simulation, 1, kDatabaseQuantum),
        primary_flushes_(simulation, 1, Flush()),
        standby_flushes_(simulation, 1, Flush()) {}

  void Commit(std::int64_t writes, Done done) {
    const auto count = static_cast<double>(writes);
    const Time work = model_.cores == 0
                          ? Time(0)
                          : Microseconds(model_.microseconds_per_transaction +
                                         model_.microseconds_per_certificate / 2 * count);
    const Time writing = Microseconds(model_.wal_octets_per_certificate / 2 * count /
                                      model_.disk_octets_per_second * 1e6);
    const Time travel = Microseconds(model_.round_trip_us * model_.round_trips);
    simulation_->After(travel, [this, work, writing, done = std::move(done)] {
      auto left = std::make_shared<int>(2);
      const Done part = [this, left, done] {
        if (--*left == 0) primary_flushes_.Submit(1, [this, done] { Replicate(done); });
      };
      cores_.Submit(work, part);
      disk_.Submit(writing, part);
    });
  }

  const Station& cores() const { return cores_; }
  const Station& disk() const { return disk_; }
  const GroupStation& flushes() const { return primary_flushes_; }

 private:
  GroupStation::Turn Flush() {
    return [this](std::int64_t, Done done) {
      simulation_->After(Microseconds(model_.flush_us), std::move(done));
    };
  }

  void Replicate(const Done& done) {
    if (!model_.standby) return done();
    simulation_->After(Microseconds(model_.standby_round_trip_us),
                       [this, done] { standby_flushes_.Submit(1, done); });
  }

  Simulation* const simulation_;
  const DatabaseModel model_;
  Station cores_;
  Station disk_;
  GroupStation primary_flushes_;
  GroupStation standby_flushes_;
};

// What has been counted up to an instant.
struct Counts {
  Time replica_cores{0};
  Time lanes{0};
  Time commits{0};
  Time database_cores{0};
  Time flushes{0};
  Time disk{0};
  Time hsm{0};
  std::int64_t turns = 0;
  std::int64_t batches = 0;
  std::int64_t asked = 0;
  std::int64_t refused = 0;
  std::int64_t issued = 0;
};

// Those up to `share` of them took no longer. Puts `values` out of order.
double Quantile(std::vector<double>& values, double share) {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  const auto rank = std::min(values.size() - 1,
                             static_cast<std::size_t>(share * static_cast<double>(values.size())));
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(rank),
                   values.end());
  return values[rank];
}

double Mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

class Cell {
 public:
  Cell(const CellModel& model, const Load& load, std::uint64_t seed)
      : model_(model), load_(load), random_(seed), database_(&simulation_, model.database) {
    if (model.hsm.signatures_per_second > 0) hsm_.emplace(&simulation_, model.hsm.sessions);
    for (int i = 0; i < model.replica.replicas; ++i) {
      replicas_.push_back(std::make_unique<Replica>(
          &simulation_, model.replica,
          [this](std::int64_t writes, Done done) { database_.Commit(writes, std::move(done)); },
          hsm_ ? &*hsm_ : nullptr, model.hsm,
          [this](bool issued, Time due) { Answered(issued, due); }));
    }
  }

  Outcome Run(const Span& span) {
    Begin();
    simulation_.RunUntil(span.warm_up);
    const Counts before = Count();
    measured_since_ = simulation_.now();
    simulation_.RunUntil(span.warm_up + span.measured);
    return OutcomeOf(before, Count(), Seconds(span.measured));
  }

 private:
  void Begin() {
    if (load_.per_second > 0) Next();
    for (std::int64_t i = 0; i < load_.under_way; ++i) {
      // Not all at one instant: they would be in step for ever.
      simulation_.After(random_.Gap(1000), [this] { Ask(); });
    }
  }

  void Next() {
    simulation_.After(random_.Gap(load_.per_second), [this] {
      Ask();
      Next();
    });
  }

  void Ask() {
    ++asked_;
    replicas_[random_.Below(model_.replica.replicas)]->Arrive();
  }

  void Answered(bool issued, Time due) {
    ++(issued ? issued_ : refused_);
    if (issued && measured_since_ && due >= *measured_since_) {
      latencies_us_.push_back(Seconds(simulation_.now() - due) * 1e6);
    }
    if (load_.under_way > 0) Ask();
  }

  Counts Count() const {
    Counts counts{.database_cores = database_.cores().InUse(),
                  .flushes = database_.flushes().InUse(),
                  .disk = database_.disk().InUse(),
                  .hsm = hsm_ ? hsm_->InUse() : Time(0),
                  .asked = asked_,
                  .refused = refused_,
                  .issued = issued_};
    for (const auto& replica : replicas_) {
      counts.replica_cores += replica->cores().InUse();
      counts.lanes += replica->LanesInUse();
      counts.commits += replica->commits().InUse();
      counts.turns += replica->commits().turns();
      counts.batches += replica->batches();
    }
    return counts;
  }

  Use UseOf(const Counts& from, const Counts& to, double seconds) const {
    const double replicas = model_.replica.replicas;
    const auto share = [seconds](Time since, Time now, double servers) {
      return Seconds(now - since) / seconds / servers;
    };
    return {.replica_cores =
                share(from.replica_cores, to.replica_cores, replicas * model_.replica.cores),
            .lanes = share(from.lanes, to.lanes, replicas * replicas_.front()->lanes()),
            .commits = share(from.commits, to.commits, replicas * model_.replica.commits_at_once),
            .database_cores =
                share(from.database_cores, to.database_cores, database_.cores().servers()),
            .flushes = share(from.flushes, to.flushes, 1),
            .log_disk = share(from.disk, to.disk, 1),
            .hsm = hsm_ ? share(from.hsm, to.hsm, model_.hsm.sessions) : 0};
  }

  Outcome OutcomeOf(const Counts& from, const Counts& to, double seconds) {
    const auto issued = static_cast<double>(to.issued - from.issued);
    const auto refused = static_cast<double>(to.refused - from.refused);
    return {
        .asked_per_second = static_cast<double>(to.asked - from.asked) / seconds,
        .issued_per_second = issued / seconds,
        .refused_share = refused == 0 ? 0 : refused / (issued + refused),
        .mean_us = Mean(latencies_us_),
        .median_us = Quantile(latencies_us_, 0.5),
        .p99_us = Quantile(latencies_us_, 0.99),
        .use = UseOf(from, to, seconds),
        .batch = issued / static_cast<double>(to.batches - from.batches),
        .commits_per_certificate = static_cast<double>(to.turns - from.turns) / issued,
        .core_us_per_certificate = Seconds(to.replica_cores - from.replica_cores) * 1e6 / issued};
  }

  const CellModel model_;
  const Load load_;
  Random random_;
  Simulation simulation_;
  Database database_;
  std::optional<Station> hsm_;
  std::vector<std::unique_ptr<Replica>> replicas_;
  std::int64_t asked_ = 0;
  std::int64_t refused_ = 0;
  std::int64_t issued_ = 0;
  std::optional<Time> measured_since_;
  std::vector<double> latencies_us_;
};

}  // namespace

Outcome Simulate(const CellModel& cell, const Load& load, std::uint64_t seed, const Span& span) {
  return Cell(cell, load, seed).Run(span);
}

Outcome Saturate(const CellModel& cell, std::uint64_t seed, const Span& span) {
  const ReplicaModel& replica = cell.replica;
  const int most_lanes = std::max({replica.lanes, replica.cores + 1, 32});
  CellModel unrefusing = cell;
  unrefusing.replica.queue = std::numeric_limits<std::int64_t>::max();
  const std::int64_t each = replica.queue + most_lanes * replica.batch;
  return Simulate(unrefusing, {.under_way = replica.replicas * each}, seed, span);
}

std::string FirstLimit(const Use& saturated) {
  constexpr double kFull = 0.95;
  const std::pair<double, const char*> parts[] = {
      {saturated.hsm, "HSM"},
      {saturated.replica_cores, "replicas' cores"},
      {saturated.database_cores, "database's cores"},
      {saturated.log_disk, "disk of the log"},
      // Last: where something else is full, commits wait for it and are under way all the time.
      {saturated.commits, "commits under way"},
  };
  for (const auto& [share, name] : parts) {
    if (share >= kFull) return name;
  }
  return "lanes, which wait for commits";
}

}  // namespace hourglass::scaling
