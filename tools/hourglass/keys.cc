#include "tools/hourglass/keys.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "hourglass/v1/keys.grpc.pb.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/key_type.h"
#include "tools/client/table.h"
#include "tools/client/usage.h"
#include "tools/client/wording.h"
#include "tools/hourglass/root_description.h"

namespace hourglass::cli {
namespace {

using client::Json;

// Tokens may take a minute for an RSA key of 4096 bits, and those that do not answer seconds each.
constexpr absl::Duration kTimeForTokens = absl::Minutes(2);

constexpr char kOnlyTheServiceKnows[] =
    "only the service knows which places it uses and which root a key is of";

absl::Duration Timeout(const Session& session) {
  return std::max(session.connection.timeout(), kTimeForTokens);
}

Json UseAsJson(const v1::KeyUse& use) {
  Json json = {{"tenant_id", use.tenant_id()}, {"root_id", use.root_id()}};
  if (use.state() != v1::ROOT_STATE_UNSPECIFIED) {
    json["state"] = v1::RootState_Name(use.state());
  }
  return json;
}

Json KeyAsJson(const v1::Key& key) {
  Json json = {{"key_uri", key.key_uri()}};
  if (key.key_type() != v1::KEY_TYPE_UNSPECIFIED) json["key_type"] = KeyTypeInWords(key.key_type());
  json["fit"] = key.unfit_because().empty() && !key.out_of_service();
  if (!key.unfit_because().empty()) json["unfit_because"] = key.unfit_because();
  if (key.out_of_service()) json["out_of_service"] = true;
  if (key.has_used_by()) json["root"] = UseAsJson(key.used_by());
  if (key.has_left_by()) json["left_by"] = UseAsJson(key.left_by());
  if (!key.bound_to().empty()) json["bound_to"] = key.bound_to();
  return json;
}

Json PlaceAsJson(const v1::KeyPlace& place) {
  Json json = {{"name", place.name()}, {"kind", v1::KeyPlace::Kind_Name(place.kind())}};
  if (place.state() != v1::KeyPlace::STATE_UNSPECIFIED) {
    json["state"] = v1::KeyPlace::State_Name(place.state());
  }
  if (place.has_state_since()) {
    json["state_since"] = client::TimeForJson(client::TimeOf(place.state_since()));
  }
  if (!place.state_message().empty()) json["state_message"] = place.state_message();
  if (place.error() != v1::ERROR_REASON_UNSPECIFIED) {
    json["error"] = {{"reason", v1::ErrorReason_Name(place.error())},
                     {"message", place.error_message()}};
  }
  json["keys"] = Json::array();
  for (const v1::Key& key : place.keys()) json["keys"].push_back(KeyAsJson(key));
  return json;
}

std::string StateInWords(const v1::KeyPlace& place, absl::Time now) {
  const auto since = [&] {
    return place.has_state_since()
               ? absl::StrCat(" since ",
                              client::TimeInWords(client::TimeOf(place.state_since()), now))
               : std::string();
  };
  const std::string why = place.state_message().empty() ? "" : ": " + place.state_message();
  switch (place.state()) {
    case v1::KeyPlace::UNUSED:
      return "not used yet";
    case v1::KeyPlace::HEALTHY:
      return absl::StrCat("healthy", since());
    case v1::KeyPlace::RECOVERING:
      return absl::StrCat("recovering", since(), why);
    case v1::KeyPlace::FAILED:
      return absl::StrCat("failed", since(), why);
    default:
      return place.error() == v1::ERROR_REASON_UNSPECIFIED ? "there" : "does not answer";
  }
}

std::string RootInWords(const v1::Key& key) {
  if (key.has_used_by()) {
    return absl::StrCat(key.used_by().tenant_id(), " ", key.used_by().root_id(), " ",
                        v1::RootState_Name(key.used_by().state()));
  }
  if (key.has_left_by()) {
    return absl::StrCat("- (left by ", key.left_by().tenant_id(), " ", key.left_by().root_id(),
                        ", which was interrupted)");
  }
  if (!key.bound_to().empty()) return absl::StrCat("- (bound to ", key.bound_to(), ")");
  return "-";
}

std::string FitInWords(const v1::Key& key) {
  if (key.out_of_service()) return "out of service: a signature by it did not verify";
  return key.unfit_because().empty() ? "yes" : absl::StrCat("no: ", key.unfit_because());
}

std::string ListInWords(const v1::ListKeysResponse& response, absl::Time now) {
  std::vector<std::vector<std::string>> places;
  std::vector<std::vector<std::string>> keys;
  std::string errors;
  for (const v1::KeyPlace& place : response.places()) {
    const bool answered = place.error() == v1::ERROR_REASON_UNSPECIFIED;
    places.push_back(
        {place.name(), answered ? absl::StrCat(place.keys_size()) : "?", StateInWords(place, now)});
    if (!answered) {
      absl::StrAppend(&errors, "The keys of ", client::Printable(place.name()),
                      " are not known: ", v1::ErrorReason_Name(place.error()), ": ",
                      client::Printable(place.error_message()), "\n");
    }
    for (const v1::Key& key : place.keys()) {
      const bool of_ours = key.key_type() != v1::KEY_TYPE_UNSPECIFIED;
      keys.push_back({key.key_uri(), of_ours ? KeyTypeInWords(key.key_type()) : "?",
                      RootInWords(key), FitInWords(key)});
    }
  }
  std::string text = client::FormatTable({"PLACE", "KEYS", "STATE"}, places);
  if (!keys.empty()) {
    absl::StrAppend(&text, "\n", client::FormatTable({"KEY", "TYPE", "ROOT", "FIT"}, keys));
  }
  return errors.empty() ? text : absl::StrCat(text, "\n", errors);
}

absl::StatusOr<Answer> List(const KeyOptions&, const Session& session) {
  ASSIGN_OR_RETURN(const v1::ListKeysResponse response,
                   client::Call(session.connection, &v1::KeyService::Stub::ListKeys,
                                v1::ListKeysRequest(), Timeout(session)));
  Answer answer{ListInWords(response, session.Now()), {{"places", Json::array()}}};
  for (const v1::KeyPlace& place : response.places()) {
    answer.json["places"].push_back(PlaceAsJson(place));
  }
  return answer;
}

absl::StatusOr<Answer> Create(const KeyOptions& options, const Session& session) {
  v1::CreateKeyRequest request;
  request.set_key_uri(options.key);
  request.set_key_type(KeyTypeFromWords(options.key_type));
  request.set_tenant_id(options.tenant);
  ASSIGN_OR_RETURN(const v1::CreateKeyResponse response,
                   client::Call(session.connection, &v1::KeyService::Stub::CreateKey, request,
                                Timeout(session)));
  Answer answer;
  answer.json = KeyAsJson(response.key());
  answer.json["created"] = response.created();
  const std::string uri = client::Printable(response.key().key_uri());
  const std::string bound = response.key().bound_to();
  answer.text =
      absl::StrCat(response.created() ? "Created key " : "There already, and fit: key ", uri,
                   bound.empty() ? "" : ", bound to tenant ", client::Printable(bound), ".\n",
                   "Next, give it a root: ", CommandForRoot(options.key_type, uri));
  return answer;
}

absl::StatusOr<Answer> Destroy(const KeyOptions& options, const Session& session) {
  v1::DestroyKeyRequest request;
  request.set_key_uri(options.key);
  ASSIGN_OR_RETURN(const v1::DestroyKeyResponse response,
                   client::Call(session.connection, &v1::KeyService::Stub::DestroyKey, request,
                                Timeout(session)));
  Answer answer;
  answer.json = KeyAsJson(response.key());
  answer.text = absl::StrCat("Destroyed key ", client::Printable(response.key().key_uri()));
  if (response.key().has_used_by()) {
    absl::StrAppend(&answer.text, ", which was of ", RootInWords(response.key()));
  }
  answer.text += ".\n";
  return answer;
}

// A command that asks no service.
CLI::App* AddLocalCommand(CLI::App& noun, CommandLine& line, const std::string& verb,
                          const std::string& description,
                          const std::shared_ptr<KeyOptions>& options,
                          absl::StatusOr<Answer> (*run)(const KeyOptions&)) {
  CLI::App* command = noun.add_subcommand(verb, description);
  command->fallthrough();
  command->callback(
      [&line, options, run] { line.local_command = [options, run] { return run(*options); }; });
  return command;
}

CLI::Option* AddKey(CLI::App& command, KeyOptions& options, const std::string& description) {
  return command.add_option("--key", options.key, description)->type_name("URI");
}

void AddCustody(CLI::App& command, KeyOptions& options) {
  command.add_flag("--in-process", options.custody.in_process,
                   "Load the module into this program, not into processes of its own");
  command
      .add_option("--keyholder", options.custody.keyholder,
                  "The program of these processes (default: hourglass-keyholder beside this one)")
      ->type_name("FILE");
}

void AddCreate(CLI::App& noun, CommandLine& line, const std::shared_ptr<KeyOptions>& options) {
  CLI::App* command = AddCommand(noun, line, "create", "Make a key, or find the one that is there",
                                 options, &Create);
  AddKey(*command, *options,
         "Its name; where it says its place too, it is made without the service")
      ->required();
  command
      ->add_option("--tenant", options->tenant,
                   "The one tenant whose roots it may be of; its administrators may name it then")
      ->type_name("ID");
  client::OneOf(
      *command->add_option("--key-type", options->key_type, "The kind of key")->required(),
      hsm::KeyTypeNames());
  command
      ->add_option("--recovery-code-out", options->recovery_code_out,
                   "Of a sealed key: the new file for a code that opens it whatever the registers "
                   "hold; without the service only")
      ->type_name("FILE");
  AddCustody(*command, *options);
  const auto ask_the_service = [options](const Session& session) {
    return Create(*options, session);
  };
  command->callback([&line, options, ask_the_service] {
    if (SaysItsPlace(options->key) || !options->recovery_code_out.empty()) {
      if (!options->tenant.empty()) {
        throw CLI::ValidationError(
            "--tenant",
            "only the service binds keys: give the URI without its place, or ask again "
            "without --tenant and then once more of the service");
      }
      line.local_command = [options] { return CreateLocalKey(*options); };
      return;
    }
    line.command = ask_the_service;
    line.needs_service_because =
        "the URI does not say where the key is. To make it without the service, add that: "
        "?module-path=FILE&pin-source=file:FILE, or software:/FOLDER/NAME";
  });
}

void AddProbe(CLI::App& noun, CommandLine& line, const std::shared_ptr<KeyOptions>& options) {
  CLI::App* command = AddLocalCommand(noun, line, "probe",
                                      "See what a module has, or whether a key is fit for a root",
                                      options, &ProbeKeys);
  AddKey(*command, *options, "The key and where it is; its PIN is tried once");
  command->add_option("--module", options->module, "A PKCS#11 module; needs no PIN, shows no keys")
      ->type_name("FILE");
  command
      ->add_option("--module-timeout", options->module_timeout,
                   "Seconds that a module may take to say what it has (default: 20)")
      ->check(CLI::Range(1, 600))
      ->type_name("N");
  AddCustody(*command, *options);
  command->parse_complete_callback([options] {
    if (options->key.empty() == options->module.empty()) {
      throw CLI::ValidationError("--key", "give either --key URI or --module FILE");
    }
  });
}

void AddBench(CLI::App& noun, CommandLine& line, const std::shared_ptr<KeyOptions>& options) {
  CLI::App* command =
      AddLocalCommand(noun, line, "bench", "Measure how fast a key signs", options, &BenchKey);
  AddKey(*command, *options, "The key and where it is")->required();
  command->add_option("--threads", options->threads, "How many sign at once (default: 1,2,4)")
      ->delimiter(',')
      ->check(CLI::Range(1, 256))
      ->type_name("N,N");
  command->add_option("--seconds", options->seconds, "For each of them (default: 2)")
      ->check(CLI::Range(1, 60))
      ->type_name("N");
  AddCustody(*command, *options);
}

void AddReseal(CLI::App& noun, CommandLine& line, const std::shared_ptr<KeyOptions>& options) {
  CLI::App* command = AddLocalCommand(noun, line, "reseal",
                                      "Bind a sealed key to the TPM's registers as they are now",
                                      options, &ResealKey);
  AddKey(*command, *options, "The key and where it is; pcrs=… binds it to other registers")
      ->required();
  command
      ->add_option("--recovery-code-file", options->recovery_code_file,
                   "Opens it by this code, for when the registers have changed already")
      ->type_name("FILE");
  AddCustody(*command, *options);
}

}  // namespace

void AddKeys(CLI::App& app, CommandLine& line) {
  CLI::App* noun = app.add_subcommand("keys", "Look at, make and destroy keys");
  noun->require_subcommand(1)->fallthrough();
  const auto options = std::make_shared<KeyOptions>();
  CLI::App* list =
      AddCommand(*noun, line, "list", "List every key of the service's places", options, &List);
  list->parse_complete_callback([&line] { line.needs_service_because = kOnlyTheServiceKnows; });
  AddCreate(*noun, line, options);
  CLI::App* destroy =
      AddCommand(*noun, line, "destroy", "Destroy a key that no root needs", options, &Destroy);
  AddKey(*destroy, *options, "As keys list shows it")->required();
  destroy->add_flag("--yes", options->yes, "Yes, for good: it cannot be brought back");
  destroy->parse_complete_callback([&line, options] {
    line.needs_service_because = kOnlyTheServiceKnows;
    if (!options->yes) {
      throw CLI::ValidationError("--yes", "is required: a destroyed key cannot be brought back");
    }
  });
  AddProbe(*noun, line, options);
  AddBench(*noun, line, options);
  AddReseal(*noun, line, options);
}

}  // namespace hourglass::cli
