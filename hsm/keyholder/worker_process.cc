#include "hsm/keyholder/worker_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"

namespace hourglass::hsm {
namespace {

using Outcome = PacketBuffer::Outcome;

constexpr int kWorkerSocket = 3;
constexpr size_t kLongestLine = 4096;
// Of one call of TakeStandardError: a module that never stops writing must not keep its parent.
constexpr size_t kMostStandardError = 64UL * 1024;

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }
  int Release() { return std::exchange(number_, -1); }
  void Reset(int number) {
    if (number_ >= 0) close(number_);
    number_ = number;
  }

 private:
  int number_ = -1;
};

absl::Status CannotStart(absl::string_view program, int error) {
  return Error(ErrorReason::kKeyUnavailable, "",
               absl::StrCat("cannot start ", program, ": ", strerror(error)));
}

// Both ends of a worker's line; the worker's end is above the numbers that it is to get there, so
// that moving one end into its place cannot close another.
struct Line {
  Descriptor ours;    // does not block
  Descriptor theirs;  // blocks
};

int Finish(const int ends[2], Line* line) {
  line->ours.Reset(ends[0]);
  const Descriptor low(ends[1]);
  line->theirs.Reset(fcntl(low.number(), F_DUPFD_CLOEXEC, kWorkerSocket + 1));
  if (line->theirs.number() < 0 || fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) return errno;
  return 0;
}

int OpenSocket(Line* line) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return errno;
  // So that a machine with small defaults still lets the largest packet through, where it may.
  const int room = 2 * static_cast<int>(kLargestPacket);
  for (const int end : ends) setsockopt(end, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
  return Finish(ends, line);
}

int OpenPipe(Line* line) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return errno;
  return Finish(ends, line);
}

class SpawnPlan {
 public:
  SpawnPlan(int socket, int standard_error) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&actions_, STDIN_FILENO, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, standard_error, STDERR_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, socket, kWorkerSocket);
    posix_spawn_file_actions_addclosefrom_np(&actions_, kWorkerSocket + 1);

    sigset_t signals;
    posix_spawnattr_init(&attributes_);
    sigfillset(&signals);
    posix_spawnattr_setsigdefault(&attributes_, &signals);
    // Blocked, and not in a process group of its own, so that a stopped parent's workers stop too.
    sigemptyset(&signals);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) sigaddset(&signals, signal);
    posix_spawnattr_setsigmask(&attributes_, &signals);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  }
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  // An error number, or 0.
  int Spawn(const std::string& program, pid_t* pid) const {
    char* arguments[] = {const_cast<char*>(program.c_str()), nullptr};
    return posix_spawn(pid, program.c_str(), &actions_, &attributes_, arguments, environ);
  }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

// Until the other side has closed its end, as the end of its process does.
void AwaitHangUp(int socket, std::chrono::milliseconds longest) {
  const auto deadline = std::chrono::steady_clock::now() + longest;
  pollfd file = {socket, 0, 0};
  for (;;) {
    const auto rest =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (rest.count() <= 0 || poll(&file, 1, static_cast<int>(rest.count())) > 0) return;
  }
}

std::string HowItEnded(int status) {
  if (WIFEXITED(status)) return absl::StrCat("exited with ", WEXITSTATUS(status));
  const char* name = sigabbrev_np(WTERMSIG(status));
  if (name == nullptr) return absl::StrCat("killed by signal ", WTERMSIG(status));
  return absl::StrCat("killed by SIG", name);
}

}  // namespace

absl::StatusOr<std::unique_ptr<WorkerProcess>> WorkerProcess::Start(const std::string& program,
                                                                    const keyholder::Start& start) {
  Line socket;
  Line standard_error;
  if (const int error = OpenSocket(&socket); error != 0) return CannotStart(program, error);
  if (const int error = OpenPipe(&standard_error); error != 0) return CannotStart(program, error);
  const SpawnPlan plan(socket.theirs.number(), standard_error.theirs.number());
  pid_t pid = -1;
  if (const int error = plan.Spawn(program, &pid); error != 0) return CannotStart(program, error);
  std::unique_ptr<WorkerProcess> worker(
      new WorkerProcess(pid, socket.ours.Release(), standard_error.ours.Release()));
  if (worker->buffer_.Send(worker->socket_, start) != Outcome::kDone) {
    return Error(ErrorReason::kKeyUnavailable, "", absl::StrCat(program, " ", worker->End()));
  }
  return worker;
}

WorkerProcess::~WorkerProcess() {
  End();
  close(socket_);
  close(standard_error_);
}

WorkerProcess::Sent WorkerProcess::Send(const keyholder::Request& request) {
  const Outcome outcome = buffer_.Send(socket_, request);
  if (request.has_seal() || request.has_unseal()) buffer_.Wipe();
  switch (outcome) {
    case Outcome::kDone:
      return Sent::kYes;
    case Outcome::kWouldBlock:
      return Sent::kFull;
    case Outcome::kHungUp:
    case Outcome::kUnfit:
      break;
  }
  return Sent::kGone;
}

absl::StatusOr<std::optional<keyholder::Reply>> WorkerProcess::Receive() {
  std::optional<keyholder::Reply> reply(std::in_place);
  const Outcome outcome = buffer_.Receive(socket_, &*reply);
  switch (outcome) {
    case Outcome::kDone:
      if (!reply->octets().empty()) buffer_.Wipe();
      return reply;
    case Outcome::kWouldBlock:
      return std::nullopt;
    case Outcome::kHungUp:
      return Error(ErrorReason::kKeyUnavailable, "", "the worker has hung up");
    case Outcome::kUnfit:
      break;
  }
  buffer_.Wipe();
  return Error(ErrorReason::kKeyUnavailable, "", "the worker sent what is no reply");
}

std::string WorkerProcess::TakeStandardError() {
  std::string lines;
  char octets[4096];
  while (lines.size() < kMostStandardError) {
    const ssize_t count = read(standard_error_, octets, sizeof(octets));
    if (count < 0 && errno == EINTR) continue;
    // Where nothing can be read any more there is no more to come, or the process has ended.
    const bool over = count == 0 || (count < 0 && !ending_.empty());
    if (count > 0) AddToLines({octets, static_cast<size_t>(count)}, &lines);
    if (over && !partial_line_.empty()) absl::StrAppend(&lines, partial_line_, "\n");
    if (over) partial_line_.clear();
    if (count <= 0) break;
  }
  return lines;
}

void WorkerProcess::AddToLines(absl::string_view octets, std::string* lines) {
  for (const char octet : octets) {
    if (octet != '\n') partial_line_.push_back(octet);
    if (octet != '\n' && partial_line_.size() < kLongestLine) continue;
    absl::StrAppend(lines, partial_line_, "\n");
    partial_line_.clear();
  }
}

std::string WorkerProcess::End(std::chrono::milliseconds grace) {
  if (!ending_.empty()) return ending_;
  // Modules write while they log in, and SoftHSM empties its token's file first: whoever is killed
  // in between leaves no token.
  shutdown(socket_, SHUT_WR);
  AwaitHangUp(socket_, grace);
  kill(pid_, SIGKILL);
  int status = 0;
  pid_t reaped = -1;
  do {
    reaped = waitpid(pid_, &status, 0);
  } while (reaped < 0 && errno == EINTR);
  // Where the program has SIGCHLD ignored nobody can know.
  ending_ = reaped == pid_ ? HowItEnded(status) : "ended";
  return ending_;
}

}  // namespace hourglass::hsm
