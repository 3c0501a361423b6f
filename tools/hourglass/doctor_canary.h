// A canary's certificate from the service.
#ifndef HOURGLASS_TOOLS_HOURGLASS_DOCTOR_CANARY_H_
#define HOURGLASS_TOOLS_HOURGLASS_DOCTOR_CANARY_H_

#include <string>

#include "absl/status/statusor.h"
#include "tools/doctor/radius/canary.h"

namespace hourglass::cli {

// For whom, and who asks.
struct CanaryOrder {
  std::string broker_config;  // broker.yaml (docs/broker.md)
  std::string tenant;
  std::string user;     // user principal name
  std::string user_id;  // may be empty
  std::string device;
  std::string access_token_file;  // may be empty
};

// A certificate for a new key, as hourglass-broker gets it, but without a device's proof. Errors:
// those of client::LoadConnectionConfig, client::Connection::Open, client::Call and
// client::ReadWholeFile; INTERNAL_ERROR.
absl::StatusOr<doctor::Credential> GetCanary(const CanaryOrder& order);

}  // namespace hourglass::cli

#endif  // HOURGLASS_TOOLS_HOURGLASS_DOCTOR_CANARY_H_
