#include "absl/strings/str_cat.h"
#include "hourglass/v1/tenants.grpc.pb.h"
#include "hsm/base/status_macros.h"
#include "tools/client/table.h"
#include "tools/client/wording.h"
#include "tools/hourglass/command.h"

namespace hourglass::cli {
namespace {

using client::Json;

struct TenantOptions {
  std::string tenant;
  std::string display_name;
};

Json TenantAsJson(const v1::Tenant& tenant) {
  return {{"tenant_id", tenant.tenant_id()},
          {"display_name", tenant.display_name()},
          {"created_at", client::TimeForJson(client::TimeOf(tenant.created_at()))},
          {"epoch", tenant.epoch()},
          {"primary_root_id", tenant.primary_root_id()}};
}

std::string TenantInWords(const v1::Tenant& tenant, absl::Time now) {
  return client::FormatFacts(
      {{"Tenant", tenant.tenant_id()},
       {"Display name", tenant.display_name()},
       {"Primary root",
        tenant.primary_root_id().empty() ? "none: nothing is issued" : tenant.primary_root_id()},
       {"Epoch", absl::StrCat(tenant.epoch())},
       {"Created", client::TimeInWords(client::TimeOf(tenant.created_at()), now)}});
}

absl::StatusOr<Answer> Create(const TenantOptions& options, const Session& session) {
  v1::CreateTenantRequest request;
  request.set_tenant_id(options.tenant);
  request.set_display_name(options.display_name);
  ASSIGN_OR_RETURN(
      const v1::Tenant tenant,
      client::Call(session.connection, &v1::TenantService::Stub::CreateTenant, request));
  return Answer{absl::StrCat("Created tenant ", tenant.tenant_id(), ".\n",
                             TenantInWords(tenant, session.Now()),
                             "Next, give it a root: hourglass roots create --tenant ",
                             tenant.tenant_id(), " --duration 2y --key-type ec-p256 --primary\n"),
                TenantAsJson(tenant)};
}

absl::StatusOr<Answer> List(const TenantOptions&, const Session& session) {
  ASSIGN_OR_RETURN(const v1::ListTenantsResponse response,
                   client::Call(session.connection, &v1::TenantService::Stub::ListTenants,
                                v1::ListTenantsRequest()));
  Answer answer{"", {{"tenants", Json::array()}}};
  std::vector<std::vector<std::string>> rows;
  for (const v1::Tenant& tenant : response.tenants()) {
    answer.json["tenants"].push_back(TenantAsJson(tenant));
    rows.push_back({tenant.tenant_id(), tenant.display_name(),
                    tenant.primary_root_id().empty() ? "none" : tenant.primary_root_id(),
                    client::TimeInWords(client::TimeOf(tenant.created_at()), session.Now())});
  }
  answer.text = rows.empty()
                    ? "No tenants. Create one: hourglass tenants create ID\n"
                    : client::FormatTable({"TENANT", "DISPLAY NAME", "PRIMARY", "CREATED"}, rows);
  return answer;
}

absl::StatusOr<Answer> Show(const TenantOptions& options, const Session& session) {
  v1::GetTenantRequest request;
  request.set_tenant_id(options.tenant);
  ASSIGN_OR_RETURN(const v1::Tenant tenant,
                   client::Call(session.connection, &v1::TenantService::Stub::GetTenant, request));
  return Answer{TenantInWords(tenant, session.Now()), TenantAsJson(tenant)};
}

void AddTenantId(CLI::App& command, std::string& tenant) {
  command.add_option("tenant,--tenant", tenant, "The tenant's id: a-z, 0-9 and inner hyphens")
      ->required()
      ->type_name("ID");
}

}  // namespace

void AddTenants(CLI::App& app, CommandLine& line) {
  CLI::App* noun = app.add_subcommand("tenants", "Create and look at tenants");
  noun->require_subcommand(1)->fallthrough();
  const auto options = std::make_shared<TenantOptions>();
  CLI::App* create = AddCommand(*noun, line, "create", "Create a tenant", options, &Create);
  AddTenantId(*create, options->tenant);
  create
      ->add_option("--display-name", options->display_name,
                   "For people, and in the names of its roots (default: the id)")
      ->type_name("NAME");
  AddCommand(*noun, line, "list", "List the tenants you may act in", options, &List);
  AddTenantId(*AddCommand(*noun, line, "show", "Show one tenant", options, &Show), options->tenant);
}

}  // namespace hourglass::cli
