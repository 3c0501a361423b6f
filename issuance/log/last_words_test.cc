#include "issuance/log/last_words.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

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

}  // namespace
}  // namespace hourglass::issuance
