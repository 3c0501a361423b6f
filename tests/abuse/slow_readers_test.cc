// Callers that ask and do not read: what is kept for them is bounded, and nobody else waits.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/wire/status_detail.h"
#include "tests/abuse/process_memory.h"
#include "tests/support/daemon.h"
#include "tests/support/grpc_matchers.h"
#include "tests/support/raw_http2.h"

namespace hourglass {
namespace {

constexpr char kIssueMany[] = "/hourglass.v1.CertificateIssuer/IssueCertificates";
constexpr char kListCertificates[] = "/hourglass.v1.JournalService/ListCertificates";
constexpr int kStreams = 64;

class SlowReadersTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(daemon_.Start()) << daemon_.Log();
    daemon_.MakeReady();
    ExpectIssues();
    before_ = ResidentMegabytes(daemon_.pid());
  }

  void ExpectIssues() { EXPECT_THAT(daemon_.Issue(daemon_.Request()), Succeeded()); }

  void ExpectGrewByLessThan(double megabytes) {
    const double grown = PeakMegabytes(daemon_.pid()) - before_;
    std::cout << testing::UnitTest::GetInstance()->current_test_info()->name() << ": grew by "
              << grown << " MB at its peak\n";
    EXPECT_LT(grown, megabytes);
  }

  // Whose answers never get through: it gives them no window.
  std::unique_ptr<RawHttp2> ConnectWithoutWindow(const char* caller) {
    constexpr std::uint16_t kInitialWindowSize = 4;
    return std::make_unique<RawHttp2>(daemon_.address(), daemon_.tls().trusted_roots_file(),
                                      daemon_.CredentialOf(caller),
                                      http2::Setting(kInitialWindowSize, 0));
  }

  grpc::Status List(const char* caller) {
    const auto stub = daemon_.As<v1::JournalService>(caller);
    grpc::ClientContext context;
    v1::ListCertificatesRequest request;
    request.set_tenant_id("contoso");
    request.set_page_size(10);
    v1::ListCertificatesResponse response;
    return stub->ListCertificates(&context, request, &response);
  }

  Daemon daemon_;
  double before_ = 0;
};

TEST_F(SlowReadersTest, StreamsWhoseIdsAreAsLongAsMessages) {
  const auto connection = ConnectWithoutWindow(kOtherBroker);
  v1::IssueCertificateRequest request;
  request.set_tenant_id("fabrikam");
  request.set_request_id(std::string(60'000, 'x'));
  const std::string message = http2::Message(request.SerializeAsString());
  const std::string fields = http2::CallFields(kIssueMany);
  int sent = 0;
  for (std::uint32_t stream = 1; stream < 2 * 8; stream += 2) {
    ASSERT_TRUE(connection->Send(http2::Headers(stream, fields)));
    for (int i = 0; i < 256 && connection->SendData(stream, message); ++i) ++sent;
    ExpectIssues();
  }
  std::cout << sent << " messages of 60 kB sent\n";
  EXPECT_GT(sent, 1000);
  ExpectGrewByLessThan(60);
}

TEST_F(SlowReadersTest, StreamsOfACallerAreCounted) {
  const auto stub = daemon_.As<v1::CertificateIssuer>(kOtherBroker);
  using Stream =
      grpc::ClientReaderWriter<v1::IssueCertificateRequest, v1::IssueCertificatesResponse>;
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
  std::vector<std::unique_ptr<Stream>> streams;
  v1::IssueCertificatesResponse answer;
  const auto open = [&] {
    contexts.push_back(std::make_unique<grpc::ClientContext>());
    streams.push_back(stub->IssueCertificates(contexts.back().get()));
    // Answered by a stream that is let in, and not by one that is not.
    streams.back()->Write(v1::IssueCertificateRequest());
    return streams.back()->Read(&answer);
  };
  for (int i = 0; i < kStreams; ++i) ASSERT_TRUE(open()) << i;
  ASSERT_FALSE(open());
  const grpc::Status refused = streams.back()->Finish();
  EXPECT_THAT(refused, RefusedWith(v1::OVERLOADED));
  EXPECT_TRUE(issuance::ErrorDetailOf(refused)->has_retry_delay());
  // Another caller has streams of its own.
  const auto other = daemon_.As<v1::CertificateIssuer>(kBroker);
  grpc::ClientContext context;
  const auto stream = other->IssueCertificates(&context);
  stream->Write(v1::IssueCertificateRequest());
  EXPECT_TRUE(stream->Read(&answer));
  // One that ends makes room.
  streams.front()->WritesDone();
  EXPECT_FALSE(streams.front()->Read(&answer));
  EXPECT_THAT(streams.front()->Finish(), Succeeded());
  EXPECT_TRUE(open());
  for (const auto& each : contexts) each->TryCancel();
  context.TryCancel();
}

TEST_F(SlowReadersTest, ListingsThatNobodyReads) {
  for (int i = 0; i < 300; ++i) ExpectIssues();
  v1::ListCertificatesRequest request;
  request.set_tenant_id("contoso");
  request.set_page_size(1000);
  const std::string message = http2::Message(request.SerializeAsString());
  {
    const auto connection = ConnectWithoutWindow(kAuditor);
    std::uint32_t stream = 1;
    // Until so much is kept for it that it is refused.
    while (stream < 2 * 240 && List(kAuditor).ok()) {
      for (int i = 0; i < 8; ++i, stream += 2) {
        ASSERT_TRUE(connection->Send(
            absl::StrCat(http2::Headers(stream, http2::CallFields(kListCertificates)),
                         http2::Frame(http2::kData, http2::kEndStream, stream, message))));
      }
    }
    std::cout << stream / 2 << " listings asked for\n";
    EXPECT_THAT(List(kAuditor), RefusedWith(v1::OVERLOADED));
    EXPECT_THAT(List(kAdministrator), Succeeded());
    ExpectIssues();
    ExpectGrewByLessThan(150);
  }
  // When it has gone, what was kept for it goes, too.
  grpc::Status again = List(kAuditor);
  while (again.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED) again = List(kAuditor);
  EXPECT_THAT(again, Succeeded());
}

}  // namespace
}  // namespace hourglass
