#include "tools/doctor/registry_export.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "ca/encoding/file_forms.h"
#include "ca/encoding/utf8.h"
#include "hsm/base/error.h"

namespace hourglass::doctor {
namespace {

constexpr absl::string_view kHeader = "Windows Registry Editor Version 5.00";
constexpr absl::string_view kOldHeader = "REGEDIT4";

absl::Status Invalid(absl::string_view message) {
  return Error(ErrorReason::kFieldInvalid, "", message);
}

// Takes `"…"` with `\\` and `\"` in it from the front of `text`; empty where none stands there.
std::optional<std::string> TakeQuoted(absl::string_view* text) {
  if (!absl::ConsumePrefix(text, "\"")) return std::nullopt;
  std::string quoted;
  while (!text->empty()) {
    const char c = text->front();
    text->remove_prefix(1);
    if (c == '"') return quoted;
    if (c == '\\' && !text->empty()) {
      quoted.push_back(text->front());
      text->remove_prefix(1);
    } else {
      quoted.push_back(c);
    }
  }
  return std::nullopt;
}

void ReadDword(absl::string_view digits, RegistryValue& value) {
  digits = absl::StripAsciiWhitespace(digits.substr(0, digits.find(';')));
  const bool all_hex = !digits.empty() && std::all_of(digits.begin(), digits.end(), [](char c) {
    return absl::ascii_isxdigit(static_cast<unsigned char>(c));
  });
  if (!all_hex || digits.size() > 8 || !absl::SimpleHexAtoi(digits, &value.dword)) return;
  value.type = RegistryValue::Type::kDword;
  value.is_padded = digits.size() == 8;
}

// `hex(7):61,00,…`, what was continued on further lines in one.
void ReadOctets(absl::string_view data, RegistryValue& value) {
  const std::size_t colon = data.find(':');
  if (colon == absl::string_view::npos) return;
  std::string octets;
  for (absl::string_view octet :
       absl::StrSplit(data.substr(colon + 1), ',', absl::SkipWhitespace())) {
    octet = absl::StripAsciiWhitespace(octet);
    int number = 0;
    if (octet.size() != 2 || !absl::SimpleHexAtoi(octet, &number)) return;
    octets.push_back(static_cast<char>(number));
  }
  value.octets = std::move(octets);
  value.type = RegistryValue::Type::kOctets;
}

void ReadData(absl::string_view data, RegistryValue& value) {
  data = absl::StripAsciiWhitespace(data);
  if (data == "-") {
    value.type = RegistryValue::Type::kDeleted;
  } else if (absl::StartsWithIgnoreCase(data, "dword:")) {
    ReadDword(data.substr(6), value);
  } else if (absl::StartsWithIgnoreCase(data, "hex")) {
    ReadOctets(data, value);
  } else if (std::optional<std::string> text = TakeQuoted(&data); text.has_value()) {
    value.type = RegistryValue::Type::kText;
    value.text = *std::move(text);
  }
}

// Reads the file line by line.
class Reader {
 public:
  explicit Reader(RegistryExport& read) : read_(read) {}

  void ReadLine(absl::string_view line, int number);
  // Takes away what is said and unsaid again.
  void Finish();

 private:
  void ReadKey(absl::string_view line);
  void ReadValue(absl::string_view line);
  bool IsDeletedLater(const RegistryValue& value) const;

