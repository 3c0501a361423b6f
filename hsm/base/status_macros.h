// RETURN_IF_ERROR and ASSIGN_OR_RETURN for absl::Status, which Debian 12's abseil lacks; named as
// upstream names them.
#ifndef HOURGLASS_HSM_BASE_STATUS_MACROS_H_
#define HOURGLASS_HSM_BASE_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define HOURGLASS_STATUS_CONCAT_INNER_(a, b) a##b
#define HOURGLASS_STATUS_CONCAT_(a, b) HOURGLASS_STATUS_CONCAT_INNER_(a, b)

// Returns the status of `expression` from the surrounding function unless it is OK.
#define RETURN_IF_ERROR(expression)                        \
  do {                                                     \
    absl::Status hourglass_status_ = (expression);         \
    if (!hourglass_status_.ok()) return hourglass_status_; \
  } while (false)

// Assigns the value of the StatusOr `expression` to `target`, or returns its status.
#define ASSIGN_OR_RETURN(target, expression)                                              \
  ASSIGN_OR_RETURN_IMPL_(HOURGLASS_STATUS_CONCAT_(hourglass_statusor_, __LINE__), target, \
                         expression)

#define ASSIGN_OR_RETURN_IMPL_(statusor, target, expression) \
  auto statusor = (expression);                              \
  if (!statusor.ok()) return std::move(statusor).status();   \
  target = *std::move(statusor)

#endif  // HOURGLASS_HSM_BASE_STATUS_MACROS_H_
