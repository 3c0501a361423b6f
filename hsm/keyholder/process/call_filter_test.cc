#include "hsm/keyholder/process/call_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace hourglass::hsm {
namespace {

// Runs `work` in a process of its own, since nothing of a filter can be undone; 0 where it returned
// true, 1 where false, or minus the signal that ended it.
int InAChild(const std::function<bool()>& work) {
  const pid_t child = fork();
  if (child == 0) _exit(work() ? 0 : 1);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

bool RunsTrue() {
  char name[] = "/bin/true";
  char* arguments[] = {name, nullptr};
  pid_t child = -1;
  if (posix_spawn(&child, name, nullptr, nullptr, arguments, nullptr) != 0) return false;
  int status = -1;
  return waitpid(child, &status, 0) == child && status == 0;
}

bool Execs() {
  char name[] = "/bin/true";
  char* arguments[] = {name, nullptr};
  return execv(name, arguments) == 0;
}

bool Forks() {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  return child > 0 && waitpid(child, nullptr, 0) == child;
}

bool ThreadsRun() {
  std::atomic<int> ran = 0;
  std::thread thread([&] {
    // Listings and the upkeep of the journal do, each for its own thread.
    ran = setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), 19) == 0;
  });
  thread.join();
  return ran == 1;
}

bool FilesAreKept() {
  const std::string path = testing::TempDir() + "/call_filter_" + std::to_string(getpid());
  const int file = open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  const bool kept = file >= 0 && write(file, "x", 1) == 1 && fdatasync(file) == 0 &&
                    ftruncate(file, 0) == 0 && rename(path.c_str(), (path + "2").c_str()) == 0 &&
                    unlink((path + "2").c_str()) == 0;
  return kept && close(file) == 0;
}

bool SocketsAnswer() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return false;
  char octet = 'x';
  iovec part = {&octet, 1};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  pollfd readable = {ends[1], POLLIN, 0};
  return sendmsg(ends[0], &message, 0) == 1 && poll(&readable, 1, -1) == 1 &&
         recvmsg(ends[1], &message, 0) == 1;
}

bool ListensOnTcp() {
  const int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* const loopback = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof(address);
  if (bind(listening, loopback, size) != 0 || listen(listening, 1) != 0 ||
      getsockname(listening, loopback, &size) != 0) {
    return false;
  }
  const int connecting = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(connecting, loopback, size) != 0) return false;
  const int watch = epoll_create1(EPOLL_CLOEXEC);
  epoll_event event = {};
  event.events = EPOLLIN;
  return epoll_ctl(watch, EPOLL_CTL_ADD, listening, &event) == 0 &&
         epoll_wait(watch, &event, 1, -1) == 1 && accept4(listening, nullptr, nullptr, 0) >= 0;
}

// What both programs do all the time.
bool WorksOn() {
  const std::string memory(1 << 20, 'm');
  char octet = 0;
  return memory.back() == 'm' && getuid() == geteuid() && getrandom(&octet, 1, 0) == 1 &&
         ThreadsRun() && FilesAreKept() && SocketsAnswer() && ListensOnTcp();
}

class CallFilterTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!CallFilterIsBuiltIn()) GTEST_SKIP() << "a sanitiser is built in, which the filter ends";
  }
};

TEST_F(CallFilterTest, WhatIsForbiddenEndsTheProcess) {
  const std::vector<std::function<bool()>> calls = {
      [] { return ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0; },
      [] {
        char octet = 0;
        iovec here = {&octet, 1};
        return process_vm_readv(getppid(), &here, 1, &here, 1, 0) >= 0;
      },
      [] { return mount("none", "/nowhere", "tmpfs", 0, nullptr) == 0; },
      [] { return syscall(SYS_bpf, 0, nullptr, 0) >= 0; },
      [] { return syscall(SYS_kexec_load, 0, 0, nullptr, 0) >= 0; },
      [] { return syscall(SYS_keyctl, 0, 0, 0, 0, 0) >= 0; },
      [] { return syscall(SYS_unshare, 0) == 0; },
  };
  for (size_t i = 0; i < calls.size(); ++i) {
    EXPECT_GE(InAChild(calls[i]), 0) << i << ": there would be nothing to see";
    for (const CallFilter filter : {CallFilter::kService, CallFilter::kKeyholder}) {
      EXPECT_EQ(InAChild([&] { return ForbidCalls(filter).ok() && calls[i](); }), -SIGSYS) << i;
    }
  }
}

TEST_F(CallFilterTest, AllowedWorkGoesOn) {
  ASSERT_EQ(InAChild(WorksOn), 0);
  for (const CallFilter filter : {CallFilter::kService, CallFilter::kKeyholder}) {
    EXPECT_EQ(InAChild([&] { return ForbidCalls(filter).ok() && WorksOn(); }), 0);
  }
}

TEST_F(CallFilterTest, TheServiceMakesAndBecomesNoOtherProcess) {
  const auto after = [](CallFilter filter, bool (*work)()) {
    return InAChild([&] { return ForbidCalls(filter).ok() && work(); });
  };
  EXPECT_EQ(InAChild(RunsTrue), 0);
  for (const auto work : {RunsTrue, Execs, Forks}) {
    EXPECT_EQ(after(CallFilter::kService, work), -SIGSYS);
  }
  EXPECT_EQ(after(CallFilter::kService, [] { return setuid(getuid()) == 0; }), -SIGSYS);
  // A module may make processes, but none of them becomes another program.
  EXPECT_EQ(after(CallFilter::kKeyholder, Forks), 0);
  EXPECT_EQ(after(CallFilter::kKeyholder, [] { return !Execs() && errno == EPERM; }), 0);
  EXPECT_EQ(after(CallFilter::kKeyholder, RunsTrue), 1);
}

TEST_F(CallFilterTest, HoldsForThreadsThatWereThereBefore) {
  EXPECT_EQ(InAChild([] {
              std::atomic<bool> forbidden = false;
              std::thread thread([&] {
                while (!forbidden) std::this_thread::yield();
                ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
              });
              forbidden = ForbidCalls(CallFilter::kService).ok();
              thread.join();
              return true;
            }),
            -SIGSYS);
}

}  // namespace
}  // namespace hourglass::hsm
