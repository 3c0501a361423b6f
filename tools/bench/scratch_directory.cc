#include "tools/bench/scratch_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"

namespace hourglass::bench {
namespace {

constexpr mode_t kMode = 0711;

// Where the handler tells the waiting thread which signal came; 0 where none will any more.
int signal_pipe[2] = {-1, -1};

void Tell(int signal) {
  const auto octet = static_cast<unsigned char>(signal);
  // A pipe that takes no octet holds one that ends the process already.
  [[maybe_unused]] const ssize_t written = write(signal_pipe[1], &octet, 1);
}

// A handler, where a blocked signal would stay blocked in the programs that are started.
void Handle(int signal, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigaction(signal, &action, nullptr);
}

void HandleEnd(void (*handler)(int)) {
  Handle(SIGINT, handler);
  Handle(SIGTERM, handler);
}

// Of a thread that aborts, since a program of its own was killed: what is to be removed comes
// first.
void StandStill(int) {
  for (;;) pause();
}

std::string NameOf(pid_t process) {
  std::ifstream file(absl::StrCat("/proc/", process, "/comm"));
  std::string name;
  std::getline(file, name);
  return name;
}

void KillChildren() {
  std::error_code error;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task", error)) {
    std::ifstream children(task.path() / "children");
    for (pid_t child; children >> child;) {
      // PostgreSQL has memory that only it can give back, and children that it must stop first.
      kill(child, NameOf(child) == "postgres" ? SIGQUIT : SIGKILL);
      waitpid(child, nullptr, 0);
    }
  }
}

absl::Status CannotMake(const std::string& path) {
  return Error(ErrorReason::kConfigurationInvalid, "--scratch",
               absl::StrCat("cannot make a directory in ", path));
}

}  // namespace

absl::StatusOr<std::unique_ptr<ScratchDirectory>> ScratchDirectory::Create(
    const std::string& parent) {
  std::error_code error;
  std::string path =
      absl::StrCat(std::filesystem::absolute(parent, error).string(), "/hourglass-bench.XXXXXX");
  if (error || mkdtemp(path.data()) == nullptr || chmod(path.c_str(), kMode) != 0) {
    return CannotMake(parent);
  }
  if (pipe2(signal_pipe, O_CLOEXEC) != 0) {
    std::filesystem::remove(path, error);
    return CannotMake(parent);
  }
  return std::unique_ptr<ScratchDirectory>(new ScratchDirectory(std::move(path)));
}

ScratchDirectory::ScratchDirectory(std::string path)
    : path_(std::move(path)), waiter_([this, end = signal_pipe[0]] { AwaitEnd(end); }) {
  HandleEnd(Tell);
}

ScratchDirectory::~ScratchDirectory() {
  HandleEnd(SIG_DFL);
  Tell(0);
  waiter_.join();
  close(signal_pipe[0]);
  close(signal_pipe[1]);
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

void ScratchDirectory::AwaitEnd(int signals) const {
  unsigned char signal = 0;
  while (read(signals, &signal, 1) < 0 && errno == EINTR) {
  }
  if (signal == 0) return;
  Handle(SIGABRT, StandStill);
  KillChildren();
  std::error_code error;
  std::filesystem::remove_all(path_, error);
  // The measurement goes on meanwhile, and may have started another.
  KillChildren();
  std::filesystem::remove_all(path_, error);
  _exit(128 + signal);
}

absl::StatusOr<std::string> ScratchDirectory::Make(absl::string_view name) const {
  const std::string path = absl::StrCat(path_, "/", name);
  std::error_code error;
  if (!std::filesystem::create_directory(path, error) || chmod(path.c_str(), kMode) != 0) {
    return CannotMake(path_);
  }
  return path;
}

}  // namespace hourglass::bench
