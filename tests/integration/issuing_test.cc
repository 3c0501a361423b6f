// One certificate after another through the whole service: what comes back, what is recorded, what
// is repeated.
#include <gmock/gmock.h>
#include <google/protobuf/util/time_util.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hourglass/v1/compliance.grpc.pb.h"
#include "tests/support/grpc_matchers.h"
#include "tests/support/pkcs10.h"
#include "tests/support/service_in_process.h"
#include "tests/support/subprocess.h"

namespace hourglass {
namespace {

using google::protobuf::util::TimeUtil;
using testing::HasSubstr;

class IssuingTest : public testing::Test {
 protected:
  IssuingTest() { service_.MakeReady(); }

  grpc::Status Issue(const v1::IssueCertificateRequest& request,
                     v1::IssueCertificateResponse* response = nullptr,
                     absl::string_view caller = kBroker) {
    return service_.Issue(request, response, caller);
  }

  v1::JournalEntry Recorded(const std::string& serial_number) {
    v1::GetCertificateRequest request;
    request.set_tenant_id("contoso");
    request.set_serial_number(serial_number);
    v1::JournalEntry entry;
    grpc::ClientContext context;
    EXPECT_THAT(
        service_.As<v1::JournalService>(kAuditor)->GetCertificate(&context, request, &entry),
        Succeeded());
    return entry;
  }

