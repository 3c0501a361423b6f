#include "tests/chaos/dump.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "ca/issuers/root_states.h"
#include "hourglass/v1/journal.grpc.pb.h"
#include "hourglass/v1/roots.grpc.pb.h"
#include "hourglass/v1/tenants.grpc.pb.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/postgresql/engine/connection.h"
#include "issuance/wire/proto_time.h"

namespace hourglass::chaos {
namespace {

using history::Timestamp;
using issuance::FromProto;
using issuance::postgresql::Connection;
using issuance::postgresql::Rows;
using issuance::postgresql::Text;

constexpr int kPageSize = 1000;
constexpr std::chrono::minutes kCallDeadline(1);

// Microseconds since 1970; NULL where the database did not note it.
constexpr char kCommitsOfIntents[] =
    "SELECT serial_number, (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000000)::bigint "
    "FROM intents WHERE tenant_id = $1";
constexpr char kCommitsOfReleases[] =
    "SELECT i.serial_number, "
    "(extract(epoch FROM pg_xact_commit_timestamp(r.xmin)) * 1000000)::bigint "
    "FROM releases r JOIN intents i USING (sequence, intended_at) WHERE i.tenant_id = $1";
constexpr char kCommitsOfActions[] =
    "SELECT sequence, (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000000)::bigint "
    "FROM administrative_actions WHERE tenant_id = $1";

absl::Status ToStatus(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  return Error(ErrorReason::kInternalError, "",
               absl::StrCat("what the service has cannot be read: ", status.error_message()));
}

// Every record of a listing, oldest first. `list` asks for the page.
template <typename Record, typename Request, typename Response, typename List, typename Records>
absl::StatusOr<std::vector<Record>> AllOf(Request request, const List& list,
                                          const Records& records) {
  request.set_page_size(kPageSize);
  std::vector<Record> all;
  do {
    Response page;
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kCallDeadline);
    RETURN_IF_ERROR(ToStatus(list(&context, request, &page)));
    for (Record& record : *records(page)) all.push_back(std::move(record));
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  std::reverse(all.begin(), all.end());
  return all;
}

absl::StatusOr<std::optional<Timestamp>> OptionalTime(bool is_there,
                                                      const google::protobuf::Timestamp& time) {
  if (!is_there) return std::optional<Timestamp>();
  ASSIGN_OR_RETURN(const Timestamp there, FromProto(time, ""));
  return std::optional<Timestamp>(there);
}

absl::StatusOr<ca::Time> SecondsOf(const google::protobuf::Timestamp& time) {
  ASSIGN_OR_RETURN(const Timestamp precise, FromProto(time, ""));
  return std::chrono::floor<std::chrono::seconds>(precise);
}

absl::Status ReadCertificates(v1::JournalService::Stub& journal, history::TenantHistory* tenant) {
  v1::ListCertificatesRequest request;
  request.set_tenant_id(tenant->tenant_id);
  ASSIGN_OR_RETURN(
      std::vector<v1::JournalEntry> entries,
      (AllOf<v1::JournalEntry, v1::ListCertificatesRequest, v1::ListCertificatesResponse>(
          request,
          [&](auto* context, const auto& page, auto* response) {
            return journal.ListCertificates(context, page, response);
          },
          [](auto& response) { return response.mutable_entries(); })));
  for (v1::JournalEntry& entry : entries) {
    history::RecordedCertificate record;
    record.request_id = entry.request_id();
    record.epoch = entry.epoch();
    record.root_id = entry.root_id();
    record.serial_number = entry.serial_number();
    record.intermediate_serial_number = entry.intermediate_serial_number();
    record.to_be_signed = std::move(*entry.mutable_tbs_certificate());
    ASSIGN_OR_RETURN(record.not_after, SecondsOf(entry.not_after()));
    ASSIGN_OR_RETURN(record.intended_at, FromProto(entry.intended_at(), ""));
    record.certificate = std::move(*entry.mutable_certificate());
    ASSIGN_OR_RETURN(record.released_at,
                     OptionalTime(entry.has_released_at(), entry.released_at()));
    tenant->certificates.push_back(std::move(record));
  }
  return absl::OkStatus();
}

absl::Status ReadActions(v1::JournalService::Stub& journal, history::TenantHistory* tenant) {
  v1::ListAdministrativeActionsRequest request;
  request.set_tenant_id(tenant->tenant_id);
  ASSIGN_OR_RETURN(const std::vector<v1::AdministrativeAction> actions,
                   (AllOf<v1::AdministrativeAction, v1::ListAdministrativeActionsRequest,
                          v1::ListAdministrativeActionsResponse>(
                       request,
                       [&](auto* context, const auto& page, auto* response) {
                         return journal.ListAdministrativeActions(context, page, response);
                       },
                       [](auto& response) { return response.mutable_actions(); })));
  for (const v1::AdministrativeAction& action : actions) {
    if (!absl::StartsWith(action.action(), "root_")) continue;
    ASSIGN_OR_RETURN(const Timestamp at, FromProto(action.at(), ""));
    tenant->actions.push_back({action.sequence(), at, action.action(), action.subject(),
                               action.from_state(), action.to_state(), std::nullopt});
  }
  return absl::OkStatus();
}

absl::Status ReadIntermediates(v1::RootService::Stub& roots, const std::string& root_id,
                               history::TenantHistory* tenant) {
  v1::ListIntermediatesRequest request;
  request.set_tenant_id(tenant->tenant_id);
  request.set_root_id(root_id);
  ASSIGN_OR_RETURN(
      std::vector<v1::Intermediate> intermediates,
      (AllOf<v1::Intermediate, v1::ListIntermediatesRequest, v1::ListIntermediatesResponse>(
          request,
          [&](auto* context, const auto& page, auto* response) {
            return roots.ListIntermediates(context, page, response);
          },
          [](auto& response) { return response.mutable_intermediates(); })));
  for (v1::Intermediate& intermediate : intermediates) {
    ASSIGN_OR_RETURN(std::optional<Timestamp> released_at,
                     OptionalTime(intermediate.has_released_at(), intermediate.released_at()));
    tenant->intermediates.push_back({intermediate.epoch(), root_id, intermediate.serial_number(),
                                     intermediate.certificate(), released_at});
  }
  return absl::OkStatus();
}

absl::Status ReadRoots(v1::RootService::Stub& roots, history::TenantHistory* tenant) {
  v1::ListRootsRequest request;
  request.set_tenant_id(tenant->tenant_id);
  v1::ListRootsResponse response;
  grpc::ClientContext context;
  RETURN_IF_ERROR(ToStatus(roots.ListRoots(&context, request, &response)));
  for (const v1::Root& root : response.roots()) {
    const std::optional<ca::RootState> state = ca::RootStateNamed(v1::RootState_Name(root.state()));
    if (!state.has_value()) return ToStatus({grpc::StatusCode::INTERNAL, "a root has no state"});
    ASSIGN_OR_RETURN(const ca::Time not_after, SecondsOf(root.not_after()));
    tenant->roots.push_back({root.root_id(), *state, root.certificate(), not_after});
    RETURN_IF_ERROR(ReadIntermediates(roots, root.root_id(), tenant));
  }
  return absl::OkStatus();
}

std::optional<Timestamp> TakeTime(Rows& rows) {
  const std::optional<std::int64_t> microseconds = rows.TakeOptionalInteger();
  if (!microseconds.has_value()) return std::nullopt;
  return Timestamp(std::chrono::microseconds(*microseconds));
}

// By serial number, which no two records share, whatever request ids do.
absl::StatusOr<std::map<std::string, std::optional<Timestamp>>> CommitsBySerial(
    Connection& connection, const char* sql, const std::string& tenant_id) {
  ASSIGN_OR_RETURN(Rows rows, connection.Query(sql, {Text{tenant_id}}));
  std::map<std::string, std::optional<Timestamp>> commits;
  while (rows.Next()) {
    std::string serial_number = rows.TakeOctets();
    commits[std::move(serial_number)] = TakeTime(rows);
  }
  return commits;
}

absl::Status AddCommits(Connection& connection, history::TenantHistory* tenant) {
  const std::string& id = tenant->tenant_id;
  ASSIGN_OR_RETURN(auto intents, CommitsBySerial(connection, kCommitsOfIntents, id));
  ASSIGN_OR_RETURN(auto releases, CommitsBySerial(connection, kCommitsOfReleases, id));
  for (history::RecordedCertificate& record : tenant->certificates) {
    record.intent_committed_at = intents[record.serial_number];
    record.release_committed_at = releases[record.serial_number];
  }
  ASSIGN_OR_RETURN(Rows rows, connection.Query(kCommitsOfActions, {Text{id}}));
  std::map<std::uint64_t, std::optional<Timestamp>> actions;
  while (rows.Next()) {
    const auto sequence = static_cast<std::uint64_t>(rows.TakeInteger());
    actions[sequence] = TakeTime(rows);
  }
  for (history::RootAction& action : tenant->actions) {
    action.committed_at = actions[action.sequence];
  }
  ASSIGN_OR_RETURN(
      const std::int64_t revision,
      connection.QueryInteger("SELECT revision FROM tenants WHERE tenant_id = $1", {Text{id}}));
  tenant->revision = static_cast<std::uint64_t>(revision);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<history::TenantHistory> ReadTenant(const Cell& cell, PostgresqlCluster& database,
                                                  int replica, const std::string& tenant_id) {
  Connections connections(&cell, kAuditor);
  const std::shared_ptr<grpc::Channel> channel = connections.To(replica);
  v1::GetTenantRequest request;
  request.set_tenant_id(tenant_id);
  v1::Tenant there;
  grpc::ClientContext context;
  RETURN_IF_ERROR(
      ToStatus(v1::TenantService::NewStub(channel)->GetTenant(&context, request, &there)));
  history::TenantHistory tenant;
  tenant.tenant_id = tenant_id;
  tenant.epoch = there.epoch();
  RETURN_IF_ERROR(ReadRoots(*v1::RootService::NewStub(channel), &tenant));
  const auto journal = v1::JournalService::NewStub(channel);
  RETURN_IF_ERROR(ReadActions(*journal, &tenant));
  RETURN_IF_ERROR(ReadCertificates(*journal, &tenant));
  ASSIGN_OR_RETURN(const std::unique_ptr<Connection> superuser,
                   Connection::Open(database.SuperuserOf(cell.database_name())));
  RETURN_IF_ERROR(AddCommits(*superuser, &tenant));
  return tenant;
}

}  // namespace hourglass::chaos
