#include "hsm/keyholder/process/worker_spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/key/key_type.h"
#include "hsm/key/key_uri.h"
#include "hsm/keyholder/process/call_filter.h"
#include "hsm/keyholder/process/worker_process.h"
#include "hsm/keyholder/protocol/protocol.h"
#include "tests/support/keyholder.h"
#include "tests/support/softhsm_token.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::hsm {
namespace {

using testing::HasSubstr;

const SofthsmToken& Softhsm() {
  static const SofthsmToken softhsm({"held", "other"});
  return softhsm;
}

TokenUri Token(const std::string& label) { return *ParseTokenUri(Softhsm().Uri(label)); }

SpawnerOptions OptionsFor(const TokenUri& token) {
  SpawnerOptions options;
  options.program.path = std::filesystem::absolute(kKeyholderProgram);
  options.custodians = {token};
  return options;
}

keyholder::Request Greeting() {
  keyholder::Request request;
  request.mutable_greet();
  return request;
}

bool Greets(WorkerProcess& worker) {
  const auto reply = Ask(worker, Greeting());
  return reply.ok() && !reply->has_failure();
}

// The exit code of `work` in a process of its own; what ended it, negative.
int InAChild(const std::function<int()>& work) {
  const pid_t child = fork();
  if (child == 0) _exit(work());
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

TEST(WorkerSpawnerTest, StartsAndReapsWorkers) {
  ASSERT_OK_AND_ASSIGN(const auto spawner, ForkWorkerSpawner(OptionsFor(Token("held"))));
  ASSERT_OK_AND_ASSIGN(const auto first, WorkerProcess::Start(spawner, {Token("held"), 1}));
  ASSERT_OK_AND_ASSIGN(const auto second, WorkerProcess::Start(spawner, {Token("held"), 2}));
  EXPECT_TRUE(Greets(*first));
  EXPECT_TRUE(Greets(*second));
  EXPECT_EQ(first->End(), "exited with 0");
  EXPECT_EQ(kill(second->pid(), SIGKILL), 0);
  EXPECT_EQ(second->End(), "killed by SIGKILL");
  EXPECT_EQ(kill(second->pid(), 0), -1) << "it was not reaped";
}

// Or whoever took over the service could have any library loaded by the account of the workers.
TEST(WorkerSpawnerTest, StartsNothingElse) {
  ASSERT_OK_AND_ASSIGN(const auto spawner, ForkWorkerSpawner(OptionsFor(Token("held"))));
  ASSERT_OK(WorkerProcess::Start(spawner, {Token("held"), 1}));
  TokenUri other_module = Token("held");
  other_module.module_path = "/tmp/other.so";
  TokenUri other_pin = Token("held");
  other_pin.pin_source.name = "/etc/passwd";
  for (const TokenUri& token : {Token("other"), other_module, other_pin}) {
    const auto worker = WorkerProcess::Start(spawner, {token, 1});
    ASSERT_THAT(worker, FailsWith(ErrorReason::kKeyUnavailable));
    EXPECT_THAT(std::string(worker.status().message()), HasSubstr("does not name the token"));
  }
}

TEST(WorkerSpawnerTest, SaysThatTheProgramCannotBeStarted) {
  SpawnerOptions options = OptionsFor(Token("held"));
  options.program.path = "/no/such/program";
  ASSERT_OK_AND_ASSIGN(const auto spawner, ForkWorkerSpawner(options));
  const auto worker = WorkerProcess::Start(spawner, {Token("held"), 1});
  ASSERT_THAT(worker, FailsWith(ErrorReason::kKeyUnavailable));
  EXPECT_EQ(worker.status().message(), "cannot start /no/such/program: No such file or directory");
}

// What may come from a service that was taken over.
TEST(WorkerSpawnerTest, RefusesWhatIsNotItsOwn) {
  const SpawnerOptions options = OptionsFor(Token("held"));
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  const pid_t spawner = fork();
  if (spawner == 0) {
    close(ends[0]);
    RunSpawner(ends[1], options);
  }
  close(ends[1]);
  const auto ask = [&](const SpawnRequest& request) {
    SpawnReply reply = {-1, -1, -1};
    EXPECT_EQ(send(ends[0], &request, sizeof(request), 0), static_cast<ssize_t>(sizeof(request)));
    EXPECT_EQ(recv(ends[0], &reply, sizeof(reply), 0), static_cast<ssize_t>(sizeof(reply)));
    return reply.error;
  };
  for (const int index : {-1, 1, 1 << 30}) {
    EXPECT_EQ(ask({SpawnRequest::kStart, index, 1, -1}), EINVAL) << index;
  }
  for (const int threads : {-1, 0, 65}) {
    EXPECT_EQ(ask({SpawnRequest::kStart, 0, threads, -1}), EINVAL) << threads;
  }
  for (const pid_t pid : {getpid(), spawner, 1, 0, -1}) {
    EXPECT_EQ(ask({SpawnRequest::kReap, -1, 0, pid}), ESRCH) << pid;
  }
  EXPECT_EQ(ask({SpawnRequest::kStart, 0, 1, -1}), 0);
  close(ends[0]);
  int status = -1;
  EXPECT_EQ(waitpid(spawner, &status, 0), spawner);
  EXPECT_EQ(status, 0);
}

TEST(WorkerSpawnerTest, EndsWithItsParentAndTheWorkersWithIt) {
  ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const pid_t parent = fork();
  if (parent == 0) {
    const auto spawner = ForkWorkerSpawner(OptionsFor(Token("held")));
    if (!spawner.ok()) _exit(1);
    const auto worker = WorkerProcess::Start(*spawner, {Token("held"), 1});
    if (!worker.ok() || !Greets(**worker)) _exit(1);
    const pid_t pid = (*worker)->pid();
    if (write(ends[1], &pid, sizeof(pid)) != sizeof(pid)) _exit(1);
    pause();
  }
  close(ends[1]);
  pid_t worker = -1;
  ASSERT_EQ(read(ends[0], &worker, sizeof(worker)), static_cast<ssize_t>(sizeof(worker)));
  close(ends[0]);
  ASSERT_EQ(kill(parent, SIGKILL), 0);
  ASSERT_EQ(waitpid(parent, nullptr, 0), parent);
  // The spawner and the worker are this process's children now.
  int ended = 0;
  while (waitpid(-1, nullptr, 0) > 0) ++ended;
  EXPECT_GE(ended, 2);
  EXPECT_EQ(kill(worker, 0), -1);
  prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
}

// Whatever keeps the service from starting processes itself.
TEST(WorkerSpawnerTest, WorksWhileTheServiceMayStartNothing) {
  EXPECT_EQ(InAChild([] {
              const auto spawner = ForkWorkerSpawner(OptionsFor(Token("held")));
              if (!spawner.ok() || !ForbidCalls(CallFilter::kService).ok()) return 1;
              const auto worker = WorkerProcess::Start(*spawner, {Token("held"), 1});
              if (!worker.ok() || !Greets(**worker)) return 2;
              return (*worker)->End() == "exited with 0" ? 0 : 3;
            }),
            0);
}

// A token and a program in a folder that every account may pass through.
class AccountsTest : public testing::Test {
 protected:
  static SofthsmToken MakeOpenToken() {
    unsetenv("TEST_TMPDIR");
    return SofthsmToken({"held"});
  }
  static const SofthsmToken& Owned() {
    static const SofthsmToken softhsm = MakeOpenToken();
    return softhsm;
  }

  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "only root changes accounts";
    const auto holder = FindAccount("nobody");
    const auto service = FindAccount("daemon");
    if (!holder.ok() || !service.ok()) GTEST_SKIP() << "the machine lacks nobody or daemon";
    holder_ = *holder;
    service_ = *service;
    token_ = *ParseTokenUri(Owned().Uri());
    options_ = OptionsFor(token_);
    options_.account = holder_;
    // Of the token's folder, its configuration and its PIN.
    const std::filesystem::path folder = std::filesystem::path(Owned().pin_file()).parent_path();
    const std::filesystem::path program = folder / "hourglass-keyholder";
    std::filesystem::copy_file(options_.program.path, program,
                               std::filesystem::copy_options::overwrite_existing);
    options_.program.path = program;
    Give(folder);
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      Give(entry.path());
    }
  }

