#include "hsm/keyholder/process/worker_process.h"

#include <errno.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "hsm/base/error.h"
#include "hsm/key/key_uri.h"
#include "hsm/keyholder/protocol/protocol.h"
#include "tests/support/keyholder.h"
#include "tests/support/softhsm_token.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::hsm {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

const SofthsmToken& Softhsm() {
  static const SofthsmToken softhsm;
  return softhsm;
}

Holding TokenStart() { return {*ParseTokenUri(Softhsm().Uri()), 2}; }

std::unique_ptr<WorkerProcess> StartWorker() {
  absl::StatusOr<std::unique_ptr<WorkerProcess>> worker =
      WorkerProcess::Start(kKeyholderProgram, TokenStart());
  EXPECT_OK(worker);
  return *std::move(worker);
}

keyholder::Request Greeting() {
  keyholder::Request request;
  request.set_id(7);
  request.mutable_greet();
  return request;
}

// A program of the test's own in the worker's place.
std::string Script(const TemporaryDirectory& directory, absl::string_view commands) {
  const std::string path = directory.Write("program", absl::StrCat("#!/bin/sh\n", commands));
  EXPECT_EQ(chmod(path.c_str(), 0700), 0);
  return path;
}

// What the program wrote to standard error before it ended.
std::string OutputOf(absl::string_view commands) {
  const TemporaryDirectory directory;
  const auto worker = WorkerProcess::Start(Script(directory, commands), TokenStart());
  EXPECT_OK(worker);
  AwaitEnd((*worker)->pid());
  return (*worker)->TakeStandardError();
}

std::map<std::string, std::string> StatusOfProcess(const std::string& pid) {
  std::map<std::string, std::string> fields;
  std::ifstream file(absl::StrCat("/proc/", pid, "/status"));
  for (std::string line; std::getline(file, line);) {
    const std::vector<std::string> words = absl::StrSplit(line, absl::MaxSplits(":\t", 1));
    if (words.size() == 2) fields[words[0]] = words[1];
  }
  return fields;
}

TEST(WorkerProcessTest, AnswersAndEndsWhenItIsTold) {
  const auto worker = StartWorker();
  EXPECT_FALSE((*worker->Receive()).has_value()) << "nothing was asked yet";
  ASSERT_OK_AND_ASSIGN(const keyholder::Reply reply, Ask(*worker, Greeting()));
  EXPECT_EQ(reply.id(), 7U);
  EXPECT_FALSE(reply.has_failure()) << reply.failure().message();
  EXPECT_EQ(kill(worker->pid(), 0), 0);
  EXPECT_EQ(worker->End(), "exited with 0");
  EXPECT_EQ(worker->End(), "exited with 0");
  EXPECT_EQ(kill(worker->pid(), 0), -1) << "it was not reaped";
  EXPECT_EQ(worker->Send(Greeting()), WorkerProcess::Sent::kGone);
  EXPECT_THAT(worker->Receive(), FailsWith(ErrorReason::kKeyUnavailable));
}

TEST(WorkerProcessTest, SaysThatAProgramCannotBeStarted) {
  const auto worker = WorkerProcess::Start("/no/such/program", TokenStart());
  ASSERT_THAT(worker, FailsWith(ErrorReason::kKeyUnavailable));
  EXPECT_EQ(worker.status().message(), "cannot start /no/such/program: No such file or directory");
}

TEST(WorkerProcessTest, SaysHowAWorkerEnded) {
  // AddressSanitizer would make a SIGABRT of SIGSEGV.
  const char* options = getenv("ASAN_OPTIONS");
  const std::string before = options == nullptr ? "" : options;
  setenv("ASAN_OPTIONS", absl::StrCat(before, ":handle_segv=0").c_str(), 1);
  for (const auto& [signal, words] : std::map<int, std::string>{{SIGSEGV, "killed by SIGSEGV"},
                                                                {SIGABRT, "killed by SIGABRT"},
                                                                {SIGKILL, "killed by SIGKILL"}}) {
    const auto worker = StartWorker();
    ASSERT_OK(Ask(*worker, Greeting()));
    ASSERT_EQ(kill(worker->pid(), signal), 0);
    EXPECT_THAT(NextReply(*worker), FailsWith(ErrorReason::kKeyUnavailable));
    EXPECT_EQ(worker->End(), words);
  }
  setenv("ASAN_OPTIONS", before.c_str(), 1);
  const TemporaryDirectory directory;
  const auto worker = WorkerProcess::Start(Script(directory, "exit 9"), TokenStart());
  ASSERT_OK(worker);
  AwaitEnd((*worker)->pid());
  EXPECT_EQ((*worker)->End(), "exited with 9");
}

