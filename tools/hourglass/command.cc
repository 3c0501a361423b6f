#include "tools/hourglass/command.h"

#include "tools/client/arguments.h"

namespace hourglass::cli {
namespace {

// CLI11 wants the mistake as text, and no text where there is none.
template <typename T>
std::string MistakeIn(const absl::StatusOr<T>& parsed) {
  return parsed.ok() ? std::string() : std::string(parsed.status().message());
}

}  // namespace

CLI::Option* AddTenantOption(CLI::App& command, std::string& tenant) {
  return command.add_option("--tenant", tenant, "The tenant's id")->required()->type_name("ID");
}

CLI::Validator IsLength() {
  return CLI::Validator([](std::string& text) { return MistakeIn(client::ParseLength(text)); }, "");
}

CLI::Validator IsPastTime() {
  return CLI::Validator(
      [](std::string& text) { return MistakeIn(client::ParsePastTime(text, absl::Now())); }, "");
}

CLI::Validator IsSerialNumber() {
  return CLI::Validator(
      [](std::string& text) { return MistakeIn(client::ParseSerialNumber(text)); }, "");
}

}  // namespace hourglass::cli
