#include "hsm/key/out_of_service.h"

#include "hsm/base/error.h"

namespace hourglass::hsm {

absl::Status OutOfService::Check(absl::string_view field) const {
  if (!IsSet()) return absl::OkStatus();
  return Error(ErrorReason::kKeyMismatch, field,
               "a signature by this key did not verify; it is out of service until the service is "
               "restarted: check the token");
}

}  // namespace hourglass::hsm
