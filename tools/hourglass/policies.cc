#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "hourglass/v1/policies.grpc.pb.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "tools/client/files.h"
#include "tools/client/table.h"
#include "tools/client/wording.h"
#include "tools/hourglass/command.h"
#include "tools/hourglass/policy_words.h"

namespace hourglass::cli {
namespace {

using client::Json;
using Service = v1::PolicyService::Stub;

constexpr mode_t kFileMode = 0644;

struct PolicyOptions {
  std::string tenant;
  std::string policy;
  std::string reason;
  std::string out;
  std::vector<std::string> files;
  std::uint64_t expected_revision = 0;
  bool dry_run = false;
  bool report_only = false;
};

Json NoticesAsJson(const google::protobuf::RepeatedPtrField<v1::PolicyNotice>& notices) {
  Json list = Json::array();
  for (const v1::PolicyNotice& notice : notices) {
    list.push_back({{"policy_id", notice.policy_id()},
                    {"path", notice.path()},
                    {"message", notice.message()}});
  }
  return list;
}

std::string NoticesInWords(const google::protobuf::RepeatedPtrField<v1::PolicyNotice>& notices) {
  std::string text;
  for (const v1::PolicyNotice& notice : notices) {
    const std::string whose =
        notice.policy_id().empty() ? "" : absl::StrCat(client::Printable(notice.policy_id()), ": ");
    absl::StrAppend(&text, "  ! ", whose, client::Printable(notice.path()), ": ",
                    client::Printable(notice.message()), "\n");
  }
  return text;
}

Json PolicyAsJson(const v1::Policy& policy) {
  Json json = {{"id", policy.id()},
               {"kind", PolicyKindName(policy.kind())},
               {"display_name", policy.display_name()},
               {"revision", policy.revision()},
               {"changed_at", client::TimeForJson(client::TimeOf(policy.changed_at()))},
               {"changed_by", policy.changed_by()},
               {"notices", NoticesAsJson(policy.notices())}};
  if (policy.state() != v1::POLICY_STATE_UNSPECIFIED) {
    json["state"] = PolicyStateName(policy.state());
  }
  if (!policy.document().empty()) {
    json["document"] = Json::parse(policy.document(), nullptr, /*allow_exceptions=*/false);
  }
  return json;
}

std::string Change(const v1::Policy& policy, absl::Time now) {
  return absl::StrCat(client::TimeInWords(client::TimeOf(policy.changed_at()), now), " by ",
                      policy.changed_by());
}

std::string IdsInWords(absl::string_view what,
                       const google::protobuf::RepeatedPtrField<std::string>& ids) {
  if (ids.empty()) return "";
  return absl::StrCat("  ", what, ": ", client::Printable(absl::StrJoin(ids, ", ")), "\n");
}

// Of several files the first alone is held to the expected revision; each is all or none.
absl::StatusOr<Answer> Import(const PolicyOptions& options, const Session& session) {
  Answer answer{"", {{"files", Json::array()}}};
  std::uint64_t expected = options.expected_revision;
  for (const std::string& file : options.files) {
    v1::ImportPoliciesRequest request;
    request.set_tenant_id(options.tenant);
    ASSIGN_OR_RETURN(*request.mutable_document(), client::ReadWholeFile(file));
    request.set_dry_run(options.dry_run);
    request.set_as_report_only(options.report_only);
    request.set_expected_revision(expected);
    request.set_reason(options.reason);
    ASSIGN_OR_RETURN(const v1::ImportPoliciesResponse made,
                     client::Call(session.connection, &Service::ImportPolicies, request));
    if (expected != 0) expected = made.revision();
    absl::StrAppend(
        &answer.text, options.dry_run ? "Would import " : "Imported ", client::Printable(file),
        options.dry_run ? "; nothing was changed.\n"
                        : absl::StrCat("; the policies are at revision ", made.revision(), ".\n"),
        IdsInWords("new", made.created()), IdsInWords("changed", made.changed()),
        IdsInWords("as before", made.unchanged()), NoticesInWords(made.notices()));
    answer.json["files"].push_back({{"file", file},
                                    {"revision", made.revision()},
                                    {"dry_run", options.dry_run},
                                    {"created", made.created()},
                                    {"changed", made.changed()},
                                    {"unchanged", made.unchanged()},
                                    {"notices", NoticesAsJson(made.notices())}});
  }
  return answer;
}

absl::StatusOr<v1::ListPoliciesResponse> ListAll(const PolicyOptions& options,
                                                 const Session& session) {
  v1::ListPoliciesRequest request;
  request.set_tenant_id(options.tenant);
  return client::Call(session.connection, &Service::ListPolicies, request);
}

absl::StatusOr<v1::Policy> Get(const PolicyOptions& options, const std::string& id,
                               const Session& session) {
  v1::GetPolicyRequest request;
  request.set_tenant_id(options.tenant);
  request.set_policy_id(id);
  return client::Call(session.connection, &Service::GetPolicy, request);
}

absl::StatusOr<Answer> List(const PolicyOptions& options, const Session& session) {
  ASSIGN_OR_RETURN(const v1::ListPoliciesResponse list, ListAll(options, session));
  Answer answer{"", {{"revision", list.revision()}, {"policies", Json::array()}}};
  std::vector<std::vector<std::string>> rows;
  for (const v1::Policy& policy : list.policies()) {
    answer.json["policies"].push_back(PolicyAsJson(policy));
    rows.push_back(
        {policy.id(), PolicyKindName(policy.kind()),
         policy.state() == v1::POLICY_STATE_UNSPECIFIED ? "-" : PolicyStateName(policy.state()),
         policy.notices().empty() ? "-" : absl::StrCat(policy.notices_size()),
         policy.display_name()});
  }
  answer.text = rows.empty()
                    ? "No policies have been imported.\n"
                    : client::FormatTable({"POLICY", "KIND", "STATE", "NOTICES", "NAME"}, rows);
  return answer;
}

absl::StatusOr<Answer> Show(const PolicyOptions& options, const Session& session) {
  ASSIGN_OR_RETURN(const v1::Policy policy, Get(options, options.policy, session));
  client::Facts facts = {{"Policy", absl::StrCat(policy.display_name(), " (", policy.id(), ")")},
                         {"Kind", PolicyKindName(policy.kind())}};
  if (policy.state() != v1::POLICY_STATE_UNSPECIFIED) {
    facts.emplace_back("State", PolicyStateName(policy.state()));
  }
  facts.emplace_back("Changed", Change(policy, session.Now()));
  facts.emplace_back("Revision", absl::StrCat(policy.revision()));
  return Answer{
      absl::StrCat(client::FormatFacts(facts), NoticesInWords(policy.notices()), policy.document()),
      PolicyAsJson(policy)};
}

// As one document that `policy import` takes.
absl::StatusOr<Answer> Export(const PolicyOptions& options, const Session& session) {
  std::vector<std::string> ids = {options.policy};
  if (options.policy.empty()) {
    ASSIGN_OR_RETURN(const v1::ListPoliciesResponse list, ListAll(options, session));
    ids.clear();
    for (const v1::Policy& policy : list.policies()) ids.push_back(policy.id());
  }
  Json value = Json::array();
  for (const std::string& id : ids) {
    ASSIGN_OR_RETURN(const v1::Policy policy, Get(options, id, session));
    const Json document = Json::parse(policy.document(), nullptr, /*allow_exceptions=*/false);
    if (!document.is_object() || !document.contains("value")) {
      return Error(ErrorReason::kInternalError, "document", "is no export of Microsoft Graph");
    }
    for (const Json& object : document["value"]) value.push_back(object);
  }
  const Json whole = {{"value", std::move(value)}};
  const std::string text = absl::StrCat(whole.dump(2), "\n");
  if (options.out.empty()) return Answer{text, whole};
  RETURN_IF_ERROR(client::ReplaceFile(options.out, text, kFileMode));
  return Answer{absl::StrCat("Wrote ", ids.size(), " to ", client::Printable(options.out), ".\n"),
                {{"file", options.out}, {"policies", ids.size()}}};
}

absl::StatusOr<Answer> SetState(const PolicyOptions& options, const Session& session,
                                v1::PolicyState state, absl::string_view done) {
  v1::SetPolicyStateRequest request;
  request.set_tenant_id(options.tenant);
  request.set_policy_id(options.policy);
  request.set_state(state);
  request.set_reason(options.reason);
  ASSIGN_OR_RETURN(const v1::Policy policy,
                   client::Call(session.connection, &Service::SetPolicyState, request));
  return Answer{absl::StrCat("\"", client::Printable(policy.display_name()), "\" ", done, "\n",
                             NoticesInWords(policy.notices())),
                PolicyAsJson(policy)};
}

absl::StatusOr<Answer> Enable(const PolicyOptions& options, const Session& session) {
  return SetState(options, session, v1::POLICY_ENABLED,
                  "is enabled: it counts from the next request on.");
}

absl::StatusOr<Answer> Disable(const PolicyOptions& options, const Session& session) {
  return SetState(options, session, v1::POLICY_DISABLED, "is disabled.");
}

absl::StatusOr<Answer> ReportOnly(const PolicyOptions& options, const Session& session) {
  return SetState(options, session, v1::POLICY_REPORT_ONLY,
                  "is report-only: it is evaluated and told, and decides nothing.");
}

absl::StatusOr<Answer> Delete(const PolicyOptions& options, const Session& session) {
  v1::DeletePolicyRequest request;
  request.set_tenant_id(options.tenant);
  request.set_policy_id(options.policy);
  request.set_reason(options.reason);
  ASSIGN_OR_RETURN(const v1::DeletePolicyResponse made,
                   client::Call(session.connection, &Service::DeletePolicy, request));
  return Answer{absl::StrCat("Deleted ", client::Printable(options.policy),
                             "; `policy history` still has what it was.\n"),
                {{"policy_id", options.policy}, {"revision", made.revision()}, {"deleted", true}}};
}

absl::StatusOr<Answer> History(const PolicyOptions& options, const Session& session) {
  v1::ListPolicyVersionsRequest request;
  request.set_tenant_id(options.tenant);
  request.set_policy_id(options.policy);
  request.set_page_size(kLargestPage);
  Answer answer{"", {{"versions", Json::array()}}};
  std::vector<std::vector<std::string>> rows;
  do {
    ASSIGN_OR_RETURN(const v1::ListPolicyVersionsResponse page,
                     client::Call(session.connection, &Service::ListPolicyVersions, request));
    for (const v1::PolicyVersion& version : page.versions()) {
      Json json = PolicyAsJson(version.policy());
      json["deleted"] = version.deleted();
      json["reason"] = version.reason();
      answer.json["versions"].push_back(std::move(json));
      const v1::PolicyState state = version.policy().state();
      rows.push_back({absl::StrCat(version.policy().revision()),
                      Change(version.policy(), session.Now()),
                      version.deleted()                       ? "deleted"
                      : state == v1::POLICY_STATE_UNSPECIFIED ? "-"
                                                              : PolicyStateName(state),
                      version.reason().empty() ? "-" : version.reason()});
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  answer.text = client::FormatTable({"REVISION", "CHANGED", "STATE", "REASON"}, rows);
  return answer;
}

void AddPolicyId(CLI::App& command, PolicyOptions& options, bool required = true) {
  AddTenantOption(command, options.tenant);
  command.add_option("policy,--policy", options.policy, "The policy's id")
      ->required(required)
      ->type_name("POLICY");
}

void AddImport(CLI::App& noun, CommandLine& line, const std::shared_ptr<PolicyOptions>& options) {
  CLI::App* import = AddCommand(noun, line, "import",
                                "Take policies and named locations as Microsoft Graph exports them",
                                options, &Import);
  AddTenantOption(*import, options->tenant);
  import->add_option("files,--file", options->files, "JSON files, or - ; each is all or none")
      ->required()
      ->type_name("FILE");
  import->add_flag("--dry-run", options->dry_run, "Only say what would become of it");
  import->add_flag("--report-only", options->report_only,
                   "Import conditional access policies as report-only, whatever they say");
  import
      ->add_option("--expected-revision", options->expected_revision,
                   "Refuse where the policies are at another revision")
      ->type_name("N");
  AddReasonOption(*import, options->reason);
}

}  // namespace

void AddPolicies(CLI::App& app, CommandLine& line) {
  CLI::App* noun = app.add_subcommand(
      "policy", "Conditional access and device compliance policies, as Microsoft Graph has them");
  noun->require_subcommand(1)->fallthrough();
  const auto options = std::make_shared<PolicyOptions>();
  AddImport(*noun, line, options);
  AddTenantOption(*AddCommand(*noun, line, "list", "List what was imported", options, &List),
                  options->tenant);
  AddPolicyId(*AddCommand(*noun, line, "show", "Show one, with what cannot be enforced of it",
                          options, &Show),
              *options);
  CLI::App* exported = AddCommand(
      *noun, line, "export", "Write one, or all, as `policy import` takes them", options, &Export);
  AddPolicyId(*exported, *options, /*required=*/false);
  exported->add_option("--out", options->out, "A file instead of standard output")
      ->type_name("FILE");
  const auto change = [&](const char* verb, const char* help,
                          absl::StatusOr<Answer> (*run)(const PolicyOptions&, const Session&)) {
    CLI::App* command = AddCommand(*noun, line, verb, help, options, run);
    AddPolicyId(*command, *options);
    AddReasonOption(*command, options->reason);
  };
  change("enable", "Enforce a conditional access policy", &Enable);
  change("disable", "Do not evaluate a conditional access policy", &Disable);
  change("report-only", "Evaluate and tell a policy, without enforcing it", &ReportOnly);
  change("delete", "Take a policy or named location away", &Delete);
  AddPolicyId(
      *AddCommand(*noun, line, "history", "Who changed a policy, when and why", options, &History),
      *options);
}

}  // namespace hourglass::cli