  void Give(const std::filesystem::path& path) const {
    ASSERT_EQ(chown(path.c_str(), holder_.user, holder_.group), 0) << path;
  }

  Account holder_;
  Account service_;
  TokenUri token_;
  SpawnerOptions options_;
};

TEST_F(AccountsTest, TheWorkersReadThePinAndTheServiceCannot) {
  EXPECT_EQ(InAChild([&] {
              const auto spawner = ForkWorkerSpawner(options_);
              if (!spawner.ok() || !BecomeAccount(service_).ok()) return 1;
              if (getuid() != service_.user || geteuid() != service_.user) return 2;
              if (open(Owned().pin_file().c_str(), O_RDONLY) >= 0 || errno != EACCES) return 3;
              const auto worker = WorkerProcess::Start(*spawner, {token_, 1});
              if (!worker.ok() || !Greets(**worker)) return 4;
              // Neither signals nor memory of the worker's are open to the service.
              if (kill((*worker)->pid(), SIGTERM) == 0 || errno != EPERM) return 5;
              struct stat process = {};
              const std::string folder = absl::StrCat("/proc/", (*worker)->pid(), "/fd");
              if (stat(folder.c_str(), &process) != 0) return 6;
              if (open(folder.c_str(), O_RDONLY) >= 0) return 7;
              return (*worker)->End() == "exited with 0" ? 0 : 8;
            }),
            0);
}

