#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <iterator>
#include <set>

#include "hsm/base/signals.h"
#include "hsm/keyholder/process/confinement.h"
#include "hsm/keyholder/process/worker_launch.h"
#include "hsm/keyholder/process/worker_spawner.h"

namespace hourglass::hsm {
namespace {

constexpr int kStandardStreams = 3;

// What was sent SIGKILL ends at once, unless it hangs in the kernel; then others must not wait.
constexpr int kMostWaits = 2000;
constexpr timespec kWait = {0, 1'000'000};

// Whoever reads this process's memory has what it was configured with.
void Confine(const SpawnerOptions& options) {
  prctl(PR_SET_NAME, "hourglass-spawn", 0, 0, 0);
  // Workers lock their memory, where they may: they cannot raise the limit under another account.
  if (options.account.has_value()) {
    const rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
    static_cast<void>(setrlimit(RLIMIT_MEMLOCK, &unlimited));
  }
  if (!ForbidDumps().ok()) _exit(1);
  if (!options.account.has_value()) return;
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct kept[_LINUX_CAPABILITY_U32S_3] = {};
  kept[0].permitted = 1U << CAP_SETUID | 1U << CAP_SETGID | 1U << CAP_KILL;
  kept[0].effective = kept[0].permitted;
  if (syscall(SYS_capset, &header, kept) != 0) _exit(1);
}

// Nothing of the parent's but the socket. What a terminal or systemd sends to the whole group is
// the parent's to act on: it goes on until that one has hung up.
void Detach(int socket) {
  // Above the numbers that are replaced, one of which it may have.
  const int kept = fcntl(socket, F_DUPFD_CLOEXEC, kStandardStreams + 1);
  for (int stream = 0; stream < kStandardStreams; ++stream) {
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null >= 0 && null != stream) {
      dup2(null, stream);
      close(null);
    }
  }
  if (dup3(kept, kStandardStreams, O_CLOEXEC) < 0) _exit(1);
  close_range(kStandardStreams + 1, ~0U, 0);
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : StraySignals()) sigaddset(&signals, number);
  for (const int number : {SIGINT, SIGTERM, SIGQUIT}) sigaddset(&signals, number);
  sigprocmask(SIG_SETMASK, &signals, nullptr);
  signal(SIGCHLD, SIG_DFL);
}

bool Send(int socket, const SpawnReply& reply, const WorkerEnds& ends) {
  iovec octets = {const_cast<SpawnReply*>(&reply), sizeof(reply)};
  msghdr message = {};
  message.msg_iov = &octets;
  message.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(kMostEnds * sizeof(int))] = {};
  const int numbers[kMostEnds] = {ends.signing.number(), ends.standard_error.number(),
                                  ends.administration.number()};
  const size_t count = numbers[0] < 0 ? 0 : numbers[2] < 0 ? kMostEnds - 1 : kMostEnds;
  if (count > 0) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    cmsghdr* const part = CMSG_FIRSTHDR(&message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(part), numbers, count * sizeof(int));
  }
  return sendmsg(socket, &message, MSG_NOSIGNAL) == sizeof(reply);
}

class SpawnerProcess {
 public:
  SpawnerProcess(int socket, const SpawnerOptions& options) : socket_(socket), options_(options) {}

  [[noreturn]] void Serve() {
    for (;;) {
      SpawnRequest request = {};
      const ssize_t size = recv(socket_, &request, sizeof(request), 0);
      if (size < 0 && errno == EINTR) continue;
      // The parent is gone, and the workers end with this process.
      if (size != sizeof(request)) _exit(size == 0 ? 0 : 1);
      ReapThoseLeft();
      if (request.kind == SpawnRequest::kStart) {
        Start(request);
      } else {
        Reap(request.pid);
      }
    }
  }

 private:
  void Reply(const SpawnReply& reply, const WorkerEnds& ends) {
    if (!Send(socket_, reply, ends)) _exit(1);
  }

  void Start(const SpawnRequest& request) {
    SpawnReply reply = {EINVAL, -1, -1};
    const auto index = static_cast<size_t>(request.custodian);
    if (request.custodian < 0 || index >= options_.custodians.size() || request.threads < 1 ||
        request.threads > kMostKeyholderThreads) {
      return Reply(reply, {});
    }
    const Account* const account = options_.account.has_value() ? &*options_.account : nullptr;
    const absl::StatusOr<WorkerEnds> ends = LaunchWorker(
        options_.program, {options_.custodians[index], request.threads}, account, &reply.error);
    if (!ends.ok()) return Reply(reply, {});
    workers_.insert(ends->pid);
    Reply({0, ends->pid, -1}, *ends);
  }

  // Only of its own children: numbers of processes are used again.
  void Reap(pid_t pid) {
    SpawnReply reply = {ESRCH, pid, -1};
    if (workers_.erase(pid) == 0) return Reply(reply, {});
    reply.error = 0;
    kill(pid, SIGKILL);
    int status = 0;
    pid_t reaped = 0;
    for (int wait = 0; wait < kMostWaits; ++wait) {
      reaped = waitpid(pid, &status, WNOHANG);
      if (reaped != 0 && !(reaped < 0 && errno == EINTR)) break;
      nanosleep(&kWait, nullptr);
    }
    if (reaped == pid) {
      reply.status = status;
    } else if (reaped == 0) {
      left_.insert(pid);
    }
    Reply(reply, {});
  }

  void ReapThoseLeft() {
    for (auto left = left_.begin(); left != left_.end();) {
      left = waitpid(*left, nullptr, WNOHANG) == 0 ? std::next(left) : left_.erase(left);
    }
  }

  const int socket_;
  const SpawnerOptions& options_;
  std::set<pid_t> workers_;
  std::set<pid_t> left_;  // were killed, and had not ended
};

}  // namespace

void RunSpawner(int socket, const SpawnerOptions& options) {
  Detach(socket);
  Confine(options);
  SpawnerProcess(kStandardStreams, options).Serve();
}

}  // namespace hourglass::hsm
