// Who watches decisions learns whose certificates should count no more, misses nothing by a
// restart, and is told nothing twice; what was refused is found again by its id.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hourglass/v1/blocks.grpc.pb.h"
#include "hourglass/v1/decisions.grpc.pb.h"
#include "hourglass/v1/policies.grpc.pb.h"
#include "issuance/wire/status_detail.h"
#include "tests/support/grpc_matchers.h"
#include "tests/support/service_in_process.h"

namespace hourglass {
namespace {

using std::chrono::minutes;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr char kGateway[] = "gateway";

// An open stream of decisions.
class Watch {
 public:
  Watch(ServiceInProcess& service, const std::string& cursor, absl::string_view caller = kGateway)
      : stub_(service.As<v1::DecisionService>(caller)) {
    v1::WatchDecisionsRequest request;
    request.set_tenant_id("contoso");
    request.set_cursor(cursor);
    reader_ = stub_->WatchDecisions(&context_, request);
  }
  ~Watch() {
    context_.TryCancel();
    if (!is_finished_) reader_->Finish();
  }

  // The next event; an empty one where the stream has ended.
  v1::DecisionEvent Next() {
    v1::DecisionEvent event;
    if (!reader_->Read(&event)) event.Clear();
    return event;
  }
  grpc::Status End() {
    v1::DecisionEvent event;
    while (reader_->Read(&event)) {
    }
    is_finished_ = true;
    return reader_->Finish();
  }

 private:
  std::unique_ptr<v1::DecisionService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::DecisionEvent>> reader_;
  bool is_finished_ = false;
};

// `KIND DEVICE USER`.
std::string InShort(const v1::DecisionEvent& event) {
  return absl::StrCat(v1::DecisionEvent::Kind_Name(event.kind()), " ", event.device_id(), " ",
                      event.user_upn());
}

std::vector<std::string> SerialsOf(const v1::DecisionEvent& event) {
  EXPECT_TRUE(event.certificates_complete());
  std::vector<std::string> serials;
  for (const v1::LiveCertificate& certificate : event.certificates()) {
    serials.push_back(certificate.serial_number());
  }
  return serials;
}

class DecisionsTest : public testing::Test {
 protected:
  DecisionsTest()
      : service_([](issuance::Config& config) {
          issuance::Caller gateway = TestCallers().front();
          gateway.name = kGateway;
          gateway.identity = "uri:spiffe://contoso.example/gateway";
          gateway.roles = {issuance::Role::kRelyingParty};
          gateway.all_tenants = false;
          gateway.tenants = {"contoso"};
          config.callers.push_back(gateway);
        }) {
    service_.MakeReady();
  }

  std::string user() { return service_.Request().user().upn(); }

  // The serial number of what is issued.
  std::string Issue() {
    v1::IssueCertificateResponse response;
    EXPECT_THAT(service_.Issue(service_.Request(), &response), Succeeded());
    return response.serial_number();
  }
  grpc::Status IssueByStream() {
    grpc::ClientContext context;
    const auto stub = service_.As<v1::CertificateIssuer>(kBroker);
    const auto stream = stub->IssueCertificates(&context);
    stream->Write(service_.Request());
    stream->WritesDone();
    v1::IssueCertificatesResponse answer;
    while (stream->Read(&answer)) {
    }
    const grpc::Status end = stream->Finish();
    if (!end.ok() || answer.has_issued()) return end;
    return grpc::Status(static_cast<grpc::StatusCode>(answer.refused().code()),
                        answer.refused().message(), answer.refused().SerializeAsString());
  }

  void Block(const v1::BlockSubject& subject) {
    v1::PutBlockRequest request;
    request.set_tenant_id("contoso");
    *request.mutable_subject() = subject;
    request.set_reason("left the company");
    v1::Block block;
    grpc::ClientContext context;
    EXPECT_THAT(service_.As<v1::BlockService>(kAdministrator)->PutBlock(&context, request, &block),
                Succeeded());
  }
  void Unblock(const v1::BlockSubject& subject) {
    v1::RemoveBlockRequest request;
    request.set_tenant_id("contoso");
    *request.mutable_subject() = subject;
    v1::Block block;
    grpc::ClientContext context;
    EXPECT_THAT(
        service_.As<v1::BlockService>(kAdministrator)->RemoveBlock(&context, request, &block),
        Succeeded());
  }
  void RemoveDevice() {
    v1::RemoveDeviceRequest request;
    request.set_tenant_id("contoso");
    request.set_device_id("laptop-1");
    v1::RemoveDeviceResponse response;
    grpc::ClientContext context;
    EXPECT_THAT(
        service_.As<v1::DeviceService>(kAdministrator)->RemoveDevice(&context, request, &response),
        Succeeded());
  }

