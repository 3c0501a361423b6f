#include "issuance/keys_config.h"

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "hsm/key_uri.h"
#include "issuance/tls_files.h"

namespace hourglass::issuance {
namespace {

using yaml::Mapping;

constexpr int kHighestRegister = 23;

// What is wrong with a PKCS#11 module as a file; empty if nothing is.
std::string MistakeInModule(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  char magic[4] = {};
  if (!file) return absl::StrCat("cannot be read: ", std::strerror(errno));
  file.read(magic, sizeof(magic));
  return std::memcmp(magic, "\177ELF", sizeof(magic)) == 0 ? "" : "is no shared library";
}

std::string MistakeInPinSource(const hsm::PinSource& source) {
  return source.kind == hsm::PinSource::Kind::kFile ? MistakeInSecretFile(source.name) : "";
}

void CheckToken(const hsm::TokenUri& token, Mapping fields, std::size_t index, FileChecks checks) {
  if (checks == FileChecks::kNone) return;
  if (const std::string mistake = MistakeInPinSource(token.pin_source); !mistake.empty()) {
    fields.ItemMistake("tokens", index, absl::StrCat("pin-source ", mistake));
  }
  // A token whose module is away is no reason not to start: it is found when it comes back.
  if (checks != FileChecks::kAll) return;
  if (const std::string mistake = MistakeInModule(token.module_path); !mistake.empty()) {
    fields.ItemMistake("tokens", index, absl::StrCat("module-path ", mistake));
  }
}

std::vector<std::string> ReadTokens(Mapping fields, FileChecks checks) {
  std::vector<std::string> tokens = fields.Strings("tokens");
  std::map<std::string, int> seen;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const auto token = hsm::ParseTokenUri(tokens[i]);
    if (!token.ok()) {
      fields.ItemMistake("tokens", i, token.status().message());
      continue;
    }
    if (++seen[hsm::FormatToken(*token)] == 2) fields.ItemMistake("tokens", i, "appears twice");
    CheckToken(*token, fields, i, checks);
  }
  return tokens;
}

std::string ReadFolder(Mapping fields, absl::string_view name, FileChecks checks) {
  std::string path = fields.Path(name).value_or("");
  if (checks != FileChecks::kNone && !path.empty()) CheckFolder(path, fields, name);
  return path;
}

std::vector<int> ReadRegisters(Mapping fields) {
  std::vector<int> registers;
  const std::vector<std::string> texts = fields.Strings("registers");
  for (std::size_t i = 0; i < texts.size(); ++i) {
    int number = -1;
    if (!absl::SimpleAtoi(texts[i], &number) || number < 0 || number > kHighestRegister) {
      fields.ItemMistake("registers", i, "must be a number from 0 to 23");
    } else if (!registers.empty() && number <= registers.back()) {
      fields.ItemMistake("registers", i, "must be more than the one before it");
    } else {
      registers.push_back(number);
    }
  }
  return registers;
}

std::optional<hsm::TpmPlace> ReadTpm(Mapping fields, FileChecks checks) {
  if (!fields.present()) return std::nullopt;
  hsm::TpmPlace tpm;
  tpm.tcti = fields.String("tcti").value_or(tpm.tcti);
  tpm.sealed_directory = ReadFolder(fields, "sealed_directory", checks);
  tpm.pin_source = fields.String("pin_source").value_or("");
  tpm.registers = ReadRegisters(fields);
  if (tpm.pin_source.empty()) return tpm;
  const auto source = hsm::ParsePinSource(tpm.pin_source);
  if (!source.ok()) {
    fields.Mistake("pin_source", "must be file:ABSOLUTE-PATH, env:NAME or credential:NAME");
  } else if (checks != FileChecks::kNone) {
    const std::string mistake = MistakeInPinSource(*source);
    if (!mistake.empty()) fields.Mistake("pin_source", mistake);
  }
  return tpm;
}

bool IsProgram(const std::string& path) {
  std::error_code error;
  return std::filesystem::is_regular_file(path, error) && access(path.c_str(), X_OK) == 0;
}

// Empty where none is found.
std::string FindKeyholder(Mapping fields) {
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  const std::vector<std::string> places = KeyholderPlaces(self.parent_path().string());
  for (const std::string& place : places) {
    if (IsProgram(place)) return std::filesystem::path(place).lexically_normal().string();
  }
  fields.Mistake("", absl::StrCat("hourglass-keyholder was not found, looked for ",
                                  absl::StrJoin(places, ", "), ": set keyholder to its path"));
  return "";
}

std::string ReadKeyholder(Mapping fields, FileChecks checks, bool needed) {
  const bool in_process = fields.Bool("in_process").value_or(false);
  std::string program = fields.Path("keyholder").value_or("");
  if (in_process) {
    if (!program.empty()) fields.Mistake("keyholder", "is not used with in_process");
    return "";
  }
  if (checks == FileChecks::kNone) return program;
  if (program.empty()) return needed ? FindKeyholder(fields) : "";
  if (!IsProgram(program)) fields.Mistake("keyholder", "is no program that can be run");
  return program;
}

}  // namespace

std::vector<std::string> KeyholderPlaces(const std::string& directory) {
  return {absl::StrCat(directory, "/hourglass-keyholder"),
          absl::StrCat(directory, "/../keyholder/hourglass-keyholder"),
          absl::StrCat(directory, "/../libexec/hourglass/hourglass-keyholder")};
}

hsm::KeyStoreOptions ReadKeys(Mapping fields, FileChecks checks) {
  hsm::KeyStoreOptions keys;
  keys.tokens = ReadTokens(fields, checks);
  keys.software_directory = ReadFolder(fields, "software_directory", checks);
  keys.tpm = ReadTpm(fields.Optional("tpm"), checks);
  keys.sessions_per_token =
      fields.Integer("sessions_per_token", 1, 256).value_or(keys.sessions_per_token);
  keys.workers_per_token =
      fields.Integer("workers_per_token", 1, 64).value_or(keys.workers_per_token);
  keys.hang_timeout =
      fields.Duration("hang_timeout", std::chrono::milliseconds(100), std::chrono::seconds(60))
          .value_or(keys.hang_timeout);
  keys.keyholder_program =
      ReadKeyholder(fields, checks, !keys.tokens.empty() || keys.tpm.has_value());
  if (!fields.Has("tokens") && !fields.Has("software_directory") && !fields.Has("tpm")) {
    fields.Mistake("", "must have tokens, tpm or software_directory");
  }
  return keys;
}

}  // namespace hourglass::issuance
