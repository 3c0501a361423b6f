#include "issuance/calls/call_runner.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <semaphore>
#include <string>
#include <utility>
#include <vector>

#include "hourglass/v1/tenants.grpc.pb.h"
#include "hsm/base/error.h"
#include "issuance/calls/testing/call_server.h"
#include "issuance/calls/unary_service.h"
#include "tests/support/door.h"
#include "tests/support/grpc_matchers.h"
#include "tests/support/service_client.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;

// Answers as a test says.
class ToldService final : public UnaryService<v1::TenantService> {
 public:
  using Answer = std::function<absl::Status(const Caller&, const std::string&, v1::Tenant*)>;

  explicit ToldService(CallRunner* calls) {
    Serve(calls, this, "GetTenant", &ToldService::GetTenant);
    Serve(calls, this, "CreateTenant", &ToldService::CreateTenant);
  }
  absl::Status GetTenant(const Caller& caller, const v1::GetTenantRequest& request,
                         v1::Tenant* response) {
    return answer(caller, request.tenant_id(), response);
  }
  absl::Status CreateTenant(const Caller& caller, const v1::CreateTenantRequest& request,
                            v1::Tenant* response) {
    return answer(caller, request.tenant_id(), response);
  }

  Answer answer = [](const Caller& caller, const std::string& tenant_id, v1::Tenant* response) {
    response->set_tenant_id(tenant_id);
    response->set_display_name(caller.name);
    return absl::OkStatus();
  };
};

std::vector<Caller> CallersOfContoso() {
  std::vector<Caller> callers = TestCallers();
  for (Caller& caller : callers) {
    caller.all_tenants = false;
    caller.tenants = {"contoso"};
  }
  return callers;
}

class CallRunnerTest : public testing::Test {
 protected:
  void SetUp() override { Start({}, {}); }
  void TearDown() override { server_.Stop(); }

  void Start(const CallLimits& limits, const CallPoolOptions& options) {
    server_.Limit(limits, options);
    service_.emplace(server_.calls());
    server_.Serve(&*service_);
  }

  grpc::Status Get(absl::string_view caller, const std::string& tenant_id = "contoso",
                   v1::Tenant* tenant = nullptr) {
    grpc::ClientContext context;
    v1::GetTenantRequest request;
    request.set_tenant_id(tenant_id);
    v1::Tenant ignored;
    return server_.As<v1::TenantService>(caller)->GetTenant(&context, request,
                                                            tenant == nullptr ? &ignored : tenant);
  }

  grpc::Status Send(absl::string_view caller, const std::string& octets) {
    return server_.Send(caller, "/hourglass.v1.TenantService/GetTenant", octets);
  }

  std::map<ErrorReason, std::uint64_t> Failures() { return server_.failures().Totals(); }

  CallServer server_{CallersOfContoso()};
  std::optional<ToldService> service_;
};

TEST_F(CallRunnerTest, AnswersWhoMayCall) {
  v1::Tenant tenant;
  ASSERT_THAT(Get(kAuditor, "contoso", &tenant), Succeeded());
  EXPECT_EQ(tenant.tenant_id(), "contoso");
  EXPECT_EQ(tenant.display_name(), kAuditor) << "the caller that the certificate names";
  ASSERT_THAT(Get(kAdministrator, "contoso", &tenant), Succeeded());
  EXPECT_EQ(tenant.display_name(), kAdministrator);
  EXPECT_THAT(server_.TakeLog(), IsEmpty());
  EXPECT_THAT(Failures(), IsEmpty());
}

TEST_F(CallRunnerTest, NothingIsAskedForWhoMayNot) {
  bool asked = false;
  service_->answer = [&](const Caller&, const std::string&, v1::Tenant*) {
    asked = true;
    return absl::OkStatus();
  };
  EXPECT_THAT(Get(kStranger), RefusedWith(v1::CALLER_UNKNOWN));
  EXPECT_THAT(Get(kBroker), RefusedWith(v1::ROLE_NOT_PERMITTED));
  EXPECT_THAT(Get(kAuditor, "fabrikam"), RefusedWith(v1::TENANT_NOT_PERMITTED, "tenant_id"));
  EXPECT_THAT(Get(kAuditor, ""), RefusedWith(v1::FIELD_MISSING, "tenant_id"));
  grpc::ClientContext context;
  v1::Tenant tenant;
  EXPECT_THAT(server_.As<v1::TenantService>(kAdministrator)
                  ->CreateTenant(&context, v1::CreateTenantRequest(), &tenant),
              RefusedWith(v1::TENANT_NOT_PERMITTED));
  EXPECT_FALSE(asked);
  EXPECT_THAT(Failures(),
              ElementsAre(Pair(ErrorReason::kFieldMissing, 1), Pair(ErrorReason::kCallerUnknown, 1),
                          Pair(ErrorReason::kRoleNotPermitted, 1),
                          Pair(ErrorReason::kTenantNotPermitted, 2)));
  EXPECT_THAT(Get(kAuditor), Succeeded());
  EXPECT_TRUE(asked);
}

