// The built program with a scripted service and gateways that answer as real ones do.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "hourglass/v1/decisions.grpc.pb.h"
#include "hsm/base/error.h"
#include "hsm/base/mutex.h"
#include "issuance/wire/status_detail.h"
#include "tests/support/socket_directory.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"
#include "tools/client/testing/loopback_service.h"
#include "tools/client/wording.h"
#include "tools/gatewayd/fake_gateways.h"

namespace hourglass::gatewayd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;
using Json = nlohmann::json;

constexpr char kProgram[] = "tools/gatewayd/hourglass-gatewayd";

// Sends the events after a cursor, and each that comes, to whoever watches.
class Decisions final : public v1::DecisionService::Service {
 public:
  void Add(const v1::DecisionEvent& event) {
    const MutexLock lock(mutex_);
    events_.push_back(event);
    changed_.notify_all();
  }
  // The cursors that were asked for.
  std::vector<std::string> cursors() {
    const MutexLock lock(mutex_);
    return cursors_;
  }
  void Forget() {
    const MutexLock lock(mutex_);
    events_.clear();
  }

  grpc::Status WatchDecisions(grpc::ServerContext* context,
                              const v1::WatchDecisionsRequest* request,
                              grpc::ServerWriter<v1::DecisionEvent>* writer) override {
    MutexLock lock(mutex_);
    cursors_.push_back(request->cursor());
    std::size_t next = 0;
    if (!request->cursor().empty()) {
      while (next < events_.size() && events_[next].cursor() != request->cursor()) ++next;
      if (next++ == events_.size()) {
        return issuance::ToGrpcStatus(Error(ErrorReason::kCursorUnknown, "cursor", "unknown"));
      }
    }
    while (!context->IsCancelled()) {
      if (next >= events_.size()) {
        // gRPC tells a thread of its own only when asked that the caller has hung up.
        changed_.wait_for(lock, std::chrono::milliseconds(20), [] { return false; });
        continue;
      }
      const v1::DecisionEvent event = events_[next++];
      lock.unlock();
      writer->Write(event);
      lock.lock();
    }
    return grpc::Status::OK;
  }

 private:
  Mutex mutex_;
  ConditionVariable changed_;
  std::vector<v1::DecisionEvent> events_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> cursors_ ABSL_GUARDED_BY(mutex_);
};

// Of this user on laptop-1, with a certificate of this serial number.
v1::DecisionEvent Event(const std::string& cursor, const std::string& upn, char serial) {
  v1::DecisionEvent event;
  event.set_cursor(cursor);
  event.set_tenant_id("contoso");
  event.set_kind(v1::DecisionEvent::DEVICE_BLOCKED);
  event.set_device_id("laptop-1");
  event.set_user_upn(upn);
  *event.mutable_at() = client::TimestampOf(absl::Now());
  v1::LiveCertificate& certificate = *event.add_certificates();
  certificate.set_serial_number(std::string(1, serial));
  certificate.set_user_upn(upn);
  *certificate.mutable_not_after() = client::TimestampOf(absl::Now() + absl::Minutes(30));
  event.set_certificates_complete(true);
  return event;
}

class GatewaydTest : public testing::Test {
 protected:
  GatewaydTest() : service_({&decisions_}), openvpn_(sockets_.File("openvpn")) {}

  std::string File(const std::string& name) const { return directory_.File(name); }

  std::string Configure(const std::string& gateways) const {
    return service_.WriteConfig(
        "gateway.yaml", absl::StrCat("server_name: service.example\ntenant: contoso\nstate: ",
                                     File("state"), "\n", gateways));
  }
  std::string OpenvpnOnly() const {
    return Configure(absl::StrCat("openvpn: [{management: ", sockets_.File("openvpn"), "}]\n"));
  }
  std::unique_ptr<BackgroundProcess> Start(const std::string& config) {
    return std::make_unique<BackgroundProcess>(
        std::vector<std::string>{kProgram, "--config", config, "--json"},
        File(absl::StrCat("log-", ++runs_)));
  }
  static std::string CarriedOut(const std::string& cursor) {
    return absl::StrCat("\"event\":\"carried_out\",\"cursor\":\"", cursor, "\"");
  }
  std::string CursorOnDisk() const { return Json::parse(ReadFileOrDie(File("state")))["cursor"]; }
  static std::vector<Json> Named(const std::string& log, const std::string& event) {
    std::vector<Json> lines;
    for (const absl::string_view line : absl::StrSplit(log, '\n', absl::SkipEmpty())) {
      Json json = Json::parse(std::string(line), nullptr, false);
      if (json.is_object() && json.value("event", "") == event) lines.push_back(std::move(json));
    }
    return lines;
  }
  static std::int64_t AMinuteAgo() { return absl::ToUnixSeconds(absl::Now()) - 60; }

  TemporaryDirectory directory_;
  SocketDirectory sockets_;
  Decisions decisions_;
  client::LoopbackService service_;
  FakeOpenvpn openvpn_;
  int runs_ = 0;
};

