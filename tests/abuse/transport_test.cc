// Floods below the calls: half messages, resets, pings, settings, header blocks without end. They
// cost the service a bounded amount of memory, and nobody else an answer. All of them are sent by a
// caller of the configuration: whoever is none does not come so far.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/abuse/process_memory.h"
#include "tests/support/daemon.h"
#include "tests/support/grpc_matchers.h"
#include "tests/support/raw_http2.h"

namespace hourglass {
namespace {

constexpr char kIssueOne[] = "/hourglass.v1.CertificateIssuer/IssueCertificate";
constexpr char kIssueMany[] = "/hourglass.v1.CertificateIssuer/IssueCertificates";

// MB: what all buffers may take, and as much again for what goes on until it is noticed that they
// do.
constexpr double kBound = 600;

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

  std::unique_ptr<RawHttp2> Connect(absl::string_view settings = "") {
    return std::make_unique<RawHttp2>(daemon_.address(), daemon_.tls().trusted_roots_file(),
                                      daemon_.CredentialOf(kOtherBroker), settings);
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
    for (int i = 0; i < 200 && connections.back()->SendData(1, megabyte); ++i) ++sent;
    ExpectIssues();
  }
  std::cout << sent << " MB of announced messages sent\n";
  ExpectGrewByLessThan(kBound);
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

TEST_F(TransportTest, HeaderBlocksWithoutEnd) {
  const auto connection = Connect();
  ASSERT_TRUE(connection->Send(http2::Frame(http2::kHeaders, 0, 1, http2::CallFields(kIssueOne))));
  std::string field(1, '\0');
  absl::StrAppend(&field, "\x03", "x-y", "\x64", std::string(100, 'v'));
  std::string fields;
  for (int i = 0; i < 140; ++i) absl::StrAppend(&fields, field);
  const std::string more = http2::Frame(http2::kContinuation, 0, 1, fields);
  int sent = 0;
  // Ten times the bound.
  while (sent < 250'000 && connection->Send(more)) ++sent;
  std::cout << sent << " continuations sent\n";
  EXPECT_LT(sent, 250'000) << "the service goes on listening";
  EXPECT_TRUE(daemon_.WaitForLog("\"event\":\"connection_ended\"")) << daemon_.Log();
  ExpectIssues();
  ExpectGrewByLessThan(kBound);
}

}  // namespace
}  // namespace hourglass