TEST_F(CallRunnerTest, ACertificateIsLookedAtForEachCall) {
  ASSERT_THAT(Get(kAuditor), Succeeded());
  server_.clock().Advance(std::chrono::hours(24 * 60));
  EXPECT_THAT(Get(kAuditor), RefusedWith(v1::CALLER_CERTIFICATE_EXPIRED));
}

TEST_F(CallRunnerTest, AFailedCallIsLoggedWithWhoAndWhy) {
  service_->answer = [](const Caller&, const std::string&, v1::Tenant* tenant) {
    tenant->set_display_name("half an answer");
    return Error(ErrorReason::kTenantUnknown, "tenant_id", "there is no such tenant");
  };
  v1::Tenant tenant;
  EXPECT_THAT(Get(kAuditor, "contoso", &tenant), RefusedWith(v1::TENANT_UNKNOWN, "tenant_id"));
  EXPECT_EQ(tenant.display_name(), "");
  std::vector<LoggedLine> logged = server_.TakeLog();
  ASSERT_EQ(logged.size(), 1u);
  EXPECT_THAT(logged[0]["peer"], testing::StartsWith("ipv4:127.0.0.1:"));
  logged[0].erase("peer");
  EXPECT_EQ(logged[0], (LoggedLine{{"event", "call_failed"},
                                   {"level", "warning"},
                                   {"method", "GetTenant"},
                                   {"caller", kAuditor},
                                   {"code", "NOT_FOUND"},
                                   {"reason", "TENANT_UNKNOWN"},
                                   {"message", "tenant_id: there is no such tenant"}}));
  EXPECT_THAT(Failures(), ElementsAre(Pair(ErrorReason::kTenantUnknown, 1)));
}

TEST_F(CallRunnerTest, AStrangerIsLoggedWithoutAName) {
  EXPECT_THAT(Get(kStranger), RefusedWith(v1::CALLER_UNKNOWN));
  std::vector<LoggedLine> logged = server_.TakeLog();
  ASSERT_EQ(logged.size(), 1u);
  EXPECT_EQ(logged[0]["caller"], "");
  EXPECT_EQ(logged[0]["method"], "GetTenant");
  EXPECT_EQ(logged[0]["reason"], "CALLER_UNKNOWN");
}

// What nobody wrote for strangers is for the log.
TEST_F(CallRunnerTest, AnErrorWithoutAReasonIsToldToTheLogOnly) {
  service_->answer = [](const Caller&, const std::string&, v1::Tenant*) {
    return absl::DataLossError("line 7 of /srv/data");
  };
  const grpc::Status status = Get(kAuditor);
  EXPECT_THAT(status, RefusedWith(v1::INTERNAL_ERROR));
  EXPECT_THAT(status.error_message(), Not(testing::HasSubstr("/srv/data")));
  std::vector<LoggedLine> logged = server_.TakeLog();
  ASSERT_EQ(logged.size(), 1u);
  EXPECT_EQ(logged[0]["message"], "line 7 of /srv/data");
  EXPECT_THAT(Failures(), ElementsAre(Pair(ErrorReason::kInternalError, 1)));
}

TEST_F(CallRunnerTest, AMessageThatCannotBeReadIsRefusedAsItsCallersOwn) {
  EXPECT_THAT(Send(kAuditor,
                   "\x0a\x07"
                   "contoso"),
              Succeeded());
  EXPECT_THAT(Send(kAuditor,
                   "\x0a\x07"
                   "contos"),
              RefusedWith(v1::FIELD_INVALID, ""));
  std::vector<LoggedLine> logged = server_.TakeLog();
  ASSERT_EQ(logged.size(), 1u);
  EXPECT_EQ(logged[0]["caller"], kAuditor);
  // Who may not call is told nothing of its message.
  EXPECT_THAT(Send(kStranger,
                   "\x0a\x07"
                   "contos"),
              RefusedWith(v1::CALLER_UNKNOWN));
  EXPECT_THAT(Failures(), ElementsAre(Pair(ErrorReason::kFieldInvalid, 1),
                                      Pair(ErrorReason::kCallerUnknown, 1)));
}

