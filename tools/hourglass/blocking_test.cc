// The program as its users meet it: blocks of devices and users.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "hourglass/v1/blocks.grpc.pb.h"
#include "hsm/base/error.h"
#include "issuance/wire/status_detail.h"
#include "tests/support/subprocess.h"
#include "tools/client/testing/loopback_service.h"
#include "tools/client/wording.h"

namespace hourglass::cli {
namespace {

using Json = nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

constexpr char kProgram[] = "tools/hourglass/hourglass";

class ScriptedBlocks final : public v1::BlockService::Service {
 public:
  grpc::Status PutBlock(grpc::ServerContext*, const v1::PutBlockRequest* request,
                        v1::Block* answer) override {
    put = *request;
    Fill(request->subject(), answer);
    answer->set_reason(request->reason());
    if (request->has_until()) *answer->mutable_until() = request->until();
    return status;
  }
  grpc::Status RemoveBlock(grpc::ServerContext*, const v1::RemoveBlockRequest* request,
                           v1::Block* answer) override {
    removed = *request;
    Fill(request->subject(), answer);
    return status;
  }
  grpc::Status ListBlocks(grpc::ServerContext*, const v1::ListBlocksRequest* request,
                          v1::ListBlocksResponse* answer) override {
    const std::size_t page = request->page_token().empty() ? 0 : 1;
    if (page < blocks.size()) *answer->add_blocks() = blocks[page];
    if (page + 1 < blocks.size()) answer->set_next_page_token("next");
    return status;
  }

  static void Fill(const v1::BlockSubject& subject, v1::Block* block) {
    block->set_tenant_id("contoso");
    *block->mutable_subject() = subject;
    block->set_reason("stolen on a train");
    block->set_blocked_by("admin");
    *block->mutable_blocked_at() = client::TimestampOf(absl::Now() - absl::Seconds(1));
  }

  grpc::Status status;
  v1::PutBlockRequest put;
  v1::RemoveBlockRequest removed;
  std::vector<v1::Block> blocks;  // one a page, two at most
};

class BlockingTest : public testing::Test {
 protected:
  CommandResult Run(const std::vector<std::string>& words) const {
    std::vector<std::string> command = {kProgram, "--config", service_.config_file()};
    command.insert(command.end(), words.begin(), words.end());
    return RunCommand(command);
  }
  CommandResult Run(const std::string& words) const {
    return Run(std::vector<std::string>(absl::StrSplit(words, ' ')));
  }
  Json RunJson(const std::string& words) const {
    const CommandResult result = Run(words + " --json");
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return Json::parse(result.output, nullptr, false);
  }

