#include "hsm/keyholder/process/worker_launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/keyholder/process/worker_environment.h"
#include "hsm/keyholder/protocol/packet.h"

namespace hourglass::hsm {
namespace {

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
  line->theirs.Reset(fcntl(low.number(), F_DUPFD_CLOEXEC, kAdministrationSocket + 1));
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

struct Lines {
  Line signing;
  Line administration;
  Line standard_error;
};

int Open(const WorkerProgram& program, Lines* lines) {
  if (const int error = OpenSocket(&lines->signing); error != 0) return error;
  if (const int error = OpenPipe(&lines->standard_error); error != 0) return error;
  return program.administration ? OpenSocket(&lines->administration) : 0;
}

class SpawnPlan {
 public:
  explicit SpawnPlan(const Lines& lines) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&actions_, STDIN_FILENO, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, lines.standard_error.theirs.number(),
                                     STDERR_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, lines.signing.theirs.number(), kSigningSocket);
    const int administration = lines.administration.theirs.number();
    if (administration >= 0) {
      posix_spawn_file_actions_adddup2(&actions_, administration, kAdministrationSocket);
    }
    posix_spawn_file_actions_addclosefrom_np(
        &actions_, administration >= 0 ? kAdministrationSocket + 1 : kSigningSocket + 1);

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
  int Spawn(const std::string& program, const std::vector<std::string>& environment,
            pid_t* pid) const {
    char* arguments[] = {const_cast<char*>(program.c_str()), nullptr};
    std::vector<char*> variables;
    variables.reserve(environment.size() + 1);
    for (const std::string& variable : environment) {
      variables.push_back(const_cast<char*>(variable.c_str()));
    }
    variables.push_back(nullptr);
    return posix_spawn(pid, program.c_str(), &actions_, &attributes_, arguments, variables.data());
  }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

std::vector<std::string> EnvironmentFor(const WorkerProgram& program, const Holding& holding,
                                        const Account* account) {
  std::vector<std::string> variables =
      WorkerEnvironment(holding.custodian, program.environment, environ);
  if (account == nullptr) return variables;
  // Modules look for their configuration there.
  for (std::string& variable : variables) {
    if (absl::StartsWith(variable, "HOME=")) variable = absl::StrCat("HOME=", account->home);
  }
  return variables;
}

class ThisProcess final : public WorkerParent {
 public:
  explicit ThisProcess(const WorkerProgram& program) : program_(program) {}

  absl::StatusOr<WorkerEnds> Start(const Holding& holding) override {
    return LaunchWorker(program_, holding, nullptr);
  }

  std::optional<int> Reap(pid_t pid) override {
    kill(pid, SIGKILL);
    int status = 0;
    pid_t reaped = -1;
    do {
      reaped = waitpid(pid, &status, 0);
    } while (reaped < 0 && errno == EINTR);
    // Where the program has SIGCHLD ignored nobody can know.
    return reaped == pid ? std::make_optional(status) : std::nullopt;
  }

  pid_t pid() const override { return getpid(); }

 private:
  const WorkerProgram program_;
};

std::shared_ptr<WorkerParent>& Registered() {
  static auto* const parent = new std::shared_ptr<WorkerParent>();
  return *parent;
}

}  // namespace

absl::StatusOr<WorkerEnds> LaunchWorker(const WorkerProgram& program, const Holding& holding,
                                        const Account* account, int* error) {
  Lines lines;
  WorkerEnds ends;
  int code = Open(program, &lines);
  if (code == 0) {
    const SpawnPlan plan(lines);
    const AsAccount as_account(account);
    code = as_account.error();
    if (code == 0) {
      code = plan.Spawn(program.path, EnvironmentFor(program, holding, account), &ends.pid);
    }
  }
  if (error != nullptr) *error = code;
  if (code != 0) return CannotStart(program.path, code);
  ends.signing = std::move(lines.signing.ours);
  ends.administration = std::move(lines.administration.ours);
  ends.standard_error = std::move(lines.standard_error.ours);
  // Where it has ended already that is found out by whoever reads.
  PacketBuffer().Send(ends.signing.number(), WriteStart(holding));
  return ends;
}

void SetWorkerParent(std::shared_ptr<WorkerParent> parent) { Registered() = std::move(parent); }

std::shared_ptr<WorkerParent> WorkerParentOfThisProcess() { return Registered(); }

std::shared_ptr<WorkerParent> ParentHere(const WorkerProgram& program) {
  return std::make_shared<ThisProcess>(program);
}

}  // namespace hourglass::hsm
