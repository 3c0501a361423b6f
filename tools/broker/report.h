// What the broker says: of a certificate it got.
#ifndef HOURGLASS_TOOLS_BROKER_REPORT_H_
#define HOURGLASS_TOOLS_BROKER_REPORT_H_

#include <string>

#include "absl/time/time.h"
#include "tools/broker/asking.h"
#include "tools/broker/output_files.h"
#include "tools/client/failure.h"

namespace hourglass::broker {

// A machine's clock that is off by more is worth a word.
inline constexpr absl::Duration kTolerableClockLag = absl::Seconds(30);

// Lines for people: for whom, good for what, until when as the service's clock sees it, and where
// it was written.
std::string CertificateInWords(const IssuedCertificate& issued, const Bearer& bearer,
                               const OutputPaths& paths);

// {"user_upn", "device_id", "tenant_id", "subject", "issuer", "serial_number", "not_before",
// "not_after", "renew_after", "server_time", "clock_lag_seconds", "purposes", "key", "verdict_id",
// "sha1_thumbprint", "sha256_thumbprint", "certificate_file", "key_file", "chain_file"}; files that
// are not written are left out.
client::Json CertificateAsJson(const IssuedCertificate& issued, const Bearer& bearer,
                               const OutputPaths& paths);

// "this machine's clock is 7 min behind the service's", or empty where it is right enough.
std::string ClockInWords(absl::Duration clock_lag);

}  // namespace hourglass::broker

#endif  // HOURGLASS_TOOLS_BROKER_REPORT_H_