  ScriptedBlocks blocks_;
  client::LoopbackService service_{{&blocks_}};
};

TEST_F(BlockingTest, ADeviceIsBlockedUntilItIsLifted) {
  const CommandResult blocked =
      Run({"devices", "block", "--tenant", "contoso", "laptop-1", "--reason", "stolen on a train"});
  EXPECT_EQ(blocked.exit_code, 0) << blocked.output;
  EXPECT_EQ(blocks_.put.tenant_id(), "contoso");
  EXPECT_EQ(blocks_.put.subject().device_id(), "laptop-1");
  EXPECT_EQ(blocks_.put.reason(), "stolen on a train");
  EXPECT_FALSE(blocks_.put.has_until());
  EXPECT_THAT(blocked.output,
              AllOf(StartsWith("Blocked device laptop-1.\n"), HasSubstr("stolen on a train"),
                    HasSubstr("until it is lifted\n"),
                    HasSubstr("hourglass certificates list --tenant contoso --live --device "
                              "laptop-1\n")));
  const Json json = RunJson("devices block --tenant contoso --device laptop-1 --reason gone");
  EXPECT_EQ(json["device_id"], "laptop-1");
  EXPECT_EQ(json["reason"], "gone");
  EXPECT_EQ(json["blocked_by"], "admin");
  EXPECT_EQ(json["over"], false);
  EXPECT_FALSE(json.contains("until"));
}

TEST_F(BlockingTest, ABlockMayHaveAnEnd) {
  EXPECT_EQ(Run("devices block --tenant contoso laptop-1 --reason x --until 2099-01-02T03:04:05Z")
                .exit_code,
            0);
  EXPECT_EQ(blocks_.put.until().seconds(), 4071006245);
  const CommandResult hours = Run("devices block --tenant contoso laptop-1 --reason x --for 8h");
  EXPECT_NEAR(static_cast<double>(blocks_.put.until().seconds()),
              static_cast<double>(absl::ToUnixSeconds(absl::Now() + absl::Hours(8))), 60);
  EXPECT_THAT(hours.output, HasSubstr(" UTC (in 7 h 59 min)"));
}

TEST_F(BlockingTest, UsersAreBlockedByUpnOrId) {
  const CommandResult by_upn =
      Run("users block --tenant contoso alice@contoso.example --reason left");
  EXPECT_THAT(by_upn.output, StartsWith("Blocked user alice@contoso.example.\n"));
  EXPECT_EQ(blocks_.put.subject().user_upn(), "alice@contoso.example");
  EXPECT_EQ(RunJson("users block --tenant contoso u-1 --reason left")["user_id"], "u-1");
  EXPECT_EQ(blocks_.put.subject().user_id(), "u-1");
}

TEST_F(BlockingTest, ABlockIsLifted) {
  const CommandResult device = Run("devices unblock --tenant contoso laptop-1 --reason found");
  EXPECT_THAT(device.output, AllOf(StartsWith("Unblocked device laptop-1; the block was:\n"),
                                   HasSubstr("stolen on a train")));
  EXPECT_EQ(blocks_.removed.subject().device_id(), "laptop-1");
  EXPECT_EQ(blocks_.removed.reason(), "found");
  EXPECT_EQ(RunJson("users unblock --tenant contoso alice@contoso.example")["user_upn"],
            "alice@contoso.example");
  EXPECT_EQ(blocks_.removed.reason(), "");
  blocks_.status =
      issuance::ToGrpcStatus(Error(ErrorReason::kBlockUnknown, "subject", "it is not blocked"));
  const CommandResult unknown = Run("devices unblock --tenant contoso laptop-1");
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_THAT(unknown.output, AllOf(StartsWith("hourglass: BLOCK_UNKNOWN: "),
                                    HasSubstr("hourglass blocks list --tenant TENANT")));
}

TEST_F(BlockingTest, BlocksAreListedToTheLastPage) {
  EXPECT_EQ(Run("blocks list --tenant contoso").output, "Nothing is blocked.\n");
  EXPECT_EQ(RunJson("blocks list --tenant contoso")["blocks"], Json::array());
  blocks_.blocks.resize(2);
  v1::BlockSubject subject;
  subject.set_device_id("laptop-1");
  ScriptedBlocks::Fill(subject, &blocks_.blocks[0]);
  subject.set_user_upn("alice@contoso.example");
  ScriptedBlocks::Fill(subject, &blocks_.blocks[1]);
  *blocks_.blocks[1].mutable_until() = client::TimestampOf(absl::Now() - absl::Hours(1));
  const CommandResult listed = Run("blocks list --tenant contoso");
  EXPECT_THAT(listed.output, StartsWith("BLOCKED                     UNTIL"));
  EXPECT_THAT(listed.output, HasSubstr("\ndevice laptop-1             until it is lifted "));
  EXPECT_THAT(listed.output, HasSubstr("\nuser alice@contoso.example  "));
  EXPECT_THAT(listed.output, HasSubstr("(1 h ago), over"));
  const Json json = RunJson("blocks list --tenant contoso");
  ASSERT_EQ(json["blocks"].size(), 2u);
  EXPECT_EQ(json["blocks"][0]["over"], false);
  EXPECT_EQ(json["blocks"][1]["over"], true);
}

TEST(BlockingUsageTest, WrongUsageIsToldBeforeTheServiceIsAsked) {
  const std::pair<const char*, const char*> cases[] = {
      {"devices block --tenant t laptop-1", "--reason is required"},
      {"devices block --tenant t --reason x", "device is required"},
      {"users block --tenant t --reason x", "user is required"},
      {"devices block --tenant t laptop-1 --reason x --until tomorrow", "is not a UTC time"},
      {"devices block --tenant t laptop-1 --reason x --for soon", "is not a length"},
      {"devices block --tenant t laptop-1 --reason x --for 1h --until 2099-01-01", "excludes"},
      {"blocks", "a subcommand of hourglass blocks is required"},
  };
  for (const auto& [words, expected] : cases) {
    std::vector<std::string> command = {kProgram, "--config", "none.yaml"};
    for (const absl::string_view word : absl::StrSplit(words, ' ')) command.emplace_back(word);
    const CommandResult result = RunCommand(command);
    EXPECT_EQ(result.exit_code, 2) << words << result.output;
    EXPECT_THAT(result.output, HasSubstr(expected)) << words;
  }
}

}  // namespace
}  // namespace hourglass::cli
