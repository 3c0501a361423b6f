#include <algorithm>
#include <chrono>
#include <memory>
#include <variant>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/key_type.h"
#include "hsm/signature.h"
#include "tools/client/table.h"
#include "tools/client/wording.h"
#include "tools/hourglass/keys.h"
#include "tools/hourglass/module_inventory.h"

namespace hourglass::cli {
namespace {

using client::Json;

constexpr int kTestSignatures = 5;

std::string TextOf(const Json& json, const char* member) { return json.value(member, ""); }

// What a flag that a token shows means to whoever sets it up.
std::string WarningInWords(const std::string& flag) {
  if (flag == "CKF_WRITE_PROTECTED") return "it is write protected: no key can be made";
  if (flag == "CKF_USER_PIN_COUNT_LOW") return "a wrong PIN was tried since the last right one";
  if (flag == "CKF_USER_PIN_FINAL_TRY") return "the next wrong PIN locks it";
  if (flag == "CKF_USER_PIN_LOCKED")
    return "the user PIN is locked: the security officer unlocks it";
  if (flag == "CKF_USER_PIN_TO_BE_CHANGED") return "the user PIN must be changed before it is used";
  if (flag == "CKF_PROTECTED_AUTHENTICATION_PATH")
    return "it may ask for its PIN on a pad of its own";
  if (flag == "not CKF_USER_PIN_INITIALIZED") return "it has no user PIN yet";
  return flag;
}

std::string MechanismsInWords(const Json& token) {
  std::vector<std::string> words;
  for (const Json& mechanism : token["mechanisms"]) {
    words.push_back(absl::StrCat(TextOf(mechanism, "name"), " ",
                                 mechanism["min_key_size"].get<std::uint64_t>(), "-",
                                 mechanism["max_key_size"].get<std::uint64_t>()));
  }
  return words.empty() ? "none of EC and RSA" : absl::StrJoin(words, ", ");
}

std::string WarningsInWords(const Json& token) {
  std::vector<std::string> words;
  for (const Json& flag : token["warnings"]) {
    words.push_back(WarningInWords(flag.get<std::string>()));
  }
  return absl::StrJoin(words, "; ");
}

std::string TokenInWords(const Json& token) {
  if (!token["initialized"].get<bool>()) return client::FormatFacts({{"Token", "not initialised"}});
  std::vector<std::string> types = token["key_types"];
  return client::FormatFacts(
      {{"Token", TextOf(token, "label")},
       {"Serial", TextOf(token, "serial")},
       {"Model", absl::StrCat(TextOf(token, "model"), ", ", TextOf(token, "manufacturer"))},
       {"Keys for roots", types.empty() ? "none" : absl::StrJoin(types, ", ")},
       {"Mechanisms", MechanismsInWords(token)},
       {"Attention", WarningsInWords(token)},
       {"URI", hsm::FormatToken({TextOf(token, "label"), TextOf(token, "serial"), "", {}})}});
}

std::string ModuleInWords(const Json& module) {
  std::string text = absl::StrCat(
      "Module ", client::Printable(TextOf(module, "path")), "\n",
      client::FormatFacts(
          {{"Library", absl::StrCat(TextOf(module, "library"), " ", TextOf(module, "version"))},
           {"Manufacturer", TextOf(module, "manufacturer")},
           {"Cryptoki", TextOf(module, "cryptoki_version")}}));
  for (const Json& slot : module["slots"]) {
    absl::StrAppendFormat(&text, "Slot 0x%x: %s\n", slot["slot_id"].get<std::uint64_t>(),
                          client::Printable(TextOf(slot, "description")));
    text += slot.contains("token") ? TokenInWords(slot["token"])
                                   : client::FormatFacts({{"Token", "none"}});
  }
  if (module["slots"].empty()) text += "No slots.\n";
  return text;
}

absl::StatusOr<Answer> ProbeModule(const std::string& path, std::chrono::seconds deadline) {
  ASSIGN_OR_RETURN(Json inventory, TakeInventory(path, "", deadline));
  Answer answer{ModuleInWords(inventory["module"]), std::move(inventory)};
  absl::StrAppend(&answer.text,
                  "Keys are not shown: that takes a login. Next: hourglass keys probe --key ",
                  ShellWord(absl::StrCat("pkcs11:token=LABEL;object=NAME?module-path=", path,
                                         "&pin-source=file:/PIN-FILE")),
                  "\n");
  return answer;
}

struct TestSignature {
  std::chrono::nanoseconds median{0};
};

// Signs a few times and verifies each. Errors: those of SigningKey::Sign, KEY_MISMATCH.
absl::StatusOr<TestSignature> Test(hsm::SigningKey& key) {
  ASSIGN_OR_RETURN(const hsm::VerifyingKey verifying,
                   hsm::VerifyingKey::FromPublicKey(key.public_key()));
  std::vector<std::chrono::nanoseconds> times;
  for (int i = 0; i < kTestSignatures; ++i) {
    const std::string message = absl::StrCat("hourglass keys probe ", i);
    const auto before = std::chrono::steady_clock::now();
    ASSIGN_OR_RETURN(const std::string signature, key.Sign(message));
    times.push_back(std::chrono::steady_clock::now() - before);
    RETURN_IF_ERROR(verifying.Verify(message, signature));
  }
  std::sort(times.begin(), times.end());
  return TestSignature{times[times.size() / 2]};
}

// Whether the listed key is the one that the URI names.
bool Names(const hsm::TokenKeyUri& uri, const Json& key) {
  return TextOf(key, "label") == uri.object &&
         (uri.id.empty() || TextOf(key, "id") == client::Hex(uri.id));
}

std::string AttributesInWords(const Json& attributes) {
  std::vector<std::string> words;
  for (const auto& [name, value] : attributes.items()) {
    words.push_back(absl::StrCat(name, value.is_null()     ? " not told"
                                       : value.get<bool>() ? " yes"
                                                           : " no"));
  }
  return absl::StrJoin(words, ", ");
}

// What the token says of the key and its neighbours, before the key is used.
absl::Status LookIntoToken(const hsm::TokenKeyUri& uri, const LocalKey& key,
                           std::chrono::seconds deadline, Answer& answer) {
  ASSIGN_OR_RETURN(const Json inventory,
                   TakeInventory(uri.module_path, key.places.tokens.front(), deadline));
  std::vector<std::string> others;
  for (const Json& slot : inventory["module"]["slots"]) {
    if (!slot.contains("token") || TextOf(slot["token"], "label") != uri.token_label) continue;
    answer.json["token"] = slot["token"];
    absl::StrAppend(&answer.text, TokenInWords(slot["token"]));
  }
  answer.json["keys"] = Json::array();
  for (const Json& found : inventory["keys"]) {
    if (!Names(uri, found)) {
      others.push_back(TextOf(found, "label"));
      continue;
    }
    answer.json["keys"].push_back(found);
    absl::StrAppend(&answer.text,
                    client::FormatFacts({{"Id", TextOf(found, "id")},
                                         {"Attributes", AttributesInWords(found["attributes"])}}));
  }
  answer.json["other_keys"] = others;
  if (answer.json["keys"].empty() && !others.empty()) {
    absl::StrAppend(&answer.text,
                    client::FormatFacts({{"Keys there", absl::StrJoin(others, ", ")}}));
  }
  return absl::OkStatus();
}

// The same place, under a name that no unfit key has.
std::string UriOfAnother(const LocalKey& key) {
  struct Visitor {
    std::string operator()(const hsm::TokenKeyUri& uri) const { return uri.object; }
    std::string operator()(const hsm::SoftwareKeyUri& uri) const { return uri.name; }
    std::string operator()(const hsm::SealedKeyUri& uri) const { return uri.name; }
    std::string operator()(const hsm::ResidentKeyUri& uri) const {
      return hsm::FormatHandle(uri.handle);
    }
  };
  std::string text = key.text;
  if (const auto* const token = std::get_if<hsm::TokenKeyUri>(&key.uri)) {
    const std::string query = text.substr(text.find('?'));
    return absl::StrCat(hsm::FormatKeyUri(hsm::TokenKeyUri{token->token_label, token->token_serial,
                                                           token->object + "-new", "", "", ""}),
                        query);
  }
  if (const auto* const resident = std::get_if<hsm::ResidentKeyUri>(&key.uri)) {
    const std::string handle = hsm::FormatHandle(resident->handle);
    const std::size_t at = text.find('=') + 1;
    return text.replace(at, handle.size(), hsm::FormatHandle(resident->handle + 1));
  }
  const std::string name = std::visit(Visitor(), key.uri);
  return text.insert(text.find(name, text.rfind('/')) + name.size(), "-new");
}

void SayWhatIsWrong(const LocalKey& key, const absl::Status& why, Answer& answer) {
  const bool missing = ReasonOf(why) == ErrorReason::kKeyNotFound;
  const std::string command = absl::StrCat("hourglass keys create --key-type ec-p256 --key ",
                                           ShellWord(missing ? key.text : UriOfAnother(key)));
  answer.exit_code = client::kExitFailed;
  answer.json["fit"] = false;
  answer.json["reason"] = client::ReasonInWords(why);
  answer.json["because"] = std::string(why.message());
  answer.json["next"] = command;
  absl::StrAppend(
      &answer.text,
      client::FormatFacts({{"Fit for a root", absl::StrCat("no: ", client::ReasonInWords(why), ": ",
                                                           why.message())}}),
      missing ? "Make it: " : "Such a key cannot be made fit. Make one that is: ", command, "\n");
}

void SayHowToUseIt(const LocalKey& key, const hsm::SigningKey& signing_key,
                   const TestSignature& test, Answer& answer) {
  const std::string type(hsm::KeyTypeName(signing_key.type()));
  const std::string command = CommandForRoot(type, key.canonical);
  const double milliseconds = std::chrono::duration<double, std::milli>(test.median).count();
  answer.json["fit"] = true;
  answer.json["key_type"] = type;
  answer.json["public_key"] = absl::Base64Escape(signing_key.public_key());
  answer.json["signature_ms"] = milliseconds;
  answer.json["configuration"] = key.configuration;
  answer.json["next"] = command.substr(0, command.size() - 1);
  absl::StrAppend(&answer.text,
                  client::FormatFacts(
                      {{"Type", type},
                       {"Fit for a root", "yes"},
                       {"Test signature",
                        absl::StrFormat("verified with the public key; %.3f ms, the median of %d",
                                        milliseconds, kTestSignatures)}}),
                  "For hourglassd.yaml:\n\n", key.configuration, "\nThen: ", command);
}

bool SaysThatTheKeyIsWrong(const absl::Status& status) {
  switch (ReasonOf(status)) {
    case ErrorReason::kKeyNotFound:
    case ErrorReason::kKeyUnfit:
    case ErrorReason::kKeyUnsupported:
    case ErrorReason::kKeyMismatch:
    case ErrorReason::kKeyInvalid:
    case ErrorReason::kKeyExists:
      return true;
    default:
      return false;
  }
}

absl::StatusOr<Answer> ProbeKey(const KeyOptions& options) {
  ASSIGN_OR_RETURN(const LocalKey key, ParseLocalKey(options.key));
  Answer answer{absl::StrCat("Key ", key.canonical, "\n"), {{"key_uri", key.canonical}}};
  // A PIN that is refused here is not tried again below: the error ends it.
  if (const auto* const token = std::get_if<hsm::TokenKeyUri>(&key.uri)) {
    RETURN_IF_ERROR(
        LookIntoToken(*token, key, std::chrono::seconds(options.module_timeout), answer));
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<hsm::KeyStore> store,
                   OpenLocalStore(key, options.custody));
  const absl::StatusOr<std::unique_ptr<hsm::SigningKey>> signing_key = store->Open(options.key);
  const absl::StatusOr<TestSignature> test =
      signing_key.ok() ? Test(**signing_key) : signing_key.status();
  if (test.ok()) {
    SayHowToUseIt(key, **signing_key, *test, answer);
    return answer;
  }
  if (!SaysThatTheKeyIsWrong(test.status())) return test.status();
  SayWhatIsWrong(key, test.status(), answer);
  return answer;
}

}  // namespace

absl::StatusOr<Answer> ProbeKeys(const KeyOptions& options) {
  return options.key.empty()
             ? ProbeModule(options.module, std::chrono::seconds(options.module_timeout))
             : ProbeKey(options);
}

absl::StatusOr<Answer> CreateLocalKey(const KeyOptions& options) {
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
  Answer answer;
  answer.json = {{"key_uri", key.canonical},
                 {"key_type", options.key_type},
                 {"fit", true},
                 {"created", missing},
                 {"configuration", key.configuration}};
  answer.text = absl::StrCat(missing ? "Created key " : "There already, and fit: key ",
                             key.canonical, ".\nFor hourglassd.yaml:\n\n", key.configuration,
                             "\nThen: ", CommandForRoot(options.key_type, key.canonical));
  return answer;
}

}  // namespace hourglass::cli