TEST_F(GatewaydTest, EndsWhatAnEventNamesAndGoesOnWhereItWas) {
  openvpn_.Connect(1, "alice@contoso.example_0x1A", AMinuteAgo());
  openvpn_.Connect(2, "bob@contoso.example_0x2B", AMinuteAgo());
  auto run = Start(OpenvpnOnly());
  ASSERT_TRUE(run->WaitForLog("\"event\":\"started\"")) << run->Log();
  decisions_.Add(Event("1-a", "alice@contoso.example", '\x1a'));
  ASSERT_TRUE(run->WaitForLog(CarriedOut("1-a"))) << run->Log();
  EXPECT_THAT(openvpn_.clients(), ElementsAre(2));
  const std::vector<Json> ended = Named(run->Log(), "ended");
  ASSERT_EQ(ended.size(), 1u) << run->Log();
  EXPECT_EQ(ended[0]["tunnel"], "client 1 of alice@contoso.example_0x1A");
  EXPECT_EQ(ended[0]["by"], "certificate");
  EXPECT_EQ(CursorOnDisk(), "1-a");
  EXPECT_EQ(run->Stop(SIGKILL), 128 + SIGKILL);

  // While it is away, an event comes, and the one who was ended comes back with that certificate.
  openvpn_.Connect(3, "alice@contoso.example_0x1A", AMinuteAgo() + 60);
  decisions_.Add(Event("2-b", "bob@contoso.example", '\x2b'));
  run = Start(OpenvpnOnly());
  ASSERT_TRUE(run->WaitForLog(CarriedOut("2-b"))) << run->Log();
  ASSERT_TRUE(run->WaitForLog("\"event\":\"checked_again\"")) << run->Log();
  EXPECT_THAT(decisions_.cursors(), UnorderedElementsAre("", "1-a", ""));
  ASSERT_TRUE(run->WaitForLog("client 3 of alice@contoso.example_0x1A")) << run->Log();
  EXPECT_THAT(openvpn_.clients(), IsEmpty());
  EXPECT_EQ(run->Stop(SIGTERM), 0) << run->Log();
  EXPECT_EQ(Named(run->Log(), "ended").size(), 2u) << run->Log();
}

TEST_F(GatewaydTest, ACursorThatNobodyKnowsBeginsAnew) {
  auto run = Start(OpenvpnOnly());
  decisions_.Add(Event("1-a", "alice@contoso.example", '\x1a'));
  ASSERT_TRUE(run->WaitForLog(CarriedOut("1-a"))) << run->Log();
  EXPECT_EQ(run->Stop(SIGTERM), 0);
  decisions_.Forget();
  decisions_.Add(Event("1-x", "bob@contoso.example", '\x2b'));
  openvpn_.Connect(1, "bob@contoso.example_0x2B", AMinuteAgo());
  run = Start(OpenvpnOnly());
  ASSERT_TRUE(run->WaitForLog(CarriedOut("1-x"))) << run->Log();
  EXPECT_THAT(run->Log(), HasSubstr("\"event\":\"began_anew\",\"cursor\":\"1-a\""));
  EXPECT_THAT(openvpn_.clients(), IsEmpty());
}

TEST_F(GatewaydTest, AGatewayThatIsAwayDelaysNoOtherAndIsToldWhenItIsBack) {
  openvpn_.Connect(1, "alice@contoso.example_0x1A", AMinuteAgo());
  auto run =
      Start(Configure(absl::StrCat("openvpn: [{management: ", sockets_.File("openvpn"),
                                   "}]\nstrongswan: [{vici: ", sockets_.File("vici"), "}]\n")));
  decisions_.Add(Event("1-a", "alice@contoso.example", '\x1a'));
  ASSERT_TRUE(run->WaitForLog("\"event\":\"ended\"")) << run->Log();
  EXPECT_THAT(openvpn_.clients(), IsEmpty());
  EXPECT_EQ(CursorOnDisk(), "");
  EXPECT_THAT(run->Log(), Not(HasSubstr("carried_out")));
  FakeCharon charon(sockets_.File("vici"));
  charon.Establish(7, "10.0.0.1", "alice@contoso.example");
  charon.Establish(8, "10.0.0.2", "bob@contoso.example");
  ASSERT_TRUE(run->WaitForLog(CarriedOut("1-a"))) << run->Log();
  EXPECT_THAT(charon.sas(), ElementsAre(8));
  EXPECT_THAT(run->Log(), HasSubstr("\"event\":\"gateway_available\""));
  EXPECT_EQ(CursorOnDisk(), "1-a");
}

TEST_F(GatewaydTest, ManyEventsAtOnceAreAllCarriedOutInTheirOrder) {
  constexpr int kEvents = 500;
  for (int i = 1; i <= kEvents; ++i) {
    decisions_.Add(Event(absl::StrCat(i, "-a"), "alice@contoso.example", '\x1a'));
  }
  openvpn_.Connect(1, "alice@contoso.example_0x1A", AMinuteAgo());
  auto run = Start(OpenvpnOnly());
  ASSERT_TRUE(run->WaitForLog(CarriedOut(absl::StrCat(kEvents, "-a")))) << run->Log();
  EXPECT_EQ(Named(run->Log(), "ended").size(), 1u);
  EXPECT_EQ(run->Stop(SIGTERM), 0);
}

TEST_F(GatewaydTest, WhatForbidsToBeginIsSaidAtOnce) {
  directory_.Write("state", R"({"tenant_id": "fabrikam", "cursor": "1-a"})");
  CommandResult result = RunCommand({kProgram, "--config", OpenvpnOnly()});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.output, HasSubstr("is the state of the tenant fabrikam"));
  result = RunCommand({kProgram, "--config", Configure("openvpn: [{managment: /x}]\n")});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.output, HasSubstr("openvpn[0].managment"));
  EXPECT_EQ(RunCommand({kProgram}).exit_code, 2);
  EXPECT_EQ(RunCommand({kProgram, "--config", OpenvpnOnly(), "--check"}).exit_code, 0);
}

}  // namespace
}  // namespace hourglass::gatewayd
