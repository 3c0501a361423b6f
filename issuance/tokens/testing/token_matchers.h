// What a token is refused for.
#ifndef HOURGLASS_ISSUANCE_TOKENS_TESTING_TOKEN_MATCHERS_H_
#define HOURGLASS_ISSUANCE_TOKENS_TESTING_TOKEN_MATCHERS_H_

#include <gmock/gmock.h>

#include <string>

#include "issuance/tokens/token_fault.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {

// Matches a Status or StatusOr that TokenError() made with this fault.
MATCHER_P(IsRefused, fault, std::string("is refused with ") + std::string(TokenFaultName(fault))) {
  const absl::Status& status = StatusOf(arg);
  *result_listener << status.ToString();
  return !status.ok() && TokenFaultOf(status) == fault;
}

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_TOKENS_TESTING_TOKEN_MATCHERS_H_
