// The gRPC methods of the directory: the users of a tenant.
#ifndef HOURGLASS_ISSUANCE_SERVICES_ACCESS_DIRECTORY_SERVICE_H_
#define HOURGLASS_ISSUANCE_SERVICES_ACCESS_DIRECTORY_SERVICE_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "hourglass/v1/directory.grpc.pb.h"
#include "issuance/base/clock.h"
#include "issuance/calls/call_runner.h"
#include "issuance/calls/read_message.h"
#include "issuance/calls/unary_service.h"
#include "issuance/edge/transport/message_size.h"
#include "issuance/log/event_log.h"
#include "issuance/store/access_store.h"
#include "issuance/store/tenant_store.h"

namespace hourglass::issuance {

// With room for a field or two beside the users.
template <>
inline constexpr MessageBounds kBoundsOf<v1::PutUsersRequest>{
    kMaxImportSize, static_cast<int>(DirectoryStore::kMostUsersAtOnce) + 100};

// v1::DirectoryService over the store.
class DirectoryService final : public UnaryService<v1::DirectoryService> {
 public:
  // All must outlive this object.
  DirectoryService(CallRunner* calls, TenantStore* tenants, DirectoryStore* directory,
                   const Clock* clock, const EventLog* log)
      : tenants_(tenants), directory_(directory), clock_(clock), log_(log) {
    Serve(calls, this, "PutUsers", &DirectoryService::PutUsers);
    Serve(calls, this, "RemoveStaleUsers", &DirectoryService::RemoveStaleUsers);
    Serve(calls, this, "RemoveUser", &DirectoryService::RemoveUser);
    Serve(calls, this, "GetUser", &DirectoryService::GetUser);
    Serve(calls, this, "ListUsers", &DirectoryService::ListUsers);
  }

  // What changes something is logged, as `users_put` and `users_removed` with how many, and
  // `user_removed`.
  absl::Status PutUsers(const Caller& caller, const v1::PutUsersRequest& request,
                        v1::PutUsersResponse* response);
  absl::Status RemoveStaleUsers(const Caller& caller, const v1::RemoveStaleUsersRequest& request,
                                v1::RemoveStaleUsersResponse* response);
  absl::Status RemoveUser(const Caller& caller, const v1::RemoveUserRequest& request,
                          v1::RemoveUserResponse* response);
  absl::Status GetUser(const Caller& caller, const v1::GetUserRequest& request,
                       v1::DirectoryUser* response);
  absl::Status ListUsers(const Caller& caller, const v1::ListUsersRequest& request,
                         v1::ListUsersResponse* response);

 private:
  // USER_EXISTS, with which of these users it is about.
  absl::Status TellTaken(absl::string_view tenant_id, const std::vector<DirectoryUser>& users,
                         const absl::Status& taken);

  TenantStore* const tenants_;
  DirectoryStore* const directory_;
  const Clock* const clock_;
  const EventLog* const log_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVICES_ACCESS_DIRECTORY_SERVICE_H_
