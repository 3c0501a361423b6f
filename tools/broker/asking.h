// One question to the service, and what its answer comes to.
#ifndef HOURGLASS_TOOLS_BROKER_ASKING_H_
#define HOURGLASS_TOOLS_BROKER_ASKING_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tools/agent/waiter.h"
#include "tools/broker/certificate_request.h"
#include "tools/broker/schedule.h"
#include "tools/client/certificate.h"
#include "tools/client/connection.h"

namespace hourglass::broker {

// For whom a certificate is.
struct Bearer {
  std::string tenant;
  std::string user;     // user principal name
  std::string user_id;  // may be empty
  std::string device;
  // Of his access token, read for each question, so that it can be renewed in place; empty: none.
  std::string access_token_file;
  // What signs as the device, where it has a key of its own (SignByDevice); empty: nothing does.
  std::string sign_with;
};

struct IssuedCertificate {
  std::string der;
  std::vector<std::string> chain;  // DER, nearest first
  client::CertificateFacts facts;
  absl::Time renew_after;
  absl::Time server_time;
  absl::Duration
      clock_lag;  // how far this machine's clock is behind the service's; negative: ahead
  std::string verdict_id;
};

// Asks once, as the device has just signed where that signs, waits at most `timeout`, and checks
// that the answer is a certificate for the key of `request`. A new connection each time takes up
// renewed credentials. Errors: those of client::Connection::Open, SignByDevice, client::CallError
// and client::ReadWholeFile; KEY_MISMATCH, FIELD_INVALID for an answer that is not what was asked
// for; CANCELLED if `waiter` was told to stop.
absl::StatusOr<IssuedCertificate> AskOnce(const client::ConnectionConfig& config,
                                          const Bearer& bearer, const CertificateRequest& request,
                                          const std::string& request_id, absl::Duration timeout,
                                          agent::Waiter& waiter);

// What the schedule is to make of it. A certificate that has expired by the service's own clock is
// Superseded.
Outcome OutcomeOf(const absl::StatusOr<IssuedCertificate>& answer);

}  // namespace hourglass::broker

#endif  // HOURGLASS_TOOLS_BROKER_ASKING_H_
