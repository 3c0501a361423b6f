#include "issuance/log/last_words.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "hsm/base/sanitizers.h"
#include "issuance/log/foreign_lines.h"

namespace hourglass::issuance {
namespace {

using testing::HasSubstr;
using testing::Not;

// What a process says that then ends by `crash`, and by which signal it ended.
template <typename Crash>
std::string LastWordsOf(Crash crash, int* by) {
  int ends[2] = {-1, -1};
  EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const pid_t pid = fork();
  if (pid == 0) {
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    auto log = EventLog::ToStandardError("info");
    const ForeignLines foreign(&*log);
    crash();
    _exit(0);
  }
  close(ends[1]);
  std::string all;
  char octets[4096];
  for (ssize_t count; (count = read(ends[0], octets, sizeof(octets))) > 0;) {
    all.append(octets, static_cast<std::size_t>(count));
  }
  close(ends[0]);
  int status = 0;
  waitpid(pid, &status, 0);
  *by = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  return all;
}

TEST(LastWordsTest, ACrashIsHeard) {
  if (hsm::kSanitizer) {
    GTEST_SKIP() << "SKIPPED: the sanitizer takes such signals itself, and ends by another";
  }
  int by = 0;
  EXPECT_THAT(LastWordsOf([] { std::abort(); }, &by), Not(HasSubstr("last words")));
  EXPECT_EQ(by, SIGABRT);
  EXPECT_THAT(LastWordsOf(
                  [] {
                    std::fputs("last words", stderr);
                    std::abort();
                  },
                  &by),
              HasSubstr("last words"));
  EXPECT_EQ(by, SIGABRT);
  EXPECT_THAT(LastWordsOf(
                  [] {
                    std::fputs("last words", stderr);
                    raise(SIGSEGV);
                  },
                  &by),
              HasSubstr("last words"));
  EXPECT_EQ(by, SIGSEGV);
}

// More than a process says at most, so that it is not the pipe that ends its words.
constexpr int kWidePipe = 1 << 17;

// A process that has said something which nobody has read yet, when a signal comes.
class DoomedProcess {
 public:
  enum class Preparation { kNone, kUndone, kReady };

  // `stuffed`: nothing more goes into what it writes to.
  DoomedProcess(int number, const std::string& said, Preparation preparation,
                bool stuffed = false) {
    int real[2] = {-1, -1};
    int own[2] = {-1, -1};
    EXPECT_EQ(pipe2(real, O_CLOEXEC | O_NONBLOCK), 0);
    EXPECT_EQ(pipe2(own, O_CLOEXEC | O_NONBLOCK), 0);
    real_ = real[0];
    if (said.size() <= PIPE_BUF || (Widen(real[1]) && Widen(own[1]))) {
      EXPECT_EQ(write(own[1], said.data(), said.size()), static_cast<ssize_t>(said.size()));
      while (stuffed && write(real[1], "x", 1) == 1) {
      }
      EXPECT_EQ(fcntl(real[1], F_SETFL, 0), 0);
      pid_ = fork();
      if (pid_ == 0) Meet(number, preparation, real[1], own[0]);
    }
    for (const int end : {real[1], own[0], own[1]}) close(end);
    EXPECT_EQ(fcntl(real_, F_SETFL, 0), 0);
  }
  ~DoomedProcess() { close(real_); }
  DoomedProcess(const DoomedProcess&) = delete;
  DoomedProcess& operator=(const DoomedProcess&) = delete;

  // Why there is no such process: the kernel has no pipe for so many words. Empty if there is one.
  const std::string& refusal() const { return refusal_; }

  // By which signal, once it has ended. Reads nothing of what it wrote.
  int EndedBy() {
    int status = 0;
    EXPECT_EQ(waitpid(pid_, &status, 0), pid_);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  }
  // Of the process that has ended.
  std::string Words() {
    std::string all;
    char octets[4096];
    for (ssize_t count; (count = read(real_, octets, sizeof(octets))) > 0;) {
      all.append(octets, static_cast<std::size_t>(count));
    }
    return all;
  }

