// What strangers make libraries say, and a reader of the log that does not read.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/support/daemon.h"
#include "tests/support/grpc_matchers.h"
#include "tests/support/subprocess.h"

namespace hourglass {
namespace {

// Handshakes without a client certificate, which gRPC has a line to say about each.
void FailHandshakes(const std::string& address, int count) {
  RunCommand({"bash", "-c",
              absl::StrCat("for ((i = 0; i < ", count, "; i++)); do openssl s_client -connect ",
                           address, " </dev/null >/dev/null 2>&1; done")});
}

// A text that is no UTF-8, which protobuf has a line to say about.
grpc::Status IssueInLatin1(Daemon& daemon) {
  v1::IssueCertificateRequest request = daemon.Request();
  request.mutable_user()->set_upn("zo\xeb@contoso.example");
  return daemon.Issue(request);
}

TEST(StandardErrorTest, EveryLineIsOneOfTheEventLog) {
  Daemon daemon;
  ASSERT_TRUE(daemon.Start()) << daemon.Log();
  daemon.MakeReady();
  FailHandshakes(daemon.address(), 10);
  EXPECT_FALSE(IssueInLatin1(daemon).ok());
  EXPECT_THAT(daemon.Issue(daemon.Request()), Succeeded());
  EXPECT_EQ(daemon.Stop(), 0);
  int lines = 0;
  for (const absl::string_view text : absl::StrSplit(daemon.Log(), '\n', absl::SkipEmpty())) {
    const nlohmann::json line = nlohmann::json::parse(std::string(text), nullptr, false);
    EXPECT_TRUE(line.is_object() && line.contains("event")) << text;
    ++lines;
  }
  EXPECT_GT(lines, 3);
}

// A pipe that is full, and that nobody reads.
class FullPipe {
 public:
  FullPipe() {
    EXPECT_EQ(pipe2(ends_, O_NONBLOCK), 0);
    // Only what is to be started inherits its end.
    fcntl(ends_[0], F_SETFD, FD_CLOEXEC);
    const std::string much(4096, 'x');
    while (write(ends_[1], much.data(), much.size()) > 0) continue;
    fcntl(ends_[1], F_SETFL, 0);
  }
  ~FullPipe() {
    close(ends_[0]);
    close(ends_[1]);
  }
  // Runs what follows with it as its standard error.
  std::vector<std::string> Prefix() const {
    return {"bash", "-c", absl::StrCat("exec \"$@\" 2>&", ends_[1]), "bash"};
  }

 private:
  int ends_[2] = {-1, -1};
};

TEST(StandardErrorTest, OneThatNobodyReadsStopsNothingNotEvenTheStop) {
  Daemon daemon;
  const FullPipe pipe;
  ASSERT_TRUE(daemon.Start(pipe.Prefix()));
  daemon.MakeReady();
  ASSERT_THAT(daemon.Issue(daemon.Request()), Succeeded());
  for (int round = 0; round < 3; ++round) {
    FailHandshakes(daemon.address(), 20);
    EXPECT_FALSE(IssueInLatin1(daemon).ok());
    // On the connection that there was, and on a new one.
    EXPECT_THAT(daemon.Issue(daemon.Request()), Succeeded());
    EXPECT_THAT(daemon.Issue(daemon.Request(), nullptr, kWideBroker), Succeeded());
  }
  EXPECT_EQ(daemon.Stop(), 0) << "it does not wait for whoever does not read";
}

// By the log, and by the words for people before it.
TEST(StandardErrorTest, OneThatNobodyReadsStopsNoRefusalToStart) {
  for (const char* mistake : {"metrics: {listen: \"240.0.0.1:0\"}\n", "log_levle: info\n"}) {
    Daemon daemon;
    mkdir(daemon.directory().File("keys").c_str(), 0700);
    daemon.Configure("{software_directory: keys}", daemon.data_directory(), mistake);
    const FullPipe pipe;
    EXPECT_FALSE(daemon.Start(pipe.Prefix())) << mistake;
    EXPECT_FALSE(daemon.Running()) << mistake;
  }
}

}  // namespace
}  // namespace hourglass
