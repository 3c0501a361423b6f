// One hourglass-keyholder process, from the side of the one who started it.
#ifndef HOURGLASS_HSM_KEYHOLDER_WORKER_PROCESS_H_
#define HOURGLASS_HSM_KEYHOLDER_WORKER_PROCESS_H_

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hsm/keyholder/keyholder.pb.h"
#include "hsm/keyholder/packet.h"

namespace hourglass::hsm {

// For one thread at a time, the one that called Start: the process ends when that thread does
// (PR_SET_PDEATHSIG). Ended as by End() when this object goes.
class WorkerProcess {
 public:
  // posix_spawn of `program`, which inherits nothing but the socket, a pipe for standard error and
  // the environment; sends `start`. The process takes no SIGINT, SIGTERM, SIGHUP or SIGQUIT: a
  // terminal and systemd send them to the whole group, while its parent still finishes what it has
  // begun. Errors: KEY_UNAVAILABLE where it cannot be started.
  static absl::StatusOr<std::unique_ptr<WorkerProcess>> Start(const std::string& program,
                                                              const keyholder::Start& start);
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  pid_t pid() const { return pid_; }
  // To poll for replies, and for what the module writes to standard error. Neither blocks.
  int socket() const { return socket_; }
  int standard_error() const { return standard_error_; }

  // kFull: once the socket is writable again.
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
  WorkerProcess(pid_t pid, int socket, int standard_error)
      : pid_(pid), socket_(socket), standard_error_(standard_error) {}
  // Moves the whole lines of what was read to `lines`.
  void AddToLines(absl::string_view octets, std::string* lines);

  pid_t pid_;
  int socket_;
  int standard_error_;
  PacketBuffer buffer_;
  std::string partial_line_;
  std::string ending_;
};

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_KEYHOLDER_WORKER_PROCESS_H_