TEST(WorkerProcessTest, WhatIsNoRequestEndsTheWorker) {
  keyholder::Request nothing;
  nothing.set_id(1);
  const std::string too_long(kLargestPacket + 1, '\0');
  for (const std::string& packet :
       {std::string("\xff\xff garbage"), nothing.SerializeAsString(), too_long}) {
    const auto worker = StartWorker();
    ASSERT_EQ(send(worker->socket(), packet.data(), packet.size(), 0),
              static_cast<ssize_t>(packet.size()));
    AwaitEnd(worker->pid());
    EXPECT_EQ(worker->End(), "exited with 2");
    EXPECT_THAT(worker->TakeStandardError(), HasSubstr("hourglass-keyholder: got "));
  }
}

TEST(WorkerProcessTest, WhatIsNoStartEndsTheWorker) {
  TokenUri relative = *ParseTokenUri(Softhsm().Uri());
  relative.module_path = "libsofthsm2.so";
  for (const Holding& start : {Holding{relative, 1}, Holding{TokenUri(), 1}}) {
    const auto worker = WorkerProcess::Start(kKeyholderProgram, start);
    ASSERT_OK(worker);
    AwaitEnd((*worker)->pid());
    EXPECT_EQ((*worker)->End(), "exited with 2");
  }
}

TEST(WorkerProcessTest, WhatIsNoReplyIsRefused) {
  const TemporaryDirectory directory;
  const auto worker =
      WorkerProcess::Start(Script(directory, "printf '\\377 garbage' >&3; exit"), TokenStart());
  ASSERT_OK(worker);
  AwaitEnd((*worker)->pid());
  const auto reply = (*worker)->Receive();
  ASSERT_THAT(reply, FailsWith(ErrorReason::kKeyUnavailable));
  EXPECT_THAT(std::string(reply.status().message()), HasSubstr("what is no reply"));
}

TEST(WorkerProcessTest, InheritsTheSocketsAndStandardErrorAlone) {
  // Without O_CLOEXEC, and past the numbers that the worker's own replace.
  const int zero = open("/dev/zero", O_RDONLY);
  const int ours = fcntl(zero, F_DUPFD, 7);
  close(zero);
  ASSERT_GE(ours, 7);
  // 10 and above are the shell's own.
  const std::string output =
      OutputOf("(for fd in 0 1 2 3 4 5 6 7 8 9; do readlink /proc/$$/fd/$fd; done) >&2; true");
  close(ours);
  EXPECT_THAT(output, ::testing::MatchesRegex(
                          "/dev/null\n/dev/null\npipe:[^\n]*\nsocket:[^\n]*\nsocket:[^\n]*\n"));
}

