// Errors on the wire: absl::Status with its reason and field to gRPC's status with a typed detail,
// and back.
#ifndef HOURGLASS_ISSUANCE_WIRE_STATUS_DETAIL_H_
#define HOURGLASS_ISSUANCE_WIRE_STATUS_DETAIL_H_

#include <grpcpp/support/status.h>

#include <chrono>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "hourglass/v1/error.pb.h"

namespace hourglass::issuance {

// What an ErrorDetail says beyond reason and field.
struct StatusExtras {
  // With DEVICE_NOT_COMPLIANT.
  absl::Span<const v1::DenyReason> deny_reasons;
  std::optional<std::chrono::milliseconds> retry_delay;
  // With TOKEN_REFUSED and TOKEN_NOT_JUDGED: as docs/tokens.md lists them.
  absl::string_view token_fault = {};
  // With DEVICE_NOT_COMPLIANT: the id of the verdict.
  absl::string_view correlation_id = {};
};

// gRPC's default limit on the metadata of an answer is 8192 octets; a client that meets more sees
// RESOURCE_EXHAUSTED instead of the error. So a message is cut to 512 octets, and a detail to 4096:
// what does not fit of the deny reasons, and of the obstacles, is left out, the last first, but
// never all of them.
inline constexpr std::size_t kMaxStatusMessageSize = 512;
inline constexpr std::size_t kMaxStatusDetailSize = 4096;

// The same code, message, reason, field and obstacles (AttachedObstacles,
// issuance/wire/promotion_obstacles_payload.h); error_details() is a serialized v1::RpcStatus with
// one v1::ErrorDetail (`grpc-status-details-bin`). A status without a reason is a broken invariant:
// it becomes INTERNAL with INTERNAL_ERROR, and its message, which nobody wrote for strangers, stays
// here; but CANCELLED and DEADLINE_EXCEEDED, which speak of the call and not of the request, stay
// what they are. OK stays OK.
grpc::Status ToGrpcStatus(const absl::Status& status);
grpc::Status ToGrpcStatus(const absl::Status& status, const StatusExtras& extras);

// What ToGrpcStatus said, as a message of its own; of a status without a detail, code and message.
v1::RpcStatus ToRpcStatus(const grpc::Status& status);

// The detail of an error of this API; nullopt for OK and for errors of others (a proxy, gRPC
// itself, garbage).
std::optional<v1::ErrorDetail> ErrorDetailOf(const grpc::Status& status);

// What ToGrpcStatus was given, with the obstacles that it told. An error without a detail, or of a
// reason that this program does not know, keeps code and message and has no reason.
absl::Status FromGrpcStatus(const grpc::Status& status);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_WIRE_STATUS_DETAIL_H_
