// Carries events out on one gateway, beside the others: one that does not answer delays no other.
#ifndef HOURGLASS_TOOLS_GATEWAYD_WORKER_H_
#define HOURGLASS_TOOLS_GATEWAYD_WORKER_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "hsm/base/mutex.h"
#include "tools/gatewayd/gateway.h"

namespace hourglass::gatewayd {

// What became of an event on a gateway.
struct Told {
  std::string event;  // Concern::words
  std::string cursor;
  std::string what;  // the tunnel that was ended, or why none was; Printable
  Match how = Match::kNone;
  absl::Duration after;  // from when this program was told of the event
};

// What a worker has done.
struct Report {
  std::vector<Told> ended;
  std::vector<Told> not_told;
  std::vector<Told> given_up;  // they are over (IsOver), and the gateway did not answer until then
  // How many of the tasks that are not done again are done with, in the order of Add.
  std::size_t done = 0;
  // OK, or why what is left is tried again.
  absl::Status status;
};

// Has a thread of its own. The public functions are for one other thread.
class Worker {
 public:
  // The most that a gateway may take for what waits, before it is tried again.
  static constexpr absl::Duration kLimit = absl::Seconds(10);
  // Writes to `reported`, an eventfd, for each report. How long it waits before it tries again
  // `retry_after` says, by the count of failures in a row.
  Worker(std::unique_ptr<Gateway> gateway, int reported,
         std::function<absl::Duration(int)> retry_after);
  // Ends what is under way; what is left is not carried out.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  const std::string& name() const { return gateway_->name(); }
  void Add(Task task);
  // The next report; nullopt where there is none.
  std::optional<Report> Take();

 private:
  void Run();
  // Adds what waits to `tasks_`; where there are some, waits at most `pause` for more. False where
  // told to stop.
  bool Next(absl::Duration pause);
  // Tries `tasks_`, and takes away what is done with.
  Report Try();
  void Tell(Report report);

  const std::unique_ptr<Gateway> gateway_;
  const int reported_;
  const std::function<absl::Duration(int)> retry_after_;
  const int stop_;  // an eventfd
  Mutex mutex_;
  ConditionVariable changed_;
  std::vector<Task> tasks_;  // of the thread
  std::vector<Task> added_ ABSL_GUARDED_BY(mutex_);
  std::deque<Report> reports_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace hourglass::gatewayd

#endif  // HOURGLASS_TOOLS_GATEWAYD_WORKER_H_
