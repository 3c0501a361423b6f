#include "issuance/services/issuer_service.h"

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "issuance/calls/testing/call_server.h"
#include "issuance/pipeline/testing/pipeline_fixture.h"
#include "tests/support/grpc_matchers.h"

namespace hourglass::issuance {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

// Certificates as a broker of contoso gets them, over the wire.
class IssuerServiceTest : public PipelineTest {
 protected:
  void SetUp() override {
    PipelineTest::SetUp();
    ComplianceClientOptions patient;
    patient.deadline = std::chrono::minutes(10);
    compliance_.emplace(
        v1::ComplianceService::NewStub(server_->InProcessChannel(grpc::ChannelArguments())),
        patient, &clock_);
    lanes_.emplace(&*pipeline_, LaneOptions(), &clock_, &silent_);
    Start({});
  }
  void TearDown() override {
    wire_.Stop();
    lanes_.reset();
  }

  void Start(const CallLimits& limits) {
    wire_.Limit(limits, {});
    service_.emplace(wire_.calls(), &limits_, &*lanes_, &counters_, &clock_, wire_.log());
    wire_.Serve(&*service_);
  }

  grpc::Status Ask(absl::string_view caller = kBroker,
                   v1::IssueCertificateResponse* response = nullptr) {
    grpc::ClientContext context;
    v1::IssueCertificateResponse ignored;
    return wire_.As<v1::CertificateIssuer>(caller)->IssueCertificate(
        &context, request_, response == nullptr ? &ignored : response);
  }

  // So many verdicts wait until open_ is set; asked_ is when the first of them is asked for.
  void HoldVerdicts(int held) {
    asked_.emplace();
    open_.emplace();
    verdicts_.on_question = [this, left = std::make_shared<std::atomic<int>>(held),
                             opened = open_->get_future().share(),
                             held](const v1::EvaluateRequest&) {
      const int place = left->fetch_sub(1);
      if (place == held) asked_->set_value();
      if (place > 0) opened.wait();
    };
  }

  const EventLog silent_ = EventLog::Silent();
  IssuanceCounters counters_;
  std::optional<std::promise<void>> asked_;
  std::optional<std::promise<void>> open_;
  RequestLimitCounts limited_;
  RequestLimits limits_{{}, 1, &limited_};
  CallServer wire_{TestCallers()};
  std::optional<Lanes> lanes_;
  std::optional<IssuerService> service_;
};

TEST_F(IssuerServiceTest, ACertificateIsIssuedCountedAndLogged) {
  v1::IssueCertificateResponse response;
  ASSERT_THAT(Ask(kBroker, &response), Succeeded());
  ASSERT_EQ(Recorded().size(), 1u);
  EXPECT_EQ(response.certificate(), Recorded()[0].certificate);
  EXPECT_EQ(Recorded()[0].intent.caller, kBroker);
  EXPECT_THAT(counters_.Totals(), ElementsAre(Pair(ErrorReason::kUnspecified, 1)));
  EXPECT_THAT(wire_.failures().Totals(), IsEmpty());
  const std::vector<LoggedLine> logged = wire_.TakeLog();
  ASSERT_EQ(logged.size(), 1u);
  EXPECT_EQ(logged[0].at("event"), "certificate_issued");
}

TEST_F(IssuerServiceTest, AStrangerIsNoOutcomeOfIssuing) {
  EXPECT_THAT(Ask(kStranger), RefusedWith(v1::CALLER_UNKNOWN));
  EXPECT_THAT(counters_.Totals(), IsEmpty());
  EXPECT_THAT(wire_.failures().Totals(), ElementsAre(Pair(ErrorReason::kCallerUnknown, 1)));
  const std::vector<LoggedLine> logged = wire_.TakeLog();
  ASSERT_EQ(logged.size(), 1u);
  EXPECT_EQ(logged[0].at("event"), "call_failed");
  EXPECT_EQ(logged[0].at("method"), "IssueCertificate");
  EXPECT_THAT(Ask(), Succeeded());
}

TEST_F(IssuerServiceTest, WhatIsNoRequestIsRefusedToWhoSentIt) {
  const std::string method = "/hourglass.v1.CertificateIssuer/IssueCertificate";
  EXPECT_THAT(wire_.Send(kBroker, method, "\xff"), RefusedWith(v1::FIELD_INVALID, ""));
  EXPECT_THAT(counters_.Totals(), ElementsAre(Pair(ErrorReason::kFieldInvalid, 1)));
  std::vector<LoggedLine> logged = wire_.TakeLog();
  ASSERT_EQ(logged.size(), 1u);
  EXPECT_EQ(logged[0].at("caller"), kBroker);
  EXPECT_THAT(wire_.Send(kStranger, method, "\xff"), RefusedWith(v1::CALLER_UNKNOWN));
  EXPECT_THAT(wire_.Send(kBroker, method, request_.SerializeAsString()), Succeeded());
}

// A message is small and its answer is not: both count from the beginning.
TEST_F(IssuerServiceTest, WhatItWillAnswerCountsAmongWhatACallerHolds) {
  const std::size_t held = request_.ByteSizeLong() + 4096;
  for (const bool has_room : {false, true}) {
    CallLimits limits;
    limits.octets_of_a_caller = has_room ? held + 1 : held;
    Start(limits);
    HoldVerdicts(1);
    std::future<grpc::Status> first = std::async(std::launch::async, [&] { return Ask(); });
    asked_->get_future().wait();
    if (has_room) {
      EXPECT_THAT(Ask(), Succeeded());
    } else {
      EXPECT_THAT(Ask(), RefusedWith(v1::OVERLOADED));
    }
    open_->set_value();
    EXPECT_THAT(first.get(), Succeeded());
  }
  EXPECT_THAT(wire_.failures().Totals(), ElementsAre(Pair(ErrorReason::kOverloaded, 1)));
}

}  // namespace
}  // namespace hourglass::issuance
