// The second opinion on a new root, by Botan, whose parser shares nothing with ours.
#ifndef HOURGLASS_CA_ISSUERS_ROOT_LINT_H_
#define HOURGLASS_CA_ISSUERS_ROOT_LINT_H_

#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "ca/encoding/time.h"

namespace hourglass::ca {

// What a root must say.
struct ExpectedRoot {
  absl::string_view certificate;  // DER
  absl::string_view common_name;
  Time not_before;
  Time not_after;
  absl::string_view key_identifier;  // 20 octets
  std::size_t path_length;
};

// Compares what Botan reads with what was meant, and verifies the signature. Errors: INTERNAL_ERROR
// naming the rules, all called `botan_…`, that are broken.
absl::Status CheckRootWithBotan(const ExpectedRoot& expected);

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_ISSUERS_ROOT_LINT_H_
