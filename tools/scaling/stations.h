// Where work waits and is done: servers with one queue, and servers that take all that waits.
#ifndef HOURGLASS_TOOLS_SCALING_STATIONS_H_
#define HOURGLASS_TOOLS_SCALING_STATIONS_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include "tools/scaling/simulation.h"

namespace hourglass::scaling {

// Called when work is done.
using Done = std::function<void()>;

// How long servers were in use.
class UseMeter {
 public:
  explicit UseMeter(const Simulation* simulation) : simulation_(simulation) {}
  // So many more, or fewer, are in use from now on.
  void Change(int by);
  int in_use() const { return in_use_; }
  // The time in use, summed over all servers, up to now.
  Time Sum() const;

 private:
  const Simulation* const simulation_;
  int in_use_ = 0;
  Time sum_{0};
  Time changed_at_{0};
};

// `servers` of equal speed and one queue, first come first served: cores, sessions of an HSM. Where
// there is a `quantum`, work that takes longer goes to the end of the queue after each of them, as
// threads on a core do.
class Station {
 public:
  Station(Simulation* simulation, int servers, Time quantum = Time::max());
  Station(const Station&) = delete;
  Station& operator=(const Station&) = delete;

  void Submit(Time work, Done done);

  int servers() const { return servers_; }
  // Of all servers.
  Time InUse() const { return use_.Sum(); }

 private:
  struct Job {
    Time left;
    Done done;
  };
  void Start(Job job);

  Simulation* const simulation_;
  const int servers_;
  const Time quantum_;
  UseMeter use_;
  std::deque<Job> waiting_;
};

// Up to `at_once` turns under way; when one may begin, it takes all that waits and is done for all
// of it together. A disk that is flushed has one. GroupCommit (issuance/pipeline/group_commit.h) is
// one, too.
class GroupStation {
 public:
  // Does what a turn does for `size` in all, and calls `done`.
  using Turn = std::function<void(std::int64_t size, Done done)>;

  GroupStation(Simulation* simulation, int at_once, Turn turn);
  GroupStation(const GroupStation&) = delete;
  GroupStation& operator=(const GroupStation&) = delete;

  void Submit(std::int64_t size, Done done);

  int at_once() const { return at_once_; }
  Time InUse() const { return use_.Sum(); }
  std::int64_t turns() const { return turns_; }

 private:
  void StartIfAny();

  const int at_once_;
  const Turn turn_;
  UseMeter use_;
  std::int64_t waiting_size_ = 0;
  std::vector<Done> waiting_;
  std::int64_t turns_ = 0;
};

}  // namespace hourglass::scaling

#endif  // HOURGLASS_TOOLS_SCALING_STATIONS_H_
