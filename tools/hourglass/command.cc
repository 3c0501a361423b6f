#include "tools/hourglass/command.h"

#include "absl/strings/ascii.h"
#include "ca/encoding/utf8.h"
#include "tools/client/arguments.h"

namespace hourglass::cli {
namespace {

constexpr std::size_t kLongestReason = 256;

// CLI11 wants the mistake as text, and no text where there is none.
template <typename T>
std::string MistakeIn(const absl::StatusOr<T>& parsed) {
  return parsed.ok() ? std::string() : std::string(parsed.status().message());
}

}  // namespace

CLI::Option* AddTenantOption(CLI::App& command, std::string& tenant) {
  return command.add_option("--tenant", tenant, "The tenant's id")->required()->type_name("ID");
}

CLI::Option* AddReasonOption(CLI::App& command, std::string& reason) {
  return command.add_option("--reason", reason, "Why; for the journal")
      ->check(IsReason())
      ->type_name("REASON");
}

CLI::Validator IsReason() {
  return CLI::Validator(
      [](std::string& text) -> std::string {
        if (absl::StripAsciiWhitespace(text).empty()) return "is empty: say why";
        if (text.size() > kLongestReason) return "is longer than 256 octets";
        return ca::DecodeUtf8(text).has_value() ? "" : "is not UTF-8";
      },
      "");
}

CLI::Validator IsLength() {
  return CLI::Validator([](std::string& text) { return MistakeIn(client::ParseLength(text)); }, "");
}

CLI::Validator IsPastTime() {
  return CLI::Validator(
      [](std::string& text) { return MistakeIn(client::ParsePastTime(text, absl::Now())); }, "");
}

CLI::Validator IsTime() {
  return CLI::Validator([](std::string& text) { return MistakeIn(client::ParseTime(text)); }, "");
}

CLI::Validator IsSerialNumber() {
  return CLI::Validator(
      [](std::string& text) { return MistakeIn(client::ParseSerialNumber(text)); }, "");
}

}  // namespace hourglass::cli
