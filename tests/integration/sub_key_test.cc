// Issuing sub-keys, in the whole service: what brokers get, across renewals, restarts, replicas of
// the same data and changes of the primary.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ca/encoding/pem.h"
#include "tests/support/grpc_matchers.h"
#include "tests/support/service_in_process.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass {
namespace {

using std::chrono::hours;
using testing::HasSubstr;

class SubKeyServiceTest : public testing::Test {
 protected:
  SubKeyServiceTest() {
    service_.CreateTenant();
    service_.ReportDevice("contoso", "laptop-1", true);
  }

  // And promotes it, or says in `status` how that ended.
  v1::Root CreateRoot(bool issuing_sub_keys, grpc::Status* status = nullptr) {
    v1::CreateRootRequest request;
    request.set_tenant_id("contoso");
    request.mutable_duration()->set_seconds(365 * 24 * 3600);
    request.set_key_type(v1::RSA_2048);
    request.set_issuing_sub_keys(issuing_sub_keys);
    v1::Root root;
    const auto roots = service_.As<v1::RootService>(kAdministrator);
    {
      grpc::ClientContext context;
      EXPECT_THAT(roots->CreateRoot(&context, request, &root), Succeeded());
    }
    grpc::ClientContext context;
    const grpc::Status promoted =
        roots->PromoteRoot(&context, ServiceClient::PromotionOf(root), &root);
    if (status != nullptr) {
      *status = promoted;
    } else {
      EXPECT_THAT(promoted, Succeeded());
    }
    return root;
  }

  std::vector<v1::Intermediate> Intermediates(const std::string& root_id,
                                              absl::string_view caller = kAuditor) {
    v1::ListIntermediatesRequest request;
    request.set_tenant_id("contoso");
    request.set_root_id(root_id);
    v1::ListIntermediatesResponse response;
    grpc::ClientContext context;
    EXPECT_THAT(
        service_.As<v1::RootService>(caller)->ListIntermediates(&context, request, &response),
        Succeeded());
    return {response.intermediates().begin(), response.intermediates().end()};
  }

  v1::IssueCertificateResponse Issue(const v1::IssueCertificateRequest& request) {
    v1::IssueCertificateResponse response;
    EXPECT_THAT(service_.Issue(request, &response), Succeeded());
    return response;
  }
  v1::IssueCertificateResponse Issue() { return Issue(service_.Request()); }

  // Devices have to report each day.
  void Advance(std::chrono::seconds by) {
    service_.clock().Advance(by);
    service_.ReportDevice("contoso", "laptop-1", true);
  }

  // Issues until the answer has another chain than `before`; a renewal runs beside the requests.
  v1::IssueCertificateResponse IssueUntilRenewed(const v1::IssueCertificateResponse& before) {
    for (int attempt = 0; attempt < 2000; ++attempt) {
      v1::IssueCertificateResponse response = Issue();
      if (response.chain(0) != before.chain(0)) return response;
      std::this_thread::yield();
    }
    ADD_FAILURE() << "was not renewed";
    return before;
  }

