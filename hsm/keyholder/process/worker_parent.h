// The process whose children worker processes are.
#ifndef HOURGLASS_HSM_KEYHOLDER_PROCESS_WORKER_PARENT_H_
#define HOURGLASS_HSM_KEYHOLDER_PROCESS_WORKER_PARENT_H_

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "hsm/keyholder/process/descriptor.h"
#include "hsm/keyholder/protocol/protocol.h"

namespace hourglass::hsm {

// A worker that runs, and our ends of its lines; none of them blocks.
struct WorkerEnds {
  pid_t pid = -1;
  Descriptor signing;
  Descriptor administration;  // none where the worker makes and destroys no keys
  Descriptor standard_error;
};

// Safe to call from several threads.
class WorkerParent {
 public:
  virtual ~WorkerParent() = default;
  WorkerParent(const WorkerParent&) = delete;
  WorkerParent& operator=(const WorkerParent&) = delete;

  // Starts a worker and tells it what it holds. It inherits nothing but its sockets, a pipe for
  // standard error and WorkerEnvironment; takes no SIGINT, SIGTERM, SIGHUP or SIGQUIT. Errors:
  // KEY_UNAVAILABLE where it cannot be started.
  virtual absl::StatusOr<WorkerEnds> Start(const Holding& holding) = 0;

  // Ends a worker that was started here (SIGKILL) unless it has ended, and says how, as wait(2)
  // does; nothing where nobody can know. Once.
  virtual std::optional<int> Reap(pid_t pid) = 0;

  // The process whose children the workers are. They end with it.
  virtual pid_t pid() const = 0;

 protected:
  WorkerParent() = default;
};

// How workers are started.
struct WorkerProgram {
  std::string path;                      // hourglass-keyholder
  std::vector<std::string> environment;  // names that workers get besides those of IsOfWorkers
  bool administration = true;            // may they make and destroy keys
};

// The parent of all workers of this process, for a process that must not start any itself; null:
// none was set, and ParentHere serves. To be set before the first custodian is made.
void SetWorkerParent(std::shared_ptr<WorkerParent> parent);
std::shared_ptr<WorkerParent> WorkerParentOfThisProcess();

// This process: workers end with the thread that started them (PR_SET_PDEATHSIG).
std::shared_ptr<WorkerParent> ParentHere(const WorkerProgram& program);

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_KEYHOLDER_PROCESS_WORKER_PARENT_H_
