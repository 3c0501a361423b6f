#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "hourglass/v1/roots.pb.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "tools/client/certificate.h"
#include "tools/client/files.h"
#include "tools/client/table.h"
#include "tools/client/usage.h"
#include "tools/client/wording.h"
#include "tools/gateways/kit.h"
#include "tools/gateways/kit_folder.h"
#include "tools/hourglass/command.h"
#include "tools/hourglass/root_options.h"

namespace hourglass::cli {
namespace {

using client::Json;
using gateways::Kit;
using gateways::KitFile;
using gateways::KitRoot;
using gateways::KitSubject;
using gateways::KitValue;

struct KitOptions {
  std::string kind;
  std::string tenant;
  std::string out;
  std::string server;
  std::vector<std::string> values;  // NAME=VALUE
  std::vector<std::string> files;   // NAME=FILE
  bool force = false;
};

constexpr int kLastPort = 65535;

// `HOST:PORT` or `[IPV6]:PORT`, of what may be in a configuration file as it is.
bool IsServer(absl::string_view text) {
  const std::size_t colon = text.rfind(':');
  int port = 0;
  return colon != absl::string_view::npos && colon > 0 &&
         absl::SimpleAtoi(text.substr(colon + 1), &port) && port > 0 && port <= kLastPort &&
         std::all_of(text.begin(), text.end(), [](char character) {
           return absl::ascii_isalnum(character) ||
                  absl::string_view(".-:[]").find(character) != absl::string_view::npos;
         });
}

absl::StatusOr<KitRoot> ForKit(const v1::Root& root) {
  ASSIGN_OR_RETURN(const client::CertificateFacts facts,
                   client::ReadCertificate(root.certificate()));
  return KitRoot{root.root_id(),
                 std::string(absl::StripPrefix(facts.subject, "CN=")),
                 client::PemOfCertificate(root.certificate()),
                 root.certificate(),
                 facts.sha1_thumbprint,
                 root.state() == v1::PRIMARY};
}

// Those of the trust bundle.
bool IsLive(const v1::Root& root) {
  return root.state() == v1::STAGED || root.state() == v1::PRIMARY || root.state() == v1::RETIRING;
}

absl::StatusOr<KitSubject> FetchSubject(const KitOptions& options, const Session& session) {
  KitSubject subject{
      options.tenant, options.server.empty() ? session.connection.server() : options.server, {}};
  if (!IsServer(subject.server)) {
    return Error(ErrorReason::kFieldInvalid, "--server",
                 "must be HOST:PORT, as gateways reach the service");
  }
  RootOptions of_tenant;
  of_tenant.tenant = options.tenant;
  ASSIGN_OR_RETURN(const v1::ListRootsResponse roots, FetchRoots(of_tenant, session));
  for (const v1::Root& root : roots.roots()) {
    if (!IsLive(root)) continue;
    ASSIGN_OR_RETURN(KitRoot one, ForKit(root));
    subject.roots.push_back(std::move(one));
  }
  std::stable_partition(subject.roots.begin(), subject.roots.end(),
                        [](const KitRoot& root) { return root.is_primary; });
  if (!subject.roots.empty() && subject.roots.front().is_primary) return subject;
  return Error(ErrorReason::kNoPrimaryRoot, "--tenant",
               absl::StrCat("tenant ", options.tenant,
                            " has no primary root, so that no certificate of it exists that a "
                            "gateway could check: first hourglass roots create --primary, or "
                            "hourglass roots promote"));
}

// Puts `NAME=…` into `given`, with what `read` makes of the part behind it.
template <typename Read>
absl::Status Gather(const std::vector<std::string>& words, absl::string_view option, Read read,
                    gateways::Values& given) {
  for (const std::string& word : words) {
    const std::size_t sign = word.find('=');
    const std::string name = word.substr(0, sign);
    if (sign == std::string::npos || name.empty()) {
      return Error(ErrorReason::kFieldInvalid, option, "must be a name, '=', and what it is");
    }
    ASSIGN_OR_RETURN(std::string value, read(word.substr(sign + 1)));
    if (!given.emplace(name, std::move(value)).second) {
      return Error(ErrorReason::kFieldInvalid, name, "is given twice");
    }
  }
  return absl::OkStatus();
}

// The file without the end of its last line: `openssl rand -hex 24 >FILE` writes one.
absl::StatusOr<std::string> ReadValue(const std::string& file) {
  ASSIGN_OR_RETURN(const std::string content, client::ReadWholeFile(file));
  absl::string_view value = content;
  if (absl::ConsumeSuffix(&value, "\n")) absl::ConsumeSuffix(&value, "\r");
  return std::string(value);
}

absl::StatusOr<gateways::Values> ValuesOf(const KitOptions& options, const Kit& kit) {
  gateways::Values given;
  RETURN_IF_ERROR(Gather(
      options.values, "--set",
      [](std::string value) -> absl::StatusOr<std::string> { return value; }, given));
  RETURN_IF_ERROR(Gather(options.files, "--set-file", &ReadValue, given));
  return gateways::CompleteValues(kit, std::move(given));
}

Json AsJson(const KitOptions& options, const KitSubject& subject,
            const std::vector<KitFile>& files) {
  Json json = {{"kind", options.kind}, {"tenant_id", options.tenant}, {"folder", options.out}};
  json["roots"] = Json::array();
  for (const KitRoot& root : subject.roots) {
    json["roots"].push_back({{"root_id", root.root_id}, {"sha1_thumbprint", root.sha1_thumbprint}});
  }
  json["files"] = Json::array();
  for (const KitFile& file : files) {
    json["files"].push_back({{"path", file.path}, {"secret", file.is_secret}});
  }
  return json;
}

// What was written, and the README.
std::string InWords(const KitOptions& options, const KitSubject& subject,
                    const std::vector<KitFile>& files) {
  const std::string roots =
      absl::StrJoin(subject.roots, ", ", [](std::string* text, const KitRoot& root) {
        absl::StrAppend(text, root.root_id, root.is_primary ? " (signs)" : "");
      });
  std::string text =
      absl::StrCat("Wrote ", files.size(), " files for ", options.kind, " of tenant ",
                   options.tenant, " to ", client::Printable(options.out), ", with ", roots, ":\n");
  std::string readme;
  for (const KitFile& file : files) {
    absl::StrAppend(&text, "  ", file.path, file.is_secret ? "  (secret)" : "", "\n");
    if (file.path == "README") readme = file.content;
  }
  absl::StrAppend(&text, "README:\n", readme);
  return text;
}

absl::StatusOr<Answer> WriteKit(const KitOptions& options, const Session& session) {
  const Kit& kit = *gateways::FindKit(options.kind);
  ASSIGN_OR_RETURN(const gateways::Values values, ValuesOf(options, kit));
  ASSIGN_OR_RETURN(const KitSubject subject, FetchSubject(options, session));
  ASSIGN_OR_RETURN(const std::vector<KitFile> files, kit.write(subject, values));
  RETURN_IF_ERROR(gateways::WriteKitFolder(options.out, files, options.force));
  return Answer{InWords(options, subject, files), AsJson(options, subject, files)};
}

// What holds where a value is not given, in words.
std::string FallbackInWords(const KitValue& value) {
  if (value.fallback.empty())
    return value.is_secret ? "must be given, by --set-file" : "must be given";
  return value.fallback == "-" ? "none" : std::string(value.fallback);
}

absl::StatusOr<Answer> ListValues(const KitOptions& options) {
  Answer answer{"", {{"kits", Json::array()}}};
  for (const Kit* kit : gateways::Kits()) {
    if (!options.kind.empty() && kit->kind != options.kind) continue;
    Json json = {{"kind", std::string(kit->kind)},
                 {"words", std::string(kit->words)},
                 {"values", Json::array()}};
    std::vector<std::vector<std::string>> rows;
    for (const absl::Span<const KitValue> values : {kit->values, gateways::CommonValues()}) {
      for (const KitValue& value : values) {
        rows.push_back({std::string(value.name), FallbackInWords(value), std::string(value.words)});
        json["values"].push_back({{"name", std::string(value.name)},
                                  {"words", std::string(value.words)},
                                  {"required", value.fallback.empty()},
                                  {"secret", value.is_secret}});
        if (!value.fallback.empty() && value.fallback != "-") {
          json["values"].back()["default"] = std::string(value.fallback);
        }
      }
    }
    absl::StrAppend(&answer.text, answer.text.empty() ? "" : "\n", kit->kind, ": ", kit->words,
                    "\n", client::FormatTable({"VALUE", "DEFAULT", "WHAT IT IS"}, rows));
    answer.json["kits"].push_back(std::move(json));
  }
  return answer;
}

std::vector<absl::string_view> Kinds() {
  std::vector<absl::string_view> kinds;
  for (const Kit* kit : gateways::Kits()) kinds.push_back(kit->kind);
  return kinds;
}

void AddKit(CLI::App& noun, CommandLine& line, const std::shared_ptr<KitOptions>& options) {
  CLI::App* command = AddCommand(
      noun, line, "kit", "Write the set-up of a gateway: its files, the tenant's roots, what to do",
      options, &WriteKit);
  client::OneOf(*command->add_option("kind,--kind", options->kind, "What is set up")->required(),
                Kinds());
  AddTenantOption(*command, options->tenant);
  command->add_option("--out", options->out, "The folder to make")->required()->type_name("DIR");
  command->add_option("--set", options->values, "A value of the kit; see hourglass gateways kinds")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  command
      ->add_option("--set-file", options->files,
                   "A value that is in a file, such as a secret, or - for standard input")
      ->type_name("NAME=FILE")
      ->allow_extra_args(false);
  command
      ->add_option("--server", options->server,
                   "The service as gateways reach it (default: as in --config)")
      ->type_name("HOST:PORT");
  command->add_flag("--force", options->force,
                    "Into a folder that is there: replace these files in it, and leave others");
}

void AddKinds(CLI::App& noun, CommandLine& line, const std::shared_ptr<KitOptions>& options) {
  CLI::App* command = noun.add_subcommand("kinds", "Say what kits there are, and their values");
  command->fallthrough();
  client::OneOf(*command->add_option("kind,--kind", options->kind, "Only this one"), Kinds());
  command->callback(
      [&line, options] { line.local_command = [options] { return ListValues(*options); }; });
}

}  // namespace

void AddGateways(CLI::App& app, CommandLine& line) {
  CLI::App* noun = app.add_subcommand("gateways", "The other side of the certificate");
  noun->require_subcommand(1)->fallthrough();
  AddKit(*noun, line, std::make_shared<KitOptions>());
  AddKinds(*noun, line, std::make_shared<KitOptions>());
  AddGatewayDoctor(*noun, line);
}

}  // namespace hourglass::cli