 private:
  // Users have only so much memory for pipes (pipe(7), pipe-max-size and pipe-user-pages-soft).
  bool Widen(int pipe) {
    if (fcntl(pipe, F_SETPIPE_SZ, kWidePipe) >= kWidePipe) return true;
    refusal_ = std::string("no pipe of 128 KiB: ") + std::strerror(errno);
    return false;
  }

  [[noreturn]] static void Meet(int number, Preparation preparation, int real, int own) {
    // One that waits for a reader ends by this.
    alarm(30);
    signal(number, SIG_DFL);
    if (preparation != Preparation::kNone) LastWordsGoTo(real, own);
    if (preparation == Preparation::kUndone) LastWordsGoNowhere();
    raise(number);
    _exit(1);
  }

  pid_t pid_ = -1;
  int real_ = -1;
  std::string refusal_;
};

class DoomedProcessTest : public testing::Test {
 protected:
  using Preparation = DoomedProcess::Preparation;

  void SetUp() override {
    if (hsm::kSanitizer) {
      GTEST_SKIP() << "SKIPPED: the sanitizer takes such signals itself, and ends by another";
    }
  }
};

// At the same time: each waits for its reader for a second.
TEST_F(DoomedProcessTest, EverySignalOfACrashIsHeardAndDoesWhatItDoes) {
  const int crashes[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
  std::vector<std::unique_ptr<DoomedProcess>> doomed;
  for (const int number : crashes) {
    doomed.push_back(std::make_unique<DoomedProcess>(number, "last words", Preparation::kReady));
  }
  for (std::size_t i = 0; i < doomed.size(); ++i) {
    EXPECT_EQ(doomed[i]->EndedBy(), crashes[i]);
    EXPECT_EQ(doomed[i]->Words(), "last words") << crashes[i];
  }
}

TEST_F(DoomedProcessTest, OtherSignalsAreLeftAlone) {
  DoomedProcess ended(SIGTERM, "last words", Preparation::kReady);
  EXPECT_EQ(ended.EndedBy(), SIGTERM);
  EXPECT_EQ(ended.Words(), "");
}

TEST_F(DoomedProcessTest, WithoutItOrOnceItIsUndoneNothingIsHeard) {
  for (const Preparation preparation : {Preparation::kNone, Preparation::kUndone}) {
    DoomedProcess silent(SIGABRT, "last words", preparation);
    EXPECT_EQ(silent.EndedBy(), SIGABRT);
    EXPECT_EQ(silent.Words(), "");
  }
}

TEST_F(DoomedProcessTest, SaysAtMost64Kibibytes) {
  std::string much;
  for (int i = 0; i < 20'000; ++i) much += std::to_string(i % 10) + "line\n";
  ASSERT_GT(much.size(), 65536u);
  ASSERT_LT(much.size(), static_cast<std::size_t>(kWidePipe));
  DoomedProcess verbose(SIGABRT, much, Preparation::kReady);
  if (!verbose.refusal().empty()) GTEST_SKIP() << "SKIPPED: " << verbose.refusal();
  EXPECT_EQ(verbose.EndedBy(), SIGABRT);
  EXPECT_EQ(verbose.Words(), much.substr(0, 65536));
}

TEST_F(DoomedProcessTest, AProcessWithNothingToSayEndsAllTheSame) {
  DoomedProcess silent(SIGABRT, "", Preparation::kReady);
  EXPECT_EQ(silent.EndedBy(), SIGABRT);
  EXPECT_EQ(silent.Words(), "");
}

// Whoever watches the service waits for its end.
TEST_F(DoomedProcessTest, WaitsForNobodyWhoDoesNotRead) {
  DoomedProcess unheard(SIGABRT, "last words", Preparation::kReady, true);
  EXPECT_EQ(unheard.EndedBy(), SIGABRT);
  EXPECT_THAT(unheard.Words(), Not(HasSubstr("last words")));
}

}  // namespace
}  // namespace hourglass::issuance
