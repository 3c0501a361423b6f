#include <memory>
#include <variant>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/key_type.h"
#include "tools/hourglass/keys.h"

namespace hourglass::cli {

Answer AnswerAboutMadeKey(const LocalKey& key, const std::string& key_type, bool created) {
  Answer answer;
  answer.json = {{"key_uri", key.canonical},
                 {"key_type", key_type},
                 {"fit", true},
                 {"created", created},
                 {"configuration", key.configuration}};
  answer.text = absl::StrCat(created ? "Created key " : "There already, and fit: key ",
                             key.canonical, ".\nFor hourglassd.yaml:\n\n", key.configuration,
                             "\nThen: ", CommandForRoot(key_type, key.canonical));
  return answer;
}

absl::StatusOr<Answer> CreateLocalKey(const KeyOptions& options) {
  if (!options.recovery_code_out.empty()) return CreateRecoverableKey(options);
  ASSIGN_OR_RETURN(const LocalKey key, ParseLocalKey(options.key));
  ASSIGN_OR_RETURN(const hsm::KeyType type, hsm::ParseKeyType(options.key_type));
  ASSIGN_OR_RETURN(const std::unique_ptr<hsm::KeyStore> store,
                   OpenLocalStore(key, options.custody));
  absl::StatusOr<std::unique_ptr<hsm::SigningKey>> signing_key = store->Open(options.key);
  const bool missing = ReasonOf(signing_key.status()) == ErrorReason::kKeyNotFound;
  if (missing) signing_key = store->Generate(options.key, type);
  RETURN_IF_ERROR(signing_key.status());
  if ((*signing_key)->type() != type) {
    return Error(ErrorReason::kKeyExists, "--key",
                 absl::StrCat("a key of this name is there, of type ",
                              hsm::KeyTypeName((*signing_key)->type()), ": choose another name"));
  }
  Answer answer = AnswerAboutMadeKey(key, options.key_type, missing);
  const auto* const sealed = std::get_if<hsm::SealedKeyUri>(&key.uri);
  if (missing && sealed != nullptr && !sealed->registers.value_or(hsm::PcrSelection()).empty()) {
    absl::StrAppend(&answer.text,
                    "It has no recovery code: where the registers change before `keys reseal`, it "
                    "is lost. A key with one is made with --recovery-code-out FILE.\n");
  }
  return answer;
}

}  // namespace hourglass::cli
