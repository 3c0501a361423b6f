// What a device signs is read back, by another reader, as just what was asked for: so two questions
// that differ have two statements. No enrolment is a proof.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "issuance/device_keys/statements.h"

namespace hourglass::issuance {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

constexpr std::size_t kFields = 7;
constexpr char kSeparator = '\x1f';

// Seven texts, and a time.
struct Asked {
  std::array<std::string, kFields> fields;
  std::int64_t signed_at = 0;

  bool operator==(const Asked&) const = default;

  std::string Statement() const {
    return StatementOf(
        DeviceQuestion{fields[0], fields[1], fields[2], fields[3], fields[4], fields[5]}, Mark());
  }
  std::string Enrolment() const {
    return StatementOf(DeviceEnrolment{fields[0], fields[3], fields[4]}, Mark());
  }
  StatementMark Mark() const {
    return {std::chrono::sys_seconds(std::chrono::seconds(signed_at)), fields[6]};
  }
};

Asked Take(absl::string_view& octets) {
  Asked asked;
  for (std::string& field : asked.fields) {
    const std::size_t end = octets.find(kSeparator);
    field = std::string(octets.substr(0, end));
    octets.remove_prefix(end == absl::string_view::npos ? octets.size() : end + 1);
  }
  for (int i = 0; i < 4 && !octets.empty(); ++i) {
    asked.signed_at = asked.signed_at * 256 + static_cast<unsigned char>(octets.front());
    octets.remove_prefix(1);
  }
  return asked;
}

std::optional<std::string> ReadField(absl::string_view& rest) {
  const std::size_t colon = rest.find(':');
  std::size_t size = 0;
  if (colon == absl::string_view::npos || !absl::SimpleAtoi(rest.substr(0, colon), &size)) {
    return std::nullopt;
  }
  rest.remove_prefix(colon + 1);
  if (rest.size() <= size || rest[size] != '\n') return std::nullopt;
  std::string field(rest.substr(0, size));
  rest.remove_prefix(size + 1);
  return field;
}

Asked Read(absl::string_view statement) {
  Require(absl::ConsumePrefix(&statement, "hourglass-device-proof-v1\n"));
  Asked asked;
  for (std::size_t i = 0; i < kFields; ++i) {
    const std::optional<std::string> field = ReadField(statement);
    Require(field.has_value());
    const bool is_hexadecimal = i == 4 || i == 6;
    asked.fields[i] = is_hexadecimal ? absl::HexStringToBytes(*field) : *field;
    if (is_hexadecimal) Require(absl::BytesToHexString(asked.fields[i]) == *field);
  }
  const std::optional<std::string> time = ReadField(statement);
  Require(time.has_value() && absl::SimpleAtoi(*time, &asked.signed_at) && statement.empty());
  return asked;
}

}  // namespace
}  // namespace hourglass::issuance

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using hourglass::issuance::Require;
  absl::string_view octets(reinterpret_cast<const char*>(data), size);
  const auto one = hourglass::issuance::Take(octets);
  const auto other = hourglass::issuance::Take(octets);
  Require(hourglass::issuance::Read(one.Statement()) == one);
  Require((one.Statement() == other.Statement()) == (one == other));
  Require(one.Enrolment() != other.Statement() && one.Statement() != other.Enrolment());
  return 0;
}