  ServiceInProcess service_{
      [](issuance::Config& config) { config.issuing.sub_key.enabled = true; }};
};

std::string WritePem(const TemporaryDirectory& directory, const std::string& name,
                     const std::string& der) {
  return directory.Write(name, ca::EncodePem(ca::kCertificateLabel, der));
}

TEST_F(SubKeyServiceTest, TheChainLeadsFromTheLeafOverTheIntermediateToTheRoot) {
  const v1::Root root = CreateRoot(true);
  EXPECT_TRUE(root.issuing_sub_keys());
  const v1::IssueCertificateResponse response = Issue();
  ASSERT_EQ(response.chain_size(), 2);
  EXPECT_EQ(response.chain(1), root.certificate());
  const TemporaryDirectory directory;
  const std::string root_file = WritePem(directory, "root.pem", response.chain(1));
  const std::string above = WritePem(directory, "sub.pem", response.chain(0));
  const std::string leaf = WritePem(directory, "leaf.pem", response.certificate());
  const std::string now = absl::StrCat(response.server_time().seconds());
  EXPECT_EQ(RunCommand({"openssl", "verify", "-x509_strict", "-purpose", "sslclient", "-attime",
                        now, "-CAfile", root_file, "-untrusted", above, leaf})
                .output,
            absl::StrCat(leaf, ": OK\n"));

  const std::vector<v1::Intermediate> recorded = Intermediates(root.root_id());
  ASSERT_EQ(recorded.size(), 1U);
  EXPECT_EQ(recorded[0].certificate(), response.chain(0));
  EXPECT_THAT(recorded[0].certificate(), HasSubstr(recorded[0].tbs_certificate()));
  EXPECT_EQ(recorded[0].key_type(), v1::EC_P256);
  EXPECT_EQ(recorded[0].not_after().seconds() - response.server_time().seconds(), 24 * 3600);
  EXPECT_TRUE(recorded[0].has_released_at());
  EXPECT_LE(recorded[0].intended_at().seconds(), recorded[0].released_at().seconds());
  const v1::JournalEntry entry = service_.Journal().front();
  EXPECT_EQ(entry.intermediate_serial_number(), recorded[0].serial_number());
  EXPECT_EQ(entry.root_id(), root.root_id());
}

TEST_F(SubKeyServiceTest, OneSubKeyServesUntilHalfOfItsLifeAndThenTheNextWithoutAPause) {
  const v1::Root root = CreateRoot(true);
  const v1::IssueCertificateResponse first = Issue();
  EXPECT_EQ(Issue().chain(0), first.chain(0));
  Advance(hours(12) - std::chrono::minutes(1));
  EXPECT_EQ(Issue().chain(0), first.chain(0));
  EXPECT_EQ(Intermediates(root.root_id()).size(), 1U);
  Advance(std::chrono::minutes(2));
  // The request that finds it due is answered by the old one.
  EXPECT_EQ(Issue().chain(0), first.chain(0));
  const v1::IssueCertificateResponse next = IssueUntilRenewed(first);
  EXPECT_EQ(next.chain(1), root.certificate());
  EXPECT_EQ(Issue().chain(0), next.chain(0));
  EXPECT_EQ(Intermediates(root.root_id()).size(), 2U);
}

TEST_F(SubKeyServiceTest, AfterALongSilenceANewOneIsMadeBeforeTheAnswer) {
  CreateRoot(true);
  const v1::IssueCertificateResponse first = Issue();
  Advance(hours(23) + std::chrono::minutes(1));
  EXPECT_NE(Issue().chain(0), first.chain(0));
  service_.clock().Advance(-hours(22));
  service_.AcceptClock();
  service_.ReportDevice("contoso", "laptop-1", true);
  EXPECT_EQ(Issue().chain_size(), 2) << "a clock that was set back needs another one";
}

TEST_F(SubKeyServiceTest, ARootWithPathLengthZeroIsNotPromotedAndSignsNothing) {
  grpc::Status status;
  CreateRoot(false, &status);
  EXPECT_THAT(status, RefusedWith(v1::SUB_KEY_NOT_ALLOWED, "root.certificate"));
  EXPECT_THAT(status.error_message(), HasSubstr("--issuing-sub-keys"));
  EXPECT_THAT(service_.Issue(service_.Request()), RefusedWith(v1::NO_PRIMARY_ROOT));
  CreateRoot(true);
  Issue();
}

TEST_F(SubKeyServiceTest, ARepeatedRequestGetsTheSameCertificateAndItsOwnChain) {
  CreateRoot(true);
  const v1::IssueCertificateRequest request = service_.Request();
  const v1::IssueCertificateResponse first = Issue(request);
  EXPECT_EQ(Issue(request).certificate(), first.certificate());
  service_.Restart();
  const v1::IssueCertificateResponse of_another_sub_key = Issue();
  EXPECT_NE(of_another_sub_key.chain(0), first.chain(0));
  const v1::IssueCertificateResponse again = Issue(request);
  EXPECT_EQ(again.certificate(), first.certificate());
  EXPECT_EQ(again.chain(0), first.chain(0));
  EXPECT_EQ(again.chain(1), first.chain(1));
  EXPECT_EQ(service_.JournalSize(), 2);
}

TEST_F(SubKeyServiceTest, AChangeOfThePrimaryChangesTheSubKey) {
  const v1::Root first_root = CreateRoot(true);
  const v1::IssueCertificateRequest request = service_.Request();
  const v1::IssueCertificateResponse first = Issue(request);
  const v1::Root second_root = CreateRoot(true);
  const v1::IssueCertificateResponse second = Issue();
  EXPECT_EQ(second.chain(1), second_root.certificate());
  EXPECT_NE(second.chain(0), first.chain(0));
  EXPECT_EQ(Intermediates(first_root.root_id()).size(), 1U);
  EXPECT_EQ(Intermediates(second_root.root_id()).size(), 1U);
  EXPECT_THAT(service_.Issue(request), RefusedWith(v1::PRIMARY_CHANGED, "request_id"));
}

TEST_F(SubKeyServiceTest, OnlyAdministratorsAndAuditorsSeeTheIntermediates) {
  const v1::Root root = CreateRoot(true);
  Issue();
  EXPECT_EQ(Intermediates(root.root_id(), kAdministrator).size(), 1U);
  v1::ListIntermediatesRequest request;
  request.set_tenant_id("contoso");
  request.set_root_id(root.root_id());
  v1::ListIntermediatesResponse response;
  {
    grpc::ClientContext context;
    EXPECT_THAT(
        service_.As<v1::RootService>(kBroker)->ListIntermediates(&context, request, &response),
        RefusedWith(v1::ROLE_NOT_PERMITTED));
  }
  request.set_root_id("r99");
  grpc::ClientContext context;
  EXPECT_THAT(
      service_.As<v1::RootService>(kAuditor)->ListIntermediates(&context, request, &response),
      RefusedWith(v1::ROOT_UNKNOWN, "root_id"));
}

// The configuration changed while a certificate that the root itself signed was out.
TEST(SubKeyConfigurationTest, ARootForSubKeysSignsItselfWhereTheyAreOff) {
  ServiceInProcess service;
  service.CreateTenant();
  service.ReportDevice("contoso", "laptop-1", true);
  v1::CreateRootRequest request;
  request.set_tenant_id("contoso");
  request.mutable_duration()->set_seconds(365 * 24 * 3600);
  request.set_key_type(v1::EC_P256);
  request.set_make_primary(true);
  request.set_issuing_sub_keys(true);
  v1::Root root;
  grpc::ClientContext context;
  ASSERT_THAT(service.As<v1::RootService>(kAdministrator)->CreateRoot(&context, request, &root),
              Succeeded());
  v1::IssueCertificateResponse response;
  ASSERT_THAT(service.Issue(service.Request(), &response), Succeeded());
  ASSERT_EQ(response.chain_size(), 1);
  EXPECT_EQ(response.chain(0), root.certificate());
}

}  // namespace
}  // namespace hourglass
