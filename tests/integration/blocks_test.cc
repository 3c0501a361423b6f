// What is blocked gets nothing, whoever decides: the embedded engine, or a compliance service
// elsewhere that allows everything.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "hourglass/v1/blocks.grpc.pb.h"
#include "hourglass/v1/compliance.grpc.pb.h"
#include "hourglass/v1/directory.grpc.pb.h"
#include "issuance/compliance/question.h"
#include "issuance/wire/proto_time.h"
#include "tests/support/grpc_matchers.h"
#include "tests/support/service_in_process.h"

namespace hourglass {
namespace {

using std::chrono::hours;
using testing::ElementsAre;

// Over mutual TLS; knows nothing of blocks.
class AllowingCompliance final : public v1::ComplianceService::Service {
 public:
  explicit AllowingCompliance(MutualTls& tls) {
    const TlsCredential credential = tls.Server();
    grpc::SslServerCredentialsOptions options(
        GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
    options.pem_root_certs = ReadFileOrDie(tls.trusted_roots_file());
    options.pem_key_cert_pairs.push_back(
        {ReadFileOrDie(credential.private_key_file), ReadFileOrDie(credential.certificate_file)});
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::SslServerCredentials(options), &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~AllowingCompliance() override { server_->Shutdown(std::chrono::system_clock::now()); }

  grpc::Status Evaluate(grpc::ServerContext*, const v1::EvaluateRequest* request,
                        v1::Verdict* verdict) override {
    ++asked;
    verdict->set_verdict_id("elsewhere");
    issuance::NameQuestion(*request, verdict);
    *verdict->mutable_evaluated_at() = issuance::ToProto(clock->Now());
    verdict->mutable_allow();
    return grpc::Status::OK;
  }

  std::string endpoint() const { return "localhost:" + std::to_string(port_); }

  std::atomic<int> asked = 0;
  const issuance::Clock* clock = nullptr;

 private:
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

// The settings that a refusal names, with their messages.
std::vector<std::string> Reasons(const grpc::Status& status) {
  std::vector<std::string> reasons;
  const auto detail = issuance::ErrorDetailOf(status);
  if (!detail.has_value() || detail->reason() != v1::DEVICE_NOT_COMPLIANT) return {"no verdict"};
  for (const v1::DenyReason& reason : detail->deny_reasons()) {
    reasons.push_back(absl::StrCat(reason.setting(), ": ", reason.message()));
  }
  return reasons;
}

class BlocksTest : public testing::TestWithParam<bool> {
 protected:
  BlocksTest()
      : service_([this](issuance::Config& config) {
          if (GetParam()) return;
          const TlsCredential client = tls_.Client("URI:spiffe://contoso.example/hourglassd");
          config.compliance.policy_directory.clear();
          config.compliance.endpoint = elsewhere_.endpoint();
          config.compliance.tls = {client.certificate_file, client.private_key_file,
                                   tls_.trusted_roots_file()};
          config.compliance.deadline = std::chrono::seconds(20);
        }) {
    elsewhere_.clock = &service_.clock();
    service_.MakeReady();
  }

  grpc::Status Issue(const v1::IssueCertificateRequest& request) { return service_.Issue(request); }
  grpc::Status Issue() { return Issue(service_.Request()); }

  // The same by a stream of its own.
  grpc::Status IssueByStream(const v1::IssueCertificateRequest& request) {
    grpc::ClientContext context;
    const auto stub = service_.As<v1::CertificateIssuer>(kBroker);
    const auto stream = stub->IssueCertificates(&context);
    stream->Write(request);
    stream->WritesDone();
    v1::IssueCertificatesResponse answer;
    while (stream->Read(&answer)) {
    }
    const grpc::Status end = stream->Finish();
    if (!end.ok() || answer.has_issued()) return end;
    return grpc::Status(static_cast<grpc::StatusCode>(answer.refused().code()),
                        answer.refused().message(), answer.refused().SerializeAsString());
  }

  grpc::Status Put(const v1::BlockSubject& subject,
                   std::optional<issuance::Timestamp> until = std::nullopt,
                   absl::string_view caller = kAdministrator) {
    v1::PutBlockRequest request;
    request.set_tenant_id("contoso");
    *request.mutable_subject() = subject;
    request.set_reason("stolen on a train");
    if (until.has_value()) *request.mutable_until() = issuance::ToProto(*until);
    v1::Block block;
    grpc::ClientContext context;
    return service_.As<v1::BlockService>(caller)->PutBlock(&context, request, &block);
  }

  grpc::Status Remove(const v1::BlockSubject& subject) {
    v1::RemoveBlockRequest request;
    request.set_tenant_id("contoso");
    *request.mutable_subject() = subject;
    v1::Block block;
    grpc::ClientContext context;
    return service_.As<v1::BlockService>(kAdministrator)->RemoveBlock(&context, request, &block);
  }

  grpc::Status PutUsers(const v1::PutUsersRequest& request,
                        absl::string_view caller = kAdministrator) {
    v1::PutUsersResponse response;
    grpc::ClientContext context;
    return service_.As<v1::DirectoryService>(caller)->PutUsers(&context, request, &response);
  }

  static v1::BlockSubject Laptop() {
    v1::BlockSubject subject;
    subject.set_device_id("laptop-1");
    return subject;
  }
  static v1::BlockSubject UserOf(const std::string& upn) {
    v1::BlockSubject subject;
    subject.set_user_upn(upn);
    return subject;
  }

  MutualTls tls_;
  AllowingCompliance elsewhere_{tls_};
  ServiceInProcess service_;
};

TEST_P(BlocksTest, ABlockedDeviceGetsNothingUntilItIsUnblocked) {
  const v1::IssueCertificateRequest before = service_.Request();
  ASSERT_THAT(Issue(before), Succeeded());
  ASSERT_THAT(IssueByStream(service_.Request()), Succeeded());
  ASSERT_THAT(Put(Laptop()), Succeeded());
  const int asked = elsewhere_.asked;
  const auto is_blocked = ElementsAre("device_blocked: this device is blocked: stolen on a train");
  EXPECT_THAT(Reasons(Issue()), is_blocked);
  EXPECT_THAT(Reasons(IssueByStream(service_.Request())), is_blocked);
  // What was issued is not given out once more.
  EXPECT_THAT(Reasons(Issue(before)), is_blocked);
  // It says that all is well.
  service_.ReportDevice("contoso", "laptop-1", true);
  EXPECT_THAT(Reasons(Issue()), is_blocked);
  EXPECT_EQ(elsewhere_.asked, asked) << "nobody need be asked";
  EXPECT_EQ(service_.JournalSize(), 2);
  service_.Restart();
  EXPECT_THAT(Reasons(Issue()), is_blocked);
  ASSERT_THAT(Remove(Laptop()), Succeeded());
  EXPECT_THAT(Issue(), Succeeded());
  EXPECT_THAT(IssueByStream(service_.Request()), Succeeded());
  EXPECT_THAT(Issue(before), Succeeded());
}

TEST_P(BlocksTest, AUserIsBlockedByHisUpnInAnotherCase) {
  ASSERT_THAT(Issue(), Succeeded());
  std::string upn = service_.Request().user().upn();
  upn[0] = static_cast<char>(upn[0] ^ 0x20);
  ASSERT_THAT(Put(UserOf(upn)), Succeeded());
  const auto is_blocked = ElementsAre("user_blocked: this user is blocked: stolen on a train");
  EXPECT_THAT(Reasons(Issue()), is_blocked);
  EXPECT_THAT(Reasons(IssueByStream(service_.Request())), is_blocked);
  v1::IssueCertificateRequest other = service_.Request();
  other.mutable_user()->set_upn("bob@contoso.example");
  EXPECT_THAT(Issue(other), Succeeded());
  ASSERT_THAT(Remove(UserOf(service_.Request().user().upn())), Succeeded());
  EXPECT_THAT(Issue(), Succeeded());
}

TEST_P(BlocksTest, ABlockIsOverAtItsEnd) {
  EXPECT_THAT(Put(Laptop(), service_.clock().Now() - hours(1)),
              RefusedWith(v1::FIELD_INVALID, "until"));
  EXPECT_THAT(Issue(), Succeeded());
  ASSERT_THAT(Put(Laptop(), service_.clock().Now() + hours(1)), Succeeded());
  EXPECT_EQ(Reasons(Issue()).size(), 1u);
  service_.clock().Advance(hours(1));
  EXPECT_THAT(Issue(), Succeeded());
}

TEST_P(BlocksTest, WhomTheDirectoryHasDisabledGetsNothing) {
  v1::PutUsersRequest request;
  request.set_tenant_id("contoso");
  v1::DirectoryUser* const user = request.add_users();
  user->set_id("u-1");
  user->set_upn(service_.Request().user().upn());
  user->set_disabled(true);
  ASSERT_THAT(PutUsers(request), Succeeded());
  EXPECT_THAT(Reasons(Issue()),
              ElementsAre("user_disabled: the directory has this user's account disabled"));
  user->set_disabled(false);
  ASSERT_THAT(PutUsers(request), Succeeded());
  EXPECT_THAT(Issue(), Succeeded());
  v1::BlockSubject subject;
  subject.set_user_id("u-1");
  ASSERT_THAT(Put(subject), Succeeded());
  EXPECT_EQ(Reasons(Issue()).size(), 1u);
}

TEST_P(BlocksTest, AdministratorsAloneBlock) {
  for (const char* caller : {kBroker, kAuditor, kDeviceReporter}) {
    EXPECT_THAT(Put(Laptop(), std::nullopt, caller), RefusedWith(v1::ROLE_NOT_PERMITTED));
  }
  EXPECT_THAT(Issue(), Succeeded());
}

// A user with ten thousand groups takes more than a message usually may.
TEST_P(BlocksTest, AdministratorsBringManyGroupsAtOnce) {
  v1::PutUsersRequest request;
  request.set_tenant_id("contoso");
  v1::DirectoryUser* const user = request.add_users();
  user->set_id("u-1");
  user->set_upn(service_.Request().user().upn());
  for (int i = 0; i < 20'000; ++i) {
    user->add_groups(absl::StrCat("00000000-0000-0000-0000-", 100'000'000'000 + i));
  }
  ASSERT_GT(request.ByteSizeLong(), 700'000u);
  EXPECT_THAT(PutUsers(request), Succeeded());
  EXPECT_THAT(PutUsers(request, kAuditor), RefusedWith(v1::ROLE_NOT_PERMITTED))
      << "told once, and then cut off";
  EXPECT_THAT(Issue(), Succeeded());
  v1::GetUserRequest get;
  get.set_tenant_id("contoso");
  get.set_user_id("u-1");
  v1::DirectoryUser kept;
  grpc::ClientContext context;
  ASSERT_THAT(service_.As<v1::DirectoryService>(kAuditor)->GetUser(&context, get, &kept),
              Succeeded());
  EXPECT_EQ(kept.groups_size(), 20'000);
}

INSTANTIATE_TEST_SUITE_P(WhoeverDecides, BlocksTest, testing::Values(true, false),
                         [](const auto& is_embedded) {
                           return is_embedded.param ? "Embedded" : "Elsewhere";
                         });

}  // namespace
}  // namespace hourglass
