// One hourglass-keyholder process, from the side of the one who started it.
#ifndef HOURGLASS_HSM_KEYHOLDER_PROCESS_WORKER_PROCESS_H_
#define HOURGLASS_HSM_KEYHOLDER_PROCESS_WORKER_PROCESS_H_

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hsm/keyholder/process/worker_parent.h"
#include "hsm/keyholder/protocol/keyholder.pb.h"
#include "hsm/keyholder/protocol/packet.h"

namespace hourglass::hsm {

// For one thread at a time. Ended as by End() when this object goes.
class WorkerProcess {
 public:
  // Errors: those of WorkerParent::Start.
  static absl::StatusOr<std::unique_ptr<WorkerProcess>> Start(std::shared_ptr<WorkerParent> parent,
                                                              const Holding& holding);
  // By ParentHere: for the thread that calls, with which the process ends.
  static absl::StatusOr<std::unique_ptr<WorkerProcess>> Start(const std::string& program,
                                                              const Holding& holding);
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  pid_t pid() const { return ends_.pid; }
  // To poll for replies, and for what the module writes to standard error. None blocks. What makes
  // or destroys keys has a socket of its own; -1 where this worker has none.
  int socket() const { return ends_.signing.number(); }
  int administration_socket() const { return ends_.administration.number(); }
  int standard_error() const { return ends_.standard_error.number(); }

  // kFull: once the socket is writable again. kGone also for what no socket takes.
  enum class Sent { kYes, kFull, kGone };
  Sent Send(const keyholder::Request& request);

  // The next reply, or nothing where there is none yet. Errors: KEY_UNAVAILABLE once the worker has
  // hung up or has sent what is no reply; then only End is of use. Wipes the buffer of replies that
  // hold unsealed octets.
  absl::StatusOr<std::optional<keyholder::Reply>> Receive();

  // What was written to standard error since the last call: whole lines, or all there is once the
  // worker has ended. At most 4096 octets a line.
  std::string TakeStandardError();

  // Hangs up, lets the worker finish what it is doing for at most `grace`, kills it (SIGKILL) if it
  // still runs, and says how it ended: `exited with 0`, `killed by SIGSEGV`. A worker that is
  // killed while it logs in may take its token with it, see docs/keys.md. Idempotent.
  std::string End(std::chrono::milliseconds grace = std::chrono::seconds(1));

 private:
  WorkerProcess(std::shared_ptr<WorkerParent> parent, WorkerEnds ends)
      : parent_(std::move(parent)), ends_(std::move(ends)) {}
  absl::StatusOr<std::optional<keyholder::Reply>> ReceiveFrom(int socket);
  // Moves the whole lines of what was read to `lines`.
  void AddToLines(absl::string_view octets, std::string* lines);

  const std::shared_ptr<WorkerParent> parent_;
  const WorkerEnds ends_;
  PacketBuffer buffer_;
  std::string partial_line_;
  std::string ending_;
};

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_KEYHOLDER_PROCESS_WORKER_PROCESS_H_
