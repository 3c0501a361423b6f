#include "issuance/config/keys_config.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "hsm/key/key_uri.h"
#include "hsm/key/sealer.h"
#include "hsm/keyholder/process/account.h"
#include "issuance/base/file_trust.h"
#include "issuance/config/tls_files.h"

namespace hourglass::issuance {
namespace {

using yaml::Mapping;

// What is wrong with a PKCS#11 module as a file; empty if nothing is.
std::string MistakeInModule(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  char magic[4] = {};
  if (!file) return absl::StrCat("cannot be read: ", std::strerror(errno));
  file.read(magic, sizeof(magic));
  return std::memcmp(magic, "\177ELF", sizeof(magic)) == 0 ? "" : "is no shared library";
}

std::string MistakeInPinSource(const hsm::PinSource& source) {
  if (source.kind != hsm::PinSource::Kind::kFile) return "";
  std::string mistake = MistakeInSecretFile(source.name);
  if (mistake.empty() && access(source.name.c_str(), R_OK) != 0) {
    mistake = absl::StrCat("cannot be read: ", std::strerror(errno));
  }
  return mistake;
}

// What is wrong with where SoftHSM keeps its tokens; empty if nothing is, or it is another module.
// The folder may be an account's of its own.
std::string MistakeInSofthsm(const std::string& module_path) {
  if (!absl::StrContains(module_path, "softhsm")) return "";
  const char* const named = std::getenv("SOFTHSM2_CONF");
  const std::string file = named != nullptr ? named : "/etc/softhsm/softhsm2.conf";
  if (std::string mistake = MistakeInTrust(file); !mistake.empty()) return mistake;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    const std::vector<std::string> parts = absl::StrSplit(line, absl::MaxSplits('=', 1));
    if (parts.size() != 2 || absl::StripAsciiWhitespace(parts[0]) != "directories.tokendir")
      continue;
    return MistakeInWriters(std::string(absl::StripAsciiWhitespace(parts[1])));
  }
  return "";
}

void CheckToken(const hsm::TokenUri& token, Mapping fields, std::size_t index, FileChecks checks) {
  if (checks == FileChecks::kNone) return;
  if (const std::string mistake = MistakeInPinSource(token.pin_source); !mistake.empty()) {
    fields.ItemMistake("tokens", index, absl::StrCat("pin-source ", mistake));
  }
  if (const std::string mistake = MistakeInTrust(token.module_path); !mistake.empty()) {
    fields.ItemMistake("tokens", index, absl::StrCat("module-path ", mistake));
  }
  if (const std::string mistake = MistakeInSofthsm(token.module_path); !mistake.empty()) {
    fields.ItemMistake("tokens", index, mistake);
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
    if (!absl::SimpleAtoi(texts[i], &number) || number < 0 || number > hsm::kHighestRegister) {
      fields.ItemMistake("registers", i, "must be a number from 0 to 23");
    } else if (!registers.empty() && number <= registers.back()) {
      fields.ItemMistake("registers", i, "must be more than the one before it");
    } else {
      registers.push_back(number);
    }
  }
  return registers;
}

std::optional<hsm::TpmPlace> ReadTpm(Mapping fields, FileChecks checks, FileChecks held) {
  if (!fields.present()) return std::nullopt;
  hsm::TpmPlace tpm;
  tpm.tcti = fields.String("tcti").value_or(tpm.tcti);
  tpm.sealed_directory = ReadFolder(fields, "sealed_directory", checks);
  tpm.pin_source = fields.String("pin_source").value_or("");
  tpm.registers = ReadRegisters(fields);
  if (fields.Has("registers") && !fields.Has("sealed_directory")) {
    fields.Mistake("registers",
                   "does nothing without sealed_directory: only sealed keys are bound");
  }
  if (tpm.pin_source.empty()) return tpm;
  const auto source = hsm::ParsePinSource(tpm.pin_source);
  if (!source.ok()) {
    fields.Mistake("pin_source", "must be file:ABSOLUTE-PATH, env:NAME or credential:NAME");
  } else if (held != FileChecks::kNone) {
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

void CheckTrust(const std::string& program, absl::string_view name, Mapping fields) {
  const std::string mistake = program.empty() ? "" : MistakeInTrust(program);
  if (!mistake.empty()) fields.Mistake(name, mistake);
}

std::string ReadKeyholder(Mapping fields, FileChecks checks, bool needed) {
  const bool in_process = fields.Bool("in_process").value_or(false);
  std::string program = fields.Path("keyholder").value_or("");
  if (in_process) {
    if (!program.empty()) fields.Mistake("keyholder", "is not used with in_process");
    return "";
  }
  if (checks == FileChecks::kNone) return program;
  if (program.empty()) {
    if (!needed) return "";
    program = FindKeyholder(fields);
    CheckTrust(program, "", fields);
    return program;
  }
  if (!IsProgram(program)) {
    fields.Mistake("keyholder", "is no program that can be run");
  } else {
    CheckTrust(program, "keyholder", fields);
  }
  return program;
}

// Of the environment of this service.
bool IsVariableName(absl::string_view name) {
  return !name.empty() && !absl::ascii_isdigit(static_cast<unsigned char>(name[0])) &&
         std::all_of(name.begin(), name.end(), [](unsigned char octet) {
           return absl::ascii_isalnum(octet) || octet == '_';
         });
}

// The variables that PINs are in.
std::set<std::string> VariablesOfPins(const hsm::KeyStoreOptions& keys) {
  std::set<std::string> names;
  const auto add = [&](const absl::StatusOr<hsm::PinSource>& source) {
    if (source.ok() && source->kind == hsm::PinSource::Kind::kEnvironment) {
      names.insert(source->name);
    }
  };
  for (const std::string& text : keys.tokens) {
    const absl::StatusOr<hsm::TokenUri> token = hsm::ParseTokenUri(text);
    if (token.ok()) add(token->pin_source);
  }
  if (keys.tpm.has_value()) add(hsm::ParsePinSource(keys.tpm->pin_source));
  return names;
}

std::vector<std::string> ReadEnvironment(Mapping fields, const hsm::KeyStoreOptions& keys) {
  const std::set<std::string> pins = VariablesOfPins(keys);
  std::vector<std::string> names = fields.Strings("environment");
  std::set<std::string> seen;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!IsVariableName(names[i])) {
      fields.ItemMistake("environment", i, "must be the name of a variable: A-Z a-z 0-9 and _");
    } else if (pins.count(names[i]) != 0 || names[i] == "CREDENTIALS_DIRECTORY") {
      fields.ItemMistake("environment", i, "leads to a PIN: those get it that need that PIN");
    } else if (!seen.insert(names[i]).second) {
      fields.ItemMistake("environment", i, "appears twice");
    }
  }
  return names;
}

// What only the service has: its environment, and systemd's credentials, which are of the account
// that systemd starts it as.
void RefusePinsOfTheService(Mapping fields, const hsm::KeyStoreOptions& keys) {
  const std::string mistake = "must be a file: with keys.account, one of that account";
  const auto is_of_service = [](const absl::StatusOr<hsm::PinSource>& source) {
    return source.ok() && source->kind != hsm::PinSource::Kind::kFile;
  };
  for (std::size_t i = 0; i < keys.tokens.size(); ++i) {
    const absl::StatusOr<hsm::TokenUri> token = hsm::ParseTokenUri(keys.tokens[i]);
    if (token.ok() && is_of_service(token->pin_source)) {
      fields.ItemMistake("tokens", i, absl::StrCat("pin-source ", mistake));
    }
  }
  if (keys.tpm.has_value() && is_of_service(hsm::ParsePinSource(keys.tpm->pin_source))) {
    fields.Optional("tpm").Mistake("pin_source", mistake);
  }
}

// What counts for tokens and the TPM only, or for processes of their own only.
void RefuseIdleFields(Mapping fields) {
  const bool in_process = fields.Bool("in_process").value_or(false);
  const bool held = fields.Has("tokens") || fields.Has("tpm");
  for (const char* name : {"workers_per_token", "hang_timeout", "environment", "account"}) {
    if (in_process && fields.Has(name)) fields.Mistake(name, "does nothing with in_process");
  }
  if (held) return;
  for (const char* name : {"sessions_per_token", "workers_per_token", "hang_timeout", "keyholder",
                           "environment", "account", "in_process"}) {
    if (fields.Has(name)) fields.Mistake(name, "does nothing without tokens or tpm");
  }
}

}  // namespace

