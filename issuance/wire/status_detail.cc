#include "issuance/wire/status_detail.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "hsm/base/error.h"
#include "issuance/wire/promotion_obstacles_payload.h"
#include "issuance/wire/readable_text.h"

namespace hourglass::issuance {
namespace {

constexpr std::size_t kMaxFieldSize = 256;

// At most `size` octets, without half a UTF-8 character at the end.
std::string Cut(absl::string_view text, std::size_t size) {
  if (text.size() <= size) return std::string(text);
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  return std::string(text.substr(0, size));
}

v1::ErrorReason ToProto(ErrorReason reason) {
  v1::ErrorReason proto = v1::ERROR_REASON_UNSPECIFIED;
  v1::ErrorReason_Parse(std::string(ErrorReasonName(reason)), &proto);
  return proto;
}

ErrorReason FromProto(v1::ErrorReason proto) {
  const std::string& name = v1::ErrorReason_Name(proto);
  for (int i = 0; i <= static_cast<int>(ErrorReason::kInternalError); ++i) {
    const auto reason = static_cast<ErrorReason>(i);
    if (ErrorReasonName(reason) == name) return reason;
  }
  return ErrorReason::kUnspecified;
}

void SetRetryDelay(std::chrono::milliseconds delay, v1::ErrorDetail* detail) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(delay);
  detail->mutable_retry_delay()->set_seconds(seconds.count());
  detail->mutable_retry_delay()->set_nanos(
      static_cast<int>(std::chrono::nanoseconds(delay - seconds).count()));
}

void AddDenyReasons(absl::Span<const v1::DenyReason> reasons, std::size_t budget,
                    v1::ErrorDetail* detail) {
  for (const v1::DenyReason& reason : reasons) {
    v1::DenyReason* added = detail->add_deny_reasons();
    *added = reason;
    if (detail->ByteSizeLong() <= budget) continue;
    if (detail->deny_reasons_size() > 1) {
      detail->mutable_deny_reasons()->RemoveLast();
      return;
    }
    added->set_setting(Cut(reason.setting(), kMaxFieldSize));
    added->set_message(Cut(reason.message(), kMaxStatusMessageSize));
    added->clear_remediation_url();
  }
}

void AddObstacles(const std::vector<v1::PromotionObstacle>& obstacles, std::size_t budget,
                  v1::ErrorDetail* detail) {
  for (const v1::PromotionObstacle& obstacle : obstacles) {
    v1::PromotionObstacle* added = detail->add_obstacles();
    added->set_kind(obstacle.kind());
    added->set_relying_party(Cut(obstacle.relying_party(), kMaxFieldSize));
    added->set_message(Cut(obstacle.message(), kMaxStatusMessageSize));
    if (detail->ByteSizeLong() <= budget || detail->obstacles_size() == 1) continue;
    detail->mutable_obstacles()->RemoveLast();
    return;
  }
}

}  // namespace

grpc::Status ToGrpcStatus(const absl::Status& status) { return ToGrpcStatus(status, {}); }

grpc::Status ToGrpcStatus(const absl::Status& status, const StatusExtras& extras) {
  if (status.ok()) return grpc::Status::OK;
  if (ReasonOf(status) == ErrorReason::kUnspecified) {
    if (absl::IsCancelled(status) || absl::IsDeadlineExceeded(status)) {
      return grpc::Status(static_cast<grpc::StatusCode>(status.code()),
                          std::string(status.message()));
    }
    return ToGrpcStatus(Error(ErrorReason::kInternalError, "", "the service failed"), extras);
  }
  const std::string message = Cut(AsUtf8(status.message()), kMaxStatusMessageSize);
  v1::ErrorDetail detail;
  detail.set_reason(ToProto(ReasonOf(status)));
  detail.set_field(Cut(FieldOf(status), kMaxFieldSize));
  if (extras.retry_delay.has_value()) SetRetryDelay(*extras.retry_delay, &detail);
  detail.set_token_fault(Cut(extras.token_fault, kMaxFieldSize));
  detail.set_correlation_id(Cut(extras.correlation_id, kMaxFieldSize));

  v1::RpcStatus wire;
  wire.set_code(static_cast<int>(status.code()));
  wire.set_message(message);
  wire.add_details()->PackFrom(detail);
  const std::size_t around_detail = wire.ByteSizeLong() - detail.ByteSizeLong();
  // Length prefixes grow by a few octets with the detail.
  constexpr std::size_t kPrefixes = 16;
  const std::size_t budget = kMaxStatusDetailSize - around_detail - kPrefixes;
  AddDenyReasons(extras.deny_reasons, budget, &detail);
  AddObstacles(AttachedObstacles(status), budget, &detail);
  wire.mutable_details(0)->PackFrom(detail);
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), message,
                      wire.SerializeAsString());
}

v1::RpcStatus ToRpcStatus(const grpc::Status& status) {
  v1::RpcStatus wire;
  if (!wire.ParseFromString(status.error_details())) wire.Clear();
  wire.set_code(status.error_code());
  wire.set_message(status.error_message());
  return wire;
}

std::optional<v1::ErrorDetail> ErrorDetailOf(const grpc::Status& status) {
  if (status.ok()) return std::nullopt;
  v1::RpcStatus wire;
  if (!wire.ParseFromString(status.error_details())) return std::nullopt;
  for (const auto& any : wire.details()) {
    v1::ErrorDetail detail;
    if (any.UnpackTo(&detail) && detail.reason() != v1::ERROR_REASON_UNSPECIFIED) return detail;
  }
  return std::nullopt;
}

absl::Status FromGrpcStatus(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  const auto detail = ErrorDetailOf(status);
  const ErrorReason reason =
      detail.has_value() ? FromProto(detail->reason()) : ErrorReason::kUnspecified;
  if (reason == ErrorReason::kUnspecified) {
    return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  }
  const std::string text = status.error_message();
  absl::string_view message = text;
  if (!detail->field().empty()) absl::ConsumePrefix(&message, absl::StrCat(detail->field(), ": "));
  absl::Status told = Error(reason, detail->field(), message);
  const std::vector<v1::PromotionObstacle> obstacles(detail->obstacles().begin(),
                                                     detail->obstacles().end());
  if (!obstacles.empty()) AttachObstacles(obstacles, &told);
  return told;
}

}  // namespace hourglass::issuance
