// A stream of requests for certificates: each is one IssueCertificate of its own.
#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hourglass/v1/compliance.grpc.pb.h"
#include "issuance/base/clock.h"
#include "issuance/compliance/question.h"
#include "issuance/wire/proto_time.h"
#include "issuance/wire/status_detail.h"
#include "tests/support/grpc_matchers.h"
#include "tests/support/service_in_process.h"
#include "tests/support/subprocess.h"

namespace hourglass {
namespace {

using Answer = v1::IssueCertificatesResponse;
using Request = v1::IssueCertificateRequest;

// What the contract allows a stream.
constexpr int kMaxUnderWay = 256;

grpc::Status RefusalOf(const Answer& answer) {
  if (!answer.has_refused()) return grpc::Status::OK;
  return grpc::Status(static_cast<grpc::StatusCode>(answer.refused().code()),
                      answer.refused().message(), answer.refused().SerializeAsString());
}

class IssuingStream {
 public:
  explicit IssuingStream(ServiceClient& service, absl::string_view caller = kBroker)
      : stub_(service.As<v1::CertificateIssuer>(caller)),
        stream_(stub_->IssueCertificates(&context_)) {}
  // A stream that nobody finished would wait for ever.
  ~IssuingStream() { context_.TryCancel(); }

  bool Write(const Request& request) { return stream_->Write(request); }
  // From a thread of its own.
  void WriteAll(const std::vector<Request>& requests) {
    writer_ = std::jthread([this, &requests] {
      for (const Request& request : requests) {
        if (!stream_->Write(request)) return;
      }
      stream_->WritesDone();
    });
  }
  void EndOwnSide() { stream_->WritesDone(); }
  bool Read(Answer* answer) { return stream_->Read(answer); }
  std::vector<Answer> ReadToTheEnd() {
    std::vector<Answer> answers;
    for (Answer answer; stream_->Read(&answer);) answers.push_back(answer);
    return answers;
  }
  void Cancel() { context_.TryCancel(); }
  // After the last read.
  grpc::Status Finish() {
    if (writer_.joinable()) writer_.join();
    return stream_->Finish();
  }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<v1::CertificateIssuer::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<Request, Answer>> stream_;
  std::jthread writer_;
};

// Sound requests with ids of their own. Making a key for each would be most of the test.
std::vector<Request> Requests(ServiceClient& service, int count, const std::string& name = "r") {
  const Request first = service.Request();
  std::vector<Request> requests;
  for (int i = 0; i < count; ++i) {
    requests.push_back(first);
    requests.back().set_request_id(absl::StrCat(name, "-", i));
  }
  return requests;
}

std::map<std::string, Answer> ByRequest(const std::vector<Answer>& answers) {
  std::map<std::string, Answer> by_request;
  for (const Answer& answer : answers) {
    EXPECT_TRUE(by_request.emplace(answer.request_id(), answer).second) << answer.request_id();
  }
  return by_request;
}

// What the journal holds is what was answered, and every request it once.
void ExpectJournalHas(ServiceClient& service, const std::map<std::string, Answer>& issued) {
  std::set<std::string> recorded;
  for (const v1::JournalEntry& entry : service.Journal()) {
    EXPECT_TRUE(recorded.insert(entry.request_id()).second) << entry.request_id();
    const auto answer = issued.find(entry.request_id());
    if (answer == issued.end() || !answer->second.has_issued()) continue;
    EXPECT_EQ(entry.certificate(), answer->second.issued().certificate());
  }
  for (const auto& [request_id, answer] : issued) {
    EXPECT_EQ(recorded.contains(request_id), answer.has_issued()) << request_id;
  }
}

class IssueStreamTest : public testing::Test {
 protected:
  IssueStreamTest() { service_.MakeReady(); }

