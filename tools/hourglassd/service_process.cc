#include "tools/hourglassd/service_process.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "hsm/base/error.h"
#include "hsm/base/signals.h"
#include "hsm/base/status_macros.h"
#include "hsm/keyholder/process/worker_parent.h"
#include "issuance/edge/service_notice.h"
#include "issuance/log/foreign_lines.h"
#include "tools/client/files.h"

// Of gperftools' <gperftools/malloc_extension_c.h>; weak, because the sanitizers' builds have
// another allocator.
extern "C" {
[[gnu::weak]] int MallocExtension_GetNumericProperty(const char* property, std::size_t* value);
[[gnu::weak]] void MallocExtension_ReleaseFreeMemory();
}

namespace hourglass {
namespace {

constexpr std::chrono::seconds kStopGrace(30);

// Written whole or not at all: whoever waits for the file never reads half an address.
absl::Status WriteAddressFile(const std::string& path, const std::string& address) {
  const absl::Status written = client::ReplaceFile(path, absl::StrCat(address, "\n"), 0644);
  if (written.ok()) return written;
  return Error(ErrorReason::kConfigurationInvalid, "address_file", written.message());
}

// What a flood made the service take, the allocator keeps when it is over, for ever. So much of it
// may stay: under load it is used again and again.
void GiveBackFreeMemory() {
  constexpr std::size_t kMayStay = std::size_t{64} << 20;
  std::size_t free = 0;
  // Null where the allocator is another.
  if (MallocExtension_GetNumericProperty == nullptr ||
      MallocExtension_GetNumericProperty("tcmalloc.pageheap_free_bytes", &free) == 0 ||
      free <= kMayStay) {
    return;
  }
  MallocExtension_ReleaseFreeMemory();
}

// How the process that starts the key holders ended; nothing while it runs, or where there is none.
std::optional<std::string> HowSpawnerEnded() {
  const std::shared_ptr<hsm::WorkerParent> spawner = hsm::WorkerParentOfThisProcess();
  int status = 0;
  if (spawner == nullptr || waitpid(spawner->pid(), &status, WNOHANG) == 0) return std::nullopt;
  return ProcessEnding(status);
}

// Until SIGINT or SIGTERM, or until key holders cannot be started any more, which a new start of
// this process mends. Every other signal of `awaited` is told, and nothing else. The exit code.
int AwaitStop(const sigset_t& awaited, const issuance::EventLog& log) {
  constexpr timespec kPause = {10, 0};
  for (;;) {
    siginfo_t about = {};
    const int received = sigtimedwait(&awaited, &about, &kPause);
    if (received < 0) {
      GiveBackFreeMemory();
      continue;
    }
    if (received == SIGCHLD) {
      const std::optional<std::string> how = HowSpawnerEnded();
      if (!how.has_value()) continue;
      log.Failure("spawner_ended", {{"how", *how}});
      return 1;
    }
    if (received == SIGINT || received == SIGTERM) {
      log.Info("stopping", {{"signal", strsignal(received)}});
      return 0;
    }
    log.Warning("signal_ignored",
                {{"signal", SignalName(received)}, {"pid", absl::StrCat(about.si_pid)}});
  }
}

}  // namespace

sigset_t PrepareProcess() {
  sigset_t awaited = BlockStraySignals();
  sigset_t stop_signals;
  sigemptyset(&stop_signals);
  // The default, or nobody is told of children (waitid(2)).
  signal(SIGCHLD, SIG_DFL);
  for (const int number : {SIGINT, SIGTERM, SIGCHLD}) {
    sigaddset(&stop_signals, number);
    sigaddset(&awaited, number);
  }
  pthread_sigmask(SIG_BLOCK, &stop_signals, nullptr);
  // A file that outgrows its limit is a failed write, said as such, and not the end of the process.
  signal(SIGXFSZ, SIG_IGN);
  // Debian builds abseil with a search for deadlocks at each lock of gRPC's, which costs a
  // fortieth of a certificate and is for those who change gRPC.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  return awaited;
}

int Fail(const absl::Status& status) {
  const std::string text = absl::StrCat(status.message(), "\n");
  for (absl::string_view rest = text; !rest.empty();) {
    pollfd writable = {STDERR_FILENO, POLLOUT, 0};
    if (poll(&writable, 1, 1000) != 1) break;
    // So much does not block (pipe(7), PIPE_BUF).
    const ssize_t count =
        write(STDERR_FILENO, rest.data(), std::min<std::size_t>(rest.size(), 4096));
    if (count <= 0) break;
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
  return 1;
}

int ServeWithLog(const issuance::Config& config,
                 const std::function<absl::StatusOr<int>(const issuance::EventLog& log)>& serve) {
  const auto log = issuance::EventLog::ToStandardError(
      config.log_level, config.log_personal_data ? issuance::EventLog::PersonalData::kWritten
                                                 : issuance::EventLog::PersonalData::kLeftOut);
  if (!log.ok()) return Fail(log.status());
  const issuance::ForeignLines foreign(&*log);
  const absl::StatusOr<int> served = serve(*log);
  if (served.ok()) return *served;
  log->Failure("start_failed", {{"message", std::string(served.status().message())}});
  return 1;
}

absl::StatusOr<int> ServeUntilAsked(issuance::Server& server, const issuance::Config& config,
                                    const sigset_t& awaited, const issuance::EventLog& log) {
  if (!config.address_file.empty()) {
    RETURN_IF_ERROR(WriteAddressFile(config.address_file, server.address()));
  }
  log.Info("serving", {{"address", server.address()},
                       {"metrics_address", server.metrics_address()},
                       {"data_directory", config.data_directory}});
  issuance::NotifyServiceManager("READY=1");
  const int exit_code = AwaitStop(awaited, log);
  // The port is not answered from now on: so much may the last answer be old.
  issuance::NotifyServiceManager("STOPPING=1\nWATCHDOG=1");
  server.Stop(kStopGrace);
  log.Info("stopped", {});
  return exit_code;
}

}  // namespace hourglass
