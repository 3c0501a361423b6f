#include "issuance/services/issue_desk.h"

#include <chrono>
#include <future>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/escaping.h"
#include "issuance/calls/issuance_counters.h"
#include "issuance/log/testing/captured_log.h"
#include "issuance/pipeline/testing/pipeline_fixture.h"
#include "issuance/pipeline/testing/watched_task.h"
#include "tests/support/grpc_matchers.h"

namespace hourglass::issuance {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

constexpr char kMethod[] = "IssueCertificate";

class IssueDeskTest : public PipelineTest {
 protected:
  void SetUp() override {
    PipelineTest::SetUp();
    ComplianceClientOptions patient;
    patient.deadline = std::chrono::minutes(10);
    compliance_.emplace(
        v1::ComplianceService::NewStub(server_->InProcessChannel(grpc::ChannelArguments())),
        patient, &clock_);
    ASSERT_OK_AND_ASSIGN(CallerDirectory callers, CallerDirectory::Create({}, &clock_));
    callers_.emplace(std::move(callers));
    calls_.emplace(&*callers_, &pool_, CallLimits(), &open_calls_, &failures_, log_.log());
    OpenLanes(LaneOptions());
  }
  void TearDown() override { lanes_.reset(); }

  void OpenLanes(const LaneOptions& options) {
    lanes_.emplace(&*pipeline_, options, &clock_, &silent_);
    SetLimits({});
  }

  void SetLimits(const RequestLimitsConfig& config) {
    limits_.emplace(config, 1, &limited_);
    desk_.emplace(&*calls_, &*limits_, &*lanes_, &counters_, &clock_, log_.log());
  }

  // What the caller of a sound task is told in the end.
  grpc::Status Carry(WatchedTask& task) {
    const std::optional<grpc::Status> refused = desk_->HandIn(&task, context_, kMethod);
    if (refused.has_value()) return *refused;
    task.Wait();
    return desk_->HandOut(task, context_, kMethod);
  }

  // The line about the call, which says not for whom it was.
  static LoggedLine CallFailed(const std::string& reason, const std::string& code,
                               const std::string& message, const std::string& caller = "broker") {
    return {{"event", "call_failed"}, {"level", "warning"}, {"method", kMethod},
            {"caller", caller},       {"peer", ""},         {"code", code},
            {"reason", reason},       {"message", message}};
  }

  // And the one about the certificate, which does.
  static LoggedLine CertificateRefused(const std::string& reason, const std::string& settings = "",
                                       const std::string& tenant = "contoso",
                                       const std::string& verdict = "") {
    return {{"event", "certificate_refused"},
            {"level", "info"},
            {"tenant", tenant},
            {"caller", "broker"},
            {"user", "alice@contoso.example"},
            {"device", "laptop-1"},
            {"request", "request-1"},
            {"reason", reason},
            {"settings", settings},
            {"verdict", verdict}};
  }

