#include <unistd.h>

#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/key_type.h"
#include "hsm/tpm/sealed_folder.h"
#include "tools/client/files.h"
#include "tools/hourglass/keys.h"

namespace hourglass::cli {
namespace {

// Overwritten when it goes.
class Secret {
 public:
  Secret() = default;
  ~Secret() { explicit_bzero(text.data(), text.size()); }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;

  std::string text;
};

absl::StatusOr<hsm::SealedKeyUri> SealedUri(const LocalKey& key) {
  const auto* const sealed = std::get_if<hsm::SealedKeyUri>(&key.uri);
  if (sealed != nullptr) return *sealed;
  return Error(ErrorReason::kKeyUriInvalid, "--key",
               "only a sealed key has registers and a recovery code: tpm:sealed=/FOLDER/NAME");
}

absl::StatusOr<hsm::SealedFolder> FolderOf(const hsm::SealedKeyUri& key) {
  return hsm::SealedFolder::Create(key.directory, key.pin_source.empty()
                                                      ? hsm::SealAuthorization::kNone
                                                      : hsm::SealAuthorization::kPin);
}

absl::Status RefuseFileThatIsThere(const std::string& path) {
  if (path == client::kStandardStream) return absl::OkStatus();
  if (access(path.c_str(), F_OK) != 0) return absl::OkStatus();
  return Error(ErrorReason::kKeyExists, "--recovery-code-out",
               absl::StrCat(path, " is there, and may hold the code of another key"));
}

}  // namespace

absl::StatusOr<Answer> CreateRecoverableKey(const KeyOptions& options) {
  ASSIGN_OR_RETURN(const LocalKey key, ParseLocalKey(options.key));
  ASSIGN_OR_RETURN(const hsm::SealedKeyUri uri, SealedUri(key));
  ASSIGN_OR_RETURN(const hsm::KeyType type, hsm::ParseKeyType(options.key_type));
  RETURN_IF_ERROR(RefuseFileThatIsThere(options.recovery_code_out));
  // Before there is a key whose code could not be kept.
  RETURN_IF_ERROR(client::ReplaceFile(options.recovery_code_out, "", 0600));
  absl::Cleanup take_file_away = [&options] {
    static_cast<void>(client::RemoveFile(options.recovery_code_out));
  };
  ASSIGN_OR_RETURN(const hsm::SealedFolder folder, FolderOf(uri));
  ASSIGN_OR_RETURN(const LocalTpm tpm, OpenLocalTpm(key, options.custody));
  Secret code;
  RETURN_IF_ERROR(folder
                      .Generate(uri.name, type, uri.registers.value_or(hsm::PcrSelection()),
                                *tpm.sealer, &code.text)
                      .status());
  code.text += '\n';
  const absl::Status kept = client::ReplaceFile(options.recovery_code_out, code.text, 0600);
  if (!kept.ok()) {
    // Nobody has the code, and the key has signed nothing.
    static_cast<void>(folder.Destroy(uri.name));
    return kept;
  }
  std::move(take_file_away).Cancel();
  Answer answer = AnswerAboutMadeKey(key, options.key_type, true);
  answer.json["recovery_code_file"] = options.recovery_code_out;
  const bool is_shown = options.recovery_code_out == client::kStandardStream;
  absl::StrAppend(&answer.text, "Its recovery code is ",
                  is_shown ? "above" : absl::StrCat("in ", options.recovery_code_out),
                  ": take it off this machine. With it, and this TPM, the key opens whatever the "
                  "registers hold.\n");
  return answer;
}

absl::StatusOr<Answer> ResealKey(const KeyOptions& options) {
  ASSIGN_OR_RETURN(const LocalKey key, ParseLocalKey(options.key));
  ASSIGN_OR_RETURN(const hsm::SealedKeyUri uri, SealedUri(key));
  ASSIGN_OR_RETURN(const hsm::SealedFolder folder, FolderOf(uri));
  ASSIGN_OR_RETURN(const hsm::SealedKeyListing sealed, folder.Describe(uri.name));
  const hsm::PcrSelection registers = uri.registers.value_or(sealed.registers);
  Secret code;
  if (!options.recovery_code_file.empty()) {
    ASSIGN_OR_RETURN(code.text, client::ReadWholeFile(options.recovery_code_file));
    if (code.text.empty()) {
      return Error(ErrorReason::kPinRefused, "--recovery-code-file",
                   absl::StrCat(options.recovery_code_file, " is empty"));
    }
  }
  ASSIGN_OR_RETURN(const LocalTpm tpm, OpenLocalTpm(key, options.custody));
  RETURN_IF_ERROR(folder.Reseal(uri.name, registers, code.text, *tpm.sealer));
  const std::string bound = registers.empty() ? "this TPM, in any state"
                                              : absl::StrCat(hsm::FormatPcrSelection(registers),
                                                             " as these registers are now");
  return Answer{absl::StrCat("Resealed key ", key.canonical, ": bound to ", bound, ".\n"),
                {{"key_uri", key.canonical}, {"registers", hsm::FormatPcrSelection(registers)}}};
}

}  // namespace hourglass::cli
