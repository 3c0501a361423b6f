// Floods below the calls: half messages, resets, pings, settings, header blocks without end. They
// cost the service a bounded amount of memory, and nobody else an answer. All of them are sent by a
// caller of the configuration: whoever is none does not come so far.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tests/abuse/process_memory.h"
#include "tests/support/daemon.h"
#include "tests/support/grpc_matchers.h"
#include "tests/support/raw_http2.h"
#include "tests/support/subprocess.h"

namespace hourglass {
namespace {

constexpr char kIssueOne[] = "/hourglass.v1.CertificateIssuer/IssueCertificate";
constexpr char kIssueMany[] = "/hourglass.v1.CertificateIssuer/IssueCertificates";

// MB: what all buffers may take, and as much again for what goes on until it is noticed that they
// do.
constexpr double kBound = 600;

// MB: where the connection ends before anything is kept.
constexpr double kBoundOfEnded = 64;

void KeepOnOneProcessor(int pid) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(sched_getcpu(), &one);
  std::error_code error;
  for (const auto& thread :
       std::filesystem::directory_iterator(absl::StrCat("/proc/", pid, "/task"), error)) {
    pid_t tid = 0;
    if (!absl::SimpleAtoi(thread.path().filename().string(), &tid)) continue;
    EXPECT_EQ(sched_setaffinity(tid, sizeof(one), &one), 0);
  }
}

// MB: a thousand refused calls of a caller, and three thousand more of a connection or two.
constexpr double kBoundOfRefusals = 250;

class TransportTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(daemon_.Start()) << daemon_.Log();
    daemon_.MakeReady();
    ExpectIssues();
    before_ = ResidentMegabytes(daemon_.pid());
  }

  void ExpectIssues() { EXPECT_THAT(daemon_.Issue(daemon_.Request()), Succeeded()); }

  // At its peak, not only now.
  void ExpectGrewByLessThan(double megabytes) {
    const double grown = PeakMegabytes(daemon_.pid()) - before_;
    std::cout << testing::UnitTest::GetInstance()->current_test_info()->name() << ": grew by "
              << grown << " MB at its peak, " << ResidentMegabytes(daemon_.pid()) - before_
              << " MB now\n";
    EXPECT_LT(grown, megabytes);
  }

  std::unique_ptr<RawHttp2> Connect(
      absl::string_view settings = "",
      RawHttp2::Acknowledgement acknowledgement = RawHttp2::Acknowledgement::kSent) {
    return std::make_unique<RawHttp2>(daemon_.address(), daemon_.tls().trusted_roots_file(),
                                      daemon_.CredentialOf(kOtherBroker), settings,
                                      acknowledgement);
  }

  Daemon daemon_;
  double before_ = 0;
};