  const EventLog silent_ = EventLog::Silent();
  CapturedLog log_;
  CallPool pool_{CallPoolOptions()};
  OpenCalls open_calls_;
  IssuanceCounters failures_;
  IssuanceCounters counters_;
  // Of a call that no network brought: its peer is empty.
  const grpc::CallbackServerContext context_;
  std::optional<CallerDirectory> callers_;
  std::optional<CallRunner> calls_;
  RequestLimitCounts limited_;
  std::optional<RequestLimits> limits_;
  std::optional<Lanes> lanes_;
  std::optional<IssueDesk> desk_;
};

TEST_F(IssueDeskTest, AnIssuedCertificateIsCountedAndLoggedOnce) {
  WatchedTask task(&broker_, request_);
  EXPECT_THAT(Carry(task), Succeeded());
  EXPECT_NE(task.answer.certificate(), "");
  EXPECT_THAT(log_.Take(), ElementsAre(LoggedLine{
                               {"event", "certificate_issued"},
                               {"level", "info"},
                               {"tenant", "contoso"},
                               {"caller", "broker"},
                               {"user", "alice@contoso.example"},
                               {"device", "laptop-1"},
                               {"request", "request-1"},
                               {"serial", absl::BytesToHexString(task.answer.serial_number())},
                               {"verdict", "verdict-1"}}));
  EXPECT_THAT(counters_.Totals(), ElementsAre(Pair(ErrorReason::kUnspecified, 1)));
  EXPECT_THAT(failures_.Totals(), IsEmpty());
}

TEST_F(IssueDeskTest, ADenyIsToldWithItsReasonsAndLoggedWithItsSettings) {
  verdicts_.denied_devices = {"laptop-1"};
  WatchedTask task(&broker_, request_);
  const grpc::Status told = Carry(task);
  EXPECT_THAT(told, RefusedWith(v1::DEVICE_NOT_COMPLIANT));
  ASSERT_EQ(ErrorDetailOf(told)->deny_reasons_size(), 1);
  EXPECT_EQ(ErrorDetailOf(told)->deny_reasons(0).setting(), "disk_encryption.enabled");
  const std::vector<LoggedLine> logged = log_.Take();
  ASSERT_EQ(logged.size(), 2u);
  EXPECT_EQ(logged[0].at("event"), "call_failed");
  EXPECT_EQ(logged[1], CertificateRefused("DEVICE_NOT_COMPLIANT", "disk_encryption.enabled",
                                          "contoso", "verdict-1"));
  EXPECT_EQ(ErrorDetailOf(told)->correlation_id(), "verdict-1");
  EXPECT_THAT(counters_.Totals(), ElementsAre(Pair(ErrorReason::kDeviceNotCompliant, 1)));
  EXPECT_THAT(failures_.Totals(), ElementsAre(Pair(ErrorReason::kDeviceNotCompliant, 1)));
}

TEST_F(IssueDeskTest, SeveralSettingsAreLoggedInTheirOrder) {
  WatchedTask task(&broker_, request_);
  task.status = Error(ErrorReason::kDeviceNotCompliant, "", "no");
  for (const char* setting : {"antivirus.enabled", "disk_encryption.enabled"}) {
    task.deny_reasons.emplace_back().set_setting(setting);
  }
  EXPECT_THAT(desk_->HandOut(task, context_, kMethod), RefusedWith(v1::DEVICE_NOT_COMPLIANT));
  EXPECT_THAT(log_.Take(),
              ElementsAre(CallFailed("DEVICE_NOT_COMPLIANT", "PERMISSION_DENIED", "no"),
                          CertificateRefused("DEVICE_NOT_COMPLIANT",
                                             "antivirus.enabled disk_encryption.enabled")));
}

// Else a caller could take the turns of a tenant that is not its own.
TEST_F(IssueDeskTest, WhoMayNotAskIsRefusedBeforeTheLanes) {
  v1::IssueCertificateRequest request = request_;
  request.set_tenant_id("fabrikam");
  WatchedTask task(&broker_, request);
  const std::optional<grpc::Status> refused = desk_->HandIn(&task, context_, kMethod);
  ASSERT_TRUE(refused.has_value());
  EXPECT_THAT(*refused, RefusedWith(v1::TENANT_NOT_PERMITTED, "tenant_id"));
  EXPECT_THAT(log_.Take(),
              ElementsAre(CallFailed("TENANT_NOT_PERMITTED", "PERMISSION_DENIED",
                                     "tenant_id: caller broker is not bound to this tenant"),
                          CertificateRefused("TENANT_NOT_PERMITTED", "", "fabrikam")));
  EXPECT_THAT(counters_.Totals(), ElementsAre(Pair(ErrorReason::kTenantNotPermitted, 1)));
  EXPECT_THAT(failures_.Totals(), ElementsAre(Pair(ErrorReason::kTenantNotPermitted, 1)));
  broker_.roles = {Role::kAuditor};
  WatchedTask other(&broker_, request_);
  EXPECT_THAT(Carry(other), RefusedWith(v1::ROLE_NOT_PERMITTED));
  // Nobody was asked of either.
  EXPECT_THAT(verdicts_.questions, IsEmpty());
  EXPECT_THAT(Recorded(), IsEmpty());
}

TEST_F(IssueDeskTest, WhatTheQueueDoesNotTakeIsCountedAndNotLogged) {
  LaneOptions options;
  options.patient_lanes = 1;
  options.queue_length = 1;
  OpenLanes(options);
  WatchedTask served(&broker_, request_);
  request_.set_request_id("request-2");
  WatchedTask waiting(&broker_, request_);
  WatchedTask refused(&broker_, request_);
  std::promise<void> asked;
  std::promise<void> open;
  const std::shared_future<void> opened = open.get_future().share();
  bool is_first = true;
  verdicts_.on_question = [&](const v1::EvaluateRequest&) {
    if (std::exchange(is_first, false)) asked.set_value();
    opened.wait();
  };
  // However this ends: the lanes have the tasks in hand until they have finished.
  absl::Cleanup finish = [&] {
    open.set_value();
    lanes_.reset();
  };
  ASSERT_FALSE(desk_->HandIn(&served, context_, kMethod).has_value());
  ASSERT_EQ(asked.get_future().wait_for(std::chrono::minutes(1)), std::future_status::ready);
  ASSERT_FALSE(desk_->HandIn(&waiting, context_, kMethod).has_value());
  const std::optional<grpc::Status> told = desk_->HandIn(&refused, context_, kMethod);
  std::move(finish).Invoke();
  EXPECT_EQ(served.finished(), 1);
  EXPECT_EQ(waiting.finished(), 1);
  ASSERT_TRUE(told.has_value());
  EXPECT_THAT(*told, RefusedWith(v1::OVERLOADED));
  EXPECT_TRUE(ErrorDetailOf(*told)->has_retry_delay());
  EXPECT_THAT(counters_.Totals(), ElementsAre(Pair(ErrorReason::kOverloaded, 1)));
  EXPECT_THAT(failures_.Totals(), ElementsAre(Pair(ErrorReason::kOverloaded, 1)));
  EXPECT_THAT(log_.Take(), IsEmpty());
}

TEST_F(IssueDeskTest, WhoAsksTooOftenIsToldWhenToComeBackAndNothingIsLookedAt) {
  RequestLimitsConfig config;
  config.usual.device = Allowance{2, std::chrono::minutes(1)};
  SetLimits(config);
  // Repeats count, too.
  for (int i = 0; i < 2; ++i) {
    WatchedTask task(&broker_, request_);
    EXPECT_THAT(Carry(task), Succeeded());
  }
  log_.Take();
  const std::size_t asked = verdicts_.questions.size();
  for (int i = 0; i < 3; ++i) {
    request_.set_pkcs10("what nobody reads");
    WatchedTask task(&broker_, request_);
    const std::optional<grpc::Status> told = desk_->HandIn(&task, context_, kMethod);
    ASSERT_TRUE(told.has_value());
    EXPECT_THAT(*told, RefusedWith(v1::REQUESTS_TOO_FREQUENT, "device_id"));
    EXPECT_EQ(told->error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_EQ(ErrorDetailOf(*told)->retry_delay().seconds(), 30);
  }
  EXPECT_EQ(verdicts_.questions.size(), asked);
  EXPECT_EQ(limited_.Of(RequestLimit::kDevice), 3U);
  EXPECT_THAT(counters_.Totals(), ElementsAre(Pair(ErrorReason::kUnspecified, 2),
                                              Pair(ErrorReason::kRequestsTooFrequent, 3)));
  EXPECT_THAT(failures_.Totals(), ElementsAre(Pair(ErrorReason::kRequestsTooFrequent, 3)));
  // One line for all three.
  EXPECT_THAT(log_.Take(), ElementsAre(LoggedLine{{"event", "requests_too_frequent"},
                                                  {"level", "warning"},
                                                  {"limit", "device"},
                                                  {"tenant", "contoso"},
                                                  {"caller", "broker"},
                                                  {"device", "laptop-1"},
                                                  {"refused", "1"}}));
}

// Nobody uses up what is another's by naming it.
TEST_F(IssueDeskTest, WhoMayNotAskIsNotCounted) {
  RequestLimitsConfig config;
  config.usual.tenant = Allowance{1, std::chrono::minutes(1)};
  SetLimits(config);
  v1::IssueCertificateRequest request = request_;
  request.set_tenant_id("fabrikam");
  for (int i = 0; i < 2; ++i) {
    WatchedTask task(&broker_, request);
    EXPECT_THAT(*desk_->HandIn(&task, context_, kMethod), RefusedWith(v1::TENANT_NOT_PERMITTED));
  }
  WatchedTask task(&broker_, request_);
  EXPECT_THAT(Carry(task), Succeeded());
  WatchedTask second(&broker_, request_);
  EXPECT_THAT(Carry(second), RefusedWith(v1::REQUESTS_TOO_FREQUENT, "tenant_id"));
}

TEST_F(IssueDeskTest, WhatNobodyWaitsForIsNoRefusal) {
  WatchedTask task(&broker_, request_);
  task.caller_is_gone = true;
  EXPECT_EQ(Carry(task).error_code(), grpc::StatusCode::CANCELLED);
  WatchedTask late(&broker_, request_);
  late.status = absl::DeadlineExceededError("too late");
  EXPECT_EQ(desk_->HandOut(late, context_, kMethod).error_code(),
            grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_THAT(log_.Take(), IsEmpty());
  EXPECT_THAT(counters_.Totals(), IsEmpty());
  EXPECT_THAT(failures_.Totals(), IsEmpty());
}

TEST_F(IssueDeskTest, WhatIsNoRequestIsLoggedWithItsCaller) {
  EXPECT_THAT(desk_->RefuseMalformed(&broker_, context_, kMethod),
              RefusedWith(v1::FIELD_INVALID, ""));
  EXPECT_THAT(log_.Take(), ElementsAre(CallFailed(
                               "FIELD_INVALID", "INVALID_ARGUMENT",
                               "the message is no hourglass.v1.IssueCertificateRequest: its "
                               "octets are malformed or too many, or a text in it is no UTF-8")));
  EXPECT_THAT(counters_.Totals(), ElementsAre(Pair(ErrorReason::kFieldInvalid, 1)));
  EXPECT_THAT(failures_.Totals(), ElementsAre(Pair(ErrorReason::kFieldInvalid, 1)));
  EXPECT_THAT(desk_->RefuseMalformed(nullptr, context_, kMethod), RefusedWith(v1::FIELD_INVALID));
  const std::vector<LoggedLine> logged = log_.Take();
  ASSERT_EQ(logged.size(), 1u);
  EXPECT_EQ(logged[0].at("caller"), "");
}

}  // namespace
}  // namespace hourglass::issuance
