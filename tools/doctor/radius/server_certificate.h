// The certificate that a RADIUS server shows to clients.
#ifndef HOURGLASS_TOOLS_DOCTOR_RADIUS_SERVER_CERTIFICATE_H_
#define HOURGLASS_TOOLS_DOCTOR_RADIUS_SERVER_CERTIFICATE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "tools/doctor/finding_list.h"

namespace hourglass::doctor {

// What clients are told of the server: TrustedRootCA and ServerNames of a profile.
struct ExpectedServer {
  std::string roots_pem;  // empty: whatever it chains to
  std::string name;       // a DNS name; empty: whatever it is called
};

// That `roots_pem` holds certificates, all of which can be read. Errors: FIELD_INVALID with field
// `server-ca`.
absl::Status CheckRoots(const std::string& roots_pem);

// Adds what is wrong with the certificates in `shown_pem`, the server's own first: its chain to the
// roots, its purpose, its name (also whether the letters' case differs, which Windows 11 minds),
// its time at `now` (seconds since 1970). What cannot be told for want of roots or a name is a
// note.
void CheckServerCertificate(const std::string& shown_pem, const ExpectedServer& expected,
                            std::int64_t now, FindingList& findings);

}  // namespace hourglass::doctor

#endif  // HOURGLASS_TOOLS_DOCTOR_RADIUS_SERVER_CERTIFICATE_H_
