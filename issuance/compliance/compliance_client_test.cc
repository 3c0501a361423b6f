#include "issuance/compliance/compliance_client.h"

#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <functional>
#include <future>
#include <mutex>
#include <set>
#include <thread>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "hsm/key/custodian.h"
#include "issuance/compliance/question.h"
#include "issuance/wire/proto_time.h"
#include "issuance/wire/status_detail.h"
#include "tests/support/manual_clock.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using testing::HasSubstr;

using Behaviour = std::function<grpc::Status(const v1::EvaluateRequest&, v1::Verdict*)>;

std::unique_ptr<v1::ComplianceService::StubInterface> StubFor(int port) {
  return v1::ComplianceService::NewStub(
      grpc::CreateChannel(absl::StrCat("127.0.0.1:", port), grpc::InsecureChannelCredentials()));
}

// A compliance service on a loopback port that answers as it is told.
class ComplianceServer final : public v1::ComplianceService::Service {
 public:
  explicit ComplianceServer(Behaviour behaviour) : behaviour_(std::move(behaviour)) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~ComplianceServer() override { Stop(); }

  grpc::Status Evaluate(grpc::ServerContext*, const v1::EvaluateRequest* request,
                        v1::Verdict* verdict) override {
    return behaviour_(*request, verdict);
  }

  // Breaks off the calls under way.
  void Stop() { server_->Shutdown(std::chrono::system_clock::now()); }

  std::unique_ptr<v1::ComplianceService::StubInterface> Stub() const { return StubFor(port_); }

 private:
  const Behaviour behaviour_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

class ComplianceClientTest : public testing::Test {
 protected:
  static ComplianceQuestion Question() {
    ComplianceQuestion question;
    question.tenant_id = "contoso";
    question.user_id = "u-1";
    question.user_upn = "user@contoso.example";
    question.device_id = "laptop-1";
    question.public_key_sha256 = std::string(32, 'k');
    return question;
  }

  // A sound ALLOW.
  void Fill(const v1::EvaluateRequest& request, v1::Verdict* verdict) const {
    verdict->set_verdict_id("verdict-1");
    NameQuestion(request, verdict);
    verdict->set_policy_version("v1");
    *verdict->mutable_evaluated_at() = ToProto(clock_.Now());
    verdict->mutable_allow();
  }

  // What the client makes of a sound ALLOW that `change` has worked on.
  absl::StatusOr<ComplianceVerdict> AskWith(const std::function<void(v1::Verdict*)>& change) {
    const ComplianceServer server([&](const auto& request, v1::Verdict* verdict) {
      Fill(request, verdict);
      change(verdict);
      return grpc::Status::OK;
    });
    return ComplianceClient(server.Stub(), Patient(), &clock_).Ask(Question());
  }

  // Answers with a sound ALLOW once `go` is set.
  Behaviour FillAfter(std::promise<void>& go) const {
    return [this, may_answer = go.get_future().share()](const auto& request, v1::Verdict* verdict) {
      may_answer.wait();
      Fill(request, verdict);
      return grpc::Status::OK;
    };
  }

  // Long enough for a busy machine.
  static ComplianceClientOptions Patient() {
    ComplianceClientOptions options;
    options.deadline = std::chrono::seconds(60);
    return options;
  }