  ServiceInProcess service_;
};

std::string ToPem(const TemporaryDirectory& directory, const std::string& name,
                  const std::string& der) {
  const std::string in = directory.Write(name + ".der", der);
  const std::string out = directory.File(name + ".pem");
  EXPECT_EQ(RunCommand({"openssl", "x509", "-inform", "DER", "-in", in, "-out", out}).exit_code, 0);
  return out;
}

TEST_F(IssuingTest, OpensslAcceptsWhatABrokerGets) {
  v1::IssueCertificateResponse response;
  ASSERT_THAT(Issue(service_.Request(), &response), Succeeded());
  ASSERT_EQ(response.chain_size(), 1);
  const TemporaryDirectory files;
  const std::string leaf = ToPem(files, "leaf", response.certificate());
  const std::string root = ToPem(files, "root", response.chain(0));
  const CommandResult verified = RunCommand(
      {"openssl", "verify", "-x509_strict", "-purpose", "sslclient", "-CAfile", root, leaf});
  EXPECT_EQ(verified.exit_code, 0) << verified.output;
  const std::string text = RunCommand({"openssl", "x509", "-in", leaf, "-noout", "-text"}).output;
  EXPECT_THAT(text, HasSubstr("Subject: CN = alice@contoso.example"));
  EXPECT_THAT(text, HasSubstr("TLS Web Client Authentication, 1.3.6.1.4.1.311.87"));
}

TEST_F(IssuingTest, TheAnswerSaysWhenToComeBack) {
  v1::IssueCertificateResponse response;
  ASSERT_THAT(Issue(service_.Request(), &response), Succeeded());
  const auto seconds = [](const google::protobuf::Timestamp& time) {
    return TimeUtil::TimestampToSeconds(time);
  };
  const std::int64_t now = seconds(response.server_time());
  EXPECT_EQ(seconds(response.not_before()), now - 300);
  EXPECT_EQ(seconds(response.not_after()), now + 3600);
  EXPECT_GE(seconds(response.renew_after()), now + 449);
  EXPECT_LE(seconds(response.renew_after()), now + 2700);
}

TEST_F(IssuingTest, AFleetIsSpreadOverTheTimeBetweenTwoRenewals) {
  std::set<std::int64_t> times;
  for (int i = 0; i < 20; ++i) {
    v1::IssueCertificateRequest request = service_.Request();
    request.mutable_user()->set_id(absl::StrCat("user-", i));
    v1::IssueCertificateResponse response;
    ASSERT_THAT(Issue(request, &response), Succeeded());
    times.insert(TimeUtil::TimestampToSeconds(response.renew_after()));
  }
  EXPECT_GT(times.size(), 10u);
  EXPECT_GT(*times.rbegin() - *times.begin(), 1000);
}

TEST_F(IssuingTest, TheJournalHoldsWhoWhatAndWhy) {
  const v1::IssueCertificateRequest request = service_.Request();
  v1::IssueCertificateResponse response;
  ASSERT_THAT(Issue(request, &response), Succeeded());
  const v1::JournalEntry entry = Recorded(response.serial_number());
  EXPECT_EQ(entry.certificate(), response.certificate());
  EXPECT_THAT(response.certificate(), HasSubstr(entry.tbs_certificate()));
  EXPECT_EQ(entry.caller(), kBroker);
  EXPECT_EQ(entry.request_id(), request.request_id());
  EXPECT_EQ(entry.user_upn(), "alice@contoso.example");
  EXPECT_EQ(entry.user_id(), request.user().id());
  EXPECT_EQ(entry.device_id(), "laptop-1");
  EXPECT_EQ(entry.verdict_id(), response.verdict_id());
  EXPECT_THAT(entry.policy_version(), testing::StartsWith("1 (sha256:"));
  EXPECT_EQ(entry.root_id(), "r1");
  EXPECT_TRUE(entry.has_released_at());
}

TEST_F(IssuingTest, TheSameRequestGetsTheSameCertificate) {
  const v1::IssueCertificateRequest request = service_.Request();
  v1::IssueCertificateResponse first;
  ASSERT_THAT(Issue(request, &first), Succeeded());
  service_.clock().Advance(std::chrono::minutes(10));
  v1::IssueCertificateResponse second;
  ASSERT_THAT(Issue(request, &second), Succeeded());
  EXPECT_EQ(second.certificate(), first.certificate());
  EXPECT_EQ(second.verdict_id(), first.verdict_id());
  EXPECT_EQ(service_.JournalSize(), 1);
  service_.Restart();
  v1::IssueCertificateResponse third;
  ASSERT_THAT(Issue(request, &third), Succeeded());
  EXPECT_EQ(third.certificate(), first.certificate());
  EXPECT_EQ(service_.JournalSize(), 1);
}

TEST_F(IssuingTest, TheSameRequestAtOnceFromManyGetsOneCertificate) {
  const v1::IssueCertificateRequest request = service_.Request();
  service_.ChannelAs(kBroker);
  std::vector<v1::IssueCertificateResponse> responses(8);
  std::vector<grpc::Status> statuses(8);
  std::vector<std::unique_ptr<v1::CertificateIssuer::Stub>> stubs;
  for (int i = 0; i < 8; ++i) stubs.push_back(service_.As<v1::CertificateIssuer>(kBroker));
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      grpc::ClientContext context;
      statuses[i] = stubs[i]->IssueCertificate(&context, request, &responses[i]);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int i = 0; i < 8; ++i) {
    EXPECT_THAT(statuses[i], Succeeded());
    EXPECT_EQ(responses[i].certificate(), responses[0].certificate());
  }
  EXPECT_EQ(service_.JournalSize(), 1);
}

TEST_F(IssuingTest, ARequestIdWithOtherContentIsRefused) {
  v1::IssueCertificateRequest request = service_.Request();
  ASSERT_THAT(Issue(request), Succeeded());
  service_.ReportDevice("contoso", "laptop-9", true);
  v1::IssueCertificateRequest other_device = request;
  other_device.set_device_id("laptop-9");
  v1::IssueCertificateRequest other_user = request;
  other_user.mutable_user()->set_upn("bob@contoso.example");
  v1::IssueCertificateRequest other_key = request;
  other_key.set_pkcs10(MakeEcPkcs10());
  for (const auto& other : {other_device, other_user, other_key}) {
    EXPECT_THAT(Issue(other), RefusedWith(v1::REQUEST_ID_REUSED, "request_id"));
  }
  // Another caller cannot fetch it either.
  EXPECT_THAT(Issue(request, nullptr, kWideBroker), RefusedWith(v1::REQUEST_ID_REUSED));
  EXPECT_EQ(service_.JournalSize(), 1);
}

TEST_F(IssuingTest, ARequestIdWhoseCertificateHasExpiredIsUsedUp) {
  const v1::IssueCertificateRequest request = service_.Request();
  ASSERT_THAT(Issue(request), Succeeded());
  service_.clock().Advance(std::chrono::minutes(61));
  EXPECT_THAT(Issue(request), RefusedWith(v1::REQUEST_ID_REUSED, "request_id"));
  EXPECT_THAT(Issue(service_.Request()), Succeeded());
}

TEST_F(IssuingTest, WhatIsLeftOfADeadlineIsTheSameByAnyClock) {
  // The service's is ahead of the machine's, by which gRPC says when a caller stops waiting.
  service_.clock().Advance(std::chrono::minutes(30));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::minutes(5));
  v1::IssueCertificateResponse response;
  EXPECT_THAT(service_.As<v1::CertificateIssuer>(kBroker)->IssueCertificate(
                  &context, service_.Request(), &response),
              Succeeded());
}

TEST_F(IssuingTest, ARepeatedRequestIsDecidedAnew) {
  const v1::IssueCertificateRequest request = service_.Request();
  ASSERT_THAT(Issue(request), Succeeded());
  service_.ReportDevice("contoso", "laptop-1", false);
  EXPECT_THAT(Issue(request), RefusedWith(v1::DEVICE_NOT_COMPLIANT));
}