// Holds up every call. One that should not have come in is let go when it has waited in vain.
ToldService::Answer BehindADoor(Door& door) {
  return [&door](const Caller&, const std::string&, v1::Tenant*) -> absl::Status {
    if (door.Pass()) return absl::OkStatus();
    return absl::DeadlineExceededError("nobody opened the door");
  };
}

TEST_F(CallRunnerTest, ACallerWithTooManyCallsComesBackLater) {
  CallLimits limits;
  limits.calls_of_a_caller = 1;
  Start(limits, {});
  Door door;
  service_->answer = BehindADoor(door);
  std::future<grpc::Status> first = std::async(std::launch::async, [&] { return Get(kAuditor); });
  EXPECT_TRUE(door.HasMet(1));
  const grpc::Status second = Get(kAuditor);
  EXPECT_THAT(second, RefusedWith(v1::OVERLOADED));
  EXPECT_TRUE(ErrorDetailOf(second)->has_retry_delay());
  // Another caller has calls of its own.
  std::future<grpc::Status> other =
      std::async(std::launch::async, [&] { return Get(kAdministrator); });
  EXPECT_TRUE(door.HasMet(2));
  door.Open();
  EXPECT_THAT(first.get(), Succeeded());
  EXPECT_THAT(other.get(), Succeeded());
  EXPECT_THAT(Failures(), ElementsAre(Pair(ErrorReason::kOverloaded, 1)));
}

TEST_F(CallRunnerTest, WhatTheLinesDoNotTakeIsRefusedAndLogged) {
  CallPoolOptions options;
  options.listing_threads = 1;
  options.listings_waiting = 1;
  Start({}, options);
  Door door;
  service_->answer = BehindADoor(door);
  std::future<grpc::Status> running = std::async(std::launch::async, [&] { return Get(kAuditor); });
  EXPECT_TRUE(door.HasMet(1));
  // Of these two one waits, and the other has no room.
  std::counting_semaphore<2> ended(0);
  std::vector<std::future<grpc::Status>> both;
  for (int i = 0; i < 2; ++i) {
    both.push_back(std::async(std::launch::async, [&] {
      const grpc::Status status = Get(kAuditor);
      ended.release();
      return status;
    }));
  }
  EXPECT_TRUE(ended.try_acquire_for(Door::kNever)) << Failures().size() << " kinds of refusals";
  door.Open();
  EXPECT_THAT(running.get(), Succeeded());
  const std::vector<grpc::Status> ends = {both[0].get(), both[1].get()};
  EXPECT_THAT(ends, testing::UnorderedElementsAre(Succeeded(), RefusedWith(v1::OVERLOADED, "")));
  std::vector<LoggedLine> logged = server_.TakeLog();
  ASSERT_EQ(logged.size(), 1u);
  EXPECT_EQ(logged[0]["reason"], "OVERLOADED");
  EXPECT_EQ(logged[0]["caller"], kAuditor);
  EXPECT_THAT(Failures(), ElementsAre(Pair(ErrorReason::kOverloaded, 1)));
}

TEST_F(CallRunnerTest, AServiceThatStopsAnswersWhatItTookAndTakesNothingMore) {
  Door door;
  service_->answer = BehindADoor(door);
  std::future<grpc::Status> taken = std::async(std::launch::async, [&] { return Get(kAuditor); });
  EXPECT_TRUE(door.HasMet(1));
  server_.calls()->StopTakingCalls(milliseconds(0));
  EXPECT_THAT(Get(kAuditor), RefusedWith(v1::STOPPING));
  door.Open();
  EXPECT_THAT(taken.get(), Succeeded());
  server_.calls()->StopTakingCalls(std::chrono::hours(1));
}

TEST_F(CallRunnerTest, WithoutAClientCertificateNobodyIsKnown) {
  const grpc::CallbackServerContext context;
  EXPECT_THAT(server_.calls()->Identify(context), FailsWith(ErrorReason::kCallerUnknown));
}

TEST_F(CallRunnerTest, WhatIsRefusedTooOftenIsCountedAndNotLogged) {
  server_.calls()->CountFailure(Error(ErrorReason::kOverloaded, "", ""));
  EXPECT_THAT(Failures(), ElementsAre(Pair(ErrorReason::kOverloaded, 1)));
  EXPECT_THAT(server_.TakeLog(), IsEmpty());
}

}  // namespace
}  // namespace hourglass::issuance
