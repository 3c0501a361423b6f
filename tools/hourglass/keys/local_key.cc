#include "tools/hourglass/keys/local_key.h"

#include <unistd.h>

#include <filesystem>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/keyholder/remote_custodian.h"
#include "hsm/tpm/tpm_custodian.h"
#include "issuance/config/keys_config.h"
#include "tools/client/failure.h"

namespace hourglass::cli {
namespace {

constexpr char kLocalForm[] =
    "this command reads the key on this machine, without a service, so the URI must say where it "
    "is: ";

absl::Status FormNeeded(absl::string_view form) {
  return Error(ErrorReason::kKeyUriInvalid, "--key", absl::StrCat(kLocalForm, form));
}

// A text of YAML: every JSON text is one.
std::string Quoted(const std::string& text) { return client::Json(text).dump(); }

absl::Status Describe(const hsm::TokenKeyUri& uri, LocalKey& key) {
  if (uri.module_path.empty() || uri.pin_source.empty()) {
    return FormNeeded(
        "'pkcs11:token=LABEL;object=NAME?module-path=/MODULE.so&pin-source=file:/PIN-FILE'");
  }
  const std::size_t query = key.text.find('?');
  const std::string token = hsm::FormatToken({uri.token_label, uri.token_serial, "", {}}) +
                            (query == std::string::npos ? "" : key.text.substr(query));
  key.places.tokens = {token};
  key.configuration = absl::StrCat("keys:\n  tokens:\n    - ", Quoted(token), "\n");
  return absl::OkStatus();
}

absl::Status Describe(const hsm::SoftwareKeyUri& uri, LocalKey& key) {
  if (uri.directory.empty()) return FormNeeded("software:/FOLDER/NAME");
  key.places.software_directory = uri.directory;
  key.configuration = absl::StrCat("keys:\n  software_directory: ", Quoted(uri.directory), "\n");
  return absl::OkStatus();
}

void DescribeTpm(hsm::TpmPlace place, LocalKey& key) {
  key.configuration = absl::StrCat("keys:\n  tpm:\n    tcti: ", Quoted(place.tcti), "\n");
  if (!place.sealed_directory.empty()) {
    absl::StrAppend(&key.configuration, "    sealed_directory: ", Quoted(place.sealed_directory),
                    "\n");
  }
  if (!place.pin_source.empty()) {
    absl::StrAppend(&key.configuration, "    pin_source: ", Quoted(place.pin_source), "\n");
  }
  if (!place.registers.empty()) {
    absl::StrAppend(&key.configuration, "    registers: [", absl::StrJoin(place.registers, ", "),
                    "]\n");
  }
  key.places.tpm = std::move(place);
}

absl::Status Describe(const hsm::SealedKeyUri& uri, LocalKey& key) {
  if (uri.directory.empty()) return FormNeeded("tpm:sealed=/FOLDER/NAME[;pcrs=sha256:0,2,7]");
  hsm::TpmPlace place;
  if (!uri.tcti.empty()) place.tcti = uri.tcti;
  place.sealed_directory = uri.directory;
  place.pin_source = uri.pin_source;
  if (uri.registers.has_value()) place.registers = *uri.registers;
  DescribeTpm(std::move(place), key);
  return absl::OkStatus();
}

absl::Status Describe(const hsm::ResidentKeyUri& uri, LocalKey& key) {
  hsm::TpmPlace place;
  if (!uri.tcti.empty()) place.tcti = uri.tcti;
  place.pin_source = uri.pin_source;
  DescribeTpm(std::move(place), key);
  return absl::OkStatus();
}

// Where hourglassd looks for it, too.
absl::StatusOr<std::string> KeyholderProgram(const std::string& given) {
  std::error_code error;
  std::vector<std::string> places = {given};
  if (given.empty()) {
    const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
    places = issuance::KeyholderPlaces(self.parent_path().string());
  }
  for (const std::string& place : places) {
    const std::string program = std::filesystem::absolute(place, error).string();
    if (!error && access(program.c_str(), X_OK) == 0) return program;
  }
  return Error(ErrorReason::kKeyUnavailable, "--keyholder",
               absl::StrCat("cannot run ", absl::StrJoin(places, ", "),
                            "; name it, or load the module into this program: --in-process"));
}

}  // namespace

bool SaysItsPlace(absl::string_view text) {
  const absl::StatusOr<hsm::KeyUri> uri = hsm::ParseKeyUri(text);
  if (!uri.ok()) return false;
  struct Visitor {
    bool operator()(const hsm::TokenKeyUri& token) const { return !token.module_path.empty(); }
    bool operator()(const hsm::SoftwareKeyUri& file) const { return !file.directory.empty(); }
    bool operator()(const hsm::SealedKeyUri& sealed) const { return !sealed.directory.empty(); }
    bool operator()(const hsm::ResidentKeyUri& resident) const { return !resident.tcti.empty(); }
  };
  return std::visit(Visitor(), *uri);
}

absl::StatusOr<LocalKey> ParseLocalKey(absl::string_view text) {
  LocalKey key;
  ASSIGN_OR_RETURN(key.uri, hsm::ParseKeyUri(text));
  key.text = std::string(text);
  key.canonical = hsm::FormatKeyUri(key.uri);
  RETURN_IF_ERROR(std::visit([&key](const auto& uri) { return Describe(uri, key); }, key.uri));
  return key;
}

absl::StatusOr<std::unique_ptr<hsm::KeyStore>> OpenLocalStore(const LocalKey& key,
                                                              const CustodyOptions& options) {
  hsm::KeyStoreOptions places = key.places;
  places.sessions_per_token = options.sessions;
  if (!options.in_process && !std::holds_alternative<hsm::SoftwareKeyUri>(key.uri)) {
    ASSIGN_OR_RETURN(places.keyholder_program, KeyholderProgram(options.keyholder));
  }
  return hsm::KeyStore::Create(places);
}

absl::StatusOr<LocalTpm> OpenLocalTpm(const LocalKey& key, const CustodyOptions& options) {
  hsm::TpmConnection connection;
  connection.tcti = key.places.tpm->tcti;
  if (!key.places.tpm->pin_source.empty()) {
    ASSIGN_OR_RETURN(connection.pin_source, hsm::ParsePinSource(key.places.tpm->pin_source));
  }
  if (options.in_process) {
    std::unique_ptr<hsm::TpmCustodian> custodian = hsm::TpmCustodian::Create(connection);
    hsm::Sealer* const sealer = custodian.get();
    return LocalTpm{std::move(custodian), sealer};
  }
  hsm::RemoteCustodianOptions remote;
  ASSIGN_OR_RETURN(remote.program, KeyholderProgram(options.keyholder));
  std::unique_ptr<hsm::RemoteCustodian> custodian =
      hsm::RemoteCustodian::Create(connection, remote, nullptr);
  hsm::Sealer* const sealer = custodian.get();
  return LocalTpm{std::move(custodian), sealer};
}

std::string ShellWord(absl::string_view text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "'\\''"}}), "'");
}

std::string CommandForRoot(absl::string_view key_type, absl::string_view canonical_uri) {
  return absl::StrCat("hourglass roots create --tenant TENANT --duration 2y --key-type ", key_type,
                      " --key ", ShellWord(canonical_uri), "\n");
}

}  // namespace hourglass::cli