TEST_F(IssuingTest, ADeviceOutOfOrderIsToldWhyAndHowToMendIt) {
  service_.ReportDevice("contoso", "laptop-2", false);
  v1::IssueCertificateRequest request = service_.Request();
  request.set_device_id("laptop-2");
  const grpc::Status status = Issue(request);
  ASSERT_THAT(status, RefusedWith(v1::DEVICE_NOT_COMPLIANT, "device_id"));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  const auto detail = issuance::ErrorDetailOf(status);
  ASSERT_EQ(detail->deny_reasons_size(), 1);
  EXPECT_EQ(detail->deny_reasons(0).setting(), "disk_encryption.enabled");
  EXPECT_EQ(detail->deny_reasons(0).remediation_url(), "https://help.contoso.example/vpn");
  EXPECT_EQ(detail->correlation_id().size(), 32u);
  EXPECT_NE(issuance::ErrorDetailOf(Issue(request))->correlation_id(), detail->correlation_id());
  EXPECT_EQ(service_.JournalSize(), 0);
}

TEST_F(IssuingTest, UnknownRemovedAndStaleDevicesAreRefused) {
  v1::IssueCertificateRequest unknown = service_.Request();
  unknown.set_device_id("never-seen");
  EXPECT_THAT(Issue(unknown), RefusedWith(v1::DEVICE_NOT_COMPLIANT));
  EXPECT_EQ(service_.JournalSize(), 0);

  ASSERT_THAT(Issue(service_.Request()), Succeeded());
  service_.clock().Advance(std::chrono::hours(24) + std::chrono::seconds(1));
  EXPECT_THAT(Issue(service_.Request()), RefusedWith(v1::DEVICE_NOT_COMPLIANT));
  service_.ReportDevice("contoso", "laptop-1", true);
  ASSERT_THAT(Issue(service_.Request()), Succeeded());

  v1::RemoveDeviceRequest removal;
  removal.set_tenant_id("contoso");
  removal.set_device_id("laptop-1");
  v1::RemoveDeviceResponse unused;
  grpc::ClientContext context;
  ASSERT_THAT(
      service_.As<v1::DeviceService>(kAdministrator)->RemoveDevice(&context, removal, &unused),
      Succeeded());
  EXPECT_THAT(Issue(service_.Request()), RefusedWith(v1::DEVICE_NOT_COMPLIANT));
}

TEST_F(IssuingTest, APolicyThatCannotBeReadDenies) {
  service_.WritePolicy("contoso", "disk_encryption: {enabled: maybe}\n");
  EXPECT_THAT(Issue(service_.Request()), RefusedWith(v1::DEVICE_NOT_COMPLIANT));
  service_.WritePolicy("contoso",
                       "version: \"2\"\nreport_validity: 24h\ndisk_encryption: {enabled: true}\n");
  EXPECT_THAT(Issue(service_.Request()), Succeeded());
}

TEST_F(IssuingTest, AnAdministratorSeesTheVerdictThatWouldBe) {
  v1::EvaluateRequest question;
  question.set_tenant_id("contoso");
  question.set_user_upn("alice@contoso.example");
  question.set_device_id("laptop-1");
  question.set_nonce("0123456789abcdef");
  v1::Verdict verdict;
  {
    grpc::ClientContext context;
    ASSERT_THAT(
        service_.As<v1::ComplianceService>(kAdministrator)->Evaluate(&context, question, &verdict),
        Succeeded());
  }
  EXPECT_TRUE(verdict.has_allow());
  EXPECT_EQ(verdict.nonce(), question.nonce());
  service_.ReportDevice("contoso", "laptop-1", false);
  {
    grpc::ClientContext context;
    ASSERT_THAT(
        service_.As<v1::ComplianceService>(kAuditor)->Evaluate(&context, question, &verdict),
        Succeeded());
  }
  ASSERT_TRUE(verdict.has_deny());
  EXPECT_EQ(verdict.deny().reasons(0).setting(), "disk_encryption.enabled");
  {
    grpc::ClientContext context;
    EXPECT_THAT(service_.As<v1::ComplianceService>(kBroker)->Evaluate(&context, question, &verdict),
                RefusedWith(v1::ROLE_NOT_PERMITTED));
  }
  {
    question.set_tenant_id("no-such-tenant");
    grpc::ClientContext context;
    EXPECT_THAT(
        service_.As<v1::ComplianceService>(kAdministrator)->Evaluate(&context, question, &verdict),
        RefusedWith(v1::TENANT_UNKNOWN));
  }
  EXPECT_EQ(service_.JournalSize(), 0);
}

}  // namespace
}  // namespace hourglass
