#include "issuance/server/testing/test_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "ca/certificate/certificate.h"
#include "ca/encoding/der.h"
#include "ca/encoding/pem.h"
#include "ca/encoding/time.h"
#include "hourglass/v1/issuance.grpc.pb.h"
#include "hourglass/v1/journal.grpc.pb.h"
#include "issuance/wire/proto_time.h"
#include "tests/support/grpc_matchers.h"

namespace hourglass::issuance {
namespace {

grpc::Status Issue(TestService& service, const v1::IssueCertificateRequest& request,
                   v1::IssueCertificateResponse* response,
                   TestCaller caller = TestCaller::kBroker) {
  const auto stub = v1::CertificateIssuer::NewStub(service.ChannelAs(caller));
  grpc::ClientContext context;
  return stub->IssueCertificate(&context, request, response);
}

grpc::Status Issue(TestService& service) {
  v1::IssueCertificateResponse response;
  return Issue(service, service.SampleRequest(), &response);
}

TEST(TestServiceTest, ABrokerGetsACertificateThatEndsByTheTestsClock) {
  TestService service;
  service.Advance(std::chrono::hours(48));
  v1::IssueCertificateResponse response;
  ASSERT_THAT(Issue(service, service.SampleRequest(), &response), Succeeded());
  ASSERT_EQ(response.chain_size(), 1);
  EXPECT_EQ(ca::EncodePem(ca::kCertificateLabel, response.chain(0)), service.trust_bundle_pem());
  const auto leaf = ca::ReadCertificate(response.certificate());
  ASSERT_TRUE(leaf.has_value());
  ca::der::Reader reader(leaf->not_after);
  EXPECT_EQ(ca::ReadTime(&reader),
            std::chrono::floor<std::chrono::seconds>(service.now()) + std::chrono::minutes(60));
}

TEST(TestServiceTest, AScriptedDenyIsToldWithItsReason) {
  TestService service;
  EXPECT_THAT(Issue(service), Succeeded());
  service.Advance(std::chrono::minutes(61));
  service.Deny("disk_encryption.enabled", "turn on disk encryption",
               "https://help.contoso.example/disk");
  const grpc::Status denied = Issue(service);
  EXPECT_THAT(denied, RefusedWith(v1::DEVICE_NOT_COMPLIANT));
  const auto detail = TestService::DetailOf(denied);
  ASSERT_TRUE(detail.has_value());
  ASSERT_EQ(detail->deny_reasons_size(), 1);
  EXPECT_EQ(detail->deny_reasons(0).setting(), "disk_encryption.enabled");
  EXPECT_EQ(detail->deny_reasons(0).message(), "turn on disk encryption");
  EXPECT_EQ(detail->deny_reasons(0).remediation_url(), "https://help.contoso.example/disk");
  service.Allow();
  EXPECT_THAT(Issue(service), Succeeded());
  ASSERT_EQ(service.Questions().size(), 3U);
  EXPECT_EQ(service.Questions().back().user_upn(), "alice@contoso.example");
}

TEST(TestServiceTest, AScriptAnswersByQuestion) {
  TestService service;
  service.AnswerBy([](const v1::EvaluateRequest& question, v1::Verdict* verdict) {
    if (question.device_id() == "laptop-2") return grpc::Status(grpc::StatusCode::INTERNAL, "down");
    if (question.device_id() == "laptop-3") verdict->set_nonce("another question's nonce");
    verdict->mutable_allow();
    return grpc::Status::OK;
  });
  const auto on = [&service](const char* device) {
    v1::IssueCertificateRequest request = service.SampleRequest();
    request.set_device_id(device);
    v1::IssueCertificateResponse response;
    return Issue(service, request, &response);
  };
  EXPECT_THAT(on("laptop-1"), Succeeded());
  EXPECT_THAT(on("laptop-2"), RefusedWith(v1::COMPLIANCE_UNAVAILABLE));
  EXPECT_THAT(on("laptop-3"), RefusedWith(v1::COMPLIANCE_ANSWER_INVALID));
}

TEST(TestServiceTest, CallersAreWhoTheyAre) {
  TestService service;
  v1::IssueCertificateResponse response;
  EXPECT_THAT(Issue(service, service.SampleRequest(), &response, TestCaller::kAuditor),
              RefusedWith(v1::ROLE_NOT_PERMITTED));
  const grpc::Status stranger =
      Issue(service, service.SampleRequest(), &response, TestCaller::kStranger);
  EXPECT_EQ(stranger.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_FALSE(TestService::DetailOf(stranger).has_value());
  EXPECT_THAT(Issue(service), Succeeded());
}

TEST(TestServiceTest, ARestartKeepsTheJournal) {
  TestService service;
  const v1::IssueCertificateRequest request = service.SampleRequest();
  v1::IssueCertificateResponse before, after;
  ASSERT_THAT(Issue(service, request, &before), Succeeded());
  service.Restart();
  ASSERT_THAT(Issue(service, request, &after), Succeeded());
  EXPECT_EQ(after.certificate(), before.certificate());
}

TEST(TestServiceTest, ASubKeyAndAChosenLifetime) {
  TestService service({.lifetime = std::chrono::minutes(10), .issuing_sub_key = true});
  v1::IssueCertificateResponse response;
  ASSERT_THAT(Issue(service, service.SampleRequest(), &response), Succeeded());
  EXPECT_EQ(response.chain_size(), 2);
  EXPECT_EQ(response.not_after().seconds() -
                std::chrono::floor<std::chrono::seconds>(service.now()).time_since_epoch().count(),
            600);
}

}  // namespace
}  // namespace hourglass::issuance
