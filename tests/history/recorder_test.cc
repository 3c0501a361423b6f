#include "tests/history/recorder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "issuance/base/clock.h"
#include "issuance/timekeeping/kernel_time.h"
#include "tests/history/client_log.h"
#include "tests/support/manual_clock.h"
#include "tests/support/manual_kernel_time.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::history {
namespace {

using std::chrono::milliseconds;

class RecorderTest : public testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<Recorder>> Open(const std::string& client = "broker-1") {
    return Recorder::Open(File(), client, &time_, &clock_);
  }
  std::string File() const { return folder_.File("log.jsonl"); }
  absl::StatusOr<ClientLog> Read() const {
    std::ifstream text(File());
    return ReadClientLog(text, "log");
  }

  IssueCall CallFor(const Recorder& recorder, const std::string& request_id) {
    IssueCall call;
    call.call = recorder.Begin("contoso", "127.0.0.1:8443");
    call.request_id = request_id;
    call.outcome = Received{std::string(700, 'c')};
    return call;
  }

  const TemporaryDirectory folder_;
  ManualClock clock_;
  ManualKernelTime time_{&clock_};
};

TEST_F(RecorderTest, WhatIsWrittenIsRead) {
  ASSERT_OK_AND_ASSIGN(const auto recorder, Open());
  IssueCall issue = CallFor(*recorder, "r-1");
  EXPECT_EQ(issue.call.sent, time_.Uptime());
  EXPECT_EQ(issue.call.sent_at, clock_.Now());
  clock_.Advance(milliseconds(7));
  ASSERT_OK(recorder->Write(issue));
  issue.call.answered = issue.call.sent + milliseconds(7);
  AdministrativeCall change;
  change.call = recorder->Begin("contoso", "127.0.0.1:8444");
  change.method = AdministrativeMethod::kRollBackRoot;
  change.root_id = "r1";
  change.outcome = Changed{ca::RootState::kPrimary, clock_.Now()};
  ASSERT_OK(recorder->Write(change));
  change.call.answered = change.call.sent;
  ASSERT_OK_AND_ASSIGN(const ClientLog open, Read());
  EXPECT_FALSE(open.is_whole);
  ASSERT_OK(recorder->Close());
  ASSERT_OK_AND_ASSIGN(const ClientLog log, Read());
  EXPECT_EQ(log.client, "broker-1");
  EXPECT_EQ(log.boot_id, time_.BootId());
  EXPECT_THAT(log.issuing, testing::ElementsAre(issue));
  EXPECT_THAT(log.administration, testing::ElementsAre(change));
  EXPECT_TRUE(log.is_whole);
  EXPECT_FALSE(log.is_torn);
}

TEST_F(RecorderTest, AFileThatIsThereIsLeftAlone) {
  ASSERT_OK(Open());
  EXPECT_THAT(Open("another"), FailsWith(ErrorReason::kFieldInvalid, File()));
  ASSERT_OK_AND_ASSIGN(const ClientLog log, Read());
  EXPECT_EQ(log.client, "broker-1");
}

TEST_F(RecorderTest, SeveralThreadsDoNotMixTheirLines) {
  ASSERT_OK_AND_ASSIGN(const auto recorder, Open());
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 100; ++i) {
        EXPECT_OK(recorder->Write(CallFor(*recorder, absl::StrCat(thread, "-", i))));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  ASSERT_OK_AND_ASSIGN(const ClientLog log, Read());
  EXPECT_EQ(log.issuing.size(), 400U);
}

// The child says each request id once its line is written, as a client acts on what it received.
void WriteUntilKilled(const std::string& path, int acted_on) {
  const issuance::LinuxKernelTime time;
  const issuance::SystemClock clock;
  auto recorder = Recorder::Open(path, "broker-1", &time, &clock);
  if (!recorder.ok()) _exit(1);
  for (std::uint32_t i = 0;; ++i) {
    IssueCall call;
    call.call = (*recorder)->Begin("contoso", "127.0.0.1:8443");
    call.request_id = absl::StrCat(i);
    // Some lines are long enough that a kill may find them half written.
    call.outcome = Received{std::string(i % 8 == 0 ? 1'000'000 : 700, 'c')};
    if (!(*recorder)->Write(call).ok()) _exit(2);
    if (write(acted_on, &i, sizeof(i)) != sizeof(i)) _exit(3);
  }
}

TEST_F(RecorderTest, AKilledClientLosesNothingThatItActedOn) {
  for (int round = 0; round < 10; ++round) {
    const std::string path = folder_.File(absl::StrCat("killed-", round));
    int acted_on[2];
    ASSERT_EQ(pipe(acted_on), 0);
    const pid_t child = fork();
    if (child == 0) WriteUntilKilled(path, acted_on[1]);
    close(acted_on[1]);
    std::uint32_t last = 0;
    // The kill comes wherever the child is by then.
    for (int i = 0; i <= round; ++i) {
      ASSERT_EQ(read(acted_on[0], &last, sizeof(last)), static_cast<ssize_t>(sizeof(last)));
    }
    ASSERT_EQ(kill(child, SIGKILL), 0);
    while (read(acted_on[0], &last, sizeof(last)) == static_cast<ssize_t>(sizeof(last))) {
    }
    close(acted_on[0]);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << status;
    std::ifstream text(path);
    ASSERT_OK_AND_ASSIGN(const ClientLog log, ReadClientLog(text, path));
    EXPECT_FALSE(log.is_whole);
    // One more may be there, on which nobody acted.
    EXPECT_GE(log.issuing.size(), last + 1U);
    EXPECT_LE(log.issuing.size(), last + 2U);
  }
}

TEST_F(RecorderTest, AfterHalfALineNothingIsWritten) {
  ASSERT_OK_AND_ASSIGN(const auto recorder, Open());
  ASSERT_OK(recorder->Write(CallFor(*recorder, "r-1")));
  // The file may grow by half a line.
  const std::string before = ReadFileOrDie(File());
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &limit), 0);
  const rlim_t most = std::exchange(limit.rlim_cur, before.size() + 300);
  const auto handler = signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  const absl::Status half = recorder->Write(CallFor(*recorder, "r-2"));
  limit.rlim_cur = most;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  signal(SIGXFSZ, handler);
  EXPECT_THAT(half, FailsWith(ErrorReason::kFieldInvalid, File()));
  EXPECT_THAT(recorder->Write(CallFor(*recorder, "r-3")),
              FailsWith(ErrorReason::kFieldInvalid, File()));
  EXPECT_THAT(recorder->Close(), FailsWith(ErrorReason::kFieldInvalid, File()));
  ASSERT_OK_AND_ASSIGN(const ClientLog log, Read());
  ASSERT_EQ(log.issuing.size(), 1U);
  EXPECT_EQ(log.issuing[0].request_id, "r-1");
  EXPECT_TRUE(log.is_torn);
}

}  // namespace
}  // namespace hourglass::history
