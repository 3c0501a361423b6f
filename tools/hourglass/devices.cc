#include "absl/strings/str_cat.h"
#include "hourglass/v1/devices.grpc.pb.h"
#include "hsm/base/status_macros.h"
#include "tools/client/files.h"
#include "tools/client/table.h"
#include "tools/client/wording.h"
#include "tools/hourglass/command.h"
#include "tools/hourglass/device_state.h"

namespace hourglass::cli {
namespace {

using client::Json;

struct DeviceOptions {
  std::string tenant;
  std::string device;
  std::string file;
  DeviceStateOptions settings;
};

Json DeviceAsJson(const v1::Device& device) {
  return {{"tenant_id", device.tenant_id()},
          {"device_id", device.device_id()},
          {"reported_at", client::TimeForJson(client::TimeOf(device.reported_at()))},
          {"reported_by", device.reported_by()},
          {"state", DeviceStateAsJson(device.state())}};
}

std::string DeviceInWords(const v1::Device& device, absl::Time now) {
  client::Facts facts = {
      {"Device", absl::StrCat(device.device_id(), " of tenant ", device.tenant_id())},
      {"Reported", absl::StrCat(client::TimeInWords(client::TimeOf(device.reported_at()), now),
                                " by ", device.reported_by())}};
  for (auto& fact : DeviceStateInWords(device.state(), now)) facts.push_back(std::move(fact));
  return client::FormatFacts(facts);
}

absl::StatusOr<Answer> Report(const DeviceOptions& options, const Session& session) {
  v1::ReportDeviceRequest request;
  request.set_tenant_id(options.tenant);
  request.set_device_id(options.device);
  request.mutable_state();
  if (!options.file.empty()) {
    ASSIGN_OR_RETURN(const std::string json, client::ReadWholeFile(options.file));
    ASSIGN_OR_RETURN(*request.mutable_state(), DeviceStateFromJson(json));
  }
  RETURN_IF_ERROR(options.settings.ApplyTo(*request.mutable_state(), session.Now()));
  ASSIGN_OR_RETURN(
      const v1::Device device,
      client::Call(session.connection, &v1::DeviceService::Stub::ReportDevice, request));
  return Answer{absl::StrCat("Reported device ", device.device_id(), ".\n",
                             DeviceInWords(device, session.Now())),
                DeviceAsJson(device)};
}

absl::StatusOr<Answer> List(const DeviceOptions& options, const Session& session) {
  v1::ListDevicesRequest request;
  request.set_tenant_id(options.tenant);
  request.set_page_size(kLargestPage);
  Answer answer{"", {{"devices", Json::array()}}};
  std::vector<std::vector<std::string>> rows;
  do {
    ASSIGN_OR_RETURN(
        const v1::ListDevicesResponse page,
        client::Call(session.connection, &v1::DeviceService::Stub::ListDevices, request));
    for (const v1::Device& device : page.devices()) {
      answer.json["devices"].push_back(DeviceAsJson(device));
      rows.push_back({device.device_id(),
                      client::TimeInWords(client::TimeOf(device.reported_at()), session.Now()),
                      device.reported_by()});
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  answer.text = rows.empty() ? "No devices have been reported.\n"
                             : client::FormatTable({"DEVICE", "REPORTED", "BY"}, rows);
  return answer;
}

absl::StatusOr<Answer> Show(const DeviceOptions& options, const Session& session) {
  v1::GetDeviceRequest request;
  request.set_tenant_id(options.tenant);
  request.set_device_id(options.device);
  ASSIGN_OR_RETURN(const v1::Device device,
                   client::Call(session.connection, &v1::DeviceService::Stub::GetDevice, request));
  return Answer{DeviceInWords(device, session.Now()), DeviceAsJson(device)};
}

absl::StatusOr<Answer> Remove(const DeviceOptions& options, const Session& session) {
  v1::RemoveDeviceRequest request;
  request.set_tenant_id(options.tenant);
  request.set_device_id(options.device);
  RETURN_IF_ERROR(
      client::Call(session.connection, &v1::DeviceService::Stub::RemoveDevice, request).status());
  return Answer{absl::StrCat("Forgot device ", options.device,
                             "; it is unknown now, and so not compliant.\n"),
                {{"tenant_id", options.tenant}, {"device_id", options.device}, {"removed", true}}};
}

void AddDeviceId(CLI::App& command, DeviceOptions& options) {
  AddTenantOption(command, options.tenant);
  command.add_option("device,--device", options.device, "The device's id")
      ->required()
      ->type_name("DEVICE");
}

}  // namespace

void AddDevices(CLI::App& app, CommandLine& line) {
  CLI::App* noun =
      app.add_subcommand("devices", "Report and look at the states that compliance is judged by");
  noun->require_subcommand(1)->fallthrough();
  const auto options = std::make_shared<DeviceOptions>();
  CLI::App* report =
      AddCommand(*noun, line, "report",
                 "Report a device's state; it replaces the whole report before", options, &Report);
  AddDeviceId(*report, *options);
  report
      ->add_option("--file", options->file,
                   "A JSON file, as `devices show --json` has under `state`, or - ; "
                   "settings given as options replace its own")
      ->type_name("FILE");
  options->settings.AddTo(*report);
  AddTenantOption(*AddCommand(*noun, line, "list", "List the devices reported", options, &List),
                  options->tenant);
  AddDeviceId(*AddCommand(*noun, line, "show", "Show one device's state", options, &Show),
              *options);
  AddDeviceId(*AddCommand(*noun, line, "remove", "Forget a device", options, &Remove), *options);
  AddBlocking(*noun, line, /*is_device=*/true);
}

}  // namespace hourglass::cli
