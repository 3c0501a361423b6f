// Matchers for gRPC statuses and their typed detail.
#ifndef HOURGLASS_TESTS_SUPPORT_GRPC_MATCHERS_H_
#define HOURGLASS_TESTS_SUPPORT_GRPC_MATCHERS_H_

#include <gmock/gmock.h>
#include <grpcpp/support/status.h>

#include <string>

#include "hourglass/v1/error.pb.h"
#include "issuance/wire/status_detail.h"

namespace hourglass {

inline std::string Describe(const grpc::Status& status) {
  const auto detail = issuance::ErrorDetailOf(status);
  return "code " + std::to_string(status.error_code()) + ", " + status.error_message() + ", " +
         (detail.has_value() ? detail->ShortDebugString() : "no detail");
}

MATCHER(Succeeded, "succeeded") {
  if (!arg.ok()) *result_listener << Describe(arg);
  return arg.ok();
}

// An error whose ErrorDetail has this reason.
MATCHER_P(RefusedWith, reason, "refused with " + v1::ErrorReason_Name(reason)) {
  *result_listener << Describe(arg);
  const auto detail = issuance::ErrorDetailOf(arg);
  return !arg.ok() && detail.has_value() && detail->reason() == reason;
}

// The same, and this field.
MATCHER_P2(RefusedWith, reason, field,
           "refused with " + v1::ErrorReason_Name(reason) + " at " + std::string(field)) {
  *result_listener << Describe(arg);
  const auto detail = issuance::ErrorDetailOf(arg);
  return !arg.ok() && detail.has_value() && detail->reason() == reason && detail->field() == field;
}

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_SUPPORT_GRPC_MATCHERS_H_
