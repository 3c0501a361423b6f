#include "absl/strings/str_cat.h"
#include "hourglass/v1/roots.grpc.pb.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/key_type.h"
#include "tools/client/arguments.h"
#include "tools/client/certificate.h"
#include "tools/client/request_id.h"
#include "tools/client/table.h"
#include "tools/client/usage.h"
#include "tools/client/wording.h"
#include "tools/hourglass/command.h"
#include "tools/hourglass/root_description.h"
#include "tools/hourglass/root_ends.h"
#include "tools/hourglass/root_options.h"

namespace hourglass::cli {
namespace {

using client::Json;

// Tokens may take a minute for an RSA key of 4096 bits.
constexpr absl::Duration kTimeToMakeAKey = absl::Minutes(2);

// The same error, with its details, and more to its message.
absl::Status WithMore(const absl::Status& status, absl::string_view more) {
  absl::Status told(status.code(), absl::StrCat(status.message(), more));
  status.ForEachPayload(
      [&told](absl::string_view url, const absl::Cord& payload) { told.SetPayload(url, payload); });
  return told;
}

// The root may or may not be there: asking under the same id cannot make a second one.
absl::Status WithRequestId(const absl::Status& status, const std::string& request_id) {
  if (!absl::IsUnavailable(status) && !absl::IsDeadlineExceeded(status)) return status;
  return WithMore(status, absl::StrCat("; to ask again without making a second root, add "
                                       "--request-id ",
                                       request_id));
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
  if (ReasonOf(root.status()) == ErrorReason::kPromotionBlocked) {
    return WithMore(root.status(), "; the root was made and is staged: see hourglass roots list");
  }
  if (!root.ok()) return WithRequestId(root.status(), request.request_id());
  return AnswerAbout(absl::StrCat("Created root ", root->root_id(), ".\n"), *root, session.Now());
}

// The warning where the last root that can sign ends soon.
void AddEnd(const v1::ListRootsResponse& roots, absl::Time now, Answer& answer) {
  const auto end = LastRootsEndOf(roots.roots(), now);
  if (!end.has_value()) return;
  answer.text += EndInWords(*end, now);
  answer.json["ends_soon"] = EndAsJson(*end);
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
  AddEnd(response, session.Now(), answer);
  return answer;
}

absl::StatusOr<Answer> Show(const RootOptions& options, const Session& session) {
  ASSIGN_OR_RETURN(const v1::Root root, FetchRoot(options, session));
  ASSIGN_OR_RETURN(Answer answer, AnswerAbout("", root, session.Now()));
  // Of the tenant, whichever root is looked at; what was asked for is shown in any case.
  const auto all = FetchRoots(options, session);
  if (all.ok()) AddEnd(*all, session.Now(), answer);
  return answer;
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
                   "Let it sign at once: for a tenant that has no primary yet, and no relying "
                   "party on record");
  create->add_flag("--issuing-sub-keys", options->issuing_sub_keys,
                   "Let short-lived keys sign for it (issuing.sub_key); cannot be changed later");
  create
      ->add_option("--request-id", options->request_id,
                   "Asked again under the same id, the same root is returned")
      ->type_name("ID");
}

}  // namespace

void AddRootId(CLI::App& command, RootOptions& options) {
  AddTenantOption(command, options.tenant);
  command.add_option("root,--root", options.root, "The root's id, such as r1")
      ->required()
      ->type_name("ROOT");
}

absl::StatusOr<v1::ListRootsResponse> FetchRoots(const RootOptions& options,
                                                 const Session& session) {
  v1::ListRootsRequest request;
  request.set_tenant_id(options.tenant);
  return client::Call(session.connection, &v1::RootService::Stub::ListRoots, request);
}

absl::StatusOr<v1::Root> FetchRoot(const RootOptions& options, const Session& session) {
  v1::GetRootRequest request;
  request.set_tenant_id(options.tenant);
  request.set_root_id(options.root);
  return client::Call(session.connection, &v1::RootService::Stub::GetRoot, request);
}

absl::StatusOr<Answer> AnswerAbout(absl::string_view what, const v1::Root& root, absl::Time now) {
  Answer answer;
  ASSIGN_OR_RETURN(answer.json, RootAsJson(root));
  ASSIGN_OR_RETURN(const std::string words, RootInWords(root, now));
  answer.text = absl::StrCat(what, words, what.empty() ? "" : NextStepFor(root, now));
  return answer;
}

void AddRoots(CLI::App& app, CommandLine& line) {
  CLI::App* noun = app.add_subcommand("roots", "Create, look at and move a tenant's roots");
  noun->require_subcommand(1)->fallthrough();
  const auto options = std::make_shared<RootOptions>();
  AddCreate(*noun, line, options);
  AddTenantOption(*AddCommand(*noun, line, "list", "List a tenant's roots", options, &List),
                  options->tenant);
  AddRootId(*AddCommand(*noun, line, "show", "Show one root", options, &Show), *options);
  AddIntermediates(*noun, line);
  AddRootExport(*noun, line, options);
  AddRootMoves(*noun, line, options);
}

}  // namespace hourglass::cli