TEST_F(AccountsTest, TheWorkersAreOfTheirAccountAlone) {
  ASSERT_OK_AND_ASSIGN(const auto spawner, ForkWorkerSpawner(options_));
  ASSERT_OK_AND_ASSIGN(const auto worker, WorkerProcess::Start(spawner, {token_, 1}));
  EXPECT_TRUE(Greets(*worker));
  std::string status(4096, '\0');
  const int file = open(absl::StrCat("/proc/", worker->pid(), "/status").c_str(), O_RDONLY);
  ASSERT_GE(file, 0);
  ASSERT_GT(read(file, status.data(), status.size()), 0);
  close(file);
  const auto four = [](const char* name, unsigned id) {
    return absl::StrCat("\n", name, ":\t", id, "\t", id, "\t", id, "\t", id, "\n");
  };
  EXPECT_THAT(status, HasSubstr(four("Uid", holder_.user)));
  EXPECT_THAT(status, HasSubstr(four("Gid", holder_.group)));
  EXPECT_THAT(status, HasSubstr("CapEff:\t0000000000000000"));
  // One that hangs can be ended all the same.
  ASSERT_EQ(kill(worker->pid(), SIGSTOP), 0);
  EXPECT_EQ(worker->End(std::chrono::milliseconds(20)), "killed by SIGKILL");
}

TEST_F(AccountsTest, NobodyGoesBackToRoot) {
  EXPECT_EQ(InAChild([&] {
              if (!BecomeAccount(service_).ok()) return 1;
              return setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0 ? 2 : 0;
            }),
            0);
}

TEST(AccountTest, SaysThatThereIsNone) {
  EXPECT_OK(FindAccount("root"));
  EXPECT_THAT(FindAccount("no-such-account"), FailsWith(ErrorReason::kConfigurationInvalid));
}

}  // namespace
}  // namespace hourglass::hsm