  ServiceInProcess service_;
};

TEST_F(IssueStreamTest, AnswersEveryRequestOnceAndEndsWithOk) {
  const std::vector<Request> requests = Requests(service_, 3 * kMaxUnderWay);
  IssuingStream stream(service_);
  stream.WriteAll(requests);
  const auto answers = ByRequest(stream.ReadToTheEnd());
  EXPECT_THAT(stream.Finish(), Succeeded());
  EXPECT_EQ(answers.size(), requests.size());
  std::set<std::string> serials;
  for (const auto& [request_id, answer] : answers) {
    EXPECT_EQ(answer.tenant_id(), "contoso");
    ASSERT_TRUE(answer.has_issued()) << answer.ShortDebugString();
    serials.insert(answer.issued().serial_number());
  }
  EXPECT_EQ(serials.size(), requests.size());
  ExpectJournalHas(service_, answers);
}

TEST_F(IssueStreamTest, AStreamWithoutRequestsEndsWithOk) {
  IssuingStream stream(service_);
  stream.EndOwnSide();
  EXPECT_TRUE(stream.ReadToTheEnd().empty());
  EXPECT_THAT(stream.Finish(), Succeeded());
}

// Not only when the stream ends.
TEST_F(IssueStreamTest, AnAnswerComesWithoutAnotherRequest) {
  IssuingStream stream(service_);
  for (const Request& request : Requests(service_, 3)) {
    ASSERT_TRUE(stream.Write(request));
    Answer answer;
    ASSERT_TRUE(stream.Read(&answer));
    EXPECT_EQ(answer.request_id(), request.request_id());
    EXPECT_THAT(RefusalOf(answer), Succeeded());
  }
}

TEST_F(IssueStreamTest, ARefusedRequestDoesNotEndTheStream) {
  service_.CreateTenant("fabrikam");
  service_.CreateRoot("fabrikam");
  service_.ReportDevice("contoso", "bad-laptop", false);
  std::vector<Request> requests = Requests(service_, 8);
  requests[1].set_tenant_id("fabrikam");
  requests[2].clear_device_id();
  requests[3].set_pkcs10("hello");
  requests[4].set_device_id("bad-laptop");
  requests[5].clear_tenant_id();
  requests[6].Clear();
  IssuingStream stream(service_);
  stream.WriteAll(requests);
  auto answers = ByRequest(stream.ReadToTheEnd());
  EXPECT_THAT(stream.Finish(), Succeeded());
  ASSERT_EQ(answers.size(), requests.size());
  EXPECT_THAT(RefusalOf(answers["r-0"]), Succeeded());
  EXPECT_THAT(RefusalOf(answers["r-1"]), RefusedWith(v1::TENANT_NOT_PERMITTED, "tenant_id"));
  EXPECT_EQ(answers["r-1"].tenant_id(), "fabrikam");
  EXPECT_THAT(RefusalOf(answers["r-2"]), RefusedWith(v1::FIELD_MISSING, "device_id"));
  EXPECT_THAT(RefusalOf(answers["r-3"]), RefusedWith(v1::REQUEST_MALFORMED, "pkcs10"));
  EXPECT_THAT(RefusalOf(answers["r-4"]), RefusedWith(v1::DEVICE_NOT_COMPLIANT));
  EXPECT_EQ(issuance::ErrorDetailOf(RefusalOf(answers["r-4"]))->deny_reasons(0).setting(),
            "disk_encryption.enabled");
  EXPECT_EQ(issuance::ErrorDetailOf(RefusalOf(answers["r-4"]))->correlation_id().size(), 32u);
  EXPECT_THAT(RefusalOf(answers["r-5"]), RefusedWith(v1::FIELD_MISSING, "tenant_id"));
  EXPECT_THAT(RefusalOf(answers[""]), RefusedWith(v1::FIELD_MISSING, "tenant_id"));
  EXPECT_THAT(RefusalOf(answers["r-7"]), Succeeded());
  ExpectJournalHas(service_, answers);
  EXPECT_EQ(service_.JournalSize("fabrikam"), 0);
}

TEST_F(IssueStreamTest, TheSameRequestTwiceGetsTheSameCertificate) {
  const std::vector<Request> requests(2, Requests(service_, 1).front());
  IssuingStream stream(service_);
  stream.WriteAll(requests);
  const std::vector<Answer> answers = stream.ReadToTheEnd();
  EXPECT_THAT(stream.Finish(), Succeeded());
  ASSERT_EQ(answers.size(), 2u);
  ASSERT_TRUE(answers[0].has_issued() && answers[1].has_issued());
  EXPECT_EQ(answers[0].issued().certificate(), answers[1].issued().certificate());
  v1::IssueCertificateResponse by_call;
  ASSERT_THAT(service_.Issue(requests[0], &by_call), Succeeded());
  EXPECT_EQ(by_call.certificate(), answers[0].issued().certificate());
  EXPECT_EQ(service_.JournalSize(), 1);
}

TEST_F(IssueStreamTest, AStrangerGetsNoStream) {
  IssuingStream stream(service_, kStranger);
  EXPECT_TRUE(stream.ReadToTheEnd().empty());
  // Turned away in the TLS handshake.
  EXPECT_EQ(stream.Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(service_.Issue(service_.Request()), Succeeded());
}

// Its connection is ended within a second; before that, the next message is refused.
TEST_F(IssueStreamTest, AStreamWhoseCallersCertificateExpiresGoesOnNoMore) {
  IssuingStream stream(service_, kBroker);
  stream.Write(service_.Request());
  Answer answer;
  ASSERT_TRUE(stream.Read(&answer));
  ASSERT_TRUE(answer.has_issued());
  service_.clock().Advance(std::chrono::hours(24 * 31));
  stream.Write(service_.Request());
  EXPECT_TRUE(stream.ReadToTheEnd().empty());
  EXPECT_THAT(stream.Finish().error_code(),
              testing::AnyOf(grpc::StatusCode::UNAUTHENTICATED, grpc::StatusCode::UNAVAILABLE));
  EXPECT_THAT(service_.Issue(service_.Request()).error_code(),
              testing::AnyOf(grpc::StatusCode::UNAUTHENTICATED, grpc::StatusCode::UNAVAILABLE));
  service_.clock().Advance(-std::chrono::hours(24 * 31));
  EXPECT_EQ(service_.JournalSize(), 1);
}

// A stream that was refused ends once, whenever its caller goes.
TEST_F(IssueStreamTest, StrangersWhoHangUpAtOnceHarmNobody) {
  for (int i = 0; i < 300; ++i) {
    IssuingStream stream(service_, kStranger);
    if (i % 2 == 0) stream.EndOwnSide();
  }
  EXPECT_THAT(service_.Issue(service_.Request()), Succeeded());
}

TEST_F(IssueStreamTest, EachStreamActsForItsOwnCaller) {
  service_.CreateTenant("fabrikam");
  service_.CreateRoot("fabrikam");
  service_.ReportDevice("fabrikam", "laptop-1", true);
  IssuingStream contoso(service_, kBroker);
  IssuingStream fabrikam(service_, kOtherBroker);
  IssuingStream auditor(service_, kAuditor);
  for (int i = 0; i < 5; ++i) {
    Request request = service_.Request();
    request.set_tenant_id(i % 2 == 0 ? "contoso" : "fabrikam");
    for (IssuingStream* stream : {&contoso, &fabrikam, &auditor}) {
      ASSERT_TRUE(stream->Write(request));
    }
    Answer answer;
    ASSERT_TRUE(contoso.Read(&answer));
    EXPECT_EQ(answer.has_issued(), i % 2 == 0);
    ASSERT_TRUE(fabrikam.Read(&answer));
    EXPECT_EQ(answer.has_issued(), i % 2 == 1);
    ASSERT_TRUE(auditor.Read(&answer));
    EXPECT_THAT(RefusalOf(answer), RefusedWith(v1::ROLE_NOT_PERMITTED));
  }
}

TEST_F(IssueStreamTest, CancellingLeavesAJournalThatTellsTheTruth) {
  const std::vector<Request> requests = Requests(service_, 2 * kMaxUnderWay);
  std::vector<Answer> answered;
  {
    IssuingStream stream(service_);
    stream.WriteAll(requests);
    Answer answer;
    while (answered.size() < 10 && stream.Read(&answer)) answered.push_back(answer);
    stream.Cancel();
    while (stream.Read(&answer)) answered.push_back(answer);
    EXPECT_EQ(stream.Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  ASSERT_GE(answered.size(), 10u);
  // Asked again, each gets the certificate that it may have been given, and no second one.
  const auto before = ByRequest(answered);
  IssuingStream again(service_);
  again.WriteAll(requests);
  const auto answers = ByRequest(again.ReadToTheEnd());
  EXPECT_THAT(again.Finish(), Succeeded());
  EXPECT_EQ(answers.size(), requests.size());
  for (const auto& [request_id, answer] : before) {
    EXPECT_EQ(answers.at(request_id).issued().certificate(), answer.issued().certificate());
  }
  ExpectJournalHas(service_, answers);
}

TEST_F(IssueStreamTest, AServiceThatStopsSaysSo) {
  const std::vector<Request> requests = Requests(service_, 100);
  IssuingStream idle(service_);
  IssuingStream busy(service_);
  for (const Request& request : requests) ASSERT_TRUE(busy.Write(request));
  Answer answer;
  ASSERT_TRUE(busy.Read(&answer));
  ASSERT_TRUE(idle.Write(service_.Request()));
  ASSERT_TRUE(idle.Read(&answer));
  std::vector<Answer> answered;
  std::jthread reader([&] { answered = busy.ReadToTheEnd(); });
  service_.Restart();
  reader.join();
  EXPECT_TRUE(idle.ReadToTheEnd().empty());
  for (IssuingStream* stream : {&idle, &busy}) {
    const grpc::Status status = stream->Finish();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_THAT(status, RefusedWith(v1::STOPPING));
  }
  const auto before = ByRequest(answered);
  IssuingStream again(service_);
  again.WriteAll(requests);
  const auto answers = ByRequest(again.ReadToTheEnd());
  EXPECT_THAT(again.Finish(), Succeeded());
  for (const auto& [request_id, earlier] : before) {
    EXPECT_EQ(answers.at(request_id).issued().certificate(), earlier.issued().certificate());
  }
  ExpectJournalHas(service_, answers);
}

// What is no message of this service is not the end of the caller's side.
TEST_F(IssueStreamTest, AMessageThatCannotBeReadEndsTheStreamWithAnError) {
  grpc::GenericStub stub(service_.ChannelAs(kBroker));
  grpc::ClientContext context;
  grpc::CompletionQueue events;
  const auto next = [&events] {
    void* tag = nullptr;
    bool ok = false;
    return events.Next(&tag, &ok) && ok;
  };
  auto call =
      stub.PrepareCall(&context, "/hourglass.v1.CertificateIssuer/IssueCertificates", &events);
  call->StartCall(nullptr);
  ASSERT_TRUE(next());
  // A sound request first: it is answered.
  const auto write = [&](const std::string& octets) {
    const grpc::Slice slice(octets);
    call->Write(grpc::ByteBuffer(&slice, 1), nullptr);
    return next();
  };
  ASSERT_TRUE(write(service_.Request().SerializeAsString()));
  grpc::ByteBuffer read;
  call->Read(&read, nullptr);
  ASSERT_TRUE(next());
  ASSERT_TRUE(write("\xff\xff\xff"));
  grpc::Status status;
  call->Finish(&status, nullptr);
  ASSERT_TRUE(next());
  EXPECT_THAT(status, RefusedWith(v1::FIELD_INVALID));
  events.Shutdown();
  EXPECT_FALSE(next());
}

// A compliance service elsewhere that says nothing until the test lets it.
class GatedCompliance final : public v1::ComplianceService::Service {
 public:
  explicit GatedCompliance(MutualTls& tls) {
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
  ~GatedCompliance() override {
    Open();
    server_->Shutdown();
  }

  std::string endpoint() const { return absl::StrCat("127.0.0.1:", port_); }

  void Open() {
    const std::lock_guard lock(mutex_);
    is_open_ = true;
    opened_.notify_all();
  }

  grpc::Status Evaluate(grpc::ServerContext*, const v1::EvaluateRequest* request,
                        v1::Verdict* verdict) override {
    std::unique_lock lock(mutex_);
    opened_.wait(lock, [this] { return is_open_; });
    verdict->set_verdict_id("verdict-1");
    issuance::NameQuestion(*request, verdict);
    verdict->set_policy_version("gated");
    *verdict->mutable_evaluated_at() = issuance::ToProto(clock_.Now());
    verdict->mutable_allow();
    return grpc::Status::OK;
  }

 private:
  const issuance::SystemClock clock_;
  std::mutex mutex_;
  std::condition_variable opened_;
  bool is_open_ = false;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

class HeldStreamTest : public testing::Test {
 protected:
  explicit HeldStreamTest(int queue_length = 1000)
      : compliance_(tls_), service_([this, queue_length](issuance::Config& config) {
          const TlsCredential client = tls_.Client("URI:spiffe://contoso.example/hourglassd");
          config.compliance.policy_directory.clear();
          config.compliance.endpoint = compliance_.endpoint();
          config.compliance.server_name = "localhost";
          config.compliance.tls = {client.certificate_file, client.private_key_file,
                                   tls_.trusted_roots_file()};
          config.compliance.deadline = std::chrono::seconds(120);
          config.limits.queue_length = queue_length;
        }) {
    service_.CreateTenant();
    service_.CreateRoot();
  }

  MutualTls tls_;
  GatedCompliance compliance_;
  ServiceInProcess service_;
};

TEST_F(HeldStreamTest, AnswersComeInAnyOrder) {
  std::vector<Request> requests = Requests(service_, kMaxUnderWay - 1);
  IssuingStream stream(service_);
  for (const Request& request : requests) ASSERT_TRUE(stream.Write(request));
  // The 256th is refused without a verdict while the others wait for theirs.
  ASSERT_TRUE(stream.Write(Request()));
  Answer answer;
  ASSERT_TRUE(stream.Read(&answer));
  EXPECT_THAT(RefusalOf(answer), RefusedWith(v1::FIELD_MISSING, "tenant_id"));
  compliance_.Open();
  stream.EndOwnSide();
  const auto answers = ByRequest(stream.ReadToTheEnd());
  EXPECT_THAT(stream.Finish(), Succeeded());
  EXPECT_EQ(answers.size(), requests.size());
  ExpectJournalHas(service_, answers);
}

TEST_F(HeldStreamTest, The257thRequestIsReadWhenAnAnswerHasGoneOut) {
  std::vector<Request> requests = Requests(service_, kMaxUnderWay);
  IssuingStream stream(service_);
  for (const Request& request : requests) ASSERT_TRUE(stream.Write(request));
  // Would be refused, and answered, as soon as it is read.
  ASSERT_TRUE(stream.Write(Request()));
  // Another stream of this connection is served meanwhile, after all of the above has arrived.
  IssuingStream other(service_);
  Answer answer;
  ASSERT_TRUE(other.Write(Request()));
  ASSERT_TRUE(other.Read(&answer));
  compliance_.Open();
  ASSERT_TRUE(stream.Read(&answer));
  EXPECT_THAT(RefusalOf(answer), Succeeded());
  stream.EndOwnSide();
  auto answers = ByRequest(stream.ReadToTheEnd());
  EXPECT_THAT(stream.Finish(), Succeeded());
  EXPECT_EQ(answers.size(), requests.size());
  EXPECT_THAT(RefusalOf(answers[""]), RefusedWith(v1::FIELD_MISSING, "tenant_id"));
}

TEST_F(IssueStreamTest, OnlyIdsAreRepeatedInAnswers) {
  IssuingStream stream(service_);
  Request request = service_.Request();
  request.set_request_id(std::string(60'000, 'x'));
  ASSERT_TRUE(stream.Write(request));
  Answer answer;
  ASSERT_TRUE(stream.Read(&answer));
  EXPECT_THAT(RefusalOf(answer), RefusedWith(v1::FIELD_INVALID, "request_id"));
  EXPECT_EQ(answer.request_id(), "");
  EXPECT_EQ(answer.tenant_id(), "contoso");
  request = service_.Request();
  request.set_tenant_id(std::string(60'000, 'x'));
  ASSERT_TRUE(stream.Write(request));
  ASSERT_TRUE(stream.Read(&answer));
  EXPECT_THAT(RefusalOf(answer), RefusedWith(v1::TENANT_NOT_PERMITTED, "tenant_id"));
  EXPECT_EQ(answer.tenant_id(), "");
  EXPECT_EQ(answer.request_id(), request.request_id());
  stream.EndOwnSide();
  EXPECT_THAT(stream.Finish(), Succeeded());
}

class CrowdedStreamTest : public HeldStreamTest {
 protected:
  CrowdedStreamTest() : HeldStreamTest(/*queue_length=*/1) {}
};

TEST_F(CrowdedStreamTest, WhatIsTooMuchIsRefusedWithATimeToComeBack) {
  std::vector<Request> requests = Requests(service_, kMaxUnderWay);
  IssuingStream stream(service_);
  for (const Request& request : requests) ASSERT_TRUE(stream.Write(request));
  Answer answer;
  ASSERT_TRUE(stream.Read(&answer));
  EXPECT_THAT(RefusalOf(answer), RefusedWith(v1::OVERLOADED));
  EXPECT_EQ(answer.refused().code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(issuance::ErrorDetailOf(RefusalOf(answer))->has_retry_delay());
  compliance_.Open();
  stream.EndOwnSide();
  auto answers = ByRequest(stream.ReadToTheEnd());
  EXPECT_THAT(stream.Finish(), Succeeded());
  EXPECT_EQ(answers.size(), requests.size() - 1);
  answers[answer.request_id()] = answer;
  ExpectJournalHas(service_, answers);
  EXPECT_GE(service_.JournalSize(), 1);
}

}  // namespace
}  // namespace hourglass