std::vector<std::string> KeyholderPlaces(const std::string& directory) {
  return {absl::StrCat(directory, "/hourglass-keyholder"),
          absl::StrCat(directory, "/../keyholder/hourglass-keyholder"),
          absl::StrCat(directory, "/../libexec/hourglass/hourglass-keyholder")};
}

std::string ReadAccount(Mapping fields, FileChecks checks) {
  const std::string name = fields.String("account").value_or("");
  if (name.empty() || checks == FileChecks::kNone) return name;
  const absl::StatusOr<hsm::Account> account = hsm::FindAccount(name);
  if (!account.ok()) {
    fields.Mistake("account", account.status().message());
  } else if (account->user == 0) {
    fields.Mistake("account", "must be another than root");
  }
  return name;
}

hsm::KeyStoreOptions ReadKeys(Mapping fields, FileChecks checks, FileChecks of_keyholders) {
  hsm::KeyStoreOptions keys;
  keys.keyholder_account = ReadAccount(fields, checks);
  const FileChecks held = fields.Has("account") ? of_keyholders : checks;
  keys.tokens = ReadTokens(fields, held);
  keys.software_directory = ReadFolder(fields, "software_directory", checks);
  keys.tpm = ReadTpm(fields.Optional("tpm"), checks, held);
  keys.sessions_per_token =
      fields.Integer("sessions_per_token", 1, 256).value_or(keys.sessions_per_token);
  keys.workers_per_token =
      fields.Integer("workers_per_token", 1, 64).value_or(keys.workers_per_token);
  keys.hang_timeout =
      fields.Duration("hang_timeout", std::chrono::milliseconds(100), std::chrono::seconds(60))
          .value_or(keys.hang_timeout);
  keys.keyholder_program = ReadKeyholder(fields, checks != FileChecks::kNone ? checks : held,
                                         !keys.tokens.empty() || keys.tpm.has_value());
  keys.keyholder_environment = ReadEnvironment(fields, keys);
  if (fields.Has("account")) RefusePinsOfTheService(fields, keys);
  if (!fields.Has("tokens") && !fields.Has("software_directory") && !fields.Has("tpm")) {
    fields.Mistake("", "must have tokens, tpm or software_directory");
  } else {
    RefuseIdleFields(fields);
  }
  return keys;
}

}  // namespace hourglass::issuance