  ManualClock clock_;
};

TEST_F(ComplianceClientTest, AsksAboutEverythingAndTakesASoundAllow) {
  v1::EvaluateRequest asked;
  const ComplianceServer server([&](const auto& request, v1::Verdict* verdict) {
    asked = request;
    Fill(request, verdict);
    return grpc::Status::OK;
  });
  ComplianceClient client(server.Stub(), Patient(), &clock_);
  ASSERT_OK_AND_ASSIGN(const ComplianceVerdict verdict, client.Ask(Question()));
  EXPECT_TRUE(verdict.allowed());
  EXPECT_EQ(verdict.verdict_id, "verdict-1");
  EXPECT_EQ(verdict.policy_version, "v1");
  EXPECT_EQ(verdict.evaluated_at, clock_.Now());
  EXPECT_EQ(asked.tenant_id(), "contoso");
  EXPECT_EQ(asked.user_id(), "u-1");
  EXPECT_EQ(asked.user_upn(), "user@contoso.example");
  EXPECT_EQ(asked.device_id(), "laptop-1");
  EXPECT_EQ(asked.public_key_sha256(), std::string(32, 'k'));
  EXPECT_EQ(asked.nonce().size(), 32u);
}

TEST_F(ComplianceClientTest, NeverUsesANonceTwice) {
  std::set<std::string> nonces;
  const ComplianceServer server([&](const auto& request, v1::Verdict* verdict) {
    nonces.insert(request.nonce());
    Fill(request, verdict);
    return grpc::Status::OK;
  });
  ComplianceClient client(server.Stub(), Patient(), &clock_);
  for (int i = 0; i < 100; ++i) ASSERT_OK(client.Ask(Question()));
  EXPECT_EQ(nonces.size(), 100u);
}

TEST_F(ComplianceClientTest, GivesADenyWithItsReasons) {
  const auto verdict = AskWith([](v1::Verdict* verdict) {
    v1::DenyReason* reason = verdict->mutable_deny()->add_reasons();
    reason->set_setting("disk_encryption.enabled");
    reason->set_message("disk encryption is off");
    reason->set_remediation_url("https://h.example");
  });
  ASSERT_OK(verdict);
  EXPECT_FALSE(verdict->allowed());
  ASSERT_EQ(verdict->deny_reasons.size(), 1u);
  EXPECT_EQ(verdict->deny_reasons[0].setting(), "disk_encryption.enabled");
  EXPECT_EQ(verdict->deny_reasons[0].remediation_url(), "https://h.example");
}

TEST_F(ComplianceClientTest, RefusesMalformedVerdicts) {
  const auto refuses = [&](const char* field, const std::function<void(v1::Verdict*)>& change) {
    EXPECT_THAT(AskWith(change), FailsWith(ErrorReason::kComplianceAnswerInvalid, field));
  };
  ASSERT_OK(AskWith([](v1::Verdict*) {}));
  refuses("outcome", [](v1::Verdict* verdict) { verdict->clear_outcome(); });
  refuses("deny.reasons", [](v1::Verdict* verdict) { verdict->mutable_deny(); });
  refuses("deny.reasons",
          [](v1::Verdict* verdict) { verdict->mutable_deny()->add_reasons()->set_setting("s"); });
  refuses("deny.reasons",
          [](v1::Verdict* verdict) { verdict->mutable_deny()->add_reasons()->set_message("m"); });
  refuses("deny.reasons", [](v1::Verdict* verdict) {
    for (int i = 0; i < 257; ++i) verdict->mutable_deny()->add_reasons()->set_message("m");
  });
  refuses("nonce", [](v1::Verdict* verdict) { verdict->clear_nonce(); });
  refuses("nonce", [](v1::Verdict* verdict) { verdict->set_nonce(std::string(32, 'n')); });
  refuses("nonce", [](v1::Verdict* verdict) { verdict->mutable_nonce()->push_back('x'); });
  refuses("nonce", [](v1::Verdict* verdict) { verdict->mutable_nonce()->pop_back(); });
  refuses("verdict_id", [](v1::Verdict* verdict) { verdict->clear_verdict_id(); });
  refuses("verdict_id",
          [](v1::Verdict* verdict) { verdict->set_verdict_id(std::string(65, 'v')); });
  refuses("verdict_id", [](v1::Verdict* verdict) { verdict->set_verdict_id("a b"); });
  refuses("verdict_id", [](v1::Verdict* verdict) { verdict->set_verdict_id("a\n"); });
  refuses("policy_version",
          [](v1::Verdict* verdict) { verdict->set_policy_version(std::string(257, 'p')); });
  refuses("policy_version", [](v1::Verdict* verdict) { verdict->set_policy_version("v1\n"); });
  refuses("policy_version",
          [](v1::Verdict* verdict) { verdict->set_policy_version(std::string("v1\0", 3)); });
  refuses("", [](v1::Verdict* verdict) { verdict->set_policy_version(std::string(70000, 'p')); });
  refuses("evaluated_at", [](v1::Verdict* verdict) { verdict->clear_evaluated_at(); });
  refuses("evaluated_at",
          [](v1::Verdict* verdict) { verdict->mutable_evaluated_at()->set_nanos(-1); });
  refuses("evaluated_at",
          [](v1::Verdict* verdict) { verdict->mutable_evaluated_at()->set_seconds(1LL << 62); });
}

// An allowance of somebody else is none, and neither is one that says not whose it is.
TEST_F(ComplianceClientTest, RefusesAVerdictForAnotherTenantUserDeviceOrKey) {
  const auto refuses = [&](const char* field, const std::function<void(v1::Verdict*)>& change) {
    EXPECT_THAT(AskWith(change), FailsWith(ErrorReason::kComplianceAnswerInvalid, field));
  };
  ASSERT_OK(AskWith([](v1::Verdict*) {}));
  refuses("tenant_id", [](v1::Verdict* verdict) { verdict->clear_tenant_id(); });
  refuses("tenant_id", [](v1::Verdict* verdict) { verdict->set_tenant_id("fabrikam"); });
  refuses("user_id", [](v1::Verdict* verdict) { verdict->clear_user_id(); });
  refuses("user_id", [](v1::Verdict* verdict) { verdict->set_user_id("u-2"); });
  refuses("user_upn", [](v1::Verdict* verdict) { verdict->clear_user_upn(); });
  refuses("user_upn", [](v1::Verdict* verdict) { verdict->set_user_upn("User@contoso.example"); });
  refuses("device_id", [](v1::Verdict* verdict) { verdict->clear_device_id(); });
  refuses("device_id", [](v1::Verdict* verdict) { verdict->set_device_id("laptop-1 "); });
  refuses("public_key_sha256", [](v1::Verdict* verdict) { verdict->clear_public_key_sha256(); });
  refuses("public_key_sha256",
          [](v1::Verdict* verdict) { verdict->mutable_public_key_sha256()->back() = 'l'; });
}

// A deny for another device would tell this one's user what to mend.
TEST_F(ComplianceClientTest, RefusesADenyForAnotherDevice) {
  EXPECT_THAT(AskWith([](v1::Verdict* verdict) {
                v1::DenyReason* reason = verdict->mutable_deny()->add_reasons();
                reason->set_setting("s");
                reason->set_message("m");
                verdict->set_device_id("laptop-2");
              }),
              FailsWith(ErrorReason::kComplianceAnswerInvalid, "device_id"));
}

static_assert(!std::is_default_constructible_v<ComplianceVerdict>);

TEST_F(ComplianceClientTest, AVerdictKnowsWhomItIsFor) {
  ASSERT_OK_AND_ASSIGN(const ComplianceVerdict verdict, AskWith([](v1::Verdict*) {}));
  EXPECT_OK(verdict.CheckIsFor(Question().subject()));
  const auto refuses = [&](const char* field, std::string ComplianceQuestion::*of) {
    ComplianceQuestion other = Question();
    other.*of += "x";
    EXPECT_THAT(verdict.CheckIsFor(other.subject()),
                FailsWith(ErrorReason::kComplianceAnswerInvalid, field));
  };
  refuses("tenant_id", &ComplianceQuestion::tenant_id);
  refuses("user_id", &ComplianceQuestion::user_id);
  refuses("user_upn", &ComplianceQuestion::user_upn);
  refuses("device_id", &ComplianceQuestion::device_id);
  refuses("public_key_sha256", &ComplianceQuestion::public_key_sha256);
}

// Reasons are shown to people, in terminals and browsers.
TEST_F(ComplianceClientTest, RefusesReasonsThatAreNotPlainText) {
  const auto denied = [&](const char* setting, const char* message, const char* url) {
    return AskWith([=](v1::Verdict* verdict) {
      v1::DenyReason* reason = verdict->mutable_deny()->add_reasons();
      reason->set_setting(setting);
      reason->set_message(message);
      reason->set_remediation_url(url);
    });
  };
  const auto refused = FailsWith(ErrorReason::kComplianceAnswerInvalid, "deny.reasons");
  EXPECT_OK(denied("disk", "verschl\xc3\xbcsseln", ""));
  EXPECT_THAT(denied("disk\n", "is off", ""), refused);
  EXPECT_THAT(denied("disk", "\x1b[2J", ""), refused);
  EXPECT_THAT(denied("disk",
                     "\xc2\x9b"
                     "2J",
                     ""),
              refused);
  EXPECT_THAT(denied("disk", "is off", "http://h.example"), refused);
  EXPECT_THAT(denied("disk", "is off", "javascript:alert(1)"), refused);
  EXPECT_THAT(denied("disk", "is off", "https://h.example/\x1b[2J"), refused);
}

TEST_F(ComplianceClientTest, WantsAVerdictOfNow) {
  const auto evaluated = [&](std::chrono::microseconds offset) {
    return AskWith([&](v1::Verdict* verdict) {
      *verdict->mutable_evaluated_at() = ToProto(clock_.Now() + offset);
    });
  };
  const std::chrono::microseconds tolerance = Patient().clock_tolerance;
  const std::chrono::microseconds more = tolerance + std::chrono::microseconds(1);
  EXPECT_OK(evaluated(tolerance));
  EXPECT_OK(evaluated(-tolerance));
  EXPECT_THAT(evaluated(more), FailsWith(ErrorReason::kComplianceAnswerInvalid, "evaluated_at"));
  EXPECT_THAT(evaluated(-more), FailsWith(ErrorReason::kComplianceAnswerInvalid, "evaluated_at"));
}

TEST_F(ComplianceClientTest, EveryGrpcErrorIsNoVerdict) {
  for (int code = 1; code <= 16; ++code) {
    const ComplianceServer server([&](const auto& request, v1::Verdict* verdict) {
      Fill(request, verdict);
      return grpc::Status(static_cast<grpc::StatusCode>(code), "the server's words");
    });
    const auto verdict = ComplianceClient(server.Stub(), Patient(), &clock_).Ask(Question());
    EXPECT_THAT(verdict, FailsWith(ErrorReason::kComplianceUnavailable)) << code;
    EXPECT_THAT(std::string(verdict.status().message()),
                HasSubstr(absl::StrCat("gRPC status ", code, ": the server's words")));
  }
}

// Where the service says when, and for no longer than a minute.
TEST_F(ComplianceClientTest, TellsWhenToComeBack) {
  const auto told = [&](std::optional<std::chrono::milliseconds> delay) {
    const ComplianceServer server([delay](const auto&, v1::Verdict*) {
      StatusExtras extras;
      extras.retry_delay = delay;
      return ToGrpcStatus(Error(ErrorReason::kOverloaded, "", "busy"), extras);
    });
    const auto verdict = ComplianceClient(server.Stub(), Patient(), &clock_).Ask(Question());
    EXPECT_THAT(verdict, FailsWith(ErrorReason::kComplianceUnavailable));
    return hsm::RetryDelayOf(verdict.status());
  };
  EXPECT_EQ(told(std::nullopt), std::nullopt);
  EXPECT_EQ(told(std::chrono::milliseconds(1700)), std::chrono::milliseconds(1700));
  EXPECT_EQ(told(std::chrono::hours(24)), std::chrono::minutes(1));
}

TEST_F(ComplianceClientTest, DoesNotWaitBeyondTheDeadline) {
  std::promise<void> client_is_done;
  const ComplianceServer server(FillAfter(client_is_done));
  ComplianceClientOptions options;
  options.deadline = std::chrono::milliseconds(50);
  const auto verdict = ComplianceClient(server.Stub(), options, &clock_).Ask(Question());
  client_is_done.set_value();
  EXPECT_THAT(verdict, FailsWith(ErrorReason::kComplianceUnavailable));
  EXPECT_THAT(std::string(verdict.status().message()),
              HasSubstr(absl::StrCat("gRPC status ", int{grpc::StatusCode::DEADLINE_EXCEEDED})));
}

TEST_F(ComplianceClientTest, DoesNotWaitBeyondWhatTheAskerCanUse) {
  std::promise<void> client_is_done;
  const ComplianceServer server(FillAfter(client_is_done));
  ComplianceClient client(server.Stub(), Patient(), &clock_);
  ComplianceQuestion question = Question();
  question.no_use_after = clock_.Now() + std::chrono::milliseconds(50);
  const auto verdict = client.Ask(question);
  client_is_done.set_value();
  EXPECT_THAT(verdict, FailsWith(ErrorReason::kComplianceUnavailable));
}

// The server answers none before it has been asked all.
TEST_F(ComplianceClientTest, QuestionsOfABatchAreUnderWayTogetherAndEachGetsItsOwnAnswer) {
  constexpr std::size_t kQuestions = 5;
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t asked = 0;
  const ComplianceServer server([&](const auto& request, v1::Verdict* verdict) {
    std::unique_lock lock(mutex);
    ++asked;
    changed.notify_all();
    changed.wait(lock, [&] { return asked == kQuestions; });
    Fill(request, verdict);
    verdict->set_verdict_id(request.device_id());
    if (request.device_id() == "d1") return grpc::Status(grpc::StatusCode::INTERNAL, "scripted");
    if (request.device_id() == "d2") verdict->clear_nonce();
    if (request.device_id() == "d3") {
      v1::DenyReason* reason = verdict->mutable_deny()->add_reasons();
      reason->set_setting("disk_encryption.enabled");
      reason->set_message("disk encryption is off");
    }
    return grpc::Status::OK;
  });
  std::vector<ComplianceQuestion> questions(kQuestions, Question());
  for (std::size_t i = 0; i < kQuestions; ++i) questions[i].device_id = absl::StrCat("d", i);
  ComplianceClient client(server.Stub(), Patient(), &clock_);
  const auto verdicts = client.AskAll(questions);
  ASSERT_EQ(verdicts.size(), kQuestions);
  EXPECT_THAT(verdicts[1], FailsWith(ErrorReason::kComplianceUnavailable));
  EXPECT_THAT(verdicts[2], FailsWith(ErrorReason::kComplianceAnswerInvalid, "nonce"));
  for (const std::size_t i : {0u, 3u, 4u}) {
    ASSERT_OK(verdicts[i]);
    EXPECT_EQ(verdicts[i]->verdict_id, questions[i].device_id);
    EXPECT_EQ(verdicts[i]->allowed(), i != 3);
  }
  EXPECT_THAT(client.AskAll({}), testing::IsEmpty());
}

TEST_F(ComplianceClientTest, AServerThatGoesAwayMidCallGivesNoVerdict) {
  std::promise<void> call_is_under_way;
  std::promise<void> client_is_done;
  ComplianceServer server(
      [&, answer = FillAfter(client_is_done)](const auto& request, v1::Verdict* verdict) {
        call_is_under_way.set_value();
        return answer(request, verdict);
      });
  std::thread stopper([&] {
    call_is_under_way.get_future().wait();
    server.Stop();
  });
  const auto verdict = ComplianceClient(server.Stub(), Patient(), &clock_).Ask(Question());
  client_is_done.set_value();
  stopper.join();
  EXPECT_THAT(verdict, FailsWith(ErrorReason::kComplianceUnavailable));
}

TEST_F(ComplianceClientTest, NobodyThereGivesNoVerdict) {
  std::unique_ptr<v1::ComplianceService::StubInterface> stub;
  {
    const ComplianceServer server([&](const auto& request, v1::Verdict* verdict) {
      Fill(request, verdict);
      return grpc::Status::OK;
    });
    stub = server.Stub();
  }
  EXPECT_THAT(ComplianceClient(std::move(stub), Patient(), &clock_).Ask(Question()),
              FailsWith(ErrorReason::kComplianceUnavailable));
}

TEST_F(ComplianceClientTest, AServerOfAnotherKindGivesNoVerdict) {
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  v1::ComplianceService::Service unimplemented;
  builder.RegisterService(&unimplemented);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  EXPECT_THAT(ComplianceClient(StubFor(port), Patient(), &clock_).Ask(Question()),
              FailsWith(ErrorReason::kComplianceUnavailable));
}

}  // namespace
}  // namespace hourglass::issuance
