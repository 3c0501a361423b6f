#include "issuance/services/access/directory_service.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "ca/names/name_rules.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/services/access/access_mapper.h"
#include "issuance/store/page.h"
#include "issuance/timekeeping/deciding_time.h"
#include "issuance/wire/proto_time.h"
#include "issuance/wire/request_fields.h"

namespace hourglass::issuance {
namespace {

// Of a call that puts users.
constexpr std::size_t kMostOctets = 3 * 1024 * 1024;
// By which the clocks of replicas may differ.
constexpr std::chrono::minutes kMostClockDifference(5);

absl::Status CheckOptionalReason(const std::string& reason) {
  return reason.empty() ? absl::OkStatus() : CheckReason(reason, "reason");
}

std::string FieldOfUser(std::size_t index) { return absl::StrCat("users[", index, "]"); }

absl::StatusOr<std::vector<DirectoryUser>> UsersOf(const v1::PutUsersRequest& request) {
  const auto count = static_cast<std::size_t>(request.users_size());
  if (count == 0) return Error(ErrorReason::kFieldMissing, "users", "at least one is required");
  if (count > DirectoryStore::kMostUsersAtOnce) {
    return Error(ErrorReason::kFieldInvalid, "users",
                 absl::StrCat("at most ", DirectoryStore::kMostUsersAtOnce, " are taken at once"));
  }
  if (request.ByteSizeLong() > kMostOctets) {
    return Error(ErrorReason::kFieldInvalid, "users",
                 absl::StrCat("at most ", kMostOctets, " octets are taken at once"));
  }
  std::vector<DirectoryUser> users;
  users.reserve(count);
  absl::flat_hash_set<absl::string_view> ids;
  for (std::size_t i = 0; i < count; ++i) {
    const v1::DirectoryUser& given = request.users(static_cast<int>(i));
    ASSIGN_OR_RETURN(DirectoryUser user, FromProto(given, FieldOfUser(i)));
    if (!ids.insert(given.id()).second) {
      return Error(ErrorReason::kFieldInvalid, absl::StrCat(FieldOfUser(i), ".id"),
                   "is that of another one of these");
    }
    user.tenant_id = request.tenant_id();
    users.push_back(std::move(user));
  }
  return users;
}

}  // namespace

absl::Status DirectoryService::TellTaken(absl::string_view tenant_id,
                                         const std::vector<DirectoryUser>& users,
                                         const absl::Status& taken) {
  absl::flat_hash_set<absl::string_view> ids;
  for (const DirectoryUser& user : users) ids.insert(user.user_id);
  absl::flat_hash_set<std::string> names;
  for (std::size_t i = 0; i < users.size(); ++i) {
    const std::string field = absl::StrCat(FieldOfUser(i), ".upn");
    if (!names.insert(ca::FoldedUpn(users[i].upn)).second) {
      return Error(ErrorReason::kUserExists, field, "is that of another one of these");
    }
    const absl::StatusOr<DirectoryUser> owner = directory_->GetUserByUpn(tenant_id, users[i].upn);
    // One of these gets another name by this call, or would.
    if (!owner.ok() || ids.contains(owner->user_id)) continue;
    return Error(ErrorReason::kUserExists, field,
                 absl::StrCat("is that of the user ", owner->user_id));
  }
  return taken;
}

absl::Status DirectoryService::PutUsers(const Caller& caller, const v1::PutUsersRequest& request,
                                        v1::PutUsersResponse* response) {
  ASSIGN_OR_RETURN(const std::vector<DirectoryUser> users, UsersOf(request));
  RETURN_IF_ERROR(CheckOptionalReason(request.reason()));
  // Who is taken away by the end of an import is told by this.
  ASSIGN_OR_RETURN(const Timestamp now, DecidingTime(*clock_));
  const absl::Status put =
      directory_->PutUsers(request.tenant_id(), users, {now, caller.name, request.reason()});
  if (ReasonOf(put) == ErrorReason::kUserExists) {
    return TellTaken(request.tenant_id(), users, put);
  }
  RETURN_IF_ERROR(put);
  *response->mutable_updated_at() = ToProto(now);
  log_->Info("users_put", {{"tenant", request.tenant_id()},
                           {"users", absl::StrCat(users.size())},
                           {"caller", caller.name}});
  return absl::OkStatus();
}

absl::Status DirectoryService::RemoveStaleUsers(const Caller& caller,
                                                const v1::RemoveStaleUsersRequest& request,
                                                v1::RemoveStaleUsersResponse* response) {
  if (!request.has_not_updated_since()) {
    return Error(ErrorReason::kFieldMissing, "not_updated_since", "is required");
  }
  ASSIGN_OR_RETURN(const Timestamp cutoff,
                   FromProto(request.not_updated_since(), "not_updated_since"));
  RETURN_IF_ERROR(CheckOptionalReason(request.reason()));
  ASSIGN_OR_RETURN(const Timestamp now, DecidingTime(*clock_));
  // A time to come would be everybody's end. What another replica said is by its own clock.
  if (cutoff > now + kMostClockDifference) {
    return Error(ErrorReason::kFieldInvalid, "not_updated_since", "lies in the future");
  }
  ASSIGN_OR_RETURN(const std::uint64_t removed,
                   directory_->RemoveUsersNotUpdatedSince(request.tenant_id(), cutoff,
                                                          {now, caller.name, request.reason()}));
  response->set_removed(removed);
  log_->Info(
      "users_removed",
      {{"tenant", request.tenant_id()}, {"users", absl::StrCat(removed)}, {"caller", caller.name}});
  return absl::OkStatus();
}

absl::Status DirectoryService::RemoveUser(const Caller& caller,
                                          const v1::RemoveUserRequest& request,
                                          v1::RemoveUserResponse*) {
  RETURN_IF_ERROR(CheckId(request.user_id(), kMaxUserIdSize, "user_id"));
  RETURN_IF_ERROR(CheckOptionalReason(request.reason()));
  RETURN_IF_ERROR(directory_->RemoveUser(request.tenant_id(), request.user_id(),
                                         {clock_->Now(), caller.name, request.reason()}));
  log_->Info(
      "user_removed",
      {{"tenant", request.tenant_id()}, {"user", request.user_id()}, {"caller", caller.name}});
  return absl::OkStatus();
}

absl::Status DirectoryService::GetUser(const Caller&, const v1::GetUserRequest& request,
                                       v1::DirectoryUser* response) {
  absl::StatusOr<DirectoryUser> user;
  switch (request.user_case()) {
    case v1::GetUserRequest::kUserId:
      RETURN_IF_ERROR(CheckId(request.user_id(), kMaxUserIdSize, "user_id"));
      user = directory_->GetUser(request.tenant_id(), request.user_id());
      break;
    case v1::GetUserRequest::kUpn:
      RETURN_IF_ERROR(CheckUpn(request.upn(), "upn"));
      user = directory_->GetUserByUpn(request.tenant_id(), request.upn());
      break;
    case v1::GetUserRequest::USER_NOT_SET:
      return Error(ErrorReason::kFieldMissing, "user_id", "an id or a UPN is required");
  }
  RETURN_IF_ERROR(user.status());
  *response = ToProto(*user);
  return absl::OkStatus();
}

absl::Status DirectoryService::ListUsers(const Caller&, const v1::ListUsersRequest& request,
                                         v1::ListUsersResponse* response) {
  RETURN_IF_ERROR(tenants_->GetTenant(request.tenant_id()).status());
  ASSIGN_OR_RETURN(const int page_size, PageSize(request.page_size()));
  ASSIGN_OR_RETURN(Page<DirectoryUser> page,
                   directory_->ListUsers(request.tenant_id(), page_size, request.page_token()));
  for (DirectoryUser& user : page.records) {
    user.groups.clear();
    user.roles.clear();
    *response->add_users() = ToProto(user);
  }
  response->set_next_page_token(page.next_page_token);
  return absl::OkStatus();
}

}  // namespace hourglass::issuance
