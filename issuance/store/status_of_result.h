// What became of a statement, whether it gives something or not.
#ifndef HOURGLASS_ISSUANCE_STORE_STATUS_OF_RESULT_H_
#define HOURGLASS_ISSUANCE_STORE_STATUS_OF_RESULT_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace hourglass::issuance {

// For whoever commits what was written only where it is OK. Safe to call from several threads.
inline absl::Status StatusOfResult(const absl::Status& status) { return status; }
template <typename T>
absl::Status StatusOfResult(const absl::StatusOr<T>& result) {
  return result.status();
}

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_STATUS_OF_RESULT_H_
