#include "issuance/log/line_writer.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace hourglass::issuance {
namespace {

using std::chrono::steady_clock;

std::string Nothing() { return ""; }

// Two ends of which one is given to a writer. What is sent on one `write` is received by one `read`
// where `type` is SOCK_SEQPACKET.
class Ends {
 public:
  explicit Ends(int type) {
    int ends[2] = {-1, -1};
    EXPECT_EQ(socketpair(AF_UNIX, type, 0, ends), 0);
    written_ = ends[0];
    read_ = ends[1];
  }
  ~Ends() {
    CloseWritten();
    close(read_);
  }

  int written() const { return written_; }
  void CloseWritten() {
    if (written_ >= 0) close(written_);
    written_ = -1;
  }

  // One read; empty at the end.
  std::string Read() {
    std::string text(2 * LineWriter::kMaxWaiting, '\0');
    const ssize_t size = read(read_, text.data(), text.size());
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return text;
  }
  std::string ReadToTheEnd() {
    std::string all;
    for (std::string text = Read(); !text.empty(); text = Read()) all += text;
    return all;
  }

 private:
  int written_;
  int read_;
};

TEST(LineWriterTest, ALoneLineIsWrittenWithoutAnotherOrAnEnd) {
  Ends ends(SOCK_STREAM);
  LineWriter writer(ends.written(), Nothing);
  for (const char* line : {"one\n", "two\n"}) {
    ASSERT_TRUE(writer.Write(line));
    EXPECT_EQ(ends.Read(), line);
  }
}

TEST(LineWriterTest, WritesWholeLinesInOrderAndAllBeforeItGoes) {
  constexpr int kThreads = 4;
  constexpr int kLines = 2000;
  Ends ends(SOCK_STREAM);
  std::string all;
  std::thread reader([&] { all = ends.ReadToTheEnd(); });
  {
    LineWriter writer(ends.written(), Nothing);
    std::vector<std::thread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&writer, thread] {
        for (int line = 0; line < kLines; ++line) {
          EXPECT_TRUE(writer.Write(absl::StrCat(thread, " ", line, "\n")));
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  ends.CloseWritten();
  reader.join();
  std::vector<int> next(kThreads, 0);
  for (const absl::string_view line : absl::StrSplit(all, '\n', absl::SkipEmpty())) {
    const int thread = line.front() - '0';
    ASSERT_TRUE(thread >= 0 && thread < kThreads) << line;
    EXPECT_EQ(line, absl::StrCat(thread, " ", next[thread]++));
  }
  EXPECT_EQ(next, std::vector<int>(kThreads, kLines));
}

TEST(LineWriterTest, WritesManyLinesWithOneCall) {
  constexpr int kLines = 5000;
  Ends ends(SOCK_SEQPACKET);
  int calls = 0;
  std::thread reader([&] {
    while (!ends.Read().empty()) ++calls;
  });
  const auto began = steady_clock::now();
  {
    LineWriter writer(ends.written(), Nothing);
    for (int line = 0; line < kLines; ++line) EXPECT_TRUE(writer.Write("line\n"));
  }
  const auto took =
      std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - began);
  ends.CloseWritten();
  reader.join();
  EXPECT_GE(calls, 1);
  EXPECT_LE(calls, took.count() / 10 + 2);
}

TEST(LineWriterTest, AReaderThatDoesNotReadStopsNobody) {
  Ends ends(SOCK_STREAM);
  const std::string line = std::string(1023, 'x') + "\n";
  std::size_t taken = 0;
  auto writer = std::make_unique<LineWriter>(ends.written(), Nothing);
  while (writer->Write(line)) ++taken;
  EXPECT_GE(taken * line.size(), LineWriter::kMaxWaiting);
  std::string all;
  std::thread reader([&] { all = ends.ReadToTheEnd(); });
  writer.reset();
  ends.CloseWritten();
  reader.join();
  EXPECT_EQ(all.size(), taken * line.size());
}

TEST(LineWriterTest, AReaderThatNeverReadsDoesNotStopTheEnd) {
  Ends ends(SOCK_STREAM);
  const std::string line = std::string(1023, 'x') + "\n";
  auto asked = std::make_unique<int>(0);
  auto writer = std::make_unique<LineWriter>(ends.written(), [&asked] {
    ++*asked;
    return std::string();
  });
  while (writer->Write(line)) continue;
  const auto began = steady_clock::now();
  writer.reset();
  EXPECT_GE(steady_clock::now() - began, LineWriter::kPatience) << "there was something to lose";
  asked.reset();
  // The thread goes on once somebody reads, and asks nobody who is gone.
  ends.CloseWritten();
  EXPECT_EQ(ends.ReadToTheEnd().size() % 2, 0u);
}

TEST(LineWriterTest, ABrokenDescriptorStopsNobody) {
  LineWriter writer(-1, Nothing);
  EXPECT_TRUE(writer.Write("line\n"));
}

TEST(LineWriterTest, WhatIsToBeSaidEverySecondIsSaidAfterTheLastLineToo) {
  Ends ends(SOCK_STREAM);
  LineWriter writer(ends.written(), [] { return std::string("second\n"); });
  ASSERT_TRUE(writer.Write("line\n"));
  std::string all;
  while (all.size() < sizeof("line\nsecond\n") - 1) all += ends.Read();
  EXPECT_EQ(all, "line\nsecond\n");
}

}  // namespace
}  // namespace hourglass::issuance