TEST(WorkerProcessTest, FindsItsPlacesAlsoWhereTheParentHasNone) {
  // The numbers that the worker's ends would get here are those that they have to get there.
  const pid_t child = fork();
  if (child == 0) {
    for (int fd = 0; fd < 4; ++fd) close(fd);
    const auto worker = WorkerProcess::Start(kKeyholderProgram, TokenStart());
    _exit(worker.ok() && Ask(**worker, Greeting()).ok() ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(WorkerProcessTest, LeavesWhatATerminalSendsToTheParent) {
  const auto worker = StartWorker();
  ASSERT_OK(Ask(*worker, Greeting()));
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    ASSERT_EQ(kill(worker->pid(), signal), 0);
  }
  EXPECT_OK(Ask(*worker, Greeting()));
}

TEST(WorkerProcessTest, TakesNoSignalMaskFromTheParent) {
  signal(SIGUSR1, SIG_IGN);
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const auto worker = StartWorker();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  signal(SIGUSR1, SIG_DFL);
  ASSERT_OK(Ask(*worker, Greeting()));
  auto fields = StatusOfProcess(absl::StrCat(worker->pid()));
  const auto set = [&fields](const char* name) {
    std::uint64_t signals = 0;
    EXPECT_TRUE(absl::SimpleHexAtoi(fields[name], &signals)) << name << ": " << fields[name];
    return signals;
  };
  // SIGINT, SIGQUIT, SIGTERM: bits 1, 2 and 14.
  EXPECT_EQ(set("SigBlk"), 0x4006U);
  // Two of the C library's own are ignored in whatever posix_spawn starts.
  constexpr std::uint64_t kOfLibrary = std::uint64_t{3} << 31;
  EXPECT_EQ(set("SigIgn") & ~kOfLibrary, 0U);
  // SIGHUP, SIGUSR1 and SIGPIPE: bits 0, 9 and 12.
  EXPECT_EQ(set("SigCgt") & 0x1201U, 0x1201U);
}

TEST(WorkerProcessTest, TakesWholeLinesAndTheRestOnceItHasEnded) {
  const TemporaryDirectory directory;
  const std::string fifo = directory.File("go");
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  const std::string program =
      Script(directory, absl::StrCat("printf 'one\\ntwo\\nthr' >&2; printf x >&3; read go <", fifo,
                                     "; printf 'ee\\nfour' >&2; head -c 5000 /dev/zero | "
                                     "tr '\\0' x >&2"));
  const auto worker = WorkerProcess::Start(program, TokenStart());
  ASSERT_OK(worker);
  EXPECT_THAT(NextReply(**worker), Not(IsOk()));  // it has written the first part now
  EXPECT_EQ((*worker)->TakeStandardError(), "one\ntwo\n");
  EXPECT_EQ((*worker)->TakeStandardError(), "");
  std::ofstream(fifo) << "go\n";
  AwaitEnd((*worker)->pid());
  EXPECT_EQ((*worker)->TakeStandardError(),
            absl::StrCat("three\nfour", std::string(4092, 'x'), "\n", std::string(908, 'x'), "\n"));
}

TEST(WorkerProcessTest, TheWorkerIsConfined) {
  const auto worker = StartWorker();
  ASSERT_OK(Ask(*worker, Greeting()));
  auto fields = StatusOfProcess(absl::StrCat(worker->pid()));
  const std::string none(16, '0');
  EXPECT_EQ(fields["NoNewPrivs"], "1");
  EXPECT_EQ(fields["Umask"], "0077");
  for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapAmb"}) EXPECT_EQ(fields[set], none);
  constexpr int kSetPcap = 8;
  const std::string own = StatusOfProcess("self")["CapEff"];
  std::uint64_t capabilities = 0;
  ASSERT_TRUE(absl::SimpleHexAtoi(own, &capabilities)) << own;
  const bool may_drop_bounding_set = (capabilities >> kSetPcap & 1) != 0;
  if (may_drop_bounding_set) {
    EXPECT_EQ(fields["CapBnd"], none);
  }
  // What cannot be dumped belongs to root, and is open to nobody without capabilities.
  struct stat memory = {};
  ASSERT_EQ(stat(absl::StrCat("/proc/", worker->pid(), "/mem").c_str(), &memory), 0);
  if (geteuid() != 0) {
    EXPECT_NE(memory.st_uid, geteuid());
    EXPECT_EQ(open(absl::StrCat("/proc/", worker->pid(), "/mem").c_str(), O_RDONLY), -1);
  }
}

// SoftHSM empties its token's file at each login before it writes it again.
TEST(WorkerProcessTest, IsNotEndedInTheMiddleOfALogin) {
  for (int i = 0; i < 40; ++i) {
    const auto worker = StartWorker();
    ASSERT_EQ(worker->Send(Greeting()), WorkerProcess::Sent::kYes);
    EXPECT_EQ(worker->End(), "exited with 0");
  }
  const auto worker = StartWorker();
  ASSERT_OK_AND_ASSIGN(const keyholder::Reply reply, Ask(*worker, Greeting()));
  EXPECT_FALSE(reply.has_failure()) << reply.failure().message();
}

TEST(WorkerProcessTest, KillsWhatDoesNotEndByItself) {
  const TemporaryDirectory directory;
  const auto worker = WorkerProcess::Start(Script(directory, "exec sleep 1000"), TokenStart());
  ASSERT_OK(worker);
  EXPECT_EQ((*worker)->End(std::chrono::milliseconds(20)), "killed by SIGKILL");
}

TEST(WorkerProcessTest, EndsWhenTheParentHangsUp) {
  const auto worker = StartWorker();
  ASSERT_OK(Ask(*worker, Greeting()));
  ASSERT_EQ(shutdown(worker->socket(), SHUT_RDWR), 0);
  AwaitEnd(worker->pid());
  EXPECT_EQ(worker->End(), "exited with 0");
}

TEST(WorkerProcessTest, EndsWithTheThreadThatStartedIt) {
  std::unique_ptr<WorkerProcess> worker;
  std::thread([&worker] {
    worker = StartWorker();
    EXPECT_OK(Ask(*worker, Greeting()));
  }).join();
  // The socket is still open, so that nothing else can have ended it.
  AwaitEnd(worker->pid());
  EXPECT_EQ(worker->End(), "killed by SIGALRM");
}

TEST(WorkerProcessTest, EndsWithItsParent) {
  ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const pid_t parent = fork();
  if (parent == 0) {
    const auto worker = WorkerProcess::Start(kKeyholderProgram, TokenStart());
    if (!worker.ok() || !Ask(**worker, Greeting()).ok()) _exit(1);
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
  int status = -1;
  EXPECT_EQ(waitpid(worker, &status, 0), worker);
  // Whichever it noticed first: the hang-up or the signal.
  EXPECT_TRUE(status == 0 || (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)) << status;
  prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
}

TEST(WorkerProcessTest, ServesNobodyButItsParent) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  const pid_t shell = fork();
  if (shell == 0) {
    if (dup2(ends[1], 3) != 3) _exit(99);
    // A shell in between, which did not make the socket.
    const std::string command = absl::StrCat(kKeyholderProgram, "; exit $?");
    execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    _exit(99);
  }
  int status = -1;
  ASSERT_EQ(waitpid(shell, &status, 0), shell);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 1);
  close(ends[0]);
  close(ends[1]);
}

}  // namespace
}  // namespace hourglass::hsm