  v1::ListRefusalsResponse ListRefusals(v1::ListRefusalsRequest request) {
    request.set_tenant_id("contoso");
    v1::ListRefusalsResponse response;
    grpc::ClientContext context;
    EXPECT_THAT(
        service_.As<v1::DecisionService>(kAuditor)->ListRefusals(&context, request, &response),
        Succeeded());
    return response;
  }
  // Refusals are written behind the answer.
  v1::Refusal FindRefusal(const std::string& verdict_id) {
    v1::ListRefusalsRequest request;
    request.set_verdict_id(verdict_id);
    for (;;) {
      const v1::ListRefusalsResponse found = ListRefusals(request);
      if (found.refusals_size() > 0) return found.refusals(0);
      std::this_thread::yield();
    }
  }

  ServiceInProcess service_;
};

// The id that the user reads out.
std::string CorrelationIdOf(const grpc::Status& status) {
  const auto detail = issuance::ErrorDetailOf(status);
  return detail.has_value() ? detail->correlation_id() : "";
}

TEST_F(DecisionsTest, AGatewayLearnsOfEachLossOnceAndMissesNoneByARestart) {
  const std::string first = Issue();
  Watch gateway(service_, "");
  service_.ReportDevice("contoso", "laptop-1", false);
  const v1::DecisionEvent lost = gateway.Next();
  EXPECT_EQ(InShort(lost), "DEVICE_NOT_COMPLIANT laptop-1 ");
  EXPECT_THAT(SerialsOf(lost), ElementsAre(first));
  ASSERT_EQ(lost.reasons_size(), 1);
  EXPECT_EQ(lost.reasons(0).setting(), "disk_encryption.enabled");
  EXPECT_THAT(lost.certificates(0).root_sha256(), SizeIs(32));

  // On every path, and nobody is told again.
  const grpc::Status refused = service_.Issue(service_.Request());
  EXPECT_THAT(refused, RefusedWith(v1::DEVICE_NOT_COMPLIANT));
  const grpc::Status by_stream = IssueByStream();
  EXPECT_THAT(by_stream, RefusedWith(v1::DEVICE_NOT_COMPLIANT));
  service_.ReportDevice("contoso", "laptop-1", false);
  for (const grpc::Status& status : {refused, by_stream}) {
    const v1::Refusal kept = FindRefusal(CorrelationIdOf(status));
    EXPECT_EQ(kept.device_id(), "laptop-1");
    EXPECT_EQ(kept.user_upn(), user());
    EXPECT_EQ(kept.caller(), kBroker);
    ASSERT_EQ(kept.reasons_size(), 1);
    EXPECT_EQ(kept.reasons(0).setting(), "disk_encryption.enabled");
  }

  service_.clock().Advance(minutes(2));
  service_.ReportDevice("contoso", "laptop-1", true);
  const std::string second = Issue();
  EXPECT_THAT(IssueByStream(), Succeeded());
  service_.Restart();
  EXPECT_THAT(gateway.End(), RefusedWith(v1::STOPPING));

  // While the gateway is away.
  v1::BlockSubject subject;
  subject.set_user_upn(user());
  Block(subject);
  EXPECT_THAT(service_.Issue(service_.Request()), RefusedWith(v1::DEVICE_NOT_COMPLIANT));
  EXPECT_THAT(IssueByStream(), RefusedWith(v1::DEVICE_NOT_COMPLIANT));
  Watch again(service_, lost.cursor());
  const v1::DecisionEvent blocked = again.Next();
  EXPECT_EQ(InShort(blocked), absl::StrCat("USER_BLOCKED  ", user()));
  EXPECT_EQ(blocked.reason(), "left the company");
  EXPECT_THAT(SerialsOf(blocked), SizeIs(3));
  Unblock(subject);
  service_.clock().Advance(minutes(2));
  Issue();
  RemoveDevice();
  const v1::DecisionEvent removed = again.Next();
  EXPECT_EQ(InShort(removed), "DEVICE_REMOVED laptop-1 ");
  EXPECT_THAT(SerialsOf(removed), SizeIs(4));

  // Whoever has no cursor is sent the same again, and of the first loss what it concerned.
  Watch whole(service_, "", kAuditor);
  std::vector<std::string> seen;
  for (int i = 0; i < 3; ++i) seen.push_back(InShort(whole.Next()));
  EXPECT_THAT(seen, ElementsAre(InShort(lost), InShort(blocked), InShort(removed)));
  Watch replay(service_, "");
  EXPECT_THAT(SerialsOf(replay.Next()), ElementsAre(first));
}

TEST_F(DecisionsTest, ARefusalIsAnEventWhileACertificateIsLive) {
  const std::string serial = Issue();
  Watch gateway(service_, "");
  service_.WritePolicy("contoso", absl::StrCat(kTestPolicy, "antivirus: {enabled: true}\n"));
  // Policies are read again when they change, after a moment.
  service_.clock().Advance(minutes(1));
  const grpc::Status refused = service_.Issue(service_.Request());
  ASSERT_THAT(refused, RefusedWith(v1::DEVICE_NOT_COMPLIANT));
  const v1::DecisionEvent event = gateway.Next();
  EXPECT_EQ(InShort(event), absl::StrCat("ACCESS_REFUSED laptop-1 ", user()));
  EXPECT_EQ(event.verdict_id(), CorrelationIdOf(refused));
  EXPECT_THAT(SerialsOf(event), ElementsAre(serial));
  // A device that goes on asking is one event.
  for (int i = 0; i < 5; ++i) {
    EXPECT_THAT(service_.Issue(service_.Request()), RefusedWith(v1::DEVICE_NOT_COMPLIANT));
  }
  v1::BlockSubject laptop;
  laptop.set_device_id("laptop-2");
  Block(laptop);
  EXPECT_EQ(InShort(gateway.Next()), "DEVICE_BLOCKED laptop-2 ");
  service_.clock().Advance(minutes(61));
  Watch later(service_, "");
  EXPECT_THAT(SerialsOf(later.Next()), IsEmpty()) << "nothing of it lives any more";
}

TEST_F(DecisionsTest, APolicyThatChangesIsAnEventThoughNobodyAsks) {
  const std::string serial = Issue();
  Watch gateway(service_, "");
  auto lost = std::async(std::launch::async, [&gateway] { return gateway.Next(); });
  // What the policies were before is known once the tenant was looked at.
  for (int i = 0; lost.wait_for(std::chrono::milliseconds(50)) != std::future_status::ready; ++i) {
    v1::ImportPoliciesRequest request;
    request.set_tenant_id("contoso");
    request.set_document(absl::StrCat(R"({"id": "2b0c7d1e-8f3a-4b52-a6d9-0c1e2f3a4b5c",
        "displayName": ")",
                                      i, R"(", "state": "enabled", "conditions": {
        "users": {"includeUsers": ["All"]}, "applications": {"includeApplications": ["All"]},
        "clientAppTypes": ["all"]},
        "grantControls": {"operator": "OR", "builtInControls": ["block"]}})"));
    v1::ImportPoliciesResponse response;
    grpc::ClientContext context;
    ASSERT_THAT(service_.As<v1::PolicyService>(kAdministrator)
                    ->ImportPolicies(&context, request, &response),
                Succeeded());
  }
  const v1::DecisionEvent event = lost.get();
  EXPECT_EQ(InShort(event), absl::StrCat("ACCESS_LOST laptop-1 ", user()));
  EXPECT_THAT(SerialsOf(event), ElementsAre(serial));
  ASSERT_EQ(event.reasons_size(), 1);
  EXPECT_EQ(event.reasons(0).setting(), "block");
  // Asking brings no second one.
  EXPECT_THAT(service_.Issue(service_.Request()), RefusedWith(v1::DEVICE_NOT_COMPLIANT));
  v1::BlockSubject laptop;
  laptop.set_device_id("laptop-2");
  Block(laptop);
  EXPECT_EQ(InShort(gateway.Next()), "DEVICE_BLOCKED laptop-2 ");
}

TEST_F(DecisionsTest, CursorsAreOfTheTenantAndStreamsOfWhoMay) {
  for (const char* cursor : {"1-0123456789abcdef", "x"}) {
    EXPECT_THAT(Watch(service_, cursor).End(), RefusedWith(v1::CURSOR_UNKNOWN, "cursor"));
  }
  EXPECT_THAT(Watch(service_, "", kBroker).End(), RefusedWith(v1::ROLE_NOT_PERMITTED));
  v1::WatchDecisionsRequest request;
  request.set_tenant_id("fabrikam");
  grpc::ClientContext context;
  const auto stub = service_.As<v1::DecisionService>(kGateway);
  EXPECT_THAT(stub->WatchDecisions(&context, request)->Finish(),
              RefusedWith(v1::TENANT_NOT_PERMITTED, "tenant_id"));
  v1::ListRefusalsRequest list;
  list.set_tenant_id("contoso");
  v1::ListRefusalsResponse response;
  grpc::ClientContext for_list;
  EXPECT_THAT(stub->ListRefusals(&for_list, list, &response), RefusedWith(v1::ROLE_NOT_PERMITTED));
}

}  // namespace
}  // namespace hourglass
