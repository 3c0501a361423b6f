// A device's key is brought to the service.
#ifndef HOURGLASS_TOOLS_BROKER_ENROLLING_H_
#define HOURGLASS_TOOLS_BROKER_ENROLLING_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hourglass/v1/device_keys.pb.h"
#include "tools/agent/waiter.h"
#include "tools/client/connection.h"
#include "tools/client/failure.h"

namespace hourglass::broker {

struct Enrolment {
  std::string tenant;
  std::string device;
  std::string public_key_file;    // PEM or DER, `-` for standard input
  std::string sign_with;          // as SignByDevice takes it
  std::string access_token_file;  // may be empty
};

// The SubjectPublicKeyInfo, DER, that a PEM or DER file holds. Errors: FIELD_INVALID with field
// `--public-key`.
absl::StatusOr<std::string> ReadPublicKey(absl::string_view content);

// Once, at most as long as the configuration lets a call take. Errors: those of ReadPublicKey,
// client::ReadWholeFile, SignByDevice, client::Connection::Open and client::CallError.
absl::StatusOr<v1::DeviceKey> Enrol(const Enrolment& enrolment,
                                    const client::ConnectionConfig& config, agent::Waiter& waiter);

std::string EnrolledInWords(const v1::DeviceKey& key);
// {"tenant_id", "device_id", "key_id", "state"}.
client::Json EnrolledAsJson(const v1::DeviceKey& key);

}  // namespace hourglass::broker

#endif  // HOURGLASS_TOOLS_BROKER_ENROLLING_H_
