// Blocks: of devices and of users, whom nothing is issued to.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hourglass/v1/blocks.grpc.pb.h"
#include "hsm/base/status_macros.h"
#include "tools/client/arguments.h"
#include "tools/client/table.h"
#include "tools/client/wording.h"
#include "tools/hourglass/command.h"

namespace hourglass::cli {
namespace {

using client::Json;

struct BlockOptions {
  std::string tenant;
  std::string device;
  std::string user;
  std::string reason;
  std::string until;
  std::string length;
};

v1::BlockSubject SubjectOf(const BlockOptions& options) {
  v1::BlockSubject subject;
  if (!options.device.empty()) {
    subject.set_device_id(options.device);
  } else if (options.user.find('@') != std::string::npos) {
    subject.set_user_upn(options.user);
  } else {
    subject.set_user_id(options.user);
  }
  return subject;
}

// `device laptop-1`, `user alice@contoso.example`.
std::string SubjectInWords(const v1::BlockSubject& subject) {
  switch (subject.subject_case()) {
    case v1::BlockSubject::kDeviceId:
      return absl::StrCat("device ", subject.device_id());
    case v1::BlockSubject::kUserId:
      return absl::StrCat("user ", subject.user_id());
    case v1::BlockSubject::kUserUpn:
      return absl::StrCat("user ", subject.user_upn());
    case v1::BlockSubject::SUBJECT_NOT_SET:
      break;
  }
  return "nobody";
}

// Whether it blocks nobody any more.
bool IsOver(const v1::Block& block, absl::Time now) {
  return block.has_until() && client::TimeOf(block.until()) <= now;
}

std::string EndInWords(const v1::Block& block, absl::Time now) {
  if (!block.has_until()) return "until it is lifted";
  return absl::StrCat(client::TimeInWords(client::TimeOf(block.until()), now),
                      IsOver(block, now) ? ", over" : "");
}

Json BlockAsJson(const v1::Block& block, absl::Time now) {
  Json json = {{"tenant_id", block.tenant_id()}};
  const v1::BlockSubject& subject = block.subject();
  if (!subject.device_id().empty()) json["device_id"] = subject.device_id();
  if (!subject.user_id().empty()) json["user_id"] = subject.user_id();
  if (!subject.user_upn().empty()) json["user_upn"] = subject.user_upn();
  json["reason"] = block.reason();
  json["blocked_by"] = block.blocked_by();
  json["blocked_at"] = client::TimeForJson(client::TimeOf(block.blocked_at()));
  if (block.has_until()) json["until"] = client::TimeForJson(client::TimeOf(block.until()));
  json["over"] = IsOver(block, now);
  return json;
}

std::string BlockInWords(const v1::Block& block, absl::Time now) {
  return client::FormatFacts(
      {{"Reason", block.reason()},
       {"Blocked", absl::StrCat(client::TimeInWords(client::TimeOf(block.blocked_at()), now),
                                " by ", block.blocked_by())},
       {"Until", EndInWords(block, now)}});
}

absl::StatusOr<Answer> Block(const BlockOptions& options, const Session& session) {
  v1::PutBlockRequest request;
  request.set_tenant_id(options.tenant);
  *request.mutable_subject() = SubjectOf(options);
  request.set_reason(options.reason);
  if (!options.until.empty()) {
    ASSIGN_OR_RETURN(const absl::Time until, client::ParseTime(options.until));
    *request.mutable_until() = client::TimestampOf(until);
  } else if (!options.length.empty()) {
    ASSIGN_OR_RETURN(const absl::Duration length, client::ParseLength(options.length));
    *request.mutable_until() = client::TimestampOf(session.Now() + length);
  }
  ASSIGN_OR_RETURN(const v1::Block block,
                   client::Call(session.connection, &v1::BlockService::Stub::PutBlock, request));
  const std::string live = absl::StrCat(
      "Nothing is issued any more. What was issued before lives to its end, an hour at most unless "
      "the tenant says otherwise: hourglass certificates list --tenant ",
      options.tenant, " --live", options.device.empty() ? " --user UPN" : " --device ",
      options.device, "\n");
  return Answer{absl::StrCat("Blocked ", SubjectInWords(block.subject()), ".\n",
                             BlockInWords(block, session.Now()), live),
                BlockAsJson(block, session.Now())};
}

absl::StatusOr<Answer> Unblock(const BlockOptions& options, const Session& session) {
  v1::RemoveBlockRequest request;
  request.set_tenant_id(options.tenant);
  *request.mutable_subject() = SubjectOf(options);
  request.set_reason(options.reason);
  ASSIGN_OR_RETURN(const v1::Block block,
                   client::Call(session.connection, &v1::BlockService::Stub::RemoveBlock, request));
  return Answer{absl::StrCat("Unblocked ", SubjectInWords(block.subject()), "; the block was:\n",
                             BlockInWords(block, session.Now())),
                BlockAsJson(block, session.Now())};
}

absl::StatusOr<Answer> List(const BlockOptions& options, const Session& session) {
  v1::ListBlocksRequest request;
  request.set_tenant_id(options.tenant);
  request.set_page_size(kLargestPage);
  Answer answer{"", {{"blocks", Json::array()}}};
  std::vector<std::vector<std::string>> rows;
  do {
    ASSIGN_OR_RETURN(
        const v1::ListBlocksResponse page,
        client::Call(session.connection, &v1::BlockService::Stub::ListBlocks, request));
    for (const v1::Block& block : page.blocks()) {
      answer.json["blocks"].push_back(BlockAsJson(block, session.Now()));
      rows.push_back({SubjectInWords(block.subject()), EndInWords(block, session.Now()),
                      client::TimeInWords(client::TimeOf(block.blocked_at()), session.Now()),
                      block.blocked_by(), block.reason()});
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  answer.text = rows.empty()
                    ? "Nothing is blocked.\n"
                    : client::FormatTable({"BLOCKED", "UNTIL", "SINCE", "BY", "REASON"}, rows);
  return answer;
}

void AddSubject(CLI::App& command, bool is_device, BlockOptions& options) {
  AddTenantOption(command, options.tenant);
  if (is_device) {
    command.add_option("device,--device", options.device, "The device's id")
        ->required()
        ->type_name("DEVICE");
  } else {
    command.add_option("user,--user", options.user, "The user's UPN, or his id in the directory")
        ->required()
        ->type_name("USER");
  }
}

}  // namespace

void AddBlocking(CLI::App& noun, CommandLine& line, bool is_device) {
  const auto options = std::make_shared<BlockOptions>();
  CLI::App* block =
      AddCommand(noun, line, "block", "Issue nothing any more, whatever is reported and decided",
                 options, &Block);
  AddSubject(*block, is_device, *options);
  AddReasonOption(*block, options->reason)
      ->required()
      ->description("Why; whoever is refused is told");
  CLI::Option* until =
      block->add_option("--until", options->until, "The UTC time when it ends by itself")
          ->check(IsTime())
          ->type_name("TIME");
  block->add_option("--for", options->length, "The same, from now on")
      ->check(IsLength())
      ->type_name("LENGTH")
      ->excludes(until);
  CLI::App* unblock = AddCommand(noun, line, "unblock", "Lift a block", options, &Unblock);
  AddSubject(*unblock, is_device, *options);
  AddReasonOption(*unblock, options->reason);
}

void AddBlocks(CLI::App& app, CommandLine& line) {
  CLI::App* noun = app.add_subcommand("blocks", "The devices and users that nothing is issued to");
  noun->require_subcommand(1)->fallthrough();
  const auto options = std::make_shared<BlockOptions>();
  AddTenantOption(*AddCommand(*noun, line, "list", "List them, and why; also those that are over",
                              options, &List),
                  options->tenant);
}

}  // namespace hourglass::cli
