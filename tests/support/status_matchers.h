// ASSERT_OK, EXPECT_OK, ASSERT_OK_AND_ASSIGN and matchers for absl::Status, which Debian 12's
// abseil lacks.
#ifndef HOURGLASS_TESTS_SUPPORT_STATUS_MATCHERS_H_
#define HOURGLASS_TESTS_SUPPORT_STATUS_MATCHERS_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hsm/base/error.h"

namespace hourglass {

inline const absl::Status& StatusOf(const absl::Status& status) { return status; }
template <typename T>
const absl::Status& StatusOf(const absl::StatusOr<T>& result) {
  return result.status();
}

MATCHER(IsOk, "is OK") {
  const absl::Status& status = StatusOf(arg);
  if (!status.ok()) *result_listener << status.ToString();
  return status.ok();
}

// Matches a Status or StatusOr that Error() made with this reason.
MATCHER_P(FailsWith, reason, std::string("fails with ") + std::string(ErrorReasonName(reason))) {
  const absl::Status& status = StatusOf(arg);
  *result_listener << status.ToString();
  return !status.ok() && ReasonOf(status) == reason;
}

// The same, and names this field.
MATCHER_P2(FailsWith, reason, field,
           std::string("fails with ") + std::string(ErrorReasonName(reason)) + " at " + field) {
  const absl::Status& status = StatusOf(arg);
  *result_listener << status.ToString();
  return !status.ok() && ReasonOf(status) == reason && FieldOf(status) == field;
}

#define EXPECT_OK(expression) EXPECT_THAT((expression), ::hourglass::IsOk())
#define ASSERT_OK(expression) ASSERT_THAT((expression), ::hourglass::IsOk())

#define HOURGLASS_TEST_CONCAT_INNER_(a, b) a##b
#define HOURGLASS_TEST_CONCAT_(a, b) HOURGLASS_TEST_CONCAT_INNER_(a, b)

// Ends the test unless `expression`, a StatusOr, holds a value; assigns it to `target`.
#define ASSERT_OK_AND_ASSIGN(target, expression)                                          \
  ASSERT_OK_AND_ASSIGN_IMPL_(HOURGLASS_TEST_CONCAT_(hourglass_result_, __LINE__), target, \
                             expression)

#define ASSERT_OK_AND_ASSIGN_IMPL_(result, target, expression) \
  auto result = (expression);                                  \
  ASSERT_TRUE(result.ok()) << result.status().ToString();      \
  target = *std::move(result)

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_SUPPORT_STATUS_MATCHERS_H_
