#include "issuance/log/foreign_lines.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::internal::CaptureStderr;
using testing::internal::GetCapturedStderr;

// What is on the real standard error after `act`, with a log and what is foreign to it.
template <typename Act>
std::string Logged(Act act) {
  // As gRPC does before its first word.
  gpr_log_verbosity_init();
  CaptureStderr();
  {
    auto log = EventLog::ToStandardError("info");
    EXPECT_OK(log);
    const ForeignLines foreign(&*log);
    act();
  }
  return GetCapturedStderr();
}

// The only line of `text`.
nlohmann::json OnlyLine(const std::string& text) {
  EXPECT_EQ(text.find('\n'), text.size() - 1) << text;
  return nlohmann::json::parse(text);
}

TEST(ForeignLinesTest, WhatGrpcSaysIsALineOfTheLog) {
  const nlohmann::json line = OnlyLine(Logged(
      [] { gpr_log("/src/core/handshake.cc", 12, GPR_LOG_SEVERITY_ERROR, "%s", "no\n\"}"); }));
  EXPECT_EQ(line["event"], "library_said");
  EXPECT_EQ(line["level"], "warning");
  EXPECT_EQ(line["library"], "grpc");
  EXPECT_EQ(line["at"], "handshake.cc:12");
  EXPECT_EQ(line["message"], "no\n\"}");
}

TEST(ForeignLinesTest, WhatProtobufSaysIsALineOfTheLog) {
  const nlohmann::json line =
      OnlyLine(Logged([] { GOOGLE_LOG(ERROR) << "contains invalid UTF-8 data"; }));
  EXPECT_EQ(line["library"], "protobuf");
  EXPECT_EQ(line["level"], "warning");
  EXPECT_THAT(line["at"], HasSubstr("foreign_lines_test.cc:"));
  EXPECT_EQ(line["message"], "contains invalid UTF-8 data");
}

TEST(ForeignLinesTest, WhatAnybodyWritesIsALineOfTheLog) {
  const std::string text = Logged([] {
    std::fputs("WARNING:esys:src/esys.c:1: {\"event\":\"forged\"}\n", stderr);
    std::fputs("without an end", stderr);
  });
  const std::size_t end = text.find('\n');
  const nlohmann::json first = nlohmann::json::parse(text.substr(0, end));
  EXPECT_EQ(first["event"], "library_said");
  EXPECT_EQ(first["library"], "standard_error");
  EXPECT_EQ(first["message"], "WARNING:esys:src/esys.c:1: {\"event\":\"forged\"}");
  EXPECT_EQ(nlohmann::json::parse(text.substr(end + 1))["message"], "without an end");
}

TEST(ForeignLinesTest, ALineHasAnEndHoweverLongItIs) {
  const nlohmann::json line = OnlyLine(Logged([] {
    const std::string much(1024, 'x');
    for (int i = 0; i < 1000; ++i) std::fputs(much.c_str(), stderr);
  }));
  EXPECT_EQ(line["message"], std::string(1024, 'x') + "\xe2\x80\xa6");
}

// A pipe that nobody reads, full.
class FullPipe {
 public:
  FullPipe() {
    EXPECT_EQ(pipe2(ends_, O_CLOEXEC | O_NONBLOCK), 0);
    const std::string much(4096, 'x');
    while (write(ends_[1], much.data(), much.size()) > 0) continue;
    fcntl(ends_[1], F_SETFL, 0);
  }
  ~FullPipe() {
    close(ends_[0]);
    close(ends_[1]);
  }
  int written() const { return ends_[1]; }

 private:
  int ends_[2] = {-1, -1};
};

TEST(ForeignLinesTest, AStandardErrorThatNobodyReadsStopsNeitherWhoWritesNorTheEnd) {
  // Of the writer that is left behind, when the pipe goes.
  signal(SIGPIPE, SIG_IGN);
  const FullPipe pipe;
  const int before = dup(STDERR_FILENO);
  dup2(pipe.written(), STDERR_FILENO);
  {
    auto log = EventLog::ToStandardError("info");
    const ForeignLines foreign(&*log);
    const std::string much(1000, 'x');
    for (int i = 0; i < 5000; ++i) {
      std::fprintf(stderr, "%s\n", much.c_str());
      gpr_log("a.cc", i, GPR_LOG_SEVERITY_ERROR, "%s", much.c_str());
    }
  }
  // Nor does what is said after it.
  std::fputs("goodbye\n", stderr);
  dup2(before, STDERR_FILENO);
  close(before);
}

}  // namespace
}  // namespace hourglass::issuance