TEST_F(TransportTest, HalfMessages) {
  std::vector<std::unique_ptr<RawHttp2>> connections;
  const std::string half = http2::Message(std::string(60'000, 'x')).substr(0, 60'000);
  const std::string fields = http2::CallFields(kIssueOne);
  std::size_t sent = 0;
  for (int i = 0; i < 8; ++i) {
    connections.push_back(Connect());
    for (std::uint32_t stream = 1; stream < 2 * 256; stream += 2) {
      if (!connections.back()->Send(http2::Headers(stream, fields)) ||
          !connections.back()->SendData(stream, half)) {
        break;
      }
      sent += half.size();
    }
    ExpectIssues();
  }
  std::cout << sent / 1'000'000 << " MB of half messages sent\n";
  ExpectGrewByLessThan(kBound);
}

TEST_F(TransportTest, AMessageThatIsAnnouncedAsAGigabyte) {
  std::vector<std::unique_ptr<RawHttp2>> connections;
  const std::string fields = http2::CallFields(kIssueOne);
  const std::string megabyte(1'000'000, 'x');
  int sent = 0;
  for (int i = 0; i < 4; ++i) {
    connections.push_back(Connect());
    ASSERT_TRUE(connections.back()->Send(http2::Headers(1, fields)));
    ASSERT_TRUE(connections.back()->SendData(
        1, absl::StrCat(std::string(1, '\0'), http2::Number(1U << 30))));
    int of_this = 0;
    while (of_this < 200 && connections.back()->SendData(1, megabyte)) ++of_this;
    EXPECT_LT(of_this, 200) << "the service goes on listening";
    sent += of_this;
    ExpectIssues();
  }
  std::cout << sent << " MB of announced messages sent\n";
  EXPECT_TRUE(daemon_.WaitForLog("longer than 65536 octets have more")) << daemon_.Log();
  ExpectGrewByLessThan(kBoundOfEnded);
}

TEST_F(TransportTest, Resets) {
  const auto connection = Connect();
  const std::string fields = http2::CallFields(kIssueMany);
  int sent = 0;
  for (std::uint32_t stream = 1; stream < 2 * 200'000;) {
    std::string octets;
    for (int i = 0; i < 200; ++i, stream += 2) {
      absl::StrAppend(&octets, http2::Headers(stream, fields), http2::Reset(stream));
    }
    if (!connection->Send(octets)) break;
    sent += 200;
    if (sent % 20'000 == 0) ExpectIssues();
  }
  std::cout << sent << " resets sent\n";
  ExpectIssues();
  ExpectGrewByLessThan(kBound);
}

// What is reset is not done with: the service has each call to end, and others keep its processors
// busy. It must not take more in than it gets through.
TEST_F(TransportTest, ResetsOnConnectionAfterConnection) {
  KeepOnOneProcessor(daemon_.pid());
  const std::string fields = http2::CallFields(kIssueMany);
  std::string octets;
  for (std::uint32_t stream = 1; stream < 2 * 2000; stream += 2) {
    absl::StrAppend(&octets, http2::Headers(stream, fields), http2::Reset(stream));
  }
  int sent = 0;
  for (int i = 0; i < 100; ++i) {
    const std::unique_ptr<RawHttp2> connection = RawHttp2::TryToConnect(
        daemon_.address(), daemon_.tls().trusted_roots_file(), daemon_.CredentialOf(kOtherBroker));
    if (connection != nullptr && connection->Send(octets)) ++sent;
  }
  std::cout << sent << " connections, each with two thousand resets\n";
  ExpectIssues();
  EXPECT_TRUE(daemon_.WaitForLog("calls began and are not done with")) << daemon_.Log();
  ExpectGrewByLessThan(kBoundOfRefusals);
}

TEST_F(TransportTest, Pings) {
  const auto connection = Connect();
  const std::string ping = http2::Frame(http2::kPing, 0, 0, "12345678");
  std::string octets;
  for (int i = 0; i < 1000; ++i) absl::StrAppend(&octets, ping);
  int sent = 0;
  while (sent < 1000 && connection->Send(octets)) ++sent;
  std::cout << sent << " thousand pings sent\n";
  bool was_told = false;
  while (const auto frame = connection->Read()) {
    was_told = was_told || (frame->type == http2::kGoAway &&
                            frame->payload.substr(4, 4) == http2::Number(http2::kEnhanceYourCalm));
  }
  EXPECT_LT(sent, 1000) << "the service goes on listening";
  ExpectIssues();
  ExpectGrewByLessThan(200);
}

TEST_F(TransportTest, Settings) {
  const auto connection = Connect();
  std::string octets;
  for (int i = 0; i < 1000; ++i) {
    absl::StrAppend(&octets, http2::Frame(http2::kSettings, 0, 0, http2::Setting(4, 70'000)));
  }
  // Nobody reads the acknowledgements.
  int sent = 0;
  while (sent < 1000 && connection->Send(octets)) {
    if (++sent % 100 == 0) ExpectIssues();
  }
  std::cout << sent << " thousand settings sent\n";
  ExpectIssues();
  ExpectGrewByLessThan(100);
}

// As gRPC counts header fields, anew in each frame, once below and once above its bound, which only
// binds whoever acknowledges it.
TEST_F(TransportTest, HeaderBlocksWithoutEnd) {
  for (const auto& [acknowledgement, fields_each] :
       {std::pair(RawHttp2::Acknowledgement::kSent, 50),
        std::pair(RawHttp2::Acknowledgement::kNotSent, 140)}) {
    const auto connection = Connect("", acknowledgement);
    ASSERT_TRUE(
        connection->Send(http2::Frame(http2::kHeaders, 0, 1, http2::CallFields(kIssueOne))));
    std::string fields;
    for (int i = 0; i < fields_each; ++i) {
      absl::StrAppend(&fields, http2::Field("x-y", std::string(100, 'v')));
    }
    const std::string more = http2::Frame(http2::kContinuation, 0, 1, fields);
    int sent = 0;
    while (sent < 250'000 && connection->Send(more)) ++sent;
    std::cout << sent << " continuations of " << more.size() << " octets sent\n";
    EXPECT_LT(sent, 250'000) << "the service goes on listening";
    ExpectIssues();
  }
  EXPECT_TRUE(daemon_.WaitForLog(
      "\"caller\":\"other-broker\",\"message\":\"a header block has more than 4 frames"))
      << daemon_.Log();
  EXPECT_TRUE(daemon_.WaitForLog("a header block has more than 32768 octets")) << daemon_.Log();
  ExpectGrewByLessThan(kBoundOfEnded);
}

// A field of HPACK's tables is one octet, and some sixty of memory. Whoever acknowledges no setting
// is not bound by the size of header fields that they demand.
TEST_F(TransportTest, FieldsOfTheTableWithoutSettings) {
  const auto connection = Connect("", RawHttp2::Acknowledgement::kNotSent);
  // Entry 16 of the static table: accept-encoding.
  const std::string fields =
      absl::StrCat(http2::CallFields(kIssueMany), std::string(16'000, '\x90'));
  int sent = 0;
  for (std::uint32_t stream = 1; sent < 250 && connection->Send(http2::Headers(stream, fields));
       stream += 2) {
    ++sent;
  }
  while (sent < 100'000 && connection->Send(http2::Frame(http2::kData, 0, 1, "12345"))) ++sent;
  EXPECT_LT(sent, 100'000) << "the service goes on listening";
  EXPECT_TRUE(daemon_.WaitForLog("the settings are not acknowledged")) << daemon_.Log();
  ExpectIssues();
  ExpectGrewByLessThan(kBoundOfEnded);
}

// 60 MB of nothing in 60 kB.
TEST_F(TransportTest, CompressedMessages) {
  const CommandResult compressed =
      RunCommand({"sh", "-c", "head -c 60000000 /dev/zero | gzip -9n"});
  ASSERT_EQ(compressed.exit_code, 0);
  ASSERT_LT(compressed.output.size(), 64U * 1024);
  const std::string message = absl::StrCat(
      std::string(1, '\1'), http2::Number(static_cast<std::uint32_t>(compressed.output.size())),
      compressed.output);
  const std::string fields =
      absl::StrCat(http2::CallFields(kIssueOne), http2::Field("grpc-encoding", "gzip"));
  const auto connection = Connect();
  int sent = 0;
  for (std::uint32_t stream = 1; stream < 2 * 32; stream += 2) {
    if (!connection->Send(http2::Headers(stream, fields)) ||
        !connection->SendData(stream, message)) {
      break;
    }
    ++sent;
  }
  std::cout << sent << " compressed messages sent\n";
  EXPECT_LT(sent, 32) << "the service goes on listening";
  EXPECT_TRUE(daemon_.WaitForLog("messages that are compressed or longer than")) << daemon_.Log();
  ExpectIssues();
  ExpectGrewByLessThan(kBoundOfEnded);
}

// The control to all of these: a block of two frames, whose call is answered.
TEST_F(TransportTest, SoundFramesByHandAreAnswered) {
  const auto connection = Connect();
  const std::string fields = http2::CallFields(kIssueOne);
  ASSERT_TRUE(connection->Send(http2::Frame(http2::kHeaders, 0, 1, fields.substr(0, 20))));
  ASSERT_TRUE(connection->Send(
      http2::Frame(http2::kContinuation, http2::kEndHeaders, 1, fields.substr(20))));
  v1::IssueCertificateRequest request = daemon_.Request();
  request.set_tenant_id("fabrikam");
  ASSERT_TRUE(connection->SendData(1, http2::Message(request.SerializeAsString())));
  std::optional<RawHttp2::Received> frame;
  do {
    frame = connection->Read();
    ASSERT_TRUE(frame.has_value()) << daemon_.Log();
  } while (frame->type != http2::kHeaders);
  EXPECT_EQ(frame->stream, 1U);
}

}  // namespace
}  // namespace hourglass
