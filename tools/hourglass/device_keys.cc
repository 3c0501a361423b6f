// The keys by which devices prove that they ask.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "hourglass/v1/device_keys.grpc.pb.h"
#include "hsm/base/status_macros.h"
#include "tools/client/table.h"
#include "tools/client/wording.h"
#include "tools/hourglass/command.h"

namespace hourglass::cli {
namespace {

using client::Json;

struct DeviceKeyOptions {
  std::string tenant;
  std::string key;
  std::string device;
  std::string state;
  std::string reason;
  bool replace = false;
  bool release = false;
};

const std::vector<std::pair<std::string, v1::DeviceKeyState>>& States() {
  static const auto* const states = new std::vector<std::pair<std::string, v1::DeviceKeyState>>{
      {"pending", v1::DEVICE_KEY_PENDING},
      {"approved", v1::DEVICE_KEY_APPROVED},
      {"removed", v1::DEVICE_KEY_REMOVED}};
  return *states;
}

std::string StateInWords(v1::DeviceKeyState state) {
  for (const auto& [name, known] : States()) {
    if (known == state) return name;
  }
  return "unknown";
}

v1::DeviceKeyState StateNamed(const std::string& name) {
  for (const auto& [known, state] : States()) {
    if (known == name) return state;
  }
  return v1::DEVICE_KEY_STATE_UNSPECIFIED;
}

// When, by whom and why it became what it is.
struct LastStep {
  const google::protobuf::Timestamp& at;
  const std::string& by;
  std::string reason;
};

LastStep LastStepOf(const v1::DeviceKey& key) {
  if (key.has_removed_at()) {
    return {key.removed_at(), key.removed_by(),
            absl::StrCat(key.removal_reason(), key.released() ? " (device released)" : "")};
  }
  if (key.has_approved_at()) return {key.approved_at(), key.approved_by(), key.approval_reason()};
  return {key.enrolled_at(), key.enrolled_by(), ""};
}

Json DeviceKeyAsJson(const v1::DeviceKey& key) {
  Json json = {{"tenant_id", key.tenant_id()},
               {"key_id", key.key_id()},
               {"device_id", key.device_id()},
               {"state", StateInWords(key.state())},
               {"public_key", absl::Base64Escape(key.public_key())},
               {"enrolled_at", client::TimeForJson(client::TimeOf(key.enrolled_at()))},
               {"enrolled_by", key.enrolled_by()}};
  if (key.has_approved_at()) {
    json["approved_at"] = client::TimeForJson(client::TimeOf(key.approved_at()));
    json["approved_by"] = key.approved_by();
    json["approval_reason"] = key.approval_reason();
  }
  if (key.has_removed_at()) {
    json["removed_at"] = client::TimeForJson(client::TimeOf(key.removed_at()));
    json["removed_by"] = key.removed_by();
    json["removal_reason"] = key.removal_reason();
    json["released"] = key.released();
  }
  return json;
}

std::string DeviceKeyInWords(const v1::DeviceKey& key, absl::Time now) {
  const LastStep last = LastStepOf(key);
  client::Facts facts = {
      {"Key", key.key_id()},
      {"Device", absl::StrCat(key.device_id(), " of tenant ", key.tenant_id())},
      {"State", absl::StrCat(StateInWords(key.state()), ", ",
                             client::TimeInWords(client::TimeOf(last.at), now), " by ", last.by)}};
  if (!last.reason.empty()) facts.emplace_back("Reason", last.reason);
  return client::FormatFacts(facts);
}

absl::StatusOr<Answer> List(const DeviceKeyOptions& options, const Session& session) {
  v1::ListDeviceKeysRequest request;
  request.set_tenant_id(options.tenant);
  request.set_device_id(options.device);
  request.set_state(StateNamed(options.state));
  request.set_page_size(kLargestPage);
  Answer answer{"", {{"device_keys", Json::array()}}};
  std::vector<std::vector<std::string>> rows;
  do {
    ASSIGN_OR_RETURN(
        const v1::ListDeviceKeysResponse page,
        client::Call(session.connection, &v1::DeviceKeyService::Stub::ListDeviceKeys, request));
    for (const v1::DeviceKey& key : page.device_keys()) {
      answer.json["device_keys"].push_back(DeviceKeyAsJson(key));
      const LastStep last = LastStepOf(key);
      rows.push_back({key.device_id(), StateInWords(key.state()),
                      client::TimeInWords(client::TimeOf(last.at), session.Now()), last.by,
                      key.key_id(), last.reason});
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  answer.text =
      rows.empty() ? "No device has a key.\n"
                   : client::FormatTable({"DEVICE", "STATE", "SINCE", "BY", "KEY", "REASON"}, rows);
  return answer;
}

absl::StatusOr<Answer> Approve(const DeviceKeyOptions& options, const Session& session) {
  v1::ApproveDeviceKeyRequest request;
  request.set_tenant_id(options.tenant);
  request.set_key_id(options.key);
  request.set_reason(options.reason);
  request.set_replace(options.replace);
  ASSIGN_OR_RETURN(
      const v1::DeviceKey key,
      client::Call(session.connection, &v1::DeviceKeyService::Stub::ApproveDeviceKey, request));
  return Answer{absl::StrCat("Approved: from now on ", key.device_id(),
                             " is issued to only what it signs with this key.\n",
                             DeviceKeyInWords(key, session.Now())),
                DeviceKeyAsJson(key)};
}

absl::StatusOr<Answer> Remove(const DeviceKeyOptions& options, const Session& session) {
  v1::RemoveDeviceKeyRequest request;
  request.set_tenant_id(options.tenant);
  request.set_key_id(options.key);
  request.set_reason(options.reason);
  request.set_release(options.release);
  ASSIGN_OR_RETURN(
      const v1::DeviceKey key,
      client::Call(session.connection, &v1::DeviceKeyService::Stub::RemoveDeviceKey, request));
  const char* const what_follows =
      key.released()
          ? "Removed. The device may ask without a key, unless the tenant requires one.\n"
      : key.has_approved_at()
          ? "Removed. Nothing is issued to the device until another key of it is approved.\n"
          : "Removed.\n";
  return Answer{absl::StrCat(what_follows, DeviceKeyInWords(key, session.Now())),
                DeviceKeyAsJson(key)};
}

void AddKey(CLI::App& command, DeviceKeyOptions& options) {
  AddTenantOption(command, options.tenant);
  command
      .add_option("key,--key", options.key,
                  "The key's id: the SHA-256 of its SubjectPublicKeyInfo, as the device shows it")
      ->required()
      ->type_name("KEY");
}

}  // namespace

void AddDeviceKeys(CLI::App& app, CommandLine& line) {
  CLI::App* noun =
      app.add_subcommand("device-keys", "The keys by which devices prove that they ask");
  noun->require_subcommand(1)->fallthrough();
  const auto options = std::make_shared<DeviceKeyOptions>();
  CLI::App* list =
      AddCommand(*noun, line, "list", "List them, also those that wait and those that were removed",
                 options, &List);
  AddTenantOption(*list, options->tenant);
  list->add_option("--device", options->device, "Only those of this device")->type_name("DEVICE");
  list->add_option("--state", options->state, "Only those in this state")
      ->check(CLI::IsMember({"pending", "approved", "removed"}))
      ->type_name("STATE");
  CLI::App* approve = AddCommand(
      *noun, line, "approve",
      "Issue to a device only what it signs with this key; compare the id with the device's first",
      options, &Approve);
  AddKey(*approve, *options);
  AddReasonOption(*approve, options->reason)->required();
  approve->add_flag("--replace", options->replace,
                    "In place of the key that the device has: it was installed anew");
  CLI::App* remove =
      AddCommand(*noun, line, "remove",
                 "Let a key count no more, for good; the device gets nothing until it has another",
                 options, &Remove);
  AddKey(*remove, *options);
  AddReasonOption(*remove, options->reason)->required();
  remove->add_flag("--release", options->release,
                   "Let the device ask without a key again, where the tenant requires none");
}

}  // namespace hourglass::cli
