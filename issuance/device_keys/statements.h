// What a device signs, octet for octet (docs/device-keys.md).
#ifndef HOURGLASS_ISSUANCE_DEVICE_KEYS_STATEMENTS_H_
#define HOURGLASS_ISSUANCE_DEVICE_KEYS_STATEMENTS_H_

#include <chrono>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace hourglass::issuance {

// What a certificate is asked for: the names as it will have them, whether they came from the
// request or from an access token.
struct DeviceQuestion {
  absl::string_view tenant_id;
  absl::string_view user_id;  // may be empty
  absl::string_view user_upn;
  absl::string_view device_id;
  absl::string_view public_key_sha256;  // of the SubjectPublicKeyInfo to be certified, 32 octets
  absl::string_view request_id;
};

// What a key is enrolled for.
struct DeviceEnrolment {
  absl::string_view tenant_id;
  absl::string_view device_id;
  absl::string_view public_key_sha256;  // of the device key's SubjectPublicKeyInfo, 32 octets
};

// What makes each statement another one.
struct StatementMark {
  std::chrono::sys_seconds signed_at;
  absl::string_view nonce;
};

// A line that says what it is for, then each field as `LENGTH:VALUE` and a line feed, LENGTH in
// octets and decimal: two that differ in anything are two different statements, and none of one
// kind is one of the other. Hashes and nonces are in hexadecimal digits, small letters, and times
// in seconds since 1970. Pure functions.
std::string StatementOf(const DeviceQuestion& question, const StatementMark& mark);
std::string StatementOf(const DeviceEnrolment& enrolment, const StatementMark& mark);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_DEVICE_KEYS_STATEMENTS_H_
