#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>
#include <variant>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/key_type.h"
#include "hsm/key/signature.h"
#include "hsm/tpm/sealed_folder.h"
#include "tools/client/table.h"
#include "tools/client/wording.h"
#include "tools/hourglass/keys.h"
#include "tools/hourglass/keys/module_inventory.h"

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

client::Facts TokenFacts(const Json& token) {
  if (!token["initialized"].get<bool>()) return {{"Token", "not initialised"}};
  const std::vector<std::string> types = token["key_types"];
  return {{"Token", TextOf(token, "label")},
          {"Serial", TextOf(token, "serial")},
          {"Model", absl::StrCat(TextOf(token, "model"), ", ", TextOf(token, "manufacturer"))},
          {"Keys for roots", types.empty() ? "none" : absl::StrJoin(types, ", ")},
          {"Mechanisms", MechanismsInWords(token)},
          {"Attention", WarningsInWords(token)},
          {"URI", hsm::FormatToken({TextOf(token, "label"), TextOf(token, "serial"), "", {}})}};
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
    text += client::FormatFacts(slot.contains("token") ? TokenFacts(slot["token"])
                                                       : client::Facts{{"Token", "none"}});
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

// What is found out about a key, in both forms.
struct Report {
  client::Facts facts;
  Json json;
};

// What the token says of the key and its neighbours, before the key is used.
absl::Status LookIntoToken(const hsm::TokenKeyUri& uri, const LocalKey& key,
                           std::chrono::seconds deadline, Report& report) {
  ASSIGN_OR_RETURN(const Json inventory,
                   TakeInventory(uri.module_path, key.places.tokens.front(), deadline));
  for (const Json& slot : inventory["module"]["slots"]) {
    if (!slot.contains("token") || TextOf(slot["token"], "label") != uri.token_label) continue;
    report.json["token"] = slot["token"];
    report.facts = TokenFacts(slot["token"]);
  }
  std::vector<std::string> others;
  report.json["keys"] = Json::array();
  for (const Json& found : inventory["keys"]) {
    if (!Names(uri, found)) {
      others.push_back(TextOf(found, "label"));
      continue;
    }
    report.json["keys"].push_back(found);
    report.facts.emplace_back("Id", TextOf(found, "id"));
    report.facts.emplace_back("Attributes", AttributesInWords(found["attributes"]));
  }
  report.json["other_keys"] = others;
  if (report.json["keys"].empty()) {
    report.facts.emplace_back("Keys there", absl::StrJoin(others, ", "));
  }
  return absl::OkStatus();
}

// The same of a TPM.
absl::Status LookIntoTpm(const LocalKey& key, const CustodyOptions& custody, Report& report) {
  // Gone before a store connects: a TPM without a resource manager has room for one.
  ASSIGN_OR_RETURN(const LocalTpm tpm, OpenLocalTpm(key, custody));
  ASSIGN_OR_RETURN(const hsm::CustodianFacts facts, tpm.custodian->Greet());
  report.json["tpm"] = {
      {"tcti", key.places.tpm->tcti}, {"manufacturer", facts.manufacturer}, {"model", facts.model}};
  report.facts = {{"TPM", absl::StrCat(facts.manufacturer, " ", facts.model)},
                  {"TCTI", key.places.tpm->tcti}};
  return absl::OkStatus();
}

// What the file of a sealed key says, without the TPM; nothing where it cannot be read.
void LookIntoSealedFile(const hsm::SealedKeyUri& uri, Report& report) {
  const absl::StatusOr<hsm::SealedFolder> folder =
      hsm::SealedFolder::Create(uri.directory, hsm::SealAuthorization::kNone);
  if (!folder.ok()) return;
  const absl::StatusOr<hsm::SealedKeyListing> sealed = folder->Describe(uri.name);
  if (!sealed.ok()) return;
  report.json["registers"] = hsm::FormatPcrSelection(sealed->registers);
  report.json["recoverable"] = sealed->recoverable;
  report.facts.emplace_back("Bound to", sealed->registers.empty()
                                            ? "this TPM, in any state"
                                            : hsm::FormatPcrSelection(sealed->registers));
  report.facts.emplace_back("Recovery code", sealed->recoverable ? "yes" : "none");
}

// What there is, before the key is used.
absl::Status LookAround(const LocalKey& key, const KeyOptions& options, Report& report) {
  if (const auto* const token = std::get_if<hsm::TokenKeyUri>(&key.uri)) {
    return LookIntoToken(*token, key, std::chrono::seconds(options.module_timeout), report);
  }
  if (std::holds_alternative<hsm::SoftwareKeyUri>(key.uri)) return absl::OkStatus();
  RETURN_IF_ERROR(LookIntoTpm(key, options.custody, report));
  if (const auto* const sealed = std::get_if<hsm::SealedKeyUri>(&key.uri)) {
    LookIntoSealedFile(*sealed, report);
  }
  return absl::OkStatus();
}

// The same place, under a name that no unfit key has.
std::string UriOfAnother(const LocalKey& key) {
  std::string text = key.text;
  const std::string query = text.substr(std::min(text.find('?'), text.size()));
  if (const auto* const token = std::get_if<hsm::TokenKeyUri>(&key.uri)) {
    return hsm::FormatKeyUri(hsm::TokenKeyUri{token->token_label, token->token_serial,
                                              token->object + "-new", "", "", ""}) +
           query;
  }
  if (const auto* const resident = std::get_if<hsm::ResidentKeyUri>(&key.uri)) {
    return hsm::FormatKeyUri(hsm::ResidentKeyUri{resident->handle + 1, "", ""}) + query;
  }
  return text + "-new";
}

// What to do about a key that is not fit: words, and a command.
std::pair<std::string, std::string> RemedyFor(const LocalKey& key, const absl::Status& why) {
  const std::string create = "hourglass keys create --key-type ec-p256 --key ";
  if (ReasonOf(why) == ErrorReason::kKeyNotFound)
    return {"Make it: ", create + ShellWord(key.text)};
  if (std::holds_alternative<hsm::SealedKeyUri>(key.uri)) {
    return {"If the registers have changed, bind it to them as they are now: ",
            absl::StrCat("hourglass keys reseal --key ", ShellWord(key.text),
                         " --recovery-code-file FILE")};
  }
  return {"Such a key cannot be made fit. Make one that is: ",
          create + ShellWord(UriOfAnother(key))};
}

Answer AnswerAboutUnfitKey(const LocalKey& key, const absl::Status& why, Report report) {
  const auto [words, command] = RemedyFor(key, why);
  report.facts.emplace_back("Fit for a root",
                            absl::StrCat("no: ", client::ReasonInWords(why), ": ", why.message()));
  report.json["fit"] = false;
  report.json["reason"] = client::ReasonInWords(why);
  report.json["because"] = std::string(why.message());
  report.json["next"] = command;
  return {absl::StrCat("Key ", key.canonical, "\n", client::FormatFacts(report.facts), words,
                       command, "\n"),
          std::move(report.json), client::kExitFailed};
}

Answer AnswerAboutFitKey(const LocalKey& key, const hsm::SigningKey& signing_key,
                         const TestSignature& test, Report report) {
  const std::string type(hsm::KeyTypeName(signing_key.type()));
  const std::string command = CommandForRoot(type, key.canonical);
  const double milliseconds = std::chrono::duration<double, std::milli>(test.median).count();
  report.facts.emplace_back("Type", type);
  report.facts.emplace_back("Fit for a root", "yes");
  report.facts.emplace_back(
      "Test signature", absl::StrFormat("verified with the public key; %.3f ms, the median of %d",
                                        milliseconds, kTestSignatures));
  report.json["fit"] = true;
  report.json["key_type"] = type;
  report.json["public_key"] = absl::Base64Escape(signing_key.public_key());
  report.json["signature_ms"] = milliseconds;
  report.json["configuration"] = key.configuration;
  report.json["next"] = command.substr(0, command.size() - 1);
  return {absl::StrCat("Key ", key.canonical, "\n", client::FormatFacts(report.facts),
                       "For hourglassd.yaml:\n\n", key.configuration, "\nThen: ", command),
          std::move(report.json)};
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
  Report report{{}, {{"key_uri", key.canonical}}};
  // A PIN that is refused here is not tried again below: the error ends it.
  RETURN_IF_ERROR(LookAround(key, options, report));
  ASSIGN_OR_RETURN(const std::unique_ptr<hsm::KeyStore> store,
                   OpenLocalStore(key, options.custody));
  const absl::StatusOr<std::unique_ptr<hsm::SigningKey>> signing_key = store->Open(options.key);
  const absl::StatusOr<TestSignature> test =
      signing_key.ok() ? Test(**signing_key) : signing_key.status();
  if (test.ok()) return AnswerAboutFitKey(key, **signing_key, *test, std::move(report));
  if (!SaysThatTheKeyIsWrong(test.status())) return test.status();
  return AnswerAboutUnfitKey(key, test.status(), std::move(report));
}

}  // namespace

absl::StatusOr<Answer> ProbeKeys(const KeyOptions& options) {
  return options.key.empty()
             ? ProbeModule(options.module, std::chrono::seconds(options.module_timeout))
             : ProbeKey(options);
}

}  // namespace hourglass::cli
