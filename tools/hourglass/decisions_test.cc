// The program as its users meet it: refusals, and events for gateways.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "hourglass/v1/decisions.grpc.pb.h"
#include "hsm/base/error.h"
#include "issuance/wire/status_detail.h"
#include "tests/support/subprocess.h"
#include "tools/client/testing/loopback_service.h"
#include "tools/client/wording.h"

namespace hourglass::cli {
namespace {

using Json = nlohmann::json;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

constexpr char kProgram[] = "tools/hourglass/hourglass";

class ScriptedDecisions final : public v1::DecisionService::Service {
 public:
  grpc::Status ListRefusals(grpc::ServerContext*, const v1::ListRefusalsRequest* request,
                            v1::ListRefusalsResponse* answer) override {
    listed = *request;
    for (const v1::Refusal& refusal : refusals) *answer->add_refusals() = refusal;
    if (has_more) answer->set_next_page_token("next");
    return status;
  }
  grpc::Status WatchDecisions(grpc::ServerContext*, const v1::WatchDecisionsRequest* request,
                              grpc::ServerWriter<v1::DecisionEvent>* writer) override {
    watched = *request;
    for (const v1::DecisionEvent& event : events) writer->Write(event);
    return status;
  }

  grpc::Status status;
  v1::ListRefusalsRequest listed;
  v1::WatchDecisionsRequest watched;
  std::vector<v1::Refusal> refusals;
  bool has_more = false;
  std::vector<v1::DecisionEvent> events;
};

class DecisionsTest : public testing::Test {
 protected:
  DecisionsTest() {
    v1::Refusal& refusal = decisions_.refusals.emplace_back();
    refusal.set_tenant_id("contoso");
    refusal.set_verdict_id("v-1");
    *refusal.mutable_at() = client::TimestampOf(absl::Now() - absl::Minutes(5));
    refusal.set_caller("broker");
    refusal.set_user_upn("alice@contoso.example");
    refusal.set_device_id("laptop-1");
    v1::DenyReason& reason = *refusal.add_reasons();
    reason.set_setting("disk_encryption.enabled");
    reason.set_message("disk encryption is off");
    reason.set_remediation_url("https://help.contoso.example/vpn");
    v1::DecisionEvent& event = decisions_.events.emplace_back();
    event.set_cursor("7-0123");
    event.set_tenant_id("contoso");
    event.set_kind(v1::DecisionEvent::DEVICE_BLOCKED);
    *event.mutable_at() = client::TimestampOf(absl::Now());
    event.set_device_id("laptop-1");
    event.set_reason("stolen\non a train");
    event.add_certificates()->set_serial_number("\x4f\x01");
    event.set_certificates_complete(true);
    decisions_.events.push_back(event);
    decisions_.events.back().set_cursor("8-4567");
  }

  CommandResult Run(const std::string& words) const {
    std::vector<std::string> command = {kProgram, "--config", service_.config_file()};
    for (const absl::string_view word : absl::StrSplit(words, ' ')) command.emplace_back(word);
    return RunCommand(command);
  }

  ScriptedDecisions decisions_;
  client::LoopbackService service_{{&decisions_}};
};

TEST_F(DecisionsTest, RefusalsAreListedByWhatIsAskedFor) {
  const std::string list = "journal list --tenant contoso --kind refusal";
  EXPECT_THAT(Run(list).output, AllOf(HasSubstr("v-1"), HasSubstr("disk_encryption.enabled")));
  EXPECT_EQ(Run(list + " --device laptop-1 --user alice@contoso.example").exit_code, 0);
  EXPECT_EQ(decisions_.listed.tenant_id(), "contoso");
  EXPECT_EQ(decisions_.listed.device_id(), "laptop-1");
  EXPECT_EQ(decisions_.listed.user_upn(), "alice@contoso.example");
  const Json json = Json::parse(Run(list + " --json").output, nullptr, false);
  EXPECT_EQ(json["refusals"][0]["reasons"][0]["message"], "disk encryption is off");
  EXPECT_EQ(json["more"], false);
  decisions_.has_more = true;
  EXPECT_THAT(Run(list + " --limit 1").output, HasSubstr("there are more"));
  EXPECT_EQ(Run("journal list --tenant contoso --device laptop-1").exit_code, 2);
  decisions_.has_more = false;
  decisions_.refusals.clear();
  EXPECT_EQ(Run(list).output, "No refusals.\n");
}

TEST_F(DecisionsTest, ARefusalIsShownByTheIdThatIsReadOut) {
  const CommandResult shown = Run("journal show --tenant contoso v-1");
  EXPECT_EQ(shown.exit_code, 0);
  EXPECT_THAT(shown.output,
              AllOf(HasSubstr("alice@contoso.example"), HasSubstr("disk encryption is off"),
                    HasSubstr("https://help.contoso.example/vpn")));
  EXPECT_EQ(decisions_.listed.verdict_id(), "v-1");
  decisions_.refusals.clear();
  const CommandResult unknown = Run("journal show --tenant contoso v-2");
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_THAT(unknown.output, HasSubstr("has no refusal of this id"));
}

TEST_F(DecisionsTest, AnEventIsALineWithItsCursor) {
  decisions_.status =
      issuance::ToGrpcStatus(Error(ErrorReason::kStopping, "", "the service is stopping"));
  const CommandResult all = Run("decisions watch --tenant contoso");
  EXPECT_EQ(all.exit_code, 1);
  EXPECT_THAT(all.output,
              AllOf(HasSubstr(" DEVICE_BLOCKED device laptop-1: stolen\\x0aon a train; "
                              "certificates: 4f01; cursor 7-0123\n"),
                    HasSubstr("; cursor 8-4567\n"), HasSubstr("hourglass: STOPPING: ")));
  EXPECT_EQ(decisions_.watched.cursor(), "");
  const CommandResult one = Run("decisions watch --tenant contoso --after 6-89ab --count 1");
  EXPECT_EQ(one.exit_code, 0);
  EXPECT_THAT(one.output, AllOf(EndsWith("; cursor 7-0123\n"), Not(HasSubstr("8-4567"))));
  EXPECT_EQ(decisions_.watched.cursor(), "6-89ab");
  const CommandResult json = Run("decisions watch --tenant contoso --count 1 --json");
  const Json event = Json::parse(json.output, nullptr, false);
  EXPECT_EQ(event["cursor"], "7-0123") << json.output;
  EXPECT_EQ(event["certificates"][0]["serial_number"], "4f01");
  EXPECT_THAT(json.output, EndsWith("}\n")) << "and nothing else";
}

}  // namespace
}  // namespace hourglass::cli
