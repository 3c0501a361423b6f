// A device that asks without end, in the whole service: it is told when to come back, and nobody
// else is held up.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "hourglass/v1/issuance.grpc.pb.h"
#include "issuance/wire/status_detail.h"
#include "tests/support/grpc_matchers.h"
#include "tests/support/service_in_process.h"

namespace hourglass {
namespace {

using std::chrono::seconds;

constexpr int kAtOnce = 10;

class RequestLimitsTest : public testing::Test {
 protected:
  RequestLimitsTest() {
    service_.MakeReady();
    service_.ReportDevice("contoso", "laptop-2", true);
  }

  v1::IssueCertificateRequest RequestOf(const std::string& device_id) {
    v1::IssueCertificateRequest request = first_;
    request.set_device_id(device_id);
    request.set_request_id(absl::StrCat("request-", ++requests_));
    return request;
  }

  grpc::Status Ask(const std::string& device_id) { return service_.Issue(RequestOf(device_id)); }

  ServiceInProcess service_{[](issuance::Config& config) {
    config.limits.requests.usual.device = issuance::kUsualDeviceAllowance;
  }};
  // A key for each would be most of the test.
  const v1::IssueCertificateRequest first_ = service_.Request();
  int requests_ = 0;
};

TEST_F(RequestLimitsTest, ADeviceThatLoopsIsRefusedAndAnotherOfItsBrokerGoesOn) {
  for (int i = 0; i < kAtOnce; ++i) ASSERT_THAT(Ask("laptop-1"), Succeeded()) << i;
  const int journalled = service_.JournalSize();
  for (int i = 0; i < 30; ++i) {
    const grpc::Status told = Ask("laptop-1");
    ASSERT_THAT(told, RefusedWith(v1::REQUESTS_TOO_FREQUENT, "device_id"));
    EXPECT_EQ(issuance::ErrorDetailOf(told)->retry_delay().seconds(), 30);
  }
  EXPECT_EQ(service_.JournalSize(), journalled);
  EXPECT_THAT(Ask("laptop-2"), Succeeded());
  service_.clock().Advance(seconds(29));
  EXPECT_THAT(Ask("laptop-1"), RefusedWith(v1::REQUESTS_TOO_FREQUENT));
  service_.clock().Advance(seconds(1));
  EXPECT_THAT(Ask("laptop-1"), Succeeded());
  EXPECT_THAT(Ask("laptop-1"), RefusedWith(v1::REQUESTS_TOO_FREQUENT));
}

// It gets what it has already, and no more often than anything else.
TEST_F(RequestLimitsTest, TheSameRequestAgainAndAgainIsLimitedToo) {
  const v1::IssueCertificateRequest request = RequestOf("laptop-1");
  for (int i = 0; i < kAtOnce; ++i) ASSERT_THAT(service_.Issue(request), Succeeded());
  EXPECT_THAT(service_.Issue(request), RefusedWith(v1::REQUESTS_TOO_FREQUENT));
  EXPECT_EQ(service_.JournalSize(), 1);
}

TEST_F(RequestLimitsTest, OnAStreamEachMessageIsLimitedAndTheStreamGoesOn) {
  grpc::ClientContext context;
  const auto stub = service_.As<v1::CertificateIssuer>(kBroker);
  const auto stream = stub->IssueCertificates(&context);
  std::map<std::string, std::string> devices;
  for (int i = 0; i < 3 * kAtOnce; ++i) {
    const v1::IssueCertificateRequest request = RequestOf(i % 3 == 2 ? "laptop-2" : "laptop-1");
    devices[request.request_id()] = request.device_id();
    ASSERT_TRUE(stream->Write(request));
  }
  stream->WritesDone();
  std::map<std::string, int> issued, refused;
  for (v1::IssueCertificatesResponse answer; stream->Read(&answer);) {
    const std::string& device = devices.at(answer.request_id());
    if (answer.has_issued()) {
      ++issued[device];
      continue;
    }
    ++refused[device];
    const grpc::Status status(static_cast<grpc::StatusCode>(answer.refused().code()), "",
                              answer.refused().SerializeAsString());
    EXPECT_THAT(status, RefusedWith(v1::REQUESTS_TOO_FREQUENT, "device_id"));
    EXPECT_EQ(issuance::ErrorDetailOf(status)->retry_delay().seconds(), 30);
  }
  EXPECT_THAT(stream->Finish(), Succeeded());
  EXPECT_THAT(issued, (std::map<std::string, int>{{"laptop-1", 10}, {"laptop-2", 10}}));
  EXPECT_THAT(refused, (std::map<std::string, int>{{"laptop-1", 10}}));
}

}  // namespace
}  // namespace hourglass
