#include "issuance/services/root_service.h"

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/services/record_mapper.h"
#include "issuance/wire/request_fields.h"

namespace hourglass::issuance {
namespace {

KeyFate FateOf(const v1::MoveRootRequest& request) {
  return request.destroy_key() ? KeyFate::kDestroy : KeyFate::kKeep;
}

absl::Status CheckRootId(const std::string& root_id) {
  return CheckId(root_id, kMaxRootIdSize, "root_id");
}

void LogMove(const EventLog& log, absl::string_view event, const Caller& caller,
             const RootRecord& root) {
  log.Info(event, {{"tenant", root.tenant_id},
                   {"root", root.root_id},
                   {"state", ca::RootStateName(root.state)},
                   {"caller", caller.name}});
}

// `field` has why it was done, as the administrator says; without that it is an ordinary move.
void LogMoveBecause(const EventLog& log, absl::string_view event, const Caller& caller,
                    const RootRecord& root, absl::string_view field, absl::string_view why) {
  if (why.empty()) return LogMove(log, event, caller, root);
  log.Info(event, {{"tenant", root.tenant_id},
                   {"root", root.root_id},
                   {"state", ca::RootStateName(root.state)},
                   {"caller", caller.name},
                   {field, why}});
}

absl::StatusOr<RootOrder> OrderOf(const v1::CreateRootRequest& request, const Caller& caller) {
  RootOrder order;
  order.key_reach = caller.all_tenants ? KeyReach::kEveryTenant : KeyReach::kOwnTenant;
  order.caller = caller.name;
  order.tenant_id = request.tenant_id();
  if (!request.has_duration()) return Error(ErrorReason::kFieldMissing, "duration", "is required");
  if (request.duration().nanos() != 0) {
    return Error(ErrorReason::kFieldInvalid, "duration", "must be in whole seconds");
  }
  order.duration = std::chrono::seconds(request.duration().seconds());
  ASSIGN_OR_RETURN(order.key_type, FromProto(request.key_type()));
  order.key_uri = request.key_uri();
  if (!request.request_id().empty()) {
    RETURN_IF_ERROR(CheckId(request.request_id(), kMaxRequestIdSize, "request_id"));
  }
  if (absl::StartsWith(request.request_id(), kOwnRequestIdPrefix)) {
    return Error(
        ErrorReason::kFieldInvalid, "request_id",
        absl::StrCat("must not begin with ", kOwnRequestIdPrefix, ": those are the service's own"));
  }
  order.request_id = request.request_id();
  order.issuing_sub_keys = request.issuing_sub_keys();
  return order;
}

}  // namespace

absl::Status RootService::CreateRoot(const Caller& caller, const v1::CreateRootRequest& request,
                                     v1::Root* response) {
  ASSIGN_OR_RETURN(const RootOrder order, OrderOf(request, caller));
  bool is_new = false;
  ASSIGN_OR_RETURN(RootRecord root, roots_->Create(order, &is_new));
  if (is_new) LogMove(*log_, "root_created", caller, root);
  // A repeated request finds its root in whatever state others have brought it to since, and
  // must not take their decision back.
  if (request.make_primary() && root.state == ca::RootState::kStaged) {
    absl::StatusOr<RootRecord> promoted = roots_->Promote(
        {.tenant_id = root.tenant_id, .root_id = root.root_id, .caller = caller.name});
    if (promoted.ok()) {
      root = *std::move(promoted);
      LogMove(*log_, "root_promoted", caller, root);
    } else {
      // Another process may have done so for the same request: then it is as if it were repeated.
      ASSIGN_OR_RETURN(root, tenants_->GetRoot(root.tenant_id, root.root_id));
      if (root.state != ca::RootState::kPrimary) return promoted.status();
    }
  }
  *response = ToProto(root);
  return absl::OkStatus();
}

absl::Status RootService::ListRoots(const Caller&, const v1::ListRootsRequest& request,
                                    v1::ListRootsResponse* response) {
  RETURN_IF_ERROR(tenants_->GetTenant(request.tenant_id()).status());
  ASSIGN_OR_RETURN(const std::vector<RootRecord> roots, tenants_->ListRoots(request.tenant_id()));
  for (const RootRecord& root : roots) *response->add_roots() = ToProto(root);
  return absl::OkStatus();
}

absl::Status RootService::GetRoot(const Caller&, const v1::GetRootRequest& request,
                                  v1::Root* response) {
  RETURN_IF_ERROR(CheckRootId(request.root_id()));
  ASSIGN_OR_RETURN(const RootRecord root,
                   tenants_->GetRoot(request.tenant_id(), request.root_id()));
  *response = ToProto(root);
  return absl::OkStatus();
}

absl::Status RootService::ListIntermediates(const Caller&,
                                            const v1::ListIntermediatesRequest& request,
                                            v1::ListIntermediatesResponse* response) {
  RETURN_IF_ERROR(CheckRootId(request.root_id()));
  RETURN_IF_ERROR(tenants_->GetRoot(request.tenant_id(), request.root_id()).status());
  ASSIGN_OR_RETURN(const int page_size, PageSize(request.page_size()));
  ASSIGN_OR_RETURN(const Page<IntermediateRecord> page,
                   intermediates_->ListIntermediates(request.tenant_id(), request.root_id(),
                                                     page_size, request.page_token()));
  for (const IntermediateRecord& record : page.records) {
    *response->add_intermediates() = ToProto(record);
  }
  response->set_next_page_token(page.next_page_token);
  return absl::OkStatus();
}

absl::Status RootService::PromoteRoot(const Caller& caller, const v1::PromoteRootRequest& request,
                                      v1::Root* response) {
  RETURN_IF_ERROR(CheckRootId(request.root_id()));
  if (!request.override_reason().empty()) {
    RETURN_IF_ERROR(CheckReason(request.override_reason(), "override_reason"));
  }
  ASSIGN_OR_RETURN(const RootRecord root,
                   roots_->Promote({.tenant_id = request.tenant_id(),
                                    .root_id = request.root_id(),
                                    .caller = caller.name,
                                    .override_reason = request.override_reason(),
                                    .without_relying_parties = request.without_relying_parties()}));
  LogMoveBecause(*log_, "root_promoted", caller, root, "override_reason",
                 request.override_reason());
  *response = ToProto(root);
  return absl::OkStatus();
}

absl::Status RootService::RollBackRoot(const Caller& caller, const v1::RollBackRootRequest& request,
                                       v1::Root* response) {
  RETURN_IF_ERROR(CheckRootId(request.root_id()));
  if (!request.reason().empty()) RETURN_IF_ERROR(CheckReason(request.reason(), "reason"));
  ASSIGN_OR_RETURN(const RootRecord root, roots_->RollBack(request.tenant_id(), request.root_id(),
                                                           caller.name, request.reason()));
  LogMoveBecause(*log_, "root_rolled_back", caller, root, "why", request.reason());
  *response = ToProto(root);
  return absl::OkStatus();
}

absl::Status RootService::RetireRoot(const Caller& caller, const v1::MoveRootRequest& request,
                                     v1::Root* response) {
  RETURN_IF_ERROR(CheckRootId(request.root_id()));
  ASSIGN_OR_RETURN(const RootRecord root, roots_->Retire(request.tenant_id(), request.root_id(),
                                                         FateOf(request), caller.name));
  LogMove(*log_, "root_retired", caller, root);
  *response = ToProto(root);
  return absl::OkStatus();
}

absl::Status RootService::DiscardRoot(const Caller& caller, const v1::MoveRootRequest& request,
                                      v1::Root* response) {
  RETURN_IF_ERROR(CheckRootId(request.root_id()));
  ASSIGN_OR_RETURN(const RootRecord root, roots_->Discard(request.tenant_id(), request.root_id(),
                                                          FateOf(request), caller.name));
  LogMove(*log_, "root_discarded", caller, root);
  *response = ToProto(root);
  return absl::OkStatus();
}

}  // namespace hourglass::issuance
