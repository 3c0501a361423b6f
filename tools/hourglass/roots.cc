#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "hourglass/v1/issuance.grpc.pb.h"
#include "hourglass/v1/roots.grpc.pb.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/key_type.h"
#include "tools/client/arguments.h"
#include "tools/client/certificate.h"
#include "tools/client/files.h"
#include "tools/client/request_id.h"
#include "tools/client/table.h"
#include "tools/client/usage.h"
#include "tools/client/wording.h"
#include "tools/hourglass/command.h"
#include "tools/hourglass/root_description.h"

namespace hourglass::cli {
namespace {

using client::Json;

struct RootOptions {
  std::string tenant;
  std::string root;
  std::string duration;
  std::string key_type;
  std::string key_uri;
  std::string request_id;
  bool primary = false;
  bool destroy_key = false;
  bool issuing_sub_keys = false;
  bool all = false;
  std::string format = "pem";
  std::string out;
};

// Tokens may take a minute for an RSA key of 4096 bits.
constexpr absl::Duration kTimeToMakeAKey = absl::Minutes(2);

absl::StatusOr<Answer> AnswerAbout(absl::string_view what, const v1::Root& root, absl::Time now) {
  Answer answer;
  ASSIGN_OR_RETURN(answer.json, RootAsJson(root));
  ASSIGN_OR_RETURN(const std::string words, RootInWords(root, now));
  answer.text = absl::StrCat(what, words, what.empty() ? "" : NextStepFor(root, now));
  return answer;
}

// The root may or may not be there: asking under the same id cannot make a second one.
absl::Status WithRequestId(const absl::Status& status, const std::string& request_id) {
  if (!absl::IsUnavailable(status) && !absl::IsDeadlineExceeded(status)) return status;
  absl::Status told(
      status.code(),
      absl::StrCat(status.message(),
                   "; to ask again without making a second root, add --request-id ", request_id));
  status.ForEachPayload(
      [&told](absl::string_view url, const absl::Cord& payload) { told.SetPayload(url, payload); });
  return told;
}

absl::StatusOr<Answer> Create(const RootOptions& options, const Session& session) {
  v1::CreateRootRequest request;
  ASSIGN_OR_RETURN(const absl::Duration duration, client::ParseLength(options.duration));
  request.set_tenant_id(options.tenant);
  request.mutable_duration()->set_seconds(absl::ToInt64Seconds(duration));
  request.set_key_type(KeyTypeFromWords(options.key_type));
  request.set_key_uri(options.key_uri);
  request.set_make_primary(options.primary);
  request.set_issuing_sub_keys(options.issuing_sub_keys);
  request.set_request_id(options.request_id.empty() ? client::NewRequestId() : options.request_id);
  const auto root = client::Call(session.connection, &v1::RootService::Stub::CreateRoot, request,
                                 std::max(session.connection.timeout(), kTimeToMakeAKey));
  if (!root.ok()) return WithRequestId(root.status(), request.request_id());
  return AnswerAbout(absl::StrCat("Created root ", root->root_id(), ".\n"), *root, session.Now());
}

absl::StatusOr<v1::ListRootsResponse> FetchRoots(const RootOptions& options,
                                                 const Session& session) {
  v1::ListRootsRequest request;
  request.set_tenant_id(options.tenant);
  return client::Call(session.connection, &v1::RootService::Stub::ListRoots, request);
}

absl::StatusOr<Answer> List(const RootOptions& options, const Session& session) {
  ASSIGN_OR_RETURN(const v1::ListRootsResponse response, FetchRoots(options, session));
  Answer answer{"", {{"roots", Json::array()}}};
  std::vector<std::vector<std::string>> rows;
  for (const v1::Root& root : response.roots()) {
    ASSIGN_OR_RETURN(Json json, RootAsJson(root));
    rows.push_back({root.root_id(), v1::RootState_Name(root.state()),
                    KeyTypeInWords(root.key_type()),
                    client::TimeInWords(client::TimeOf(root.not_after()), session.Now()),
                    json["sha1_thumbprint"].get<std::string>()});
    answer.json["roots"].push_back(std::move(json));
  }
  answer.text =
      rows.empty()
          ? absl::StrCat("No roots. Create one: hourglass roots create --tenant ", options.tenant,
                         " --duration 2y --key-type ec-p256 --primary\n")
          : client::FormatTable({"ROOT", "STATE", "KEY", "VALID UNTIL", "SHA-1 THUMBPRINT"}, rows);
  return answer;
}

absl::StatusOr<v1::Root> Get(const RootOptions& options, const Session& session) {
  v1::GetRootRequest request;
  request.set_tenant_id(options.tenant);
  request.set_root_id(options.root);
  return client::Call(session.connection, &v1::RootService::Stub::GetRoot, request);
}

absl::StatusOr<Answer> Show(const RootOptions& options, const Session& session) {
  ASSIGN_OR_RETURN(const v1::Root root, Get(options, session));
  return AnswerAbout("", root, session.Now());
}

v1::MoveRootRequest MoveRequest(const RootOptions& options) {
  v1::MoveRootRequest request;
  request.set_tenant_id(options.tenant);
  request.set_root_id(options.root);
  request.set_destroy_key(options.destroy_key);
  return request;
}

// What is left to do for the roots that were primary before; nothing where they cannot be asked
// for.
std::string RetiringRoots(const RootOptions& options, const Session& session) {
  const auto response = FetchRoots(options, session);
  if (!response.ok()) return "";
  std::string text;
  for (const v1::Root& root : response->roots()) {
    if (root.state() != v1::RETIRING) continue;
    absl::StrAppend(&text, "Root ", root.root_id(), " is retiring. ",
                    NextStepFor(root, session.Now()));
  }
  return text;
}

absl::StatusOr<Answer> Promote(const RootOptions& options, const Session& session) {
  ASSIGN_OR_RETURN(
      const v1::Root root,
      client::Call(session.connection, &v1::RootService::Stub::PromoteRoot, MoveRequest(options)));
  ASSIGN_OR_RETURN(Answer answer, AnswerAbout(absl::StrCat("Promoted root ", root.root_id(), ".\n"),
                                              root, session.Now()));
  if (!session.json) answer.text += RetiringRoots(options, session);
  return answer;
}

absl::string_view KeyFate(const RootOptions& options) {
  return options.destroy_key ? " and destroyed its key.\n" : "; its key is still there.\n";
}

absl::StatusOr<Answer> Retire(const RootOptions& options, const Session& session) {
  ASSIGN_OR_RETURN(
      const v1::Root root,
      client::Call(session.connection, &v1::RootService::Stub::RetireRoot, MoveRequest(options)));
  return AnswerAbout(absl::StrCat("Retired root ", root.root_id(), KeyFate(options)), root,
                     session.Now());
}

absl::StatusOr<Answer> Discard(const RootOptions& options, const Session& session) {
  ASSIGN_OR_RETURN(
      const v1::Root root,
      client::Call(session.connection, &v1::RootService::Stub::DiscardRoot, MoveRequest(options)));
  return AnswerAbout(absl::StrCat("Discarded root ", root.root_id(), KeyFate(options)), root,
                     session.Now());
}

absl::StatusOr<std::vector<std::string>> CertificatesToExport(const RootOptions& options,
                                                              const Session& session) {
  if (!options.all) {
    ASSIGN_OR_RETURN(const v1::Root root, Get(options, session));
    return std::vector<std::string>{root.certificate()};
  }
  v1::GetTrustBundleRequest request;
  request.set_tenant_id(options.tenant);
  ASSIGN_OR_RETURN(
      const v1::TrustBundle bundle,
      client::Call(session.connection, &v1::CertificateIssuer::Stub::GetTrustBundle, request));
  return std::vector<std::string>(bundle.roots().begin(), bundle.roots().end());
}

absl::StatusOr<Answer> Export(const RootOptions& options, const Session& session) {
  const bool der = options.format == "der";
  if (der && !session.json && (options.out.empty() || options.out == client::kStandardStream) &&
      isatty(STDOUT_FILENO)) {
    return Error(ErrorReason::kFieldInvalid, "--format",
                 "DER is not for a terminal: give --out FILE, or send it into a pipe");
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> certificates,
                   CertificatesToExport(options, session));
  Answer answer{"", {{"tenant_id", options.tenant}, {"roots", Json::array()}}};
  std::string content;
  for (const std::string& certificate : certificates) {
    ASSIGN_OR_RETURN(const client::CertificateFacts facts, client::ReadCertificate(certificate));
    const std::string pem = client::PemOfCertificate(certificate);
    absl::StrAppend(&content, der ? certificate : pem);
    answer.json["roots"].push_back({{"subject", facts.subject},
                                    {"not_after", client::TimeForJson(facts.not_after)},
                                    {"sha1_thumbprint", facts.sha1_thumbprint},
                                    {"sha256_thumbprint", facts.sha256_thumbprint},
                                    {"certificate_pem", pem}});
    absl::StrAppend(&answer.text, facts.subject, "\n",
                    client::FormatFacts(
                        {{"SHA-1", facts.sha1_thumbprint}, {"SHA-256", facts.sha256_thumbprint}}));
  }
  if (options.out.empty() || options.out == client::kStandardStream) {
    answer.text = content;
    return answer;
  }
  RETURN_IF_ERROR(client::ReplaceFile(options.out, content, 0644));
  answer.json["file"] = options.out;
  answer.text = absl::StrCat("Wrote ", certificates.size(),
                             certificates.size() == 1 ? " root to " : " roots to ", options.out,
                             ":\n", answer.text);
  return answer;
}

void AddRootId(CLI::App& command, RootOptions& options) {
  AddTenantOption(command, options.tenant);
  command.add_option("root,--root", options.root, "The root's id, such as r1")
      ->required()
      ->type_name("ROOT");
}

void AddDestroyKey(CLI::App& command, RootOptions& options) {
  command.add_flag("--destroy-key", options.destroy_key,
                   "Destroy its key in the token too; it cannot be brought back");
}

void AddCreate(CLI::App& noun, CommandLine& line, const std::shared_ptr<RootOptions>& options) {
  CLI::App* create = AddCommand(noun, line, "create",
                                "Make a key and a root, staged unless --primary", options, &Create);
  AddTenantOption(*create, options->tenant);
  create
      ->add_option("--duration", options->duration,
                   "How long it is valid: 1y, 2y, 3y or days such as 90d; a year is 365 days")
      ->required()
      ->check(IsLength())
      ->type_name("LENGTH");
  client::OneOf(
      *create->add_option("--key-type", options->key_type, "The kind of its key")->required(),
      hsm::KeyTypeNames());
  create
      ->add_option("--key", options->key_uri,
                   "Where its key is or is made: a pkcs11: URI, or software:NAME "
                   "(default: new in the configured store)")
      ->type_name("URI");
  create->add_flag("--primary", options->primary,
                   "Let it sign at once; relying parties must trust it already");
  create->add_flag("--issuing-sub-keys", options->issuing_sub_keys,
                   "Let short-lived keys sign for it (issuing.sub_key); cannot be changed later");
  create
      ->add_option("--request-id", options->request_id,
                   "Asked again under the same id, the same root is returned")
      ->type_name("ID");
}

void AddExport(CLI::App& noun, CommandLine& line, const std::shared_ptr<RootOptions>& options) {
  CLI::App* command =
      AddCommand(noun, line, "export", "Write certificates for relying parties", options, &Export);
  AddTenantOption(*command, options->tenant);
  command->add_option("root,--root", options->root, "The root's id, such as r1")->type_name("ROOT");
  command->add_flag("--all", options->all, "Every root that relying parties must trust now");
  client::OneOf(*command->add_option("--format", options->format, "Default: pem"), {"pem", "der"});
  command->add_option("--out", options->out, "The file to replace (default: -, standard output)")
      ->type_name("FILE");
  command->parse_complete_callback([options] {
    if (options->all != options->root.empty()) {
      throw CLI::ValidationError("root", "give either a ROOT or --all");
    }
    if (options->all && options->format == "der") {
      throw CLI::ValidationError("--all", "goes with --format pem only: DER holds one certificate");
    }
  });
}

}  // namespace

void AddRoots(CLI::App& app, CommandLine& line) {
  CLI::App* noun = app.add_subcommand("roots", "Create, look at and move a tenant's roots");
  noun->require_subcommand(1)->fallthrough();
  const auto options = std::make_shared<RootOptions>();
  AddCreate(*noun, line, options);
  AddTenantOption(*AddCommand(*noun, line, "list", "List a tenant's roots", options, &List),
                  options->tenant);
  AddRootId(*AddCommand(*noun, line, "show", "Show one root", options, &Show), *options);
  AddIntermediates(*noun, line);
  AddExport(*noun, line, options);
  AddRootId(
      *AddCommand(*noun, line, "promote", "Let a staged or retiring root sign; the primary retires",
                  options, &Promote),
      *options);
  CLI::App* retire =
      AddCommand(*noun, line, "retire",
                 "Take a retiring root out of the trust bundle, once its last certificate expired",
                 options, &Retire);
  AddRootId(*retire, *options);
  AddDestroyKey(*retire, *options);
  CLI::App* discard =
      AddCommand(*noun, line, "discard", "Give up a staged root", options, &Discard);
  AddRootId(*discard, *options);
  AddDestroyKey(*discard, *options);
}

}  // namespace hourglass::cli
