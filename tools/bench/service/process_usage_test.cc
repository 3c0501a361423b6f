#include "tools/bench/service/process_usage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <string>
#include <vector>

#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::bench {
namespace {

double OwnCpuMicroseconds() {
  timespec time = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

TEST(ProcessUsageTest, CpuTimeIsThatOfTheProcess) {
  const double before = OwnCpuMicroseconds();
  while (OwnCpuMicroseconds() < before + 20'000) {
  }
  const double low = OwnCpuMicroseconds(), told = CpuMicroseconds(getpid()),
               high = OwnCpuMicroseconds();
  EXPECT_GE(told, low);
  EXPECT_LE(told, high);
  EXPECT_GT(MachineBusyMicroseconds(), 0);
}

TEST(ProcessUsageTest, KnowsTheProcessesThatOneStarted) {
  const TemporaryDirectory directory;
  BackgroundProcess child({"sleep", "60"}, directory.File("log"));
  EXPECT_THAT(ChildrenOf(getpid()), testing::Contains(child.pid()));
  EXPECT_THAT(ChildrenOf(child.pid()), testing::IsEmpty());
  EXPECT_GT(CpuMicroseconds(std::vector<pid_t>{getpid(), child.pid()}),
            CpuMicroseconds(child.pid()));
  const pid_t pid = child.pid();
  child.Stop(SIGKILL);
  EXPECT_THAT(ChildrenOf(getpid()), testing::Not(testing::Contains(pid)));
  EXPECT_EQ(CpuMicroseconds(pid), 0);
  EXPECT_EQ(ResidentMegabytes(pid), 0);
}

TEST(ProcessUsageTest, ChildrenCountWhileTheyRunAndOnceTheyEnded) {
  const TemporaryDirectory directory;
  BackgroundProcess parent(
      {"sh", "-c",
       "sh -c 'i=0; while [ $i -lt 500000 ]; do i=$((i+1)); done; echo burnt; sleep 60' & wait $!; "
       "echo ended; sleep 60"},
      directory.File("log"));
  ASSERT_TRUE(parent.WaitForLog("burnt"));
  const std::vector<pid_t> children = ChildrenOf(parent.pid());
  ASSERT_THAT(children, testing::SizeIs(1));
  const double burnt = CpuMicroseconds(children[0]);
  ASSERT_GT(burnt, 50'000);
  EXPECT_GE(CpuMicrosecondsWithChildren(parent.pid()), burnt);
  kill(children[0], SIGKILL);
  ASSERT_TRUE(parent.WaitForLog("ended"));
  EXPECT_THAT(ChildrenOf(parent.pid()), testing::Not(testing::Contains(children[0])));
  // Ticks, of both kinds of time, are cut off.
  EXPECT_GE(CpuMicrosecondsWithChildren(parent.pid()), burnt - 20'000);
  EXPECT_LT(CpuMicroseconds(parent.pid()), burnt);
  const pid_t pid = parent.pid();
  parent.Stop(SIGKILL);
  EXPECT_EQ(CpuMicrosecondsWithChildren(pid), 0);
}

TEST(ProcessUsageTest, SeesMemoryAndWrittenOctets) {
  const double before = ResidentMegabytes(getpid());
  const std::vector<char> octets(50'000'000, 'x');
  EXPECT_NEAR(ResidentMegabytes(getpid()) - before, 50, 10);
  const TemporaryDirectory directory;
  const auto written_before = WrittenBy(getpid());
  ASSERT_TRUE(written_before.has_value());
  directory.Write("file", std::string(1'000'000, 'x'));
  EXPECT_NEAR(WrittenBy(getpid())->by_calls - written_before->by_calls, 1'000'000, 100'000);
  EXPECT_EQ(octets.back(), 'x');
}

}  // namespace
}  // namespace hourglass::bench
