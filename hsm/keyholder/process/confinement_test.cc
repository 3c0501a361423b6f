#include "hsm/keyholder/process/confinement.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <string>

namespace hourglass::hsm {
namespace {

// In a process of its own, since nothing of it can be undone.
#define EXPECT_IN_A_CHILD(condition) \
  EXPECT_EXIT(_exit((condition) ? 0 : 1), ::testing::ExitedWithCode(0), "")

class ConfinementTest : public ::testing::Test {
 protected:
  ConfinementTest() { EXPECT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends_), 0); }
  ~ConfinementTest() override {
    for (const int end : ends_) close(end);
  }

  int ends_[2] = {-1, -1};  // made by the parent of what EXPECT_IN_A_CHILD starts
};

bool Dumpable() { return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0; }

bool LeavesNoCore() {
  rlimit core = {1, 1};
  return getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_cur == 0 && core.rlim_max == 0;
}

int SignalOfParentsDeath() {
  int signal = 0;
  prctl(PR_GET_PDEATHSIG, &signal, 0, 0, 0);
  return signal;
}

bool RefusesItsOwnSocket() {
  int ends[2];
  return socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0 && !ConfineKeyholder(ends[1]).ok();
}

TEST_F(ConfinementTest, ForbidsDumpsAndNewPrivileges) {
  ASSERT_TRUE(Dumpable()) << "there would be nothing to see";
  EXPECT_IN_A_CHILD(ForbidDumps().ok() && !Dumpable() && LeavesNoCore() &&
                    prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
}

TEST_F(ConfinementTest, AWorkerStaysUndumpableAndEndsWithItsParent) {
  EXPECT_IN_A_CHILD(ConfineKeyholder(ends_[1]).ok() && !Dumpable() && LeavesNoCore() &&
                    SignalOfParentsDeath() == SIGUSR1);
}

// Or what a module starts would keep the line open when the worker has ended.
TEST_F(ConfinementTest, TheSocketIsInheritedByNobody) {
  ASSERT_EQ(fcntl(ends_[1], F_SETFD, 0), 0);
  EXPECT_IN_A_CHILD(ConfineKeyholder(ends_[1]).ok() &&
                    (fcntl(ends_[1], F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_F(ConfinementTest, RefusesASocketThatTheParentDidNotMake) {
  EXPECT_IN_A_CHILD(RefusesItsOwnSocket());
  EXPECT_IN_A_CHILD(!ConfineKeyholder(-1).ok());
}

TEST_F(ConfinementTest, MemoryCanStillBeHadAfterwards) {
  // More than the usual RLIMIT_MEMLOCK of 8 MiB.
  EXPECT_IN_A_CHILD(ConfineKeyholder(ends_[1]).ok() && std::string(64 << 20, 'm').back() == 'm');
}

}  // namespace
}  // namespace hourglass::hsm