  RegistryExport& read_;
  std::string key_;
  std::string continued_;
  int first_line_ = 0;
  // By path in small letters, with the last line that deletes it.
  std::unordered_map<std::string, int> deletions_;
  // By path and name in small letters, the last value's index.
  std::unordered_map<std::string, std::size_t> last_;
};

std::string IdOf(const RegistryValue& value) {
  return absl::AsciiStrToLower(absl::StrCat(value.key, "\n", value.name));
}

void Reader::ReadLine(absl::string_view line, int number) {
  line = absl::StripAsciiWhitespace(line);
  if (continued_.empty()) {
    first_line_ = number;
    if (line.empty() || line.front() == ';') return;
    if (line.front() == '[') return ReadKey(line);
  }
  // Octets go on behind a backslash at the end of a line.
  if (absl::ConsumeSuffix(&line, "\\")) {
    absl::StrAppend(&continued_, line);
    return;
  }
  absl::StrAppend(&continued_, line);
  ReadValue(continued_);
  continued_.clear();
}

void Reader::ReadKey(absl::string_view line) {
  const std::size_t end = line.rfind(']');
  if (end == absl::string_view::npos) return;
  absl::string_view path = line.substr(1, end - 1);
  const bool deleted = absl::ConsumePrefix(&path, "-");
  key_ = deleted ? "" : std::string(path);
  read_.keys.push_back({std::string(path), first_line_, deleted});
  if (deleted) deletions_[absl::AsciiStrToLower(path)] = first_line_;
}

void Reader::ReadValue(absl::string_view line) {
  if (key_.empty()) return;
  RegistryValue value;
  value.key = key_;
  value.line = first_line_;
  if (!absl::ConsumePrefix(&line, "@")) {
    std::optional<std::string> name = TakeQuoted(&line);
    if (!name.has_value()) return;
    value.name = *std::move(name);
  }
  line = absl::StripLeadingAsciiWhitespace(line);
  if (!absl::ConsumePrefix(&line, "=")) return;
  ReadData(line, value);
  last_[IdOf(value)] = read_.values.size();
  read_.values.push_back(std::move(value));
}

bool Reader::IsDeletedLater(const RegistryValue& value) const {
  std::string path = absl::AsciiStrToLower(value.key);
  while (true) {
    const auto deletion = deletions_.find(path);
    if (deletion != deletions_.end() && deletion->second > value.line) return true;
    const std::size_t parent = path.rfind('\\');
    if (parent == std::string::npos) return false;
    path.resize(parent);
  }
}

void Reader::Finish() {
  // The last word counts, as when it is imported.
  std::vector<RegistryValue> values;
  for (std::size_t i = 0; i < read_.values.size(); ++i) {
    RegistryValue& value = read_.values[i];
    if (last_[IdOf(value)] != i || IsDeletedLater(value)) continue;
    values.push_back(std::move(value));
  }
  read_.values = std::move(values);
}

bool IsUtf16(absl::string_view octets) {
  return absl::StartsWith(octets, "\xFF\xFE") || absl::StartsWith(octets, "\xFE\xFF") ||
         octets.substr(0, 4).find('\0') != absl::string_view::npos;
}

}  // namespace

absl::StatusOr<RegistryExport> ReadRegistryExport(absl::string_view octets) {
  if (octets.size() > kLargestRegistryExport) {
    return Invalid(absl::StrCat("it has more than ", kLargestRegistryExport >> 20, " MiB"));
  }
  const std::string text = ca::AsText(octets);
  if (!ca::DecodeUtf8(text).has_value()) {
    return Invalid("it is neither UTF-16 nor UTF-8: export it again with `reg export`");
  }
  RegistryExport read;
  read.is_utf16 = IsUtf16(octets);
  const std::vector<absl::string_view> lines = absl::StrSplit(text, '\n');
  const absl::string_view header = absl::StripAsciiWhitespace(lines.front());
  read.is_old_form = absl::EqualsIgnoreCase(header, kOldHeader);
  if (!read.is_old_form && !absl::EqualsIgnoreCase(header, kHeader)) {
    return Invalid(absl::StrCat("it is no registry export: its first line is not `", kHeader, "`"));
  }
  Reader reader(read);
  for (std::size_t i = 1; i < lines.size(); ++i) {
    reader.ReadLine(lines[i], static_cast<int>(i) + 1);
  }
  reader.Finish();
  return read;
}

std::optional<std::string> BelowControlSet(absl::string_view path) {
  const std::string lower = absl::AsciiStrToLower(path);
  absl::string_view rest = lower;
  if (!absl::ConsumePrefix(&rest, "hkey_local_machine\\system\\")) return std::nullopt;
  if (absl::ConsumePrefix(&rest, "currentcontrolset\\")) return std::string(rest);
  if (!absl::ConsumePrefix(&rest, "controlset")) return std::nullopt;
  const std::size_t digits = rest.find_first_not_of("0123456789");
  if (digits != 3 || rest[3] != '\\') return std::nullopt;
  return std::string(rest.substr(4));
}

}  // namespace hourglass::doctor
